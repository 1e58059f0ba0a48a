"""What the device makes of annotated fields, by its own ``Analyser``: the red cells it finds and loses, what it calls infected.

Annotated red cells, infected or not, are the truth that finds are matched to (``convert.measure.matching``). Cells that annotators
were unsure of count neither way. A white cell or a platelet counts as a red cell where a counted find, not matched to an annotated
red cell, has its centre within the annotated box.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from types import MappingProxyType

import numpy as np

from convert.measure.annotations import AnnotatedField
from convert.measure.bootstrap import FEW_GROUPS
from convert.measure.fields import FieldSet, read_image
from convert.measure.matching import BORDER, Match, assign, match_points
from convert.measure.reading import Progress, check_readable
from edge.analysis import Analyser
from edge.boxes import inside
from edge.card import Card
from edge.errors import UnreadableFieldError
from edge.types import Field, FieldResult, FloatArray, Int32Array
from models.data.dataset import DataSet
from models.data.fields import RED_CELL, UNSURE
from models.data.second_reading import NOTHING_READ, OPEN, Opinion, SecondReading

WHITE_CELL, PLATELET = "white blood cell", "platelet"
"""Annotated names of what is no red cell."""


_NO_PARASITES = frozenset({RED_CELL, UNSURE, WHITE_CELL, PLATELET})


class Truth(StrEnum):
    """What counts as a false positive among the finds that are not annotated as infected."""

    ANNOTATED = "as annotated"
    SECOND = "second reading"
    """What the second reading calls infected, a free parasite or unsure counts neither way."""
    RED_ONLY = "second reading, without what is no red cell"
    """Nor does what it calls no red cell."""


@dataclass(frozen=True, slots=True, eq=False)
class FieldBoxes:
    """Where the cells of one judged field are, to look at them.

    Attributes:
        path: of the image.
        finds: int32 [n, 4], of the finds that count.
        lost: int32 [m, 4], annotated infected cells that the finder lost.
        white: int32 [k, 4], annotated white cells that count as red cells.
    """

    path: Path
    finds: Int32Array
    lost: Int32Array
    white: Int32Array


@dataclass(frozen=True, slots=True, eq=False)
class JudgedField:
    """One field: what its finds are held against, and how they score.

    Attributes:
        match: of finds and annotated red cells.
        suspicion: float32 [n], the positive classes' scores added up, of each find that counts.
        infected: bool [n], annotated so.
        called: bool [n], called infected at the card's threshold.
        white: annotated white cells away from the border, and how many of them count as a red cell.
        platelets: the same of platelets.
        boxes: where they are; None where cells are marked by points, or nobody looks.
        not_red: bool [n], which finds lie in an annotated white cell or platelet; None: none is annotated.
    """

    match: Match
    suspicion: FloatArray
    infected: np.ndarray
    called: np.ndarray
    white: tuple[int, int] = (0, 0)
    platelets: tuple[int, int] = (0, 0)
    boxes: FieldBoxes | None = None
    not_red: np.ndarray | None = None

    def red_suspicion(self) -> FloatArray:
        """Suspicion of the finds that lie in no annotated white cell or platelet, float32 [m]."""
        return self.suspicion if self.not_red is None else self.suspicion[~self.not_red]


@dataclass(frozen=True, slots=True, eq=False)
class JudgedFields:
    """All fields of a set, and what a bootstrap draws.

    Attributes:
        card: of the classifier.
        fields: in order.
        units: str [fields], the group of each, or the field itself where groups are few.
        notes: what was noticed, in words.
    """

    card: Card
    fields: tuple[JudgedField, ...]
    units: np.ndarray
    notes: tuple[str, ...] = ()

    def of_cells(self) -> np.ndarray:
        """The unit of each find, str [n], in the order of the fields."""
        return np.repeat(self.units, [len(one.suspicion) for one in self.fields])

    def of_lost(self) -> np.ndarray:
        """The unit of each infected cell that the finder lost, str [m]."""
        return np.repeat(self.units, [one.match.infected_lost for one in self.fields])


def without_parasites(data: DataSet) -> bool:
    """Whether no stage of a parasite is among the classes of a set of annotated fields."""
    return _NO_PARASITES.issuperset(data.classes)


def judge_fields(
    fields: FieldSet,
    analyse: Analyser,
    card: Card,
    progress: Progress,
    *,
    name: str,
    readings: Mapping[str, SecondReading] = MappingProxyType({}),
    truth: Truth = Truth.ANNOTATED,
) -> JudgedFields:
    """Run the device over annotated fields.

    Args:
        fields: with boxes, or with marked centres of healthy cells.
        analyse: finder and classifier.
        card: of the classifier.
        progress: gets progress.
        name: of the set.
        readings: second readings by image, which ``truth`` may ask for.
        truth: what counts as a false positive.

    Raises:
        CellsError: more than one in ten of the images cannot be read.
    """
    judged, units, unreadable = [], [], []
    alone = len(set(fields.groups)) < FEW_GROUPS
    for number, (one, group) in enumerate(zip(fields.fields, fields.groups, strict=True)):
        if number % 10 == 0:
            progress(f"looking at {name}", number / len(fields))
        try:
            result = analyse(Field(read_image(one), number, name, one.path.name))
        except UnreadableFieldError as error:
            unreadable.append(str(error))
            continue
        judged.append(judge_field(one, result, card, readings.get(one.path.name, NOTHING_READ), truth))
        units.append(f"field {number}" if alone else group)
    return JudgedFields(card, tuple(judged), np.array(units), tuple(check_readable(unreadable, len(fields), name)))


def judge_field(
    one: AnnotatedField, result: FieldResult, card: Card, reading: SecondReading, truth: Truth
) -> JudgedField:
    """One field's result against its annotations."""
    counted = np.flatnonzero(result.cells.kind == 0)
    boxes = result.cells.boxes[counted]
    suspicion = result.scores[counted][:, card.positive_mask].sum(axis=1)
    called = card.positive_mask[result.classes[counted]]
    if one.points is not None:
        match = match_points(boxes, one.points, result.shape)
        return JudgedField(match, suspicion, np.zeros(len(boxes), bool), called)
    red = ~one.of((WHITE_CELL, PLATELET))
    infected = ~one.of(tuple(_NO_PARASITES))[red]
    matched = assign(boxes, one.boxes[red], result.shape, ~one.of((UNSURE,))[red])
    sick = matched.of_finds(infected, otherwise=False).astype(bool)
    use = matched.counts & (sick | ~_left_open(reading.of(boxes), truth))
    free = boxes[matched.of < 0]
    others = [_away(one.boxes[one.of((kind,))], result.shape) for kind in (WHITE_CELL, PLATELET)]
    held = [kind[_inside(free, kind).any(axis=1)] for kind in others]
    not_red = (matched.of < 0) & _inside(boxes, one.boxes[~red]).any(axis=0)
    white, platelets = ((len(every), len(mine)) for every, mine in zip(others, held, strict=True))
    places = FieldBoxes(one.path, boxes[use], one.boxes[red][infected & matched.lost], held[0])
    return JudgedField(
        matched.match(infected), suspicion[use], sick[use], called[use], white, platelets, places, not_red[use]
    )


