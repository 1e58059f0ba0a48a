"""Where results go: console, JSON Lines, CSV, COCO, annotated images. Each output is one small class."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from edge.types import FieldResult, Overlap, SampleAppearance, Tally, UInt8Array, Verdict


@dataclass(frozen=True, slots=True, eq=False)
class FieldEvent:
    """One field, decided, in field order.

    Attributes:
        result: what the field holds; None when it could not be read.
        rgb: its pixels, uint8 [H, W, 3], when an output asked for them.
        reject_reason: why it does not count (the gate's words, or ``unreadable: ...``), or None.
        tally: the sample including this field.
        overlaps: earlier fields of the sample that it overlaps; what was counted there is set aside in ``result``.
    """

    index: int
    sample: str
    name: str
    result: FieldResult | None
    rgb: UInt8Array | None
    reject_reason: str | None
    tally: Tally
    overlaps: tuple[Overlap, ...] = ()

    @property
    def kept(self) -> bool:
        """Whether the field counts."""
        return self.reject_reason is None


def overlap_words(overlap: Overlap) -> str:
    """``overlaps field 12: 71 cells counted there``."""
    return f"overlaps field {overlap.field}: {overlap.cells:,} cell{'s' * (overlap.cells != 1)} counted there"


@dataclass(frozen=True, slots=True)
class ModelLine:
    """The models a run used: classifier's name, its full SHA-256, the finder's name, the SHA-256 of the classifier's card.

    The last is empty where the file has none.
    """

    name: str
    sha256: str
    finder: str
    card: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class SampleEvent:
    """One sample, complete or as far as it came.

    Attributes:
        seconds: from when its first field began to be read until its last one was counted.
        alone: in these seconds nothing was done for other samples, so that cells per second mean something. Workers read ahead:
            the first fields of a sample are under way before the last ones of the sample before it are counted.
        appearance: what its kept fields look like; None: not measured.
        notes: what else there is to say of its fields, a sentence each.
    """

    tally: Tally
    verdict: Verdict
    seconds: float
    alone: bool = True
    appearance: SampleAppearance | None = None
    notes: tuple[str, ...] = ()


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
