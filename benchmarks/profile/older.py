"""This machine as an older PC: the same program, with CPUID saying that there is nothing beyond AVX2 (``cpuid.c``)."""

from __future__ import annotations

import os
import platform
import subprocess
from pathlib import Path
from shutil import which

from benchmarks.errors import CaseError, NoInputError

_SOURCE = Path(__file__).with_name("cpuid.c")
_CANNOT = 77  # exit code of a program in which CPUID cannot be made to fault


def without_vnni(folder: Path) -> dict[str, str]:
    """The variables under which a program takes this processor for one with AVX2 and no int8 dot products.

    Args:
        folder: where the library that does it is built.

    Raises:
        NoInputError: this is no x86 Linux machine, there is no compiler, or the processor's CPUID cannot fault.
        CaseError: the compiler fails.
    """
    if platform.machine() != "x86_64" or platform.system() != "Linux":
        raise NoInputError("only an x86 Linux machine can be taken for an older one")
    compiler = which("gcc")
    if compiler is None:
        raise NoInputError("gcc is not installed: apt install gcc")
    library = folder / "cpuid.so"
    built = _run([compiler, "-O2", "-Wall", "-Wextra", "-shared", "-fPIC", str(_SOURCE), "-o", str(library)])
    if built.returncode:
        raise CaseError(f"gcc: {(built.stderr.strip().splitlines() or ['failed'])[0]}")
    found = {"LD_PRELOAD": str(library)}
    if _run([which("true") or "/bin/true"], found).returncode == _CANNOT:
        raise NoInputError("CPUID cannot fault here (no flag cpuid_fault in /proc/cpuinfo)")
    return found


def _run(command: list[str], more: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, **(more or {})}
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)  # noqa: S603
