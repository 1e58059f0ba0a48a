"""What happens in a run, in field order: outcomes of the workers, what the session makes of them, and who is told.

``Outcome -> FieldEvent -> SampleEvent``: a worker analysed a field or could not read it; the session decided whether it counts;
the sample ended. Outputs and the book take the events.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from math import isfinite
from typing import Protocol, runtime_checkable

from edge.status import Status
from edge.types import FieldIdentity, FieldResult, Overlap, SampleAppearance, Tally, UInt8Array, Verdict


@dataclass(frozen=True, slots=True, eq=False)
class AnalysedField:
    """A field that was read: its result and, where asked for, its pixels (uint8 [H, W, 3]); for the others see ``Unreadable``."""

    result: FieldResult
    rgb: UInt8Array | None = None
    began: float | None = None
    seconds: float | None = None


@dataclass(frozen=True, slots=True)
class Unreadable:
    """An input that could not be read.

    Attributes:
        reason: in plain words.
        began: when a worker took it, by the monotonic clock; None: it comes from the book.
        identity: the file's, where its bytes could be read.
        seconds: of an outcome from the book, the run time of its sample up to it; None: it has just been analysed.
    """

    index: int
    sample: str
    name: str
    reason: str
    began: float | None = field(default=None, compare=False)
    identity: FieldIdentity | None = None
    seconds: float | None = field(default=None, compare=False)


Outcome = AnalysedField | Unreadable


@dataclass(frozen=True, slots=True, eq=False)
class FieldEvent:
    """One field, decided, in field order.

    Attributes:
        result: what the field holds; None when it could not be read.
        rgb: its pixels, uint8 [H, W, 3], when an output asked for them.
        reject_reason: why it does not count (the gate's words, or ``unreadable: ...``), or None.
        tally: the sample including this field.
        overlaps: earlier fields of the sample that it overlaps; what was counted there is set aside in ``result``.
        analysed: the field before ``overlaps`` changed it, as the worker gave it; None when it could not be read.
        seconds: run time of the sample up to this field, by the monotonic clock; time between two runs is no part of it.
        identity: the file it was read from; None: it is from no image file, or that could not be read.
    """

    index: int
    sample: str
    name: str
    result: FieldResult | None
    rgb: UInt8Array | None
    reject_reason: str | None
    tally: Tally
    overlaps: tuple[Overlap, ...] = ()
    analysed: FieldResult | None = None
    seconds: float = 0.0
    identity: FieldIdentity | None = None

    @property
    def kept(self) -> bool:
        """Whether the field counts."""
        return self.reject_reason is None


def overlap_words(overlap: Overlap) -> str:
    """``overlaps field 12: 71 cells counted there``."""
    return f"overlaps field {overlap.field}: {overlap.cells:,} cell{'s' * (overlap.cells != 1)} counted there"


@dataclass(frozen=True, slots=True, eq=False)
class SampleEvent:
    """One sample, complete or as far as it came.

    Attributes:
        seconds: from when its first field began to be read until its last one was counted.
        alone: in these seconds nothing was done for other samples, so that cells per second mean something. Workers read ahead:
            the first fields of a sample are under way before the last ones of the sample before it are counted.
        appearance: what its kept fields look like; None: not measured.
        notes: what else there is to say of its fields, a sentence each.
        interrupted: its end is not that of its fields, its budget or a decision: a person, a signal or a failure ended it, and it
            may be gone on with.
    """

    tally: Tally
    verdict: Verdict
    seconds: float
    alone: bool = True
    appearance: SampleAppearance | None = None
    notes: tuple[str, ...] = ()
    interrupted: bool = False


def source_metadata(result: FieldResult | None) -> dict[str, object]:
    """What camera, video or virtual stage say of a field, as far as it is text or finite numbers; empty for files."""
    told = {} if result is None else result.metadata
    return {name: value for name, value in told.items() if _plain(value)}


def _plain(value: object) -> bool:
    if isinstance(value, tuple):
        return all(map(_plain, value))
    return isinstance(value, str) or (isinstance(value, int | float) and isfinite(value))


class Output(Protocol):
    """Takes events in field order.

    Opening an output checks that it can be written; every method raises ``edge.errors.OutputError`` when it cannot.
    """

    def field(self, event: FieldEvent) -> None:
        """Take one field."""
        ...

    def sample(self, event: SampleEvent) -> None:
        """Take one sample."""
        ...

    def close(self) -> None:
        """Complete the output. Called once, also after Ctrl-C or an error of the source."""
        ...

    def discard(self) -> None:
        """Called instead of ``close`` when this program failed: leave nothing that looks complete."""
        ...


@runtime_checkable
class StatusOutput(Protocol):
    """An output that also shows what a camera's run is doing between fields. **Optional.**"""

    def status(self, status: Status) -> None:
        """Take the newest snapshot. Called in a thread of its own, at most ten times a second, until shortly after ``close``."""
        ...


@runtime_checkable
class AliveOutput(Protocol):
    """An output that wants to know that a run without fields is alive. **Optional.**"""

    def alive(self) -> None:
        """A field was decided, or the camera was looked at while none is under way. Called in any thread."""
        ...


class Ledger(Output, Protocol):
    """The output that comes before all others: a field is shown when it is on the medium, and not before.

    It may hold fields back for a moment to put several on the medium at once; the others wait for as long.
    """

    @property
    def settled(self) -> bool:
        """Whether every field it was given is on the medium."""
        ...

    def settle(self) -> None:
        """Put on the medium what was held back."""
        ...
