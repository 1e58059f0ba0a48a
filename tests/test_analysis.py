from __future__ import annotations

import numpy as np
import pytest

from edge.analysis import DUPLICATE, Analyser, set_aside_cut
from edge.pixels import Image
from edge.types import NOT_WHOLE, Cells, Field
from tests.fakes import KINDS, FakeClassifier, FakeFinder, picture, quality


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
