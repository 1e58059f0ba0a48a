"""What a run can be told, and how its users see the process that counts."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from edge.camera.records import Preview
from edge.status import Status


@dataclass(frozen=True, slots=True)
class StartSample:
    """Begin a sample (the one before it is finished first).

    Attributes:
        sample: its name, as ``--sample-id`` takes it.
        notes: of a person, kept with the sample.
        again: count it anew though the book has it already.
        resume: go on with it where the book has it unfinished.
    """

    sample: str
    notes: str = ""
    again: bool = False
    resume: bool = False


@dataclass(frozen=True, slots=True)
class Pause:
    """Take no more fields until ``Resume``; those under way are counted."""


@dataclass(frozen=True, slots=True)
class Resume:
    """Go on after ``Pause``."""


@dataclass(frozen=True, slots=True)
class FinishSample:
    """It is enough: count what is under way and complete the sample's outputs."""


@dataclass(frozen=True, slots=True)
class TakeNow:
    """Take the field in view as soon as the next frame comes, whatever moved or not; the gate still judges it."""


@dataclass(frozen=True, slots=True)
class Quit:
    """Finish the sample as interrupted (it can be gone on with), and end the process."""


@dataclass(frozen=True, slots=True)
class CameraCommand:
    """Pass a command to the camera (``edge.camera.records.Camera.command``): the virtual microscope's stage, focus, lamp, faults.

    Attributes:
        name: of the command.
        values: numbers and words by name, at most a few.
    """

    name: str
    values: tuple[tuple[str, float | str], ...] = ()


class SetUpAsk(StrEnum):
    """What a person at the page says to the set-up of the microscope."""

    NEXT = "next"
    """Take what was measured, and go on to the next step."""
    AGAIN = "again"
    """Begin the step anew."""
    SKIP = "skip"
    """Leave the step out."""
    STOP = "stop"
    """End the set-up; nothing is written."""


@dataclass(frozen=True, slots=True)
class BeginSetUp:
    """Set the microscope up: its profile is written when all steps are done.

    Attributes:
        name: of the microscope, as ``--scope`` takes it.
        operator, objective: as a person writes them.
        division_um: µm from line to line of a stage micrometer; None: the scale is estimated from red cells.
        anew: though there is a profile of this name.
    """

    name: str
    operator: str = ""
    objective: str = ""
    division_um: float | None = None
    anew: bool = False


@dataclass(frozen=True, slots=True)
class SetUpCommand:
    """Steer the set-up that goes on.

    Attributes:
        ask: what is wanted.
        step: the step that the person saw, so that a click too many does not take the one after it; ``STOP`` needs none.
    """

    ask: SetUpAsk
    step: str = ""


Command = StartSample | Pause | Resume | FinishSample | TakeNow | Quit | CameraCommand | BeginSetUp | SetUpCommand


class CommandRefusedError(Exception):
    """The run cannot do that now; the text is one plain line that says why and what to do (a sample of this name is in the book)."""


class Engine(Protocol):
    """The process that counts, as a page sees it. ``edge.control.link.EngineLink`` is the real one; any thread may call it."""

    @property
    def status(self) -> Status:
        """The newest snapshot. Never waits."""
        ...

    def wait(self, after: int, timeout: float) -> Status:
        """The newest snapshot once its version is above ``after``, or the newest there is when ``timeout`` seconds are over."""
        ...

    def preview(self, *, after: int = -1) -> Preview | None:
        """The newest preview whose number is above ``after``; None: there is none. Never waits."""
        ...

    def send(self, command: Command) -> None:
        """Tell the run something; returns once it was taken (within 2 seconds). Raises CommandRefusedError with the reason."""
        ...

    def close(self) -> None:
        """Send ``Quit``, wait for the process to end (it completes what it counts), and kill it after ten seconds."""
        ...
