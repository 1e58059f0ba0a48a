"""What the commands do once their options are checked."""

from __future__ import annotations

import json as jsonlib
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from benchmarks import fields, nets, peers
from benchmarks.errors import NoInputError, OutputError, ResultError
from benchmarks.measure.device import describe
from benchmarks.measure.harness import MeasurementPlan
from benchmarks.measure.session import conduct, exit_code
from benchmarks.measure.state import judge, take
from benchmarks.record.files import read, to_json, write
from benchmarks.record.run import Run
from benchmarks.report.compare import compare, refuse_regressions
from benchmarks.report.comparison_table import comparison_json, show_compared
from benchmarks.report.figures import slug
from benchmarks.report.page import page
from benchmarks.report.plots import draw
from benchmarks.report.screen import progress, show_device, show_run
from benchmarks.workload import Workload
from edge import shelf
from edge.door import say, stop_on_signals
from edge.safe_file import write_text
from edge.streams import stdout_errors

PROGRAM = "edge-bench"
WARM_SHARE = 0.02
"""Warm-up of each process as a share of a case's seconds: 0.2 of ten; two calls are the least."""


def plan(seconds: float, turns: str) -> MeasurementPlan:
    """The plan of a run; ``turns`` is PROCESSESxROUNDS. Short cases warm up shorter."""
    processes, rounds = (int(part) for part in turns.split("x"))
    return MeasurementPlan(seconds, processes, rounds, warm=seconds * WARM_SHARE)


def model_cases(
    models: tuple[str, ...], batches: tuple[int, ...], threads: tuple[int, ...], runtimes: tuple[str, ...]
) -> list[Workload]:
    """The cases of ``edge-bench model``; raises ModelError for a model that cannot be read."""
    names = models or tuple(entry.name for entry in shelf.entries())
    if not names:
        raise NoInputError("no model: the shelf is empty, give a path")
    cases = [nets.ceiling_workload()] if "litert" in runtimes else []
    for name in names:
        card = shelf.load(name).card
        finder = card is not None and card.task == "find"
        cases += nets.workloads(name, finder=finder, batches=batches, threads=threads, runtimes=runtimes)
    return list({case.name: case for case in cases}.values())


def run_cases(
    source: str, sizes: tuple[str, ...], cells: tuple[int, ...], workers: tuple[int, ...], finder: str
) -> list[Workload]:
    """The cases of ``edge-bench run``; raises NoInputError for a folder that is not there."""
    if source != "simulate":
        if not Path(source).is_dir():
            raise NoInputError(f"{source}: no such folder (for virtual fields: --source simulate)")
        folder = str(Path(source).resolve())
        return [fields.workload(folder, "", 0, count, finder) for count in workers]
    return [
        fields.workload(source, size, density, count, finder)
        for size in sizes
        for density in cells
        for count in workers
    ]


def peer_cases(source: str, model: str) -> list[Workload]:
    """The cases of ``edge-bench peers``; raises ModelError, and NoInputError for a folder that is not there."""
    if source != "simulate" and not Path(source).is_dir():
        raise NoInputError(f"{source}: no such folder (for virtual fields: --source simulate)")
    shelf.load(model or shelf.CLASSIFIER)
    return peers.workloads(model or shelf.CLASSIFIER, fields=None if source == "simulate" else Path(source))


def measure(
    cases: Sequence[Workload], how: MeasurementPlan, out: Path | None, power: Path | None, *, json: bool
) -> int:
    """Measure, show and write; the exit code. What was measured is shown and written even when it was stopped."""
    if out is not None:
        check_place(out)
    with stop_on_signals(lambda: None) as stopped, progress() as tell:
        found = conduct(cases, how, power, tell, stopped.is_set)
    if not any(case.rounds for case in found.cases):
        if stopped.is_set():
            say("stopped before anything was measured", PROGRAM)
            return exit_code(found, interrupted=True)
        reasons = list(dict.fromkeys(f"{case.name}: {case.reason}" for case in found.cases))
        for reason in reasons[1:]:
            say(reason, PROGRAM)
        raise NoInputError(f"nothing was measured: {reasons[0]}")
    if out is not None:
        write(out, found)
        say(f"written: {out}", PROGRAM)
    if json:
        with stdout_errors():
            sys.stdout.write(jsonlib.dumps(to_json(found), separators=(",", ":")) + "\n")
            sys.stdout.flush()
    else:
        show_run(found)
    _shout(found)
    return exit_code(found, interrupted=stopped.is_set())


def _shout(found: Run) -> None:
    for reason in found.invalid:
        say(f"INVALID RUN: {reason}: these figures must not be used", PROGRAM)
    for case in found.cases:
        if case.status == "failed":
            say(f"{case.name} failed: {case.reason}", PROGRAM)
    if found.partial:
        say("partial: stopped before the end", PROGRAM)


def check_place(out: Path) -> None:
    """Raise OutputError now rather than after minutes of measuring."""
    if not out.parent.is_dir():
        raise OutputError(f"{out}: cannot be written: there is no folder {out.parent}")
    if out.exists() and not out.is_file():
        raise OutputError(f"{out}: cannot be written: it is not a regular file")
    probe = out.with_name(f".{out.name}.probe")
    write_text(probe, "")
    probe.unlink()


def named_after_board(folder: Path) -> Path:
    """A new file in ``folder``, which is made if need be, named after the board (or processor) and the time."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise OutputError(f"{folder}: cannot be made: {error.strerror}") from error
    machine = describe()
    name = slug(str(machine["board"] or machine["cpu"] or machine["machine"]))
    return folder / f"{name}-{time.strftime('%Y%m%d-%H%M', time.gmtime())}.json"


def show_this_device(*, json: bool) -> None:
    """``edge-bench device``."""
    device, state = describe(), take("before")
    invalid, notes = judge([state])
    if not json:
        show_device(device, state, [*invalid, *notes])
        return
    with stdout_errors():
        sys.stdout.write(
            jsonlib.dumps({"device": device, "state": state, "notes": [*invalid, *notes]}, indent=1) + "\n"
        )
        sys.stdout.flush()


def show_comparison(old: Path, new: Path, limit: float | None, *, force: bool, json: bool) -> None:
    """``edge-bench compare``; raises RegressionError."""
    found = compare(read(old), read(new), force=force, names=(str(old), str(new)))
    if json:
        with stdout_errors():
            sys.stdout.write(jsonlib.dumps(comparison_json(found), indent=1) + "\n")
            sys.stdout.flush()
    else:
        show_compared(found)
    if limit is not None:
        refuse_regressions(found, limit)


def write_report(results: Sequence[Path], out: Path, *, plots: bool) -> None:
    """``edge-bench report``; a file that cannot be read ends it, for a report must not silently leave one out."""
    check_place(out)
    runs = [(path.name, read(path)) for path in results]
    if not runs:
        raise ResultError("no result file was given")
    drawn: dict[str, str] = {}
    if plots:
        drawn = draw([(name, run) for name, run in runs if not run.invalid and not run.partial], out.stem)
        for name, svg in drawn.items():
            write_text(out.with_name(name), svg)
    write_text(out, page(runs, tuple(drawn)))
    say(f"written: {out}" + (f" and {len(drawn)} plots" if drawn else ""), PROGRAM)
