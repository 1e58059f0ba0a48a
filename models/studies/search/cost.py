"""What the candidates cost: microseconds per cell on this machine, and instructions per cell on an emulated Cortex-A76.

Both are measured by the program ``edge-bench``, of the runner's own runtime on one thread; its JSON files are read here.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median
from typing import Any

from edge.door import stop_on_signals
from edge.errors import EXIT_INTERRUPTED, ModelError
from edge.modelfile import read_model
from edge.safe_file import write_text
from models.places import REPOSITORY

BATCHES = (1, 8, 32, 64)
"""Cells per call that times are measured at."""

SECONDS, PROCESSES, ROUNDS = 2.0, 2, 5
"""Seconds measured of each net at each batch, spread over so many processes of so many rounds."""

CELLS = 1024
"""Cells that instructions are counted over."""

CORE = "cortex-a76"
_MEASURED = "measured"  # edge-bench's word for a case that may be reported


@dataclass(frozen=True, slots=True)
class NetTime:
    """A net's time.

    Attributes:
        batch: the batch at which it takes least.
        us: per cell at that batch, median of the samples.
        ratio: to the reference at the reference's best batch, median over rounds.
        low: smallest of the rounds' ratios.
        high: largest.
        delegated: the delegate runs the whole graph.
    """

    batch: int
    us: float
    ratio: float
    low: float
    high: float
    delegated: bool


@dataclass(frozen=True, slots=True)
class TimedCase:
    """One net at one batch: median microseconds per cell over all samples and of each round, and facts about its file."""

    name: str
    batch: int
    us: float
    rounds: tuple[float, ...]
    sha256: str
    delegated: bool


@dataclass(frozen=True, slots=True)
class TimingRun:
    """One run of ``edge-bench model``: the machine's processor, what must be known to read the times, the cases."""

    cpu: str
    notes: tuple[str, ...]
    cases: tuple[TimedCase, ...]


@dataclass(frozen=True, slots=True)
class NetInstructions:
    """Instructions per cell.

    Attributes:
        core: the emulated core.
        nets: name to instructions per cell in the runner's batches.
        files: name to SHA-256 of the flatbuffer.
        versions: of the packages in the emulated system.
        cells: that were counted over.
        missing: why there are none; empty where there are.
    """

    core: str
    nets: Mapping[str, int]
    files: Mapping[str, str]
    versions: Mapping[str, str]
    cells: int
    missing: str = ""


def measure_times(files: Mapping[str, Path], note: Path, *, again: bool) -> TimingRun:
    """The times of all files, measured in turns in one run; read from the note where that is of the same files.

    Args:
        files: name to device file; the name is the file's own.
        note: where the run is kept.
        again: measure even so.

    Raises:
        KeyboardInterrupt: it was stopped.
        ModelError: a file could not be measured.
    """
    wanted = _hashes(files)
    kept = None if again or not note.is_file() else _read_kept(note)
    if kept is not None and {case.name: case.sha256 for case in kept.cases} == wanted:
        return kept
    turns = ("--seconds", str(SECONDS), "--turns", f"{PROCESSES}x{ROUNDS}", "--out", str(note.resolve()))
    options = ("--batch", ",".join(map(str, BATCHES)), "--threads", "1", "--runtime", "litert")
    note.unlink(missing_ok=True)
    code, said = edge_bench("model", *(str(path.resolve()) for path in files.values()), *options, *turns)
    if not note.is_file():
        raise ModelError(f"edge-bench ended with code {code}: {said}")
    return read_times(json.loads(note.read_text()))


def edge_bench(*arguments: str) -> tuple[int, str]:
    """Run ``edge-bench``; its exit code and the last line of its messages.

    Raises:
        KeyboardInterrupt: it was stopped.
    """
    command = [sys.executable, "-m", "benchmarks.cli", *arguments]
    with subprocess.Popen(  # noqa: S603 - this interpreter
        command, cwd=REPOSITORY, text=True, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    ) as program:
        with stop_on_signals(program.terminate) as stopped:
            _, said = program.communicate()
        if stopped.is_set() or program.returncode == EXIT_INTERRUPTED:
            raise KeyboardInterrupt
    return program.returncode, (said.strip().splitlines() or ["no message"])[-1]


