"""One run: everything is opened, the fields are counted, and the end becomes an exit code. The engine's runs are the same."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass

import cv2

from edge.book.book import Book
from edge.book.records import INTERRUPTED
from edge.book.writer import GROUP_S
from edge.cli.binding import binding_of
from edge.cli.book_file import NotesKeeper, keeper_of, open_run_book
from edge.cli.broker_job import outputs_of, told_broker
from edge.cli.camera_control import opened_fields, telling
from edge.cli.field_source import gate_of, may_hold_several_samples, register_of, say_what_is_left_out
from edge.cli.going_on import Replayed, UnlessComplete, earlier_run
from edge.cli.judging import assessor_for, calibration_for
from edge.cli.originals import EarlierPictures
from edge.cli.outlets import about_run, open_outputs
from edge.cli.pipeline import CellPipeline, make_pipeline, warn_of_old_cards, warn_of_slow_nets
from edge.cli.run_settings import RunSettings
from edge.cli.sample_notes import notes_of_samples
from edge.cli.scoped import profile_named
from edge.control.progress import ProgressOutput
from edge.control.run import RunControl
from edge.description import ModelLine
from edge.door import report, say, stop_on_signals
from edge.errors import EXIT_INTERRUPTED, EXIT_UNREADABLE_INPUTS, NoInputError, NothingCountedError
from edge.events import Output
from edge.heap import keep_freed_memory
from edge.outputs.pace import EndConditions
from edge.outputs.watch import CAMERA_PATIENCE, FILES_PATIENCE, Watch
from edge.scope.profile import Profile
from edge.session import Ending, SampleLimits, Session
from edge.sources import Source
from edge.sources.decode import ReadOptions
from edge.status import RunEnd, SampleProgress
from edge.verdict.assess import Assessor
from edge.workers import Workers

Stopping = Callable[[Callable[[], None]], AbstractContextManager[threading.Event]]
"""Takes what stops a run, and tells whether somebody did."""

_NAMED = 5
"""Samples that one line names; of more it says how many."""


def count(settings: RunSettings, fields: Callable[[], Source] | None = None) -> int:
    """Run and return the exit code; known failures before the first field are raised.

    Args:
        settings: of the run.
        fields: opens the source; None: as the settings say.
    """
    parts = load_parts(settings)
    with (
        open_run_book(settings.book) as book,
        opened_fields(settings, parts.pipeline.profile) if fields is None else nullcontext((fields(), None)) as (
            source,
            control,
        ),
        told_broker(settings, parts.pipeline.card.name) as broker,
    ):
        say_what_is_left_out(source)
        more = outputs_of(broker, book, parts.pipeline.card, snapshots=control is not None)
        return CountingRun(settings, parts, source, book, control, more=more).code()


@dataclass(frozen=True, slots=True)
class CountingParts:
    """What is loaded once for all samples: the nets, and what judges."""

    pipeline: CellPipeline
    assessor: Assessor | None


def load_parts(settings: RunSettings) -> CountingParts:
    """Load nets and calibration, and say what is wrong with them; raises ModelError, CalibrationError or SettlingError."""
    parts = load_quietly(settings)
    warn_of_slow_nets(parts.pipeline.pairs[0])
    warn_of_old_cards(parts.pipeline.model)
    return parts


def load_quietly(
    settings: RunSettings, profile_of: Callable[[str | None], Profile | None] = profile_named
) -> CountingParts:
    """As ``load_parts``, where what there is to say of the nets has been said.

    Args:
        settings: of the run.
        profile_of: gives the profile of a microscope by its name.
    """
    cv2.setNumThreads(1)  # one worker, one core, one field
    keep_freed_memory()
    calibration = calibration_for(settings.judging)
    gate_on, scope = settings.fields.gate, settings.judging.scope
    nets, process, card = settings.nets, settings.process, settings.card
    pipeline = make_pipeline(nets, process, card, calibration, gate=gate_on, scope=scope, profile_of=profile_of)
    return CountingParts(pipeline, assessor_for(settings, pipeline.bound, calibration))


@dataclass(frozen=True, slots=True)
class Counted:
    """How a run ended: ``stopped``: somebody stopped it; ``hangs``: a thread is left that hangs in a driver."""

    ending: Ending
    stopped: bool
    hangs: bool


class CountingRun:
    """One run with everything open, of ``edge-run`` or of the engine.

    Args:
        settings: of the run.
        parts: what was loaded.
        source: of its fields; closed with the run.
        book: where they are kept.
        control: of the camera; None: the source is no camera.
        notes: of a person, kept with the sample.
        screens: whether a person sits at this process's terminal.
        more: outputs beside those of the settings.
    """

    def __init__(
        self,
        settings: RunSettings,
        parts: CountingParts,
        source: Source,
        book: Book,
        control: RunControl | None = None,
        *,
        notes: str = "",
        screens: bool = True,
        more: Sequence[Output] = (),
    ) -> None:
        self._settings = settings
        self._pipeline, self._assessor = parts.pipeline, parts.assessor
        self._source = source
        self._book = book
        self._control = control
        self._notes = notes
        self._screens = screens
        self._more = more
        self._outputs: list[Output] = []
        self._watch = Watch(say, CAMERA_PATIENCE if settings.input.camera else FILES_PATIENCE)

    def code(self) -> int:
        """Count, say how it ended, and return the exit code."""
        counted = self.run(stop_on_signals)
        self._book.close()
        code = exit_code(counted.ending, self._watch, debug=self._settings.process.debug, interrupted=counted.stopped)
        return leave(code, hangs=counted.hangs)

    def run(self, stopping: Stopping) -> Counted:
        """Count.

        Args:
            stopping: while inside, whoever wants the run to stop calls what it is given.
        """
        workers = None
        pixels = self._settings.outputs.needs_pixels or self._settings.book.path is not None
        try:
            session, source = self._begun()
            try:
                with (
                    Workers(source, self._pipeline.analysers(), keep_pixels=pixels) as workers,
                    stopping(self._stop(workers)) as stopped,
                    self._told(),
                ):
                    try:
                        ending = session.run(workers)
                    finally:
                        self._let_go()
            except BaseException:
                session.discard()
                raise
        except BaseException as error:
            if self._control is not None:
                self._control.ended(RunEnd.FAILED, str(error))
            raise
        finally:
            if workers is None or workers.idle:  # else a thread hangs in a driver, and closing the source could crash
                self._source.close()
        if self._control is not None:
            self._control.ended(ending.how, "" if ending.error is None else str(ending.error))
        return Counted(ending, stopped.is_set(), hangs=not workers.idle)

    def _let_go(self) -> None:
        """Let the source end: it may wait for a next field, of which the sample has no need any more."""
        if self._control is not None:
            self._control.interrupt()

    def _stop(self, workers: Workers) -> Callable[[], None]:
        """What stops the run; safe in a signal handler."""
        control = self._control

        def stop() -> None:
            workers.stop()
            if control is not None:
                control.interrupt()

        return stop

    def _told(self) -> AbstractContextManager[object]:
        """While inside, those outputs that show more than fields are told how it stands."""
        if self._control is None:
            return nullcontext()
        return telling(self._control, self._outputs)

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
        self._outputs = [*self._more, *open_outputs(settings, about, source.total, pictures, screens=self._screens)]
        control = self._control
        shown = None if control is None else self._progress(control)
        progress: list[Output] = [] if shown is None else [shown]
        if self._notes and settings.book.path is not None:
            progress.append(NotesKeeper(book, self._notes))
        run = book.begin_run(about, binding)
        keeper = keeper_of(settings.book, book, card, earlier.chain)
        writer = book.writer(run, keep=keeper, group_s=GROUP_S)
        if keeper is not None:
            keeper.settle_by(writer.settle)
        session = Session(
            card,
            [self._watch, *progress, *self._outputs],
            gate_of(settings.fields, settings.nets),
            self._limits(),
            self._assessor,
            unit=settings.nets.unit,
            register=register_of(settings.fields, settings.nets),
            doubts=pipeline.fitness(),
            notes=notes_of_samples(settings.nets, pipeline, self._assessor, say),
            book=UnlessComplete(writer, earlier.complete),
            chosen=(lambda: False) if control is None else (lambda: control.finished),
            clock=None if control is None else control.now,
        )
        if shown is not None:
            shown.judge = session.so_far
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

    def _progress(self, control: RunControl) -> ProgressOutput:
        settings = self._settings
        begun = SampleProgress(self._source.samples[0], self._notes)
        control.begin(begun)
        ends = EndConditions(settings.stop.max_cells, settings.field_limit, settings.stop.max_seconds)
        return ProgressOutput(control, begun, self._pipeline.card, ends)

    def _limits(self) -> SampleLimits:
        settings = self._settings
        several = may_hold_several_samples(settings.input, self._source.total)
        stop = settings.stop
        return SampleLimits(stop.max_cells, settings.field_limit, several=several, seconds=stop.max_seconds)


def leave(code: int, *, hangs: bool) -> int:
    """Return ``code``. If a thread hangs in a driver, end the process here instead: Python's own exit may crash then."""
    if hangs:
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
