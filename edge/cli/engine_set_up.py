"""A set-up of the microscope that a page steers, with the camera of the process that counts."""

from __future__ import annotations

import queue
from collections.abc import Callable
from dataclasses import replace

from edge.camera.records import Camera
from edge.cli.checks import check_name
from edge.cli.run_settings import RunSettings
from edge.cli.scope_frames import CameraFrames, SimulatedFrames
from edge.cli.scope_words import profile_lines
from edge.cli.set_up_job import CellWidths, profile_of
from edge.control.board import StatusBoard
from edge.control.records import BeginSetUp, CommandRefusedError, SetUpAsk, SetUpCommand
from edge.errors import EdgeError
from edge.scope.profile import check_profile_name, path_of
from edge.scope.profile_file import find_profile, write_profile
from edge.scope.set_up import SetUp
from edge.scope.set_up_records import NEEDED, SetUpPlan, SetUpStep
from edge.status import SetUpProgress

SIMULATED = "simulated"
"""The ``--device`` that is a virtual microscope: stage and focus are turned as the set-up asks for."""

LONGEST = 600
"""Letters of a line that a snapshot shows."""

MOST_LINES = 24
"""Lines of a kind that it shows."""

_LOOK_S = 0.2  # seconds between two looks whether the camera is open
_MOST_BYTES = 200  # of a name: with its ending it is a file's
_STEPS = tuple(SetUpStep)


def check_begin(begin: BeginSetUp) -> None:
    """Raise CommandRefusedError for a name that no profile can have, or that one has already and is not to be made anew."""
    try:
        check_profile_name(begin.name)
    except ValueError as error:
        raise CommandRefusedError(f"the microscope's name {error}") from error
    if begin.name.endswith(".json") or len(begin.name.encode()) > _MOST_BYTES:  # the first would be a path to --scope
        raise CommandRefusedError("the microscope's name must be short, and not end in .json: bench-3")
    for what, text in (("operator", begin.operator), ("objective", begin.objective)):
        try:
            check_name(text or "-")
        except ValueError as error:
            raise CommandRefusedError(f"the {what} {error}") from error
    if begin.anew:
        return
    try:
        found = find_profile(begin.name)
    except (EdgeError, OSError) as error:
        raise CommandRefusedError(str(error)) from error
    if found is not None:
        raise CommandRefusedError(
            f"there is a profile of {begin.name} already, of {found.date[:10]}: give another name, or set it up anew"
        )


class EngineSetUp:
    """One set-up: ``run`` does it in the thread that counts otherwise, ``tell`` takes a person's answers in any.

    Nothing is written before all steps are over, so a profile that there was stays what it was until then.

    Args:
        begin: what is asked.
        camera: open, or opening; not closed with this.
        board: shows how it stands.
        settings: of the run; the camera's kind and the nets.
        quit_: whether the program is ending.
    """

    def __init__(
        self, begin: BeginSetUp, camera: Camera, board: StatusBoard, settings: RunSettings, quit_: Callable[[], bool]
    ) -> None:
        self._begin = begin
        self._camera = camera
        self._board = board
        self._simulated = settings.input.device == SIMULATED
        self._quit = quit_
        self._asked: queue.SimpleQueue[SetUpCommand] = queue.SimpleQueue()
        self._progress = SetUpProgress(begin.name, steps=len(_STEPS), words="The set-up begins: wait for the camera.")
        board.change(set_up=self._progress)

    @property
    def over(self) -> bool:
        """Whether it has ended, one way or the other."""
        return bool(self._progress.done)

    def tell(self, command: SetUpCommand) -> None:
        """Take what a person says; raises CommandRefusedError for what makes no sense now."""
        now = self._progress
        if command.ask is not SetUpAsk.STOP:
            if not now.step or command.step != now.step:
                raise CommandRefusedError(f"that step is over: {now.words}")
            if command.ask is SetUpAsk.NEXT and not now.good:
                raise CommandRefusedError(f"not yet: {now.words}")
            if command.ask is SetUpAsk.SKIP and not now.can_skip:
                raise CommandRefusedError(f"the step {now.step} cannot be left out")
        self._asked.put(command)

    def run(self) -> None:
        """Do it: returns once it has ended, and the snapshot says how."""
        try:
            self._run()
        except EdgeError as error:
            self._end(f"Failed, and nothing is written: {error}")
        except _StoppedByPersonError:
            self._end("Stopped: nothing is written.")
        finally:
            if self._simulated:
                self._camera.command("hand", on=1)

    def _run(self) -> None:
        while self._camera.facts is None:
            self._wait()
        kind = SIMULATED if self._simulated else "auto"
        frames = (SimulatedFrames if self._simulated else CameraFrames)(self._camera, kind)
        begin = self._begin
        plan = SetUpPlan(begin.division_um, objective=begin.objective, operator=begin.operator)
        machine = SetUp(begin.name, frames.camera, plan, not_held=frames.not_held, widths_of=CellWidths())
        self._show(machine)
        while machine.step is not None:
            frame = frames.next(machine)
            # A scale that is measured stands: to find the cells again and again would only keep the processor busy.
            if frame is not None and not (machine.step is SetUpStep.SCALE and machine.view.good):
                machine.see(frame)
            self._obey(machine)
            self._show(machine)
        made, path = profile_of(machine), path_of(begin.name)
        write_profile(made, path)
        lines = tuple(profile_lines(made))
        self._end(
            f"Done. The profile is written to {path}. Counts use it once the page is started with it: "
            f"edge serve --scope {begin.name}",
            lines,
        )

    def _wait(self) -> None:
        """Wait a moment for the camera; raises where it is stopped meanwhile."""
        self._check_quit()
        try:
            command = self._asked.get(timeout=_LOOK_S)
        except queue.Empty:
            return
        if command.ask is SetUpAsk.STOP:
            raise _StoppedByPersonError

    def _obey(self, machine: SetUp) -> None:
        """Do what a person said of the step that is being done."""
        self._check_quit()
        while not self._asked.empty():
            command = self._asked.get()
            if command.ask is SetUpAsk.STOP:
                raise _StoppedByPersonError
            if command.step != machine.step:
                continue
            match command.ask:
                case SetUpAsk.NEXT:
                    machine.accept()
                case SetUpAsk.AGAIN:
                    machine.again()
                case SetUpAsk.SKIP if machine.step not in NEEDED:
                    machine.skip()

    def _check_quit(self) -> None:
        if self._quit():
            raise _StoppedByPersonError

    def _show(self, machine: SetUp) -> None:
        view, step = machine.view, machine.step
        self._put(
            replace(
                self._progress,
                step=step or "",
                number=0 if step is None else _STEPS.index(step) + 1,
                words=_short(view.words),
                measured=tuple((_short(what), _short(value)) for what, value in view.measured[:MOST_LINES]),
                good=view.good,
                have=view.have,
                want=view.want,
                can_skip=step is not None and step not in NEEDED,
                notes=tuple(_short(note) for note in machine.notes[-MOST_LINES:]),
            )
        )

    def _end(self, done: str, profile: tuple[str, ...] = ()) -> None:
        notes = self._progress.notes
        lines = tuple(_short(line) for line in profile[:MOST_LINES])
        self._put(SetUpProgress(self._begin.name, steps=len(_STEPS), notes=notes, done=_short(done), profile=lines))

    def _put(self, progress: SetUpProgress) -> None:
        self._progress = progress
        self._board.change(set_up=progress)


class _StoppedByPersonError(Exception):
    """A person ends the set-up, or the program ends."""


def _short(text: str) -> str:
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"
