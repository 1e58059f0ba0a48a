"""One run of ``edge-run``: everything is opened, the fields are counted, and the end becomes an exit code."""

from __future__ import annotations

import os
import sys

import cv2

from edge.cli.field_source import gate_of, may_hold_several_samples, open_fields, register_of, say_what_is_left_out
from edge.cli.judging import assessor_for, calibration_for
from edge.cli.outlets import about_run, open_outputs
from edge.cli.pipeline import make_pipeline, warn_of_old_cards, warn_of_slow_nets
from edge.cli.run_settings import RunSettings
from edge.description import ModelLine
from edge.door import report, say, stop_on_signals
from edge.errors import EXIT_INTERRUPTED, EXIT_UNREADABLE_INPUTS, NoInputError, NothingCountedError
from edge.heap import keep_freed_memory
from edge.outputs.watch import CAMERA_PATIENCE, FILES_PATIENCE, Watch
from edge.scope.notes import TypicalWatch
from edge.session import Ending, SampleLimits, Session
from edge.workers import Workers

_NAMED = 5
"""Samples that one line names; of more it says how many."""


def count(settings: RunSettings) -> int:
    """Run and return the exit code; known failures before the first field are raised."""
    cv2.setNumThreads(1)  # one worker, one core, one field
    keep_freed_memory()
    calibration = calibration_for(settings.judging)
    gate_on, scope = settings.fields.gate, settings.judging.scope
    pipeline = make_pipeline(settings.nets, settings.process, settings.card, calibration, gate=gate_on, scope=scope)
    warn_of_slow_nets(pipeline.pairs[0])
    warn_of_old_cards(pipeline.model)
    assessor = assessor_for(settings, pipeline.bound, calibration)
    source = open_fields(settings.input, settings.fields)
    say_what_is_left_out(source)
    workers = None
    try:
        several = may_hold_several_samples(settings.input, source.total)
        limits = SampleLimits(
            settings.stop.max_cells, settings.field_limit, several=several, seconds=settings.stop.max_seconds
        )
        card, model = pipeline.card, pipeline.model
        line = ModelLine(card.name, model.sha256, pipeline.bound.finder, model.card_sha256)
        about = about_run(settings, pipeline, line, assessor) if settings.outputs.report else None
        outputs = open_outputs(settings, card, line, source.total, about)
        watch = Watch(say, CAMERA_PATIENCE if settings.input.camera else FILES_PATIENCE)
        session = Session(
            card,
            [watch, *outputs],
            gate_of(settings.fields, settings.nets),
            limits,
            assessor,
            unit=settings.nets.unit,
            register=register_of(settings.fields, settings.nets),
            doubts=pipeline.fitness(),
            notes=None if settings.nets.grid else TypicalWatch(pipeline.settled, say).sample,
        )
        try:
            with (
                Workers(source, pipeline.analysers(), keep_pixels=settings.outputs.needs_pixels) as workers,
                stop_on_signals(workers.stop) as stopped,
            ):
                ending = session.run(workers)
        except BaseException:
            session.discard()
            raise
        debug = settings.process.debug
        return leave(workers, exit_code(ending, watch, debug=debug, interrupted=stopped.is_set()))
    finally:
        if workers is None or workers.idle:  # else a thread hangs in a driver, and closing the source could crash
            source.close()


def leave(workers: Workers, code: int) -> int:
    """Return ``code``. If a thread hangs in a driver, end the process here instead: Python's own exit may crash then."""
    if not workers.idle:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)
    return code


def exit_code(ending: Ending, watch: Watch, *, debug: bool, interrupted: bool) -> int:
    """Say how the run ended and turn that into the exit code."""
    if ending.error is not None:
        return report(ending.error, debug=debug)
    if interrupted:
        say("stopped: counted up to here")
        return EXIT_INTERRUPTED
    if ending.fields == 0:
        n = ending.unreadable
        raise NoInputError(f"no field could be read: {n} unreadable" if n else "the source gave no field")
    if ending.unreadable:
        say(f"done, but {ending.unreadable} of {ending.fields + ending.unreadable} inputs could not be read")
    if watch.nothing:
        return report(NothingCountedError(nothing_counted(watch)), debug=debug)
    return EXIT_UNREADABLE_INPUTS if ending.unreadable else 0


def nothing_counted(watch: Watch) -> str:
    """Say in one line which samples have no field that counts, and why."""
    first, more = watch.nothing[:_NAMED], len(watch.nothing) - _NAMED
    if watch.samples == 1:
        return f"nothing was counted: none of {first[0].fields:,} fields counts; {first[0].cause}"
    named = "; ".join(f"{sample.sample} ({sample.fields:,} fields: {sample.cause})" for sample in first)
    others = f"; and {more:,} more" if more > 0 else ""
    return f"nothing was counted in {len(watch.nothing):,} of {watch.samples:,} samples: {named}{others}"
