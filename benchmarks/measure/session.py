"""One run of the suite: watch the device, measure the cases, and put everything into one record."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path

from benchmarks.errors import EXIT_FAILED_CASES, EXIT_INVALID, NoInputError, ResultError
from benchmarks.fields import render
from benchmarks.measure.device import describe
from benchmarks.measure.harness import Harness, MeasurementPlan, Progress, call, now
from benchmarks.measure.power import read_power, with_energy
from benchmarks.measure.process import MeasurementStoppedError
from benchmarks.measure.state import StateWatch, judge
from benchmarks.record.run import FAILED, MEASURED, CaseRecord, Run
from benchmarks.workload import Workload
from edge import installed_version
from edge.errors import EXIT_INTERRUPTED


def conduct(
    workloads: Sequence[Workload],
    plan: MeasurementPlan,
    power: Path | None = None,
    progress: Progress = lambda _what, _share: None,
    stopped: Callable[[], bool] = lambda: False,
) -> Run:
    """Measure and hand back the record, marked partial or invalid where it is.

    Args:
        workloads: names all different.
        plan: how long and how often.
        power: a meter's log that is being written meanwhile; read at the end.
        progress: called with what is being done.
        stopped: True ends the run.

    Raises:
        NoInputError: there is nothing to measure, or nothing was before it was stopped.
        ResultError: there is no power log at the path given.
    """
    if not workloads:
        raise NoInputError("nothing to measure: no case fits these options")
    if power is not None and not power.is_file():
        raise ResultError(f"{power}: no such power log: start the meter first")
    created, device = now(), describe()
    notes: list[str] = []
    stop = False
    with StateWatch() as watch:
        try:
            prepare_fields(workloads, progress, stopped)
        except MeasurementStoppedError:
            stop = True
        cases, halted = Harness(plan, progress, lambda: stop or stopped()).measure(workloads)
    invalid, heard = judge(watch.states)
    notes += heard
    if device["emulated"]:
        invalid = (*invalid, "emulated processor: its times mean nothing")
    if power is not None:
        cases, note = _metered(cases, power)
        notes += note
    partial = halted or stop
    return Run(created, installed_version(), asdict(plan), partial, invalid, tuple(notes), device, watch.states, cases)


def _metered(cases: tuple[CaseRecord, ...], power: Path) -> tuple[tuple[CaseRecord, ...], list[str]]:
    """The cases with their energy; a log that cannot be used must not cost the measurement."""
    try:
        cases, missing = with_energy(cases, read_power(power))
    except ResultError as error:
        return cases, [f"no energy: {error}"]
    rounds = sum(len(case.rounds) for case in cases)
    return cases, [f"the power log does not cover {missing} of {rounds} rounds"] if missing else []


def prepare_fields(workloads: Sequence[Workload], progress: Progress, stopped: Callable[[], bool]) -> None:
    """Render the virtual fields that cases will read, so that no case's start-up pays for it."""
    wanted = {
        (str(work.parameters["size"]), int(work.parameters["cells"]))
        for work in workloads
        if work.parameters.get("source") == "simulate" and "size" in work.parameters and "cells" in work.parameters
    }
    for size, cells in sorted(wanted):
        progress(f"rendering fields of {size} with {cells} cells", 0.0)
        call(f"{render.__module__}:{render.__name__}", {"size": size, "cells": cells}, stopped)


def exit_code(run: Run, *, interrupted: bool) -> int:
    """The exit code of a run."""
    if interrupted:
        return EXIT_INTERRUPTED
    if run.invalid:
        return EXIT_INVALID
    if not any(case.status == MEASURED for case in run.cases):
        return NoInputError.exit_code
    return EXIT_FAILED_CASES if any(case.status == FAILED for case in run.cases) else 0
