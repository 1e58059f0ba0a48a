"""The camera, and the package that a Raspberry Pi's camera needs in this very environment."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from edge.camera.nodes import video_nodes
from edge.health import machine
from edge.health.records import CheckResult, Health
from edge.health.system import is_pi

_PATIENCE_S = 15.0  # seconds that the package may take: it loads a driver's library
_COUNT = "from edge.camera.pi import pi_cameras; print('found', len(pi_cameras()))"
_SYSTEM_S = Path("/usr/lib/python3/dist-packages/picamera2")


@dataclass(frozen=True, slots=True)
class PiCameras:
    """What a child process found: a driver that hangs or crashes must not take this one along.

    Attributes:
        importable: whether picamera2 can be imported by this Python.
        count: cameras it knows; None: it does not say.
        said: the last line of what went wrong.
    """

    importable: bool
    count: int | None
    said: str = ""


def ask_picamera2() -> PiCameras:
    """Import picamera2 in a child process and count its cameras."""
    imported, said = _python("import picamera2")
    if not imported:
        return PiCameras(False, None, said)
    counted, said = _python(_COUNT)
    found = said.removeprefix("found ")
    return PiCameras(True, int(found) if counted and found.isdecimal() else None, said)


def _python(code: str) -> tuple[bool, str]:
    """Whether this Python runs the code, and the last line it printed."""
    try:
        done = subprocess.run(  # noqa: S603 - this very Python
            [sys.executable, "-c", code],
            capture_output=True,
            text=True,
            errors="replace",
            timeout=_PATIENCE_S,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return False, type(error).__name__
    printed = done.stdout if done.returncode == 0 else done.stderr
    return done.returncode == 0, (printed.strip().splitlines() or [""])[-1]


@dataclass(frozen=True, slots=True)
class CameraPackage:
    """Whether picamera2 can be imported, on a Raspberry Pi."""

    root: Path = machine.ROOT
    name: str = "camera package"

    def run(self) -> CheckResult:
        """Look."""
        if not is_pi(self.root):
            return CheckResult(self.name, Health.NOT_APPLICABLE, "no Raspberry Pi: USB cameras need no package")
        found = ask_picamera2()
        facts = {"importable": found.importable}
        if found.importable:
            return CheckResult(self.name, Health.OK, "picamera2 can be imported", facts=facts)
        remedy = "for a Pi camera: sudo apt install python3-picamera2"
        if _SYSTEM_S.exists():
            remedy = (
                f"it is installed, but not in this environment: python3 -m venv --system-site-packages {sys.prefix}"
            )
        said = f"picamera2 cannot be imported ({found.said}): a Pi camera cannot be used, a USB camera can"
        return CheckResult(self.name, Health.WARNING, said, remedy, facts)


@dataclass(frozen=True, slots=True)
class CameraPresent:
    """Whether a camera is plugged in and may be opened; it is not opened: a run may hold it.

    Attributes:
        wanted: whether counting needs one; without, its absence is no fault.
    """

    wanted: bool
    root: Path = machine.ROOT
    name: str = "camera"

    def run(self) -> CheckResult:
        """Look."""
        nodes = [Path(node) for node in video_nodes()]
        usable = [node for node in nodes if os.access(node, os.R_OK | os.W_OK)]
        pi = ask_picamera2() if is_pi(self.root) else PiCameras(importable=False, count=0)
        facts = {"usb": len(nodes), "usb_usable": len(usable), "pi": pi.count or 0}
        if usable or pi.count:
            kinds = [f"{pi.count} on the Pi's connector"] * bool(pi.count) + [f"{len(usable)} on USB"] * bool(usable)
            return CheckResult(self.name, Health.OK, ", ".join(kinds), facts=facts)
        if nodes:
            remedy = "sudo usermod -aG video $USER, then log in anew"
            return CheckResult(self.name, Health.FAILED, f"{nodes[0]} is there, but closed to you", remedy, facts)
        if pi.importable and pi.count is None:
            remedy = "look at the ribbon cable, and try: rpicam-hello --list-cameras"
            return CheckResult(
                self.name, Health.UNKNOWN, f"picamera2 does not say which there are: {pi.said}", remedy, facts
            )
        if self.wanted:
            remedy = "look at cable and plug; a Pi camera's cable only while the power is off"
            return CheckResult(self.name, Health.FAILED, "none is plugged in", remedy, facts)
        return CheckResult(self.name, Health.NOT_APPLICABLE, "none is plugged in, and none is asked for", facts=facts)
