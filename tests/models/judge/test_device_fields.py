"""One field's finds against its annotations: what counts for, against and neither way, and what is no red cell."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from convert.measure.annotations import AnnotatedField
from edge.types import Cells, FieldResult, Quality, Timings
from models.data import sets
from models.data.fields import RED_CELL, UNSURE
from models.data.second_reading import NOTHING_READ, Opinion, SecondReading
from models.judge.device_fields import (
    PLATELET,
    WHITE_CELL,
    JudgedField,
    JudgedFields,
    Truth,
    joined,
    judge_field,
    without_parasites,
)
from tests.models.judge.world import classifier_card

CARD = classifier_card("net")
KINDS = ("cell", "not-white-cell")
HERE, THERE, EDGE = [50, 50, 40, 40], [150, 50, 40, 40], [2, 50, 40, 40]
Box = list[int]


def result(*finds: tuple[Box, float], aside: tuple[Box, ...] = ()) -> FieldResult:
    """What the device gives of a field of 300x200: finds with their scores, and boxes that it set aside."""
    boxes = np.array([*(box for box, _ in finds), *aside], np.int32).reshape(-1, 4)
    kind = np.array([0] * len(finds) + [1] * len(aside), np.int32)
    suspicion = np.array([*(score for _, score in finds), *[0.0] * len(aside)], np.float32)
    classes = np.where(kind == 0, (suspicion >= CARD.threshold).astype(np.int32), -1).astype(np.int32)
    cells = Cells(boxes, np.ones(len(boxes), np.float32), kind, KINDS)
    scores = np.stack([1 - suspicion, suspicion], axis=1)
    return FieldResult(
        0, "s", "f.png", (200, 300), cells, scores, classes, Quality(1, 1, 0, 0, 1, b""), Timings(0, 0, 0, 0, 0)
    )


def field(*known: tuple[Box, str]) -> AnnotatedField:
    boxes = np.array([box for box, _ in known], np.int32).reshape(-1, 4)
    return AnnotatedField(Path("f.png"), boxes, tuple(kind for _, kind in known), 0)


def judged(
    one: AnnotatedField, got: FieldResult, opinion: Opinion | None = None, truth: Truth = Truth.SECOND
) -> JudgedField:
    read = NOTHING_READ if opinion is None else SecondReading(np.array([HERE], np.int32), (RED_CELL,), (opinion,))
    return judge_field(one, got, CARD, read, truth)


COUNTED = {
    "a find of an infected cell": ((HERE, "ring"), (HERE, 0.9), [(True, True)]),
    "a find of an uninfected cell that is called infected": ((HERE, RED_CELL), (HERE, 0.9), [(False, True)]),
    "a find where nothing is annotated": ((THERE, RED_CELL), (HERE, 0.2), [(False, False)]),
    "a find of a cell that annotators were unsure of": ((HERE, UNSURE), (HERE, 0.9), []),
    "a find of a cell at the border": ((EDGE, "ring"), (EDGE, 0.9), []),
    "a find of a white cell": ((HERE, WHITE_CELL), (HERE, 0.9), [(False, True)]),
}


@pytest.mark.parametrize("name", COUNTED)
def test_which_finds_count_and_as_what(name: str) -> None:
    known, find, wanted = COUNTED[name]
    one = judged(field(known), result(find))
    assert list(zip(one.infected.tolist(), one.called.tolist(), strict=True)) == wanted
    assert one.suspicion.tolist() == pytest.approx([find[1]] * len(wanted))


def test_infected_cells_that_the_finder_lost_or_set_aside_are_lost() -> None:
    one = judged(field((HERE, "ring"), (THERE, "ring")), result(aside=(HERE,)))
    assert (one.match.infected, one.match.infected_lost) == (2, 2)
    assert len(one.suspicion) == 0


WHITE: dict[str, tuple[tuple[tuple[Box, str], ...], FieldResult, tuple[int, int]]] = {
    "a find within it": (((HERE, WHITE_CELL),), result(([60, 60, 10, 10], 0.1)), (1, 1)),
    "several finds within it, a box a lobe": (
        ((HERE, WHITE_CELL),), result(([50, 50, 18, 18], 0.1), ([70, 70, 18, 18], 0.1)), (1, 1),
    ),
    "no find": (((HERE, WHITE_CELL),), result((THERE, 0.1)), (1, 0)),
    "what the finder set aside": (((HERE, WHITE_CELL),), result(aside=(HERE,)), (1, 0)),
    "a find of a red cell that lies over it": (
        ((HERE, WHITE_CELL), ([60, 60, 40, 40], RED_CELL)), result(([58, 60, 40, 40], 0.1)), (1, 0),
    ),
    "a find whose centre is beside it": (((HERE, WHITE_CELL),), result(([75, 50, 40, 40], 0.1)), (1, 0)),
    "one at the border": (((EDGE, WHITE_CELL),), result((EDGE, 0.1)), (0, 0)),
}  # fmt: skip


@pytest.mark.parametrize("name", WHITE)
def test_a_white_cell_counts_as_a_red_one_where_a_find_lies_in_it(name: str) -> None:
    known, got, wanted = WHITE[name]
    assert judged(field(*known), got).white == wanted
    assert judged(field(*known), got).platelets == (0, 0)


def test_platelets_are_counted_apart_and_neither_is_a_red_cell_that_was_lost() -> None:
    one = judged(field((HERE, PLATELET), (THERE, WHITE_CELL)), result((HERE, 0.1)))
    assert (one.platelets, one.white) == ((1, 1), (1, 0))
    assert (one.match.hits, one.match.spurious, one.match.lost) == (0, 1, 0)


READ = {
    "infected": (Opinion.INFECTED, 1, 0, 0),
    "a free parasite": (Opinion.FREE, 1, 0, 0),
    "unsure": (Opinion.UNSURE, 1, 0, 0),
    "no red cell": (Opinion.NOT_RED, 1, 1, 0),
    "uninfected": (Opinion.UNINFECTED, 1, 1, 1),
    "not read": (None, 1, 1, 1),
}


@pytest.mark.parametrize("name", READ)
def test_a_find_that_is_not_annotated_as_infected_counts_as_it_was_read(name: str) -> None:
    opinion, *wanted = READ[name]
    found = [len(judged(field((HERE, RED_CELL)), result((HERE, 0.9)), opinion, truth).infected) for truth in Truth]
    assert found == wanted


@pytest.mark.parametrize("opinion", [Opinion.UNSURE, Opinion.NOT_RED])
def test_a_cell_that_is_annotated_as_infected_stays_so_however_it_was_read(opinion: Opinion) -> None:
    one = judged(field((HERE, "ring")), result((HERE, 0.9)), opinion, Truth.RED_ONLY)
    assert one.infected.tolist() == [True]


def test_every_find_counts_where_cells_are_marked_by_points() -> None:
    pointed = AnnotatedField(Path("f.png"), np.zeros((0, 4), np.int32), (), 0, points=np.array([[70, 70]], np.float32))
    one = judged(pointed, result((HERE, 0.9), (EDGE, 0.1)))
    assert one.called.tolist() == [True, False]
    assert not one.infected.any()
    assert (one.match.hits, one.match.lost) == (1, 0)


def test_parts_judged_by_different_nets_keep_their_fields_apart() -> None:
    one = judged(field((HERE, "ring"), (THERE, "ring")), result((HERE, 0.9)))
    parts = [JudgedFields(CARD, (one,), np.array(["field 0"]), (note,)) for note in ("a", "b")]
    whole = joined(parts)
    assert len(set(whole.units.tolist())) == 2
    assert whole.of_cells().tolist() == whole.of_lost().tolist() == whole.units.tolist()
    assert whole.notes == ("a", "b")


@pytest.mark.parametrize(("name", "wanted"), [("raabin_fields", True), ("healthy_tiles", True), ("iml_fields", False)])
def test_which_sets_show_no_parasites(name: str, wanted: bool) -> None:
    assert without_parasites(sets.get(name)) is wanted


NOT_RED = {  # annotations and where the find lies; whether its score counts among those of red cells
    "a red cell": (((HERE, RED_CELL),), HERE, True),
    "a white cell": (((HERE, WHITE_CELL),), HERE, False),
    "a platelet": (((HERE, PLATELET),), HERE, False),
    "a red cell that lies in a white cell's box": (((HERE, RED_CELL), ([20, 20, 100, 100], WHITE_CELL)), HERE, True),
    "nothing annotated, beside a white cell": (((HERE, WHITE_CELL),), THERE, True),
}


@pytest.mark.parametrize("name", NOT_RED)
def test_the_scores_of_red_cells_leave_out_finds_in_white_cells_and_platelets(name: str) -> None:
    known, find, red = NOT_RED[name]
    one = judged(field(*known), result((find, 0.7)))
    assert one.red_suspicion().tolist() == pytest.approx([0.7] if red else [])
    assert one.suspicion.tolist() == pytest.approx([0.7])
