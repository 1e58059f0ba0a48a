"""How it stands with a run: one frozen snapshot that page, console, MQTT and systemd all show.

Text in it is plain and for a person; names of states, ends and hints are for programs.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from edge.camera.records import CameraState


class RunState(StrEnum):
    """What a run is doing."""

    IDLE = "idle"
    """No sample is begun."""
    PREPARING = "preparing"
    """Models load, the camera opens, light settles."""
    FOCUSING = "focusing"
    """The view is new, but not sharp yet."""
    WAITING = "waiting for a new field"
    """The view was counted already, or the stage moves."""
    COUNTING = "counting"
    """A field was taken and is being analysed."""
    PAUSED = "paused"
    FINISHING = "finishing"
    """The last fields are analysed, the outputs are completed."""


class RunEnd(StrEnum):
    """How a sample ended."""

    COMPLETE = "complete"
    """Its limit of cells, fields or seconds is reached."""
    DECIDED = "decided"
    """Its flag can no longer change."""
    FINISHED = "finished"
    """A person said it is enough."""
    INTERRUPTED = "interrupted"
    """A signal, a power cut or a lost camera; it can be gone on with."""
    FAILED = "failed"
    """A failure, see ``Status.failure``."""


class Hint(StrEnum):
    """What a person at the microscope should do now; large enough to be read from there."""

    NONE = ""
    MOVE_STAGE = "move the stage"
    HOLD_STILL = "hold still"
    REFOCUS = "refocus"
    TOO_THICK = "too thick here"
    TOO_FEW_CELLS = "too few cells here"
    TOO_DARK = "too dark"
    TOO_BRIGHT = "too bright"
    CAMERA_LOST = "camera lost"


@dataclass(frozen=True, slots=True)
class View:
    """The view at this moment, measured on the newest frame.

    Attributes:
        frame: number of the frame.
        sharpness: the gate's focus measure; ``best``: the highest of this view since the stage last moved; ``needed``: from which on
            a field counts, None where that is not known yet.
        moved: how far the view moved since the last field was taken, as a share of the field's width, 0 to 1; None: not known.
        still: whether the stage stands still.
        brightness: mean luma, 0 to 255.
        over: share of pixels at the top of the range, 0 to 1; ``under``: close to black.
        histogram: share of pixels in each of 32 equal steps of luma, adding up to 1.
    """

    frame: int
    sharpness: float
    best: float
    needed: float | None
    moved: float | None
    still: bool
    brightness: float
    over: float
    under: float
    histogram: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class SeenCell:
    """One cell of the last field: ``box`` x, y, w, h in field pixels, its class or kind, and the score of the class (0 to 1)."""

    box: tuple[int, int, int, int]
    label: str
    score: float
    positive: bool
    counted: bool


@dataclass(frozen=True, slots=True)
class LastField:
    """The field that was taken last.

    Attributes:
        index: its place in the sample.
        frame: number of the frame it was taken from; boxes fit the preview as long as the view has not moved.
        size: width and height in pixels.
        cells: what was found; at most a few hundred.
        why_not: why it does not count, in words; empty: it counts.
    """

    index: int
    frame: int
    size: tuple[int, int]
    cells: tuple[SeenCell, ...]
    why_not: str = ""


@dataclass(frozen=True, slots=True)
class SampleProgress:
    """What the sample holds so far.

    Attributes:
        name: of the sample; ``notes``: what a person wrote of it.
        counts: counted cells per class, in the model's order; ``cells``: all of them.
        positive: names of the positive classes.
        kept: fields that count; ``left_out``: why others do not, and how many; ``lost``: times that frames were lost.
        share: share of positive cells with its 95 % interval (value, low, high), 0 to 1; None: nothing counted.
        flag: as it stands (docs/verdict.md); ``reasons``: sentences.
        cells_short: cells still to be counted until it can be decided; None: decided, or not known.
        seconds: since it began, without pauses; ``seconds_left``: an estimate, None: not known.
    """

    name: str
    notes: str = ""
    counts: Mapping[str, int] = field(default_factory=dict)
    cells: int = 0
    positive: tuple[str, ...] = ()
    kept: int = 0
    left_out: Mapping[str, int] = field(default_factory=dict)
    lost: int = 0
    share: tuple[float, float, float] | None = None
    flag: str = ""
    reasons: tuple[str, ...] = ()
    cells_short: int | None = None
    seconds: float = 0.0
    seconds_left: float | None = None


@dataclass(frozen=True, slots=True)
class CameraStatus:
    """The camera: how it stands, its name, frames per second that come, and what is wrong in one line (empty: nothing)."""

    state: CameraState
    name: str
    fps: float = 0.0
    words: str = ""


@dataclass(frozen=True, slots=True)
class SetUpProgress:
    """How a set-up of the microscope stands.

    Attributes:
        name: of the microscope.
        step: that is being done; empty: none yet, or all are over.
        number: of the step, from 1; ``steps``: how many there are.
        words: what a person should do now, one sentence.
        measured: what was measured in this step so far: what, and its value in words.
        good: whether the step can be accepted.
        have, want: fields or frames taken in this step, and how many it needs.
        can_skip: whether the step can be left out.
        notes: what there is to say of steps that are over, a line each.
        done: how the set-up ended, in words; empty: it goes on.
        profile: the profile that was written, in lines: label, two spaces, text; empty: none was.
    """

    name: str
    step: str = ""
    number: int = 0
    steps: int = 0
    words: str = ""
    measured: tuple[tuple[str, str], ...] = ()
    good: bool = False
    have: int = 0
    want: int = 0
    can_skip: bool = False
    notes: tuple[str, ...] = ()
    done: str = ""
    profile: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Status:
    """One snapshot.

    Attributes:
        version: grows with each snapshot.
        at: seconds since the epoch.
        state: what the run is doing.
        camera: how it stands with the camera.
        hint: what a person should do now; ``words``: the same in a sentence with what was measured.
        sample: the sample that is counted, or was last; None: none yet.
        ended: how that sample ended; None: it has not.
        view: the view at this moment; None: no frame yet.
        last: the field taken last; None: none yet.
        taken: grows by one with each field that is taken: a page may sound a click.
        scope: name of the microscope's profile, empty: none; ``scope_words``: how this light differs from it, empty: it does not.
        model: name of the classifier; ``unit``: what is counted.
        failure: why the run failed, one line; empty: it has not.
        set_up: the set-up of the microscope that goes on, or was last; None: none yet.
    """

    version: int
    at: float
    state: RunState
    camera: CameraStatus
    hint: Hint = Hint.NONE
    words: str = ""
    sample: SampleProgress | None = None
    ended: RunEnd | None = None
    view: View | None = None
    last: LastField | None = None
    taken: int = 0
    scope: str = ""
    scope_words: str = ""
    model: str = ""
    unit: str = "cell"
    failure: str = ""
    set_up: SetUpProgress | None = None

    @property
    def setting_up(self) -> bool:
        """Whether the microscope is being set up, so that no sample can be counted."""
        return self.set_up is not None and not self.set_up.done
