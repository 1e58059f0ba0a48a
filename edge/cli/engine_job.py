"""The process that counts for a page: the camera stays open, models are loaded once, samples come one after the other."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace

from edge.book.opening import open_book
from edge.book.records import INTERRUPTED
from edge.camera.records import Camera
from edge.cli.book_file import open_run_book
from edge.cli.camera_control import camera_fields, control_of, telling
from edge.cli.checks import check_name
from edge.cli.counting import CountingParts, CountingRun, load_parts
from edge.cli.engine_broker import EngineBroker
from edge.cli.engine_set_up import EngineSetUp, check_begin
from edge.cli.run_settings import RunSettings
from edge.cli.scoped import refuse_other_camera
from edge.control.page_end import PageEnd
from edge.control.records import (
    BeginSetUp,
    CameraCommand,
    Command,
    CommandRefusedError,
    FinishSample,
    Pause,
    Quit,
    Resume,
    SetUpCommand,
    StartSample,
    TakeNow,
)
from edge.control.run import RunControl
from edge.door import report, say, stop_on_signals
from edge.errors import EXIT_DEFECT, EdgeError
from edge.service.notify import systemd_outputs
from edge.status import RunEnd, SampleProgress

PROGRAM = "edge engine"
"""Name that its lines begin with."""

_LOOK_S = 0.2  # seconds after which it is looked whether a signal has come


def run_engine(settings: RunSettings, link: int, camera: Camera) -> int:
    """Serve the page at this file descriptor until it goes or says so; returns the exit code.

    Args:
        settings: of all samples.
        link: one end of a socket pair.
        camera: open, or opening; closed at the end.
    """
    control = control_of(settings, camera, settings.input.camera_patience)
    engine = _Samples(settings, control, camera)
    memory = getattr(camera, "preview_memory", "")
    page = PageEnd(socket.socket(fileno=link), control.board, engine.order, engine.quit, lambda: memory)
    control.start()
    try:
        with stop_on_signals(engine.quit), ExitStack() as during:
            during.enter_context(telling(control, systemd_outputs(settings.nets.unit)))
            parts = load_parts(settings)
            model, unit, scope = parts.pipeline.card.name, settings.nets.unit, settings.judging.scope or ""
            control.board.change(model=model, unit=unit, scope=scope)
            broker = during.enter_context(EngineBroker(settings, model, control, PROGRAM))
            control.ready()
            while (due := engine.next()) is not None:
                if isinstance(due, EngineSetUp):
                    due.run()
                else:
                    engine.count(due, parts, broker)
    except EdgeError as error:
        control.board.change(failure=str(error))
        return report(error, debug=settings.process.debug, program=PROGRAM)
    finally:
        control.close()
        page.close()
        camera.close()
    return 0


class _Samples:
    """Takes the page's orders, and counts one sample after the other, or sets the microscope up between them.

    Args:
        settings: of all samples.
        control: of the camera.
        camera: takes the commands that are meant for it.
    """

    def __init__(self, settings: RunSettings, control: RunControl, camera: Camera) -> None:
        self._settings = settings
        self._control = control
        self._camera = camera
        self._changed = threading.Condition()
        self._start: StartSample | None = None
        self._set_up: EngineSetUp | None = None
        self._quit = False
        self._stop: Callable[[], None] = lambda: None

    def order(self, command: Command) -> None:
        """Take an order of the page, in its thread; raises CommandRefusedError."""
        simple: dict[type, Callable[[], None]] = {
            Pause: self._control.pause,
            Resume: self._control.resume,
            FinishSample: self._control.finish,
            TakeNow: self._control.take_now,
            Quit: self.quit,
        }
        if isinstance(command, StartSample):
            self._begin(command)
        elif isinstance(command, BeginSetUp):
            self._begin_set_up(command)
        elif isinstance(command, SetUpCommand):
            self._steer(command)
        elif isinstance(command, CameraCommand):
            self._camera.command(command.name, **dict(command.values))
        else:
            simple[type(command)]()

    def quit(self) -> None:
        """End: the sample under way is interrupted, and can be gone on with. Safe in a signal handler: takes no lock."""
        self._quit = True
        self._stop()

    def next(self) -> StartSample | EngineSetUp | None:
        """Wait for the next sample or set-up; None: it is time to end."""
        with self._changed:
            while self._start is None and not self._setting_up and not self._quit:
                self._changed.wait(_LOOK_S)
            start, self._start = self._start, None
            if self._quit or (start is None and not self._setting_up):
                return None
            if start is None:
                return self._set_up
            self._control.begin(SampleProgress(start.sample, start.notes))  # from now on it can be finished
            return start

    def count(self, start: StartSample, parts: CountingParts, told: EngineBroker) -> None:
        """Count a sample; what fails stands in the snapshot, and the next one may begin."""
        input_ = replace(self._settings.input, sample_id=start.sample)
        book_ = replace(self._settings.book, again=start.again, resume=start.resume)
        settings = replace(self._settings, input=input_, book=book_)
        profile = parts.pipeline.profile
        try:
            if profile is not None:
                refuse_other_camera(profile, self._camera.facts, lambda line: say(line, PROGRAM))
            with open_run_book(settings.book) as book:
                source = camera_fields(self._control, start.sample, profile)
                broker = told.current()
                more = [] if broker is None else [broker.output(book, parts.pipeline.card, snapshots=True)]
                notes = start.notes
                run = CountingRun(settings, parts, source, book, self._control, notes=notes, screens=False, more=more)
                counted = run.run(self._stopping)
        except EdgeError as error:
            say(str(error), PROGRAM)
            self._control.ended(RunEnd.FAILED, str(error))
            return
        if counted.ending.error is not None:
            say(str(counted.ending.error), PROGRAM)
        if counted.hangs:
            raise _HungError("a thread of the count hangs: the engine ends, and is to be started anew")

    @contextmanager
    def _stopping(self, stop: Callable[[], None]) -> Iterator[threading.Event]:
        stopped = threading.Event()

        def heard() -> None:
            stop()
            stopped.set()

        self._stop = heard
        try:
            if self._quit:
                heard()
            yield stopped
        finally:
            self._stop = lambda: None

    def _begin(self, start: StartSample) -> None:
        try:
            check_name(start.sample)
        except ValueError as error:
            raise CommandRefusedError(f"the sample's name {error}") from error
        self._check_book(start)
        with self._changed:
            if self._quit:
                raise CommandRefusedError("the program is ending")
            if self._start is not None:
                raise CommandRefusedError(f"{self._start.sample} is about to begin")
            if self._setting_up:
                raise CommandRefusedError("the microscope is being set up: complete or stop that first (page Scope)")
            if self._control.counting:  # within the lock: ``next`` cannot have begun this one yet
                self._control.end(RunEnd.FINISHED)
            self._start = start
            self._changed.notify_all()

    @property
    def _setting_up(self) -> bool:
        return self._set_up is not None and not self._set_up.over

    def _begin_set_up(self, begin: BeginSetUp) -> None:
        check_begin(begin)
        with self._changed:
            if self._quit:
                raise CommandRefusedError("the program is ending")
            if self._setting_up:
                raise CommandRefusedError("the microscope is being set up already")
            if self._start is not None or self._control.counting:
                raise CommandRefusedError("a sample is being counted: finish it first, then set the microscope up")
            self._set_up = EngineSetUp(begin, self._camera, self._control.board, self._settings, lambda: self._quit)
            self._changed.notify_all()

    def _steer(self, command: SetUpCommand) -> None:
        set_up = self._set_up
        if set_up is None or set_up.over:
            raise CommandRefusedError("the microscope is not being set up")
        set_up.tell(command)

    def _check_book(self, start: StartSample) -> None:
        """Refuse a sample that is in the book already, unless it is said what to do with it."""
        path = self._settings.book.path
        if path is None:
            return
        try:
            with open_book(path, lambda line: say(line, PROGRAM)) as book:
                rows = book.samples(name=start.sample)
        except EdgeError as error:
            raise CommandRefusedError(str(error)) from error
        interrupted = bool(rows) and rows[0].state == INTERRUPTED
        if start.resume:
            if not interrupted:
                there = f"{start.sample} is {rows[0].state}" if rows else f"{start.sample} is not in the book"
                raise CommandRefusedError(f"{there}: there is nothing to go on with")
        elif rows and not start.again:
            onward = "go on with it, " if interrupted else ""
            raise CommandRefusedError(
                f"{start.sample} is in the book already ({rows[0].state}, {rows[0].fields:,} fields): "
                f"{onward}count it again, or give another name"
            )


class _HungError(EdgeError):
    """A worker did not end. It cannot be ended, and must not touch what comes next. Start the engine anew."""

    exit_code = EXIT_DEFECT
