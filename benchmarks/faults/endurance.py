"""Many fields through one process with all outputs: its memory, open files and threads, looked at from outside."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from benchmarks.errors import CaseError
from benchmarks.faults.drawn import many, small_folder
from benchmarks.faults.sample import Place, fields_in

EVERY = 1000
"""Fields between looks; the first look is what the others are compared with."""

_LOOK_S = 0.05
"""Seconds between looks at how far it is."""


@dataclass(frozen=True, slots=True)
class ProcessLook:
    """A process at one moment.

    Attributes:
        fields: shown so far.
        kilobytes: of memory that is its own (RssAnon).
        files: that are open.
        threads: that run.
    """

    fields: int
    kilobytes: int
    files: int
    threads: int


@dataclass(frozen=True, slots=True)
class Endurance:
    """A long run: looks in order, seconds it took, fields in the book at its end, exit code."""

    looks: tuple[ProcessLook, ...]
    seconds: float
    kept: int
    code: int


def endurance(folder: Path, count: int, tell: Callable[[str], None]) -> Endurance:
    """Count ``count`` fields, drawn once and reused, in a process of its own; raises CaseError where it fails.

    Args:
        folder: an empty one, with room for an annotated picture of each field.
        count: fields.
        tell: takes progress.
    """
    place = Place(folder / "work", folder / "fields")
    place.out.mkdir(parents=True)
    place.fields.mkdir()
    many(place.fields, small_folder(), count)
    began = time.monotonic()
    out, err = folder / "out.jsonl", folder / "err"
    with out.open("wb") as stdout, err.open("wb") as stderr:
        process = subprocess.Popen(  # noqa: S603
            [sys.executable, "-P", "-c", "from edge.cli import run_main; run_main()", *place.arguments("--no-gate")],
            stdout=stdout,
            stderr=stderr,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(path or str(Path.cwd()) for path in sys.path)},
        )
        try:
            looks = _watch(process, out, tell)
        finally:
            process.kill()
            code = process.wait()
    seconds = time.monotonic() - began
    if code:
        raise CaseError(f"the long run ended with {code}: {err.read_text()[-400:]}")
    kept = len(fields_in(place.book))
    shutil.rmtree(folder)
    return Endurance(tuple(looks), seconds, kept, code)


def _watch(process: subprocess.Popen[bytes], out: Path, tell: Callable[[str], None]) -> list[ProcessLook]:
    looks: list[ProcessLook] = []
    fields, wanted = 0, EVERY
    with out.open("rb") as stream:
        while process.poll() is None:
            fields += stream.read().count(b'"event": "field"')
            if fields >= wanted:
                look = _look(process.pid, fields)
                if look is None:
                    break
                looks.append(look)
                wanted = (fields // EVERY + 1) * EVERY
                if len(looks) % 5 == 1:
                    tell(f"{fields:,} fields: {look.kilobytes:,} kB, {look.files} files, {look.threads} threads")
            time.sleep(_LOOK_S)
    process.wait()
    return looks


def _look(pid: int, fields: int) -> ProcessLook | None:
    here = Path(f"/proc/{pid}")
    try:
        lines = dict(line.split(":", 1) for line in (here / "status").read_text().splitlines())
        files = len(list((here / "fd").iterdir()))
        return ProcessLook(fields, int(lines["RssAnon"].split()[0]), files, int(lines["Threads"]))
    except (OSError, KeyError):  # it has just ended
        return None
