"""What goes out to other programs and what comes back from them, whatever the format. All boxes are in field pixels."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from edge.types import UInt8Array

ExchangeBox = tuple[float, float, float, float]
"""x, y, w, h in field pixels."""


@dataclass(frozen=True, slots=True)
class ExchangeCell:
    """A thing of a field, as it goes out.

    Attributes:
        cell: its id, ``FIELD-N``; empty: a reader added it.
        box: in field pixels.
        label: the machine's class, or the kind of what is set aside; of an added one the reader's.
        score: the positive classes' scores added up, 0 to 1; None: the classifier has not seen it.
        counted: whether it is counted; ``positive``: as a positive class.
        reviewed: what people say of it: a class, ``no cell``, ``unsure``; empty: nobody has looked. ``stage`` says more.
    """

    cell: str
    box: ExchangeBox
    label: str
    score: float | None
    counted: bool
    positive: bool
    reviewed: str = ""
    stage: str = ""


@dataclass(frozen=True, slots=True)
class ExchangeField:
    """A field, as it goes out.

    Attributes:
        index: its place in the run.
        name: for people and file names; without identity it is ``field-0012``.
        width, height: pixels.
        um_per_pixel: its scale; None: not known.
        pixels: reads them, uint8 [H, W, 3] RGB; returns None where they are gone.
        cells: of it; none is a field without anything, which goes out too.
        at: when it was taken, UTC, ISO 8601; empty: not told.
    """

    index: int
    name: str
    width: int
    height: int
    um_per_pixel: float | None
    pixels: Callable[[], UInt8Array | None]
    cells: tuple[ExchangeCell, ...]
    at: str = ""


@dataclass(frozen=True, slots=True)
class ExchangeSample:
    """A sample, as it goes out; its fields are given beside it, one by one, in field order.

    Attributes:
        name: the sample's, or what stands for it.
        model: the classifier's SHA-256; ``model_name`` for people.
        labels: the model's classes; ``positive``: those that make a suspect.
        threshold: of the run.
        stages: words beyond the classes that readers may use.
        scope: the microscope's name; empty: not told.
    """

    name: str
    model: str
    model_name: str
    labels: tuple[str, ...]
    positive: tuple[str, ...]
    threshold: float
    stages: tuple[str, ...] = ()
    scope: str = ""


@dataclass(frozen=True, slots=True)
class CorrectedCell:
    """A thing as it came back; ``cell``: its id where the program kept it, else empty; ``box``: where the format has boxes."""

    cell: str
    box: ExchangeBox | None
    label: str
    stage: str = ""


@dataclass(frozen=True, slots=True)
class CorrectedField:
    """A field as it came back.

    Attributes:
        index: its place in the run; None: the file does not say, and ``name`` has to tell.
        name: as the file has it, without folders.
        width, height: pixels of the picture the boxes are of; 0: not said.
        cells: what is in it now.
        whole: everything that is not in ``cells`` was removed by the person (a box deleted says "no cell").
    """

    index: int | None
    name: str
    width: int
    height: int
    cells: tuple[CorrectedCell, ...]
    whole: bool


@dataclass(frozen=True, slots=True)
class Corrections:
    """What a file says.

    Attributes:
        source: kind of the file: ``coco``, ``label-studio``, ``cvat``, ``fiji``, ``qupath``, ``csv``, ``bundle``.
        file: it was read from.
        reader: who answered, where the file says it; empty: not.
        model: SHA-256 of the classifier the file went out with; empty: not said.
        fields: of it.
    """

    source: str
    file: Path
    reader: str
    model: str
    fields: tuple[CorrectedField, ...]
