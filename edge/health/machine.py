"""What the kernel and a Raspberry Pi's firmware tell of the machine; what cannot be read is None.

The firmware tells throttling in bits (``vcgencmd get_throttled``): 0 under-voltage, 1 clock capped, 2 throttled, 3 soft temperature
limit, now; 16 to 19 the same since boot. Where the kernel shows them as a file no process is started.
"""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path
from typing import Final

ROOT: Final = Path("/")
"""Where /proc, /sys and /etc are; another folder in tests, where no program is called either."""

BITS: Final = ("under-voltage", "clock capped", "throttled", "soft temperature limit")
_PATIENCE_S: Final = 2.0
"""Seconds that ``vcgencmd`` may take."""

_HOTTEST: Final = 150.0
"""Degrees Celsius above which a reading is no temperature."""


def board(root: Path = ROOT) -> str | None:
    """The board's own name, as ``Raspberry Pi 5 Model B Rev 1.0``."""
    for path in ("proc/device-tree/model", "sys/class/dmi/id/product_name"):
        if found := (text(root / path) or "").strip("\0 \n"):
            return found
    return None


def meminfo(root: Path, name: str) -> int | None:
    """One line of /proc/meminfo, in bytes."""
    found = re.search(rf"^{name}:\s+(\d+) kB", text(root / "proc/meminfo") or "", re.MULTILINE)
    return int(found[1]) * 1024 if found else None


def text(path: Path) -> str | None:
    """The content of a small system file; None where it is absent or may not be read."""
    try:
        return path.read_text(errors="replace")
    except OSError:
        return None


def number(path: Path) -> int | None:
    """A system file that holds one whole number, decimal or 0x...; None where it does not."""
    try:
        return int((text(path) or "").strip(), 0)
    except ValueError:
        return None


def temperature(root: Path) -> float | None:
    """The hottest thermal zone in degrees Celsius."""
    zones = [number(path) for path in (root / "sys/class/thermal").glob("thermal_zone*/temp")]
    return max((t / 1000 for t in zones if t is not None and 0 < t / 1000 < _HOTTEST), default=None)


def throttled(root: Path) -> int | None:
    """The firmware's bits (see the module), of a Raspberry Pi; None elsewhere."""
    for path in sorted((root / "sys/devices/platform").glob("soc*/**/get_throttled")):
        found = (text(path) or "").strip()
        if re.fullmatch(r"(0x)?[0-9a-fA-F]+", found):
            return int(found, 16)
    program = shutil.which("vcgencmd") if root == ROOT else None
    if program is None:
        return None
    try:
        said = subprocess.run(  # noqa: S603 - found by the system's own path
            [program, "get_throttled"], capture_output=True, text=True, timeout=_PATIENCE_S, check=False
        ).stdout
    except (OSError, subprocess.TimeoutExpired):
        return None
    matched = re.search(r"throttled=(0x[0-9a-fA-F]+)", said)
    return int(matched[1], 16) if matched else None


def under_voltage(root: Path) -> bool | None:
    """The kernel's under-voltage alarm of a Raspberry Pi (driver rpi_volt)."""
    for folder in (root / "sys/class/hwmon").glob("hwmon*"):
        if (text(folder / "name") or "").strip() == "rpi_volt":
            alarm = number(folder / "in0_lcrit_alarm")
            return None if alarm is None else bool(alarm)
    return None
