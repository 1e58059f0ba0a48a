from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from edge.analysis import DUPLICATE, Analyser, set_aside_cut, set_aside_hidden
from edge.crops import compared, crop_cells
from edge.modelfile import Card
from edge.pixels import Image
from edge.types import NOT_WHOLE, WHITE_CELL, Cells, Field, FloatArray, Region, UInt8Array
from edge.typical import FEWEST, TypicalCells, typical_cell
from tests.fakes import CARD, COMPARING, KINDS, FakeClassifier, FakeFinder, picture, quality


def cells(*boxes: tuple[int, int, int, int], kind: int = 0) -> Cells:
    return Cells(
        np.array(boxes, np.int32).reshape(-1, 4),
        np.ones(len(boxes), np.float32),
        np.full(len(boxes), kind, np.int32),
        KINDS,
    )


def analyse(things: int) -> tuple[Analyser, Field]:
    return Analyser(FakeFinder(), FakeClassifier(), gauge=quality), Field(
        picture(things), 7, "s", "f.png", decode_ms=4.5
    )


def test_cells_are_classified_and_what_the_finder_sets_aside_is_not() -> None:
    analyser, field = analyse(4)
    got = analyser(field)
    assert got.classes.tolist() == [1, 0, 0, -1]
    assert got.scores[3].tolist() == [0, 0]
    assert got.scores.dtype == np.float32
    assert (got.index, got.sample, got.name, got.shape) == (7, "s", "f.png", (64, 320))


def test_an_empty_field_has_no_cells_and_the_right_shapes() -> None:
    analyser, field = analyse(0)
    got = analyser(field)
    assert len(got.cells) == 0
    assert got.scores.shape == (0, 2)
    assert got.classes.shape == (0,)


def test_a_field_of_debris_only_is_never_classified() -> None:
    analyser, field = analyse(1)
    assert analyser(field).classes.tolist() == [-1]


def test_decoding_time_is_carried_over_and_stages_are_timed() -> None:
    analyser, field = analyse(3)
    ms = analyser(field).ms
    assert ms.decode == 4.5
    assert min(ms) >= 0


@pytest.mark.parametrize(
    ("box", "cut"),
    [
        ((10, 10, 20, 20), False),
        ((0, 0, 20, 20), False),
        ((-2, 10, 20, 20), False),  # the margin around a whole cell may overrun
        ((-3, 10, 20, 20), True),
        ((10, -3, 20, 20), True),
        ((82, 10, 20, 20), False),
        ((83, 10, 20, 20), True),
        ((10, 43, 20, 20), True),
        ((-30, -30, 20, 20), True),
        ((0, 0, 1, 1), False),
    ],
)
def test_a_cell_is_not_whole_when_its_box_overruns_the_border_by_more_than_a_tenth(
    box: tuple[int, int, int, int], cut: bool
) -> None:
    got = set_aside_cut(cells(box), (60, 100))
    assert got.kinds[got.kind[0]] == (NOT_WHOLE if cut else "cell")


@pytest.mark.parametrize(
    ("hidden", "cut"),
    [
        pytest.param((40, 20, 10, 10), True, id="dust on it"),
        pytest.param([40, 20, 10, 10], True, id="the same from a book"),
        pytest.param((0, 0, 5, 5, 40, 20, 10, 10), True, id="the second of two places"),
        pytest.param((70, 20, 10, 10), False, id="dust beside it"),
        pytest.param((57, 20, 10, 10), False, id="dust on the margin that a box leaves"),
        pytest.param((), False, id="no dust"),
        pytest.param(None, False, id="no profile"),
        pytest.param("dust", False, id="no places"),
    ],
)
def test_a_cell_that_dust_hides_is_set_aside(hidden: object, *, cut: bool) -> None:
    whole = set_aside_cut(cells((38, 15, 20, 20)), (60, 100))
    got = set_aside_hidden(whole, hidden)
    assert (got.kind.tolist() == [got.kinds.index(NOT_WHOLE)]) is cut


