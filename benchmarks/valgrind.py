"""Instructions of a program on this machine, between marks that it sets itself, counted by valgrind.

Valgrind hides AVX-512 and its int8 dot products from the program: its counts are an older PC's, with AVX2.
"""

from __future__ import annotations

import re
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from shutil import which

from benchmarks.errors import CaseError, NoInputError


def counted(program: Sequence[str], environment: Mapping[str, str]) -> tuple[str, list[int]]:
    """Run a program that marks places by ``os.getppid()``, which nothing else calls.

    Args:
        program: it and its arguments.
        environment: what it runs in.

    Returns:
        its stdout, and the instructions between each mark and the one before it.

    Raises:
        NoInputError: valgrind is not installed.
        CaseError: the program failed.
    """
    valgrind = which("valgrind")
    if valgrind is None:
        raise NoInputError("valgrind is not installed: apt install valgrind")
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "count"
        before = [valgrind, "--tool=callgrind", "--dump-before=getppid", f"--callgrind-out-file={out}"]
        done = subprocess.run([*before, *program], env=dict(environment), capture_output=True, text=True, check=False)  # noqa: S603
        if done.returncode:
            raise CaseError(f"valgrind: {(done.stderr.strip().splitlines() or ['failed'])[-1]}")
        spans, number = [], 1
        while (part := Path(f"{out}.{number}")).is_file():  # one file per mark, in order
            found = re.search(r"^summary: (\d+)", part.read_text(), re.MULTILINE)
            spans.append(int(found[1]) if found else 0)
            number += 1
    return done.stdout, spans