def _read_kept(note: Path) -> TimingRun | None:
    try:
        plain = json.loads(note.read_text())
        return None if plain["partial"] else read_times(plain)
    except (OSError, ValueError, KeyError, TypeError, ModelError):  # damaged, or of another version: measured anew
        return None


def read_times(plain: Mapping[str, Any]) -> TimingRun:
    """What a result of ``edge-bench`` says of the bare nets; raises ModelError where one could not be measured."""
    cases = []
    for case in plain["cases"]:
        work, facts = case["workload"], case["facts"]
        if not work["name"].startswith("model/"):
            continue
        if case["status"] != _MEASURED:
            raise ModelError(f"could not be measured: {work['name']}: {case['reason'] or case['status']}")
        us = case["summary"]["p50_us"]
        rounds = tuple(_round_us(one) for one in case["rounds"])
        name, batch = Path(work["parameters"]["model"]).stem, work["parameters"]["batch"]
        cases.append(TimedCase(name, batch, us, rounds, facts["sha256"], bool(facts["delegated"])))
    device = plain["device"]
    return TimingRun(device["cpu"] or device["machine"], (*plain["invalid"], *plain["notes"]), tuple(cases))


def _round_us(one: Mapping[str, Any]) -> float:
    """Median microseconds per cell of one round; ``units`` that are all the same are kept as one number."""
    units = one["units"] if isinstance(one["units"], list) else [one["units"]] * len(one["ns"])
    return float(median(ns / cells / 1e3 for ns, cells in zip(one["ns"], units, strict=True)))


def times(run: TimingRun, reference: str) -> dict[str, NetTime]:
    """Each net at its best batch, divided by the reference at its own best batch, round by round."""
    best: dict[str, TimedCase] = {}
    for case in run.cases:
        if case.name not in best or case.us < best[case.name].us:
            best[case.name] = case
    beside = best[reference].rounds
    found = {}
    for name, case in best.items():
        ratios = [us / other for us, other in zip(case.rounds, beside, strict=True)]
        found[name] = NetTime(case.batch, case.us, median(ratios), min(ratios), max(ratios), case.delegated)
    return found


def count_instructions(
    files: Mapping[str, Path], note: Path, say: Callable[[str], None], *, again: bool
) -> NetInstructions:
    """Instructions of all files; counts of an unchanged file are read from the note.

    Args:
        files: name to device file; the name is the file's own.
        note: where the counts are kept.
        say: gets a line.
        again: count all anew.

    Returns:
        the counts; where no emulated system is built, ``missing`` says so.

    Raises:
        OutputError: the counts cannot be kept.
    """
    wanted = _hashes(files)
    kept = None if again else _read_counts(note)
    known = {name: kept.nets[name] for name in files if kept.files.get(name) == wanted[name]} if kept else {}
    missing = {name: path for name, path in files.items() if name not in known}
    if kept is not None and not missing:
        return replace(kept, nets=known, files=wanted)
    say(f"counting instructions of {len(missing)} nets on {CORE}")
    part = note.with_name(f"{note.stem}-part.json")
    paths = (str(path.resolve()) for path in missing.values())
    code, said = edge_bench("arm", "nets", *paths, "--cpu", CORE, "--cells", str(CELLS), "--out", str(part.resolve()))
    counts = _read_counts(part)
    part.unlink(missing_ok=True)
    if code or counts is None:
        return NetInstructions(CORE, known, wanted, {}, 0, said.partition(": ")[2] or said)
    if kept is not None and (kept.versions, kept.cells) != (counts.versions, counts.cells):
        return count_instructions(files, note, say, again=True)  # other packages: old counts may not stand beside new
    nets = {**known, **counts.nets}
    told = {"core": CORE, "cells": counts.cells, "versions": counts.versions, "files": wanted, "instructions": nets}
    write_text(note, json.dumps(told, indent=1) + "\n")
    return replace(counts, nets=nets, files=wanted)


def _read_counts(note: Path) -> NetInstructions | None:
    try:
        raw = json.loads(note.read_text())
        return NetInstructions(raw["core"], raw["instructions"], raw["files"], raw["versions"], raw["cells"])
    except (OSError, ValueError, KeyError, TypeError):  # none, damaged, or of another version: counted anew
        return None


def _hashes(files: Mapping[str, Path]) -> dict[str, str]:
    return {name: read_model(path).sha256 for name, path in files.items()}
