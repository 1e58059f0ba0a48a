"""``.ci/run``: its last line says what ran, what was skipped and why. On made-up machines, where nothing is really run."""

from __future__ import annotations

import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

import pytest

from benchmarks.places import REPOSITORY

TOOLS = ("bash", "dirname", "env", "grep", "id", "mktemp", "rm", "tail", "tee", "timeout", "touch")
BROWSER = ("chromium", "chromedriver", "npm")
QEMU_FILE = "/usr/lib/binfmt.d/qemu-aarch64.conf"


@dataclass(frozen=True)
class Machine:
    """What is there, and how things end.

    Attributes:
        commands: those that are installed.
        root: whether we may install.
        apt: what apt-get brings: command to the package it is in; None: there is no apt-get.
        make: exit code of ``make test``.
        arm: exit code of the ARM part.
        said: its last line.
        axe: why axe-core cannot be had.
        libcamera: exit code of building it, and of looking whether it is built.
        programs: why other programs' own code cannot be had.
    """

    commands: tuple[str, ...] = (*BROWSER, "mosquitto", "qemu-aarch64")
    root: bool = True
    apt: dict[str, str] | None = None
    make: int = 0
    arm: int = 0
    said: str = "all equal"
    axe: str = ""
    libcamera: int = 0
    programs: str = ""