def test_a_field_is_analysed_with_the_dust_that_its_metadata_tell() -> None:
    analyser, field = analyse(4)
    told = replace(field, metadata={"scope_hidden": (12, 12, 4, 4)})
    kinds = [analyser(one).cells.kind.tolist() for one in (field, told)]
    assert kinds[0][0] == 0
    assert kinds[1][0] != 0
    assert kinds[0][1:] == kinds[1][1:]


def test_what_is_set_aside_keeps_its_kind_at_the_border() -> None:
    got = set_aside_cut(cells((-9, 0, 20, 20), kind=1), (60, 100))
    assert got.kinds[got.kind[0]] == "not-red-cell"


def test_kinds_are_the_same_whether_or_not_a_cell_is_cut() -> None:
    kinds = {set_aside_cut(c, (60, 100)).kinds for c in (cells(), cells((1, 1, 9, 9)), cells((-9, 1, 20, 20)))}
    assert kinds == {(*KINDS, NOT_WHOLE)}


def test_masks_go_with_their_cells() -> None:
    class Masked(FakeFinder):
        def find(self, image: Image) -> Cells:
            found = super().find(image)
            masks = np.zeros((len(found), 32, 32), np.uint8)
            return Cells(found.boxes, found.confidence, found.kind, found.kinds, masks)

    class Seeing(FakeClassifier):
        def scores(self, crops: np.ndarray) -> np.ndarray:
            assert crops.shape == (3, 32, 32, 3)
            return super().scores(crops)

    got = Analyser(Masked(), Seeing(), gauge=quality)(Field(picture(4), 0, "s", "f"))
    assert len(got.cells) == 4


def test_overlapping_hits_of_a_grid_are_counted_once() -> None:
    def keep_the_first(_cells: Cells, classes: np.ndarray, scores: np.ndarray, positive: np.ndarray) -> np.ndarray:
        assert positive.tolist() == [False, True]
        assert scores.shape == (4, 2)
        return np.array([True, False, True, True])

    got = Analyser(FakeFinder(), FakeClassifier(), keep_the_first, quality)(Field(picture(4), 0, "s", "f"))
    assert got.classes.tolist() == [1, -1, 0, -1]
    assert got.cells.kinds[got.cells.kind[1]] == DUPLICATE
    assert got.scores[1].tolist() == [0, 0]


class Looking(FakeClassifier):
    """Remembers what it was shown."""

    seen: UInt8Array | None = None

    def scores(self, crops: UInt8Array) -> FloatArray:
        self.seen = crops
        return super().scores(crops)


SETTLED = TypicalCells(np.full((1, 3), 240, np.uint8), np.full((1, 32, 32, 3), 90, np.uint8))
BESIDE = {  # finds that are cells, whether the microscope is settled, whether the settled typical cell stands in
    "a cell alone": (1, False, False),
    "a cell alone, settled": (1, True, True),
    "one find too few to tell": (FEWEST - 1, True, True),
    "just enough finds": (FEWEST, True, False),
    "just enough finds, not settled": (FEWEST, False, False),
}


@pytest.mark.parametrize("name", BESIDE)
def test_what_the_cells_of_a_field_are_compared_with(name: str) -> None:
    finds, known, stands_in = BESIDE[name]
    rgb = picture(finds + 1)  # the last thing is no red cell
    rgb[:, 100:] = 150
    looking = Looking(card=COMPARING)
    analyser = Analyser(FakeFinder(), looking, gauge=quality, settled=SETTLED if known else None)
    got = analyser(Field(rgb, 0, "s", "f.png"))
    plain = crop_cells(rgb, got.cells.boxes[:finds], CARD.crop)
    own = typical_cell(plain)
    assert looking.seen is not None
    assert (looking.seen == compared(plain, COMPARING.crop, SETTLED if stands_in else own)).all()
    assert got.typical is not None
    assert got.typical.finds == finds
    assert (got.typical.paper == own.papers[0]).all()
    assert (got.typical.cell == own.cells[0]).all()


