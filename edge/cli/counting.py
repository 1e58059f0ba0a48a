"""One run of ``edge-run``: everything is opened, the fields are counted, and the end becomes an exit code."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable

import cv2

from edge.book.book import Book
from edge.book.records import INTERRUPTED
from edge.book.writer import GROUP_S
from edge.cli.binding import binding_of
from edge.cli.book_file import keeper_of, open_run_book
from edge.cli.field_source import gate_of, may_hold_several_samples, open_fields, register_of, say_what_is_left_out
from edge.cli.going_on import Replayed, UnlessComplete, earlier_run
from edge.cli.judging import assessor_for, calibration_for
from edge.cli.originals import EarlierPictures
from edge.cli.outlets import about_run, open_outputs
from edge.cli.pipeline import CellPipeline, make_pipeline, warn_of_old_cards, warn_of_slow_nets
from edge.cli.run_settings import RunSettings
from edge.description import ModelLine
from edge.door import report, say, stop_on_signals
from edge.errors import EXIT_INTERRUPTED, EXIT_UNREADABLE_INPUTS, NoInputError, NothingCountedError
from edge.heap import keep_freed_memory
from edge.outputs.watch import CAMERA_PATIENCE, FILES_PATIENCE, Watch
from edge.scope.notes import TypicalWatch
from edge.session import Ending, SampleLimits, Session
from edge.sources import Source
from edge.sources.decode import ReadOptions
from edge.verdict.assess import Assessor
from edge.workers import Workers

_NAMED = 5
"""Samples that one line names; of more it says how many."""


def count(settings: RunSettings, fields: Callable[[], Source] | None = None) -> int:
    """Run and return the exit code; known failures before the first field are raised.

    Args:
        settings: of the run.
        fields: opens the source; None: as the settings say.
    """
    cv2.setNumThreads(1)  # one worker, one core, one field
    keep_freed_memory()
    calibration = calibration_for(settings.judging)
    gate_on, scope = settings.fields.gate, settings.judging.scope
    pipeline = make_pipeline(settings.nets, settings.process, settings.card, calibration, gate=gate_on, scope=scope)
    warn_of_slow_nets(pipeline.pairs[0])
    warn_of_old_cards(pipeline.model)
    assessor = assessor_for(settings, pipeline.bound, calibration)
    with open_run_book(settings.book) as book:
        source = open_fields(settings.input, settings.fields) if fields is None else fields()
        say_what_is_left_out(source)
        return _Run(settings, pipeline, assessor, source, book).code()


class _Run:
    """One run with everything open."""

    def __init__(
        self, settings: RunSettings, pipeline: CellPipeline, assessor: Assessor | None, source: Source, book: Book
    ) -> None:
        self._settings = settings
        self._pipeline = pipeline
        self._assessor = assessor
        self._source = source
        self._book = book
        self._watch = Watch(say, CAMERA_PATIENCE if settings.input.camera else FILES_PATIENCE)

    def code(self) -> int:
        """Count, and say how it ended."""
        workers = None
        debug = self._settings.process.debug
        pixels = self._settings.outputs.needs_pixels or self._settings.book.path is not None
        try:
            session, source = self._begun()
            try:
                with (
                    Workers(source, self._pipeline.analysers(), keep_pixels=pixels) as workers,
                    stop_on_signals(workers.stop) as stopped,
                ):
                    ending = session.run(workers)
            except BaseException:
                session.discard()
                raise
            self._book.close()
            return leave(workers, exit_code(ending, self._watch, debug=debug, interrupted=stopped.is_set()))
        finally:
            if workers is None or workers.idle:  # else a thread hangs in a driver, and closing the source could crash
                self._source.close()

    def _begun(self) -> tuple[Session, Source]:
        """The session, which has taken again what an earlier part of the run had, and the source of what is left."""
        settings, pipeline, source, book = self._settings, self._pipeline, self._source, self._book
        earlier = earlier_run(book, settings, source.samples)
        binding = binding_of(settings, pipeline, self._assessor, earlier.chain)
        earlier.check(binding)
        card = pipeline.card
        line = ModelLine(card.name, pipeline.model.sha256, pipeline.bound.finder, pipeline.model.card_sha256)
        about = about_run(settings, pipeline, line, self._assessor)
        reading = ReadOptions(settings.fields.z, settings.fields.depth)
        pictures = EarlierPictures(book, settings.book.path, earlier.rows, reading)
        outputs = open_outputs(settings, about, source.total, pictures)
        run = book.begin_run(about, binding)
        keeper = keeper_of(settings.book, book, card, earlier.chain)
        writer = book.writer(run, keep=keeper, group_s=GROUP_S)
        if keeper is not None:
            keeper.settle_by(writer.settle)
        session = Session(
            card,
            [self._watch, *outputs],
            gate_of(settings.fields, settings.nets),
            self._limits(),
            self._assessor,
            unit=settings.nets.unit,
            register=register_of(settings.fields, settings.nets),
            doubts=pipeline.fitness(),
            notes=None if settings.nets.grid else TypicalWatch(pipeline.settled, say).sample,
            book=UnlessComplete(writer, earlier.complete),
        )
        try:
            for row in earlier.rows:
                if row.state == INTERRUPTED:
                    writer.resume(row.id)
                    say(f"{row.name}: {row.fields:,} fields are in the book: going on after them")
            replayed = Replayed(book, earlier.rows)
            session.replay(replayed)
            if earlier.rows:
                for note in source.go_on(replayed.counted, earlier.complete):
                    say(f"note: {note}")
        except BaseException:
            session.discard()
            raise
        return session, source

    def _limits(self) -> SampleLimits:
        settings = self._settings
        several = may_hold_several_samples(settings.input, self._source.total)
        stop = settings.stop
        return SampleLimits(stop.max_cells, settings.field_limit, several=several, seconds=stop.max_seconds)


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