def last_line(machine: Machine, folder: Path) -> tuple[int, str]:
    """Run ``.ci/run`` there; its exit code and last line."""
    programs, checkout = folder / "bin", folder / "checkout"
    for place in (programs, checkout / ".ci", checkout / ".venv" / "bin", checkout / "shared"):
        place.mkdir(parents=True)
    script = (REPOSITORY / ".ci" / "run").read_text()
    for known in (QEMU_FILE, "/usr/sbin/"):
        assert known in script  # else this test would look at the machine it runs on
    (folder / "formats").touch()
    script = script.replace(QEMU_FILE, str(folder / "formats")).replace("/usr/sbin/", str(folder / "sbin") + "/")
    (checkout / ".ci" / "run").write_text(script)

    def program(path: Path, text: str) -> None:
        path.write_text(f"#!/usr/bin/env bash\n{text}\n")
        path.chmod(0o755)

    for tool in TOOLS:
        (programs / tool).symlink_to(str(shutil.which(tool)))
    (programs / "id").unlink()
    program(programs / "id", f"echo {0 if machine.root else 1000}")
    for command in machine.commands:
        program(programs / command, "")
    if machine.apt is not None:
        brings = "\n".join(f'[[ " $* " != *" {p} "* ]] || touch {programs}/{c}' for c, p in machine.apt.items())
        chmod = f"for f in {programs}/*; do [ -x $f ] || {shutil.which('chmod')} +x $f; done"
        known = " ".join(
            {*machine.apt.values(), "fonts-dejavu-core", "openssl", "qemu-user-static", "qemu-user-binfmt"}
        )
        unknown = f'for p in "${{@:5}}"; do [[ " {known} " == *" $p "* ]] || {{ echo "E: no package $p" >&2; exit 100; }}; done'
        program(programs / "apt-get", f"[ $1 = update ] && exit 0\n{unknown}\n{brings}\n{chmod}")
    program(programs / "make", f"exit {machine.make}")
    builds = f"*libcamera.build*) exit {machine.libcamera};; *tensorflow*) exit 1;;"
    builds += f" *programs.install*) echo '{machine.programs}' >&2; exit {8 * bool(machine.programs)};;"
    python = f'case "$*" in {builds} *) echo "{machine.said}" >&2; exit {machine.arm};; esac'
    program(checkout / ".venv" / "bin" / "python", python)
    (checkout / "tests" / "serve").mkdir(parents=True)
    program(checkout / "tests" / "serve" / "fetch_axe", f"echo npm ERR: {machine.axe}; exit {int(bool(machine.axe))}")
    done = subprocess.run(
        [str(shutil.which("bash")), checkout / ".ci" / "run"],
        env={"PATH": str(programs), "EDGE_DATA": str(checkout / "shared"), "TMPDIR": str(folder)},
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stdout.splitlines()[-1]


NO_TENSORFLOW = "tests with TensorFlow (not installed: make test-build)"
REST = "the rest of ARM (half an hour: make bench-arm)"
ALL_RAN = f"RAN: make test, ARM, the quick part. SKIPPED: {NO_TENSORFLOW}; {REST}"


@pytest.mark.parametrize(
    ("machine", "code", "line"),
    [
        pytest.param(Machine(), 0, ALL_RAN, id="everything is there"),
        pytest.param(
            Machine(
                ("npm",),
                apt={
                    "chromium": "chromium",
                    "chromedriver": "chromium-driver",
                    "mosquitto": "mosquitto",
                    "qemu-aarch64": "qemu-user",
                },
            ),
            0,
            ALL_RAN,
            id="apt brings it",
        ),
        pytest.param(
            Machine((*BROWSER, "mosquitto"), root=False, apt={}),
            0,
            f"RAN: make test. SKIPPED: {NO_TENSORFLOW}; ARM, all of it (no qemu-aarch64: only root may install: "
            "apt-get install qemu-user qemu-user-binfmt)",
            id="not root",
        ),
        pytest.param(
            Machine((*BROWSER, "mosquitto")),
            0,
            f"RAN: make test. SKIPPED: {NO_TENSORFLOW}; ARM, all of it (no qemu-aarch64: there is no apt-get)",
            id="no apt-get",
        ),
        pytest.param(
            Machine(("mosquitto", "qemu-aarch64", "npm"), apt={}),
            0,
            "RAN: make test, ARM, the quick part. SKIPPED: browser tests (no chromium: apt-get install chromium "
            f"chromium-driver fonts-dejavu-core: E: no package chromium); {NO_TENSORFLOW}; {REST}",
            id="chromium cannot be had, ARM runs all the same",
        ),
        pytest.param(
            Machine(("chromium", "npm", "mosquitto", "qemu-aarch64"), root=False, apt={}),
            0,
            "RAN: make test, ARM, the quick part. SKIPPED: browser tests of edge serve (no chromedriver: only root may "
            f"install: apt-get install chromium chromium-driver fonts-dejavu-core); {NO_TENSORFLOW}; {REST}",
            id="chromium has no driver",
        ),
        pytest.param(
            Machine((*BROWSER, "qemu-aarch64"), apt={}),
            0,
            "RAN: make test, ARM, the quick part. SKIPPED: tests with a real MQTT broker (no mosquitto: apt-get install mosquitto "
            f"openssl: E: no package mosquitto); {NO_TENSORFLOW}; {REST}",
            id="no broker can be had",
        ),
        pytest.param(
            Machine(libcamera=1),
            0,
            "RAN: make test, ARM, the quick part. SKIPPED: picamera2 on libcamera's virtual pipeline (not built: there is no "
            f"apt-get); {NO_TENSORFLOW}; {REST}",
            id="libcamera cannot be built",
        ),
        pytest.param(
            Machine(programs="other programs (base): no matching distribution"),
            0,
            "RAN: make test, ARM, the quick part. SKIPPED: files read by other programs' own code (other programs (base): no "
            f"matching distribution); {NO_TENSORFLOW}; {REST}",
            id="other programs cannot be fetched",
        ),
        pytest.param(
            Machine(("chromium", "chromedriver", "mosquitto", "qemu-aarch64")),
            0,
            f"RAN: make test, ARM, the quick part. SKIPPED: axe on the pages of edge serve (no npm); {NO_TENSORFLOW}; {REST}",
            id="axe needs npm",
        ),
        pytest.param(
            Machine(axe="no network"),
            0,
            "RAN: make test, ARM, the quick part. SKIPPED: axe on the pages of edge serve (npm ERR: no network); "
            f"{NO_TENSORFLOW}; {REST}",
            id="axe cannot be had",
        ),
        pytest.param(
            Machine((*BROWSER, "mosquitto"), apt={"other": "qemu-user"}),
            0,
            f"RAN: make test. SKIPPED: {NO_TENSORFLOW}; ARM, all of it (no qemu-aarch64: installed, but the command "
            "or its binfmt file is not there)",
            id="the package does not hold the command",
        ),
        pytest.param(
            Machine(arm=8, said="edge-bench arm: mounting needs root"),
            0,
            f"RAN: make test. SKIPPED: {NO_TENSORFLOW}; ARM, all of it (edge-bench arm: mounting needs root)",
            id="ARM cannot be emulated here",
        ),
        pytest.param(
            Machine(arm=124),
            0,
            f"RAN: make test. SKIPPED: {NO_TENSORFLOW}; ARM, what was not reached in 15 minutes (make bench-arm runs "
            "all of it)",
            id="ARM takes too long",
        ),
        pytest.param(
            Machine(arm=9),
            9,
            f"RAN: make test. SKIPPED: {NO_TENSORFLOW}. FAILED: ARM (exit code 9)",
            id="ARM differs",
        ),
        pytest.param(
            Machine(make=2), 2, "RAN: nothing. SKIPPED: nothing. FAILED: make test (exit code 2)", id="tests fail"
        ),
    ],
)
def test_the_last_line_says_what_ran_and_what_did_not(machine: Machine, code: int, line: str, tmp_path: Path) -> None:
    assert last_line(machine, tmp_path) == (code, line)


def test_the_script_may_be_run() -> None:
    assert os.access(REPOSITORY / ".ci" / "run", os.X_OK)