@pytest.mark.parametrize(("things", "card"), [(0, COMPARING), (1, COMPARING), (5, CARD)])
def test_a_field_without_cells_and_a_net_that_compares_nothing_have_no_typical_cell(things: int, card: Card) -> None:
    analyser = Analyser(FakeFinder(), FakeClassifier(card=card), gauge=quality, settled=SETTLED)
    assert analyser(Field(picture(things), 0, "s", "f.png")).typical is None


class WhiteFinder(FakeFinder):
    """Finds three red cells 20 pixels wide and one white cell."""

    def __init__(self, white: tuple[int, int, int, int]) -> None:
        super().__init__()
        self.white = white

    def find(self, image: Image) -> Cells:
        boxes = np.array([[10, 10, 20, 20], [40, 10, 20, 20], [70, 10, 20, 20], self.white], np.int32)
        return Cells(boxes, np.full(4, 0.9, np.float32), np.array([0, 0, 0, 1], np.int32), ("cell", WHITE_CELL))


class LastPositive(FakeClassifier):
    """Calls the fourth thing it is shown infected, or nothing."""

    shown = 0

    def __init__(self, card: Card, *, calls: bool) -> None:
        super().__init__(card=card)
        self.calls = calls

    def scores(self, crops: UInt8Array) -> FloatArray:
        self.shown = len(crops)
        out = np.tile(np.array([0.75, 0.25], np.float32), (len(crops), 1))
        if self.calls:
            out[3:] = [0.25, 0.75]
        return out


ASKED = {  # box of the white cell, card, whether the classifier calls it infected; things shown, kind and class it gets
    "narrow and called infected: a cell that a parasite fills": ((100, 10, 38, 38), COMPARING, True, 4, 0, 1),
    "narrow and not called infected": ((100, 10, 38, 38), COMPARING, False, 4, 1, -1),
    "twice as wide as red cells": ((100, 10, 40, 40), COMPARING, True, 3, 1, -1),
    "cut by the border": ((300, 10, 30, 30), COMPARING, True, 3, 1, -1),
    "the net does not compare": ((100, 10, 38, 38), CARD, True, 3, 1, -1),
    "the net calls nothing infected": (
        (100, 10, 38, 38),
        replace(COMPARING, positive=()),
        True,
        3,
        1,
        -1,
    ),
}


@pytest.mark.parametrize("name", ASKED)
def test_a_white_cell_hardly_wider_than_red_ones_is_a_cell_only_if_the_classifier_calls_it_infected(name: str) -> None:
    white, card, calls, shown, kind, number = ASKED[name]
    classifier = LastPositive(card, calls=calls)
    got = Analyser(WhiteFinder(white), classifier, gauge=quality)(Field(picture(4), 0, "s", "f"))
    assert classifier.shown == shown
    assert (got.cells.kind[3], got.classes[3]) == (kind, number)
    seen = [0.25, 0.75] if calls else [0.75, 0.25]  # scores stay where the classifier was asked: a near miss is shown
    assert got.scores[3].tolist() == (seen if shown == 4 else [0, 0])
    assert got.cells.kind[:3].tolist() == [0, 0, 0]


@pytest.mark.parametrize(("edge", "asked"), [(139, True), (131, False)])
def test_a_white_cell_that_the_lit_regions_rim_cuts_is_not_asked_about(
    monkeypatch: pytest.MonkeyPatch, edge: int, *, asked: bool
) -> None:
    lit = Region(np.array([[0, 0], [edge, 0], [edge, 64], [0, 64]], np.float32))
    monkeypatch.setattr("edge.analysis.find_region", lambda _: lit)
    classifier = LastPositive(COMPARING, calls=True)
    got = Analyser(WhiteFinder((100, 10, 38, 38)), classifier, gauge=quality)(Field(picture(4), 0, "s", "f"))
    assert classifier.shown == (4 if asked else 3)
    assert got.classes[3] == (1 if asked else -1)
