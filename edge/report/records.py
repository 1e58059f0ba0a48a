"""What a page is made of: small frozen records, bounded however long the sample was."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from edge.description import RunDescription
from edge.events import SampleEvent
from edge.review.state import ReviewState


@dataclass(frozen=True, slots=True)
class GalleryCell:
    """One counted cell of a gallery.

    Attributes:
        cell: its id, ``FIELD-N``, as in ``--detections``; ``name`` is the field's.
        box: x, y, w, h in field pixels.
        score: the positive classes' scores added up, which is what the threshold is held against; in a model without
            positive classes the score of its own class.
        scores: of every class, in the model's order.
        jpeg: the cell with its surroundings, square.
    """

    cell: str
    field: int
    name: str
    box: tuple[int, int, int, int]
    label: str
    score: float
    scores: tuple[float, ...]
    jpeg: bytes


@dataclass(frozen=True, slots=True)
class Gallery:
    """Cells in the order they are shown; ``of``: how many there were to choose from. ``label``: their class, or None: several."""

    key: str
    label: str | None
    of: int
    cells: tuple[GalleryCell, ...]


@dataclass(frozen=True, slots=True)
class FieldView:
    """A whole field, scaled down; ``positives`` of the model, or None for a field that was rejected for ``reason``."""

    field: int
    name: str
    positives: int | None
    reason: str | None
    width: int
    height: int
    jpeg: bytes


@dataclass(frozen=True, slots=True)
class Stretch:
    """One field, or some that followed each other where a sample has more of them than a drawing can show.

    Attributes:
        first, last: the fields' numbers; ``name`` is the first one's.
        kept: of them; ``rejected``: per reason, unreadable ones included.
        cells, positives: in the kept ones.
        focus, brightness: the gate's sharpness and mean luma, averaged over kept fields; None: there is none.
        focus_rejected, brightness_rejected: over rejected ones that could be read.
    """

    first: int
    last: int
    name: str
    kept: int
    rejected: Mapping[str, int]
    cells: int
    positives: int
    focus: float | None
    brightness: float | None
    focus_rejected: float | None
    brightness_rejected: float | None


@dataclass(frozen=True, slots=True)
class Stage:
    """Milliseconds per field of one stage: over all fields that could be read, and of the slowest."""

    name: str
    mean: float
    slowest: float


@dataclass(frozen=True, slots=True)
class SampleParts:
    """What a sample left behind for its page.

    Attributes:
        colours: RGB, of the boxes in ``views``, per class and per kind that is set aside.
        near: near misses (``edge.near``) in all fields that count.
    """

    galleries: tuple[Gallery, ...]
    views: tuple[FieldView, ...]
    stretches: tuple[Stretch, ...]
    stages: tuple[Stage, ...]
    colours: Mapping[str, tuple[int, int, int]]
    near: int = 0


@dataclass(frozen=True, slots=True)
class Report:
    """All that one page shows; ``made``: when, UTC, ISO 8601; ``reviewed``: what people made of it, None: nobody looked."""

    about: RunDescription
    event: SampleEvent
    gathered: SampleParts
    made: str
    reviewed: ReviewState | None = None
