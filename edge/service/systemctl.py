"""Asks systemd: versions, states, and to start and stop the unit. Every call has a time limit."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from edge.errors import ServiceError
from edge.lines import plain
from edge.service.unit import NAME

_PATIENCE_S = 30.0  # seconds that systemd may take to answer
_STOPPING_S = 150.0  # the same to stop or restart: a run completes its outputs first
_RUNNING = Path("/run/systemd/system")  # there where systemd runs (sd_booted(3))
_PROPERTIES = (
    *("LoadState", "ActiveState", "SubState", "Result", "NRestarts", "StatusText", "ExecMainStatus"),
    *("ActiveEnterTimestamp", "UnitFileState", "NeedDaemonReload"),
)


def booted() -> bool:
    """Whether systemd runs this machine."""
    return _RUNNING.is_dir()


def version() -> int | None:
    """The version of systemd; None where there is none."""
    if shutil.which("systemctl") is None:
        return None
    found = re.match(r"systemd (\d+)", _run("systemctl", ["--version"], _PATIENCE_S).stdout)
    return int(found[1]) if found else None


def systemctl(*arguments: str, user: bool) -> str:
    """Run ``systemctl`` and return what it prints; raises ServiceError with its own words."""
    patience = _STOPPING_S if {"stop", "restart", "disable"} & set(arguments) else _PATIENCE_S
    done = _run("systemctl", [*_whose(user), "--no-ask-password", *arguments], patience)
    if done.returncode:
        said = plain(" ".join(done.stderr.split())) or f"exit code {done.returncode}"
        raise ServiceError(f"systemctl {' '.join(arguments)}: {said}")
    return done.stdout


def properties(*, user: bool) -> Mapping[str, str]:
    """What systemd knows of the unit, by the names of its properties; raises ServiceError."""
    asked = ["show", NAME, *(f"--property={name}" for name in _PROPERTIES)]
    lines = systemctl(*asked, user=user).splitlines()
    return {name: value for name, found, value in (line.partition("=") for line in lines) if found}


def journal(arguments: Sequence[str], *, user: bool) -> int:
    """Show the journal of the unit on this terminal and return the exit code; raises ServiceError where there is none."""
    program = shutil.which("journalctl")
    if program is None:
        raise ServiceError("there is no journalctl here: this system keeps no journal")
    whose = "--user-unit" if user else "--unit"
    return subprocess.run([program, f"{whose}={NAME}", *arguments], check=False).returncode  # noqa: S603 - the system's own


def _whose(user: bool) -> list[str]:
    return ["--user"] if user else []


def _run(name: str, arguments: Sequence[str], patience: float) -> subprocess.CompletedProcess[str]:
    program = shutil.which(name)
    if program is None:
        raise ServiceError(f"there is no {name} here: a service needs systemd")
    try:
        return subprocess.run(  # noqa: S603 - the system's own program
            [program, *arguments], capture_output=True, text=True, errors="replace", timeout=patience, check=False
        )
    except subprocess.TimeoutExpired:
        raise ServiceError(f"{name} {' '.join(arguments)}: no answer after {patience:g} s") from None
    except OSError as error:
        raise ServiceError(f"{name}: cannot be run: {error.strerror}") from error