def _left_open(opinions: Sequence[Opinion], truth: Truth) -> np.ndarray:
    """Finds that are no false positives if they are not annotated as infected, bool [n]."""
    if truth is Truth.ANNOTATED:
        return np.zeros(len(opinions), bool)
    neither = OPEN | {Opinion.NOT_RED} if truth is Truth.RED_ONLY else OPEN
    return np.array([opinion in neither for opinion in opinions], bool)


def _away(annotated: Int32Array, shape: tuple[int, int]) -> Int32Array:
    """Boxes away from the border, int32 [m, 4] to [k, 4]."""
    return np.asarray(annotated[inside(annotated, shape, BORDER)], np.int32)


def _inside(finds: Int32Array, annotated: Int32Array) -> np.ndarray:
    """Which finds, int32 [n, 4], have their centre in which box, int32 [k, 4]: bool [k, n]."""
    centres = finds[:, :2] + finds[:, 2:] / 2
    return np.array(
        [((centres >= box[:2]) & (centres <= box[:2] + box[2:])).all(axis=1) for box in annotated], bool
    ).reshape(len(annotated), len(finds))


def joined(parts: Sequence[JudgedFields]) -> JudgedFields:
    """Parts of one set, each judged by other nets, as one."""
    units = [f"part {number}, {unit}" for number, part in enumerate(parts) for unit in part.units.tolist()]
    return JudgedFields(
        parts[0].card,
        tuple(one for part in parts for one in part.fields),
        np.array(units),
        tuple(note for part in parts for note in part.notes),
    )
