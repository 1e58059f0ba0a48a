"""Infected cells whose number is known: marked on fields, read by a person, or held out when the model was made."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from edge.verdict.calibration import KnownSlide
from edge.verdict.choose import SlideScores
from edge.verdict.known import HeldOutTable, MarkedSlide, ReadSlide, held_out, joined, match

LABELS = ("red", "ring", "tropho")
BOTH = ("ring", "tropho")


def boxes(*rows: tuple[int, int, int, int]) -> np.ndarray:
    return np.array(rows, np.int32).reshape(-1, 4)


def scores(*ring: float) -> np.ndarray:
    return np.array([[1 - p, p, 0] for p in ring], np.float32).reshape(-1, 3)


TRUTH = boxes((10, 10, 20, 20), (50, 50, 20, 20), (90, 90, 20, 20))


@pytest.mark.parametrize(
    ("name", "found", "ring", "got"),
    [
        ("each its own", TRUTH[::-1], [0.7, 0.8, 0.9], [0.9, 0.8, 0.7]),
        (
            "the best overlap first, whichever stands first",
            boxes((12, 11, 20, 20), (11, 10, 20, 20)),
            [0.1, 0.8],
            [0.8, 0, 0],
        ),
        ("one found thing is one cell", boxes((10, 10, 20, 20)), [0.8], [0.8, 0, 0]),
        ("an overlap of a half is enough", boxes((50, 50, 20, 10)), [0.6], [0, 0.6, 0]),
        ("less than a half is not", boxes((50, 50, 20, 9)), [0.6], [0, 0, 0]),
        ("nothing was found", boxes(), [], [0, 0, 0]),
    ],
)
def test_marked_cells_take_the_scores_of_what_was_found_there(
    name: str, found: np.ndarray, ring: list[float], got: list[float]
) -> None:
    made = match("s", TRUTH, np.array([1, 1, 1]), found, scores(*ring))
    assert made.scores[:, 1].tolist() == pytest.approx(got), name
    assert made.scores.dtype == np.float32
    assert made.scores.shape == (3, 3)
    assert (made.name, made.label.tolist()) == ("s", [1, 1, 1])


def test_two_marked_cells_do_not_share_one_that_was_found() -> None:
    truth = boxes((10, 10, 20, 20), (12, 10, 20, 20), (14, 10, 20, 20))
    made = match("s", truth, np.array([1, 1, 1]), boxes((12, 10, 20, 20), (15, 10, 20, 20)), scores(0.9, 0.8))
    assert made.scores[:, 1].tolist() == pytest.approx([0, 0.9, 0.8])


def test_a_field_without_marked_cells_has_none() -> None:
    made = match("s", boxes(), np.zeros(0, np.int64), TRUTH, scores(0.9, 0.9, 0.9))
    assert made.scores.shape == (0, 3)


def test_a_marked_cell_is_found_when_it_comes_out_as_its_own_class() -> None:
    marked = MarkedSlide(
        "s",
        np.array([[0, 0.9, 0.1], [0, 0.1, 0.9], [0.6, 0.4, 0], [0.1, 0.2, 0.7], [0, 0, 0]], np.float32),
        np.array([1, 1, 1, 2, 2]),
    )
    assert marked.at(0.5, LABELS, BOTH) == KnownSlide("s", {"ring": 1, "tropho": 1}, {"ring": 3, "tropho": 2})
    assert marked.at(0.3, LABELS, BOTH).found == {"ring": 2, "tropho": 1}
    assert marked.at(0.5, LABELS, ("tropho", "ring")).found == {"ring": 1, "tropho": 1}


def test_fields_of_a_slide_are_joined_in_order() -> None:
    first, second = MarkedSlide("a", scores(0.1, 0.2), np.array([1, 2])), MarkedSlide("b", scores(0.3), np.array([1]))
    got = joined("slide", [first, second])
    assert got.name == "slide"
    assert got.scores[:, 1].tolist() == pytest.approx([0.1, 0.2, 0.3])
    assert got.label.tolist() == [1, 2, 1]


def slide(positive: int, cells: int) -> SlideScores:
    return SlideScores("s", 5, scores(*[1.0] * positive, *[0.0] * (cells - positive)))


@pytest.mark.parametrize(
    ("name", "positive", "read_of", "false", "known"),
    [
        ("as many as there should be", 50, None, 0.0, (50, 50)),
        ("false ones are taken off: 9.5 of 950 healthy", 50, None, 0.01, (40, 50)),
        ("half of them", 25, None, 0.0, (25, 50)),
        ("no more than there are", 90, None, 0.0, (50, 50)),
        ("no fewer than none", 2, None, 0.01, (0, 50)),
        ("worth no more than the reader saw: 10 of 200", 50, 200, 0.0, (10, 10)),
        ("worth no more than there are here: 50", 25, 100_000, 0.0, (25, 50)),
        ("worth one cell at least", 50, 3, 0.0, (1, 1)),
    ],
)
def test_a_share_of_5_per_cent_that_a_person_read_tells_how_many_of_the_infected_cells_are_found(
    name: str, positive: int, read_of: int | None, false: float, known: tuple[int, int]
) -> None:
    got = ReadSlide(slide(positive, 1000), 0.05, read_of).at(0.5, LABELS, "ring", false)
    assert got == KnownSlide("s", {"ring": known[0]}, {"ring": known[1]}), name


TABLE = {
    "set": "held-out patients",
    "thresholds": [0.5, 0.7, 0.9],
    "infected": [10, 0, 20],
    "found": [[9, 0, 19], [8, 0, 15], [5, 0, 2]],
}


@pytest.mark.parametrize(
    ("threshold", "found"),
    [
        (0.0, [9, 19]),
        (0.5, [9, 19]),
        (0.500001, [8, 15]),
        (0.7, [8, 15]),
        (0.7 + 1e-12, [8, 15]),
        (0.71, [5, 2]),
        (0.9, [5, 2]),
    ],
)
def test_the_cards_figures_are_those_of_the_next_threshold_up_and_parts_without_infected_cells_are_left_out(
    threshold: float, found: list[int]
) -> None:
    table = held_out({"end_to_end": TABLE})
    assert table == HeldOutTable("held-out patients", (0.5, 0.7, 0.9), (10, 0, 20), ((9, 0, 19), (8, 0, 15), (5, 0, 2)))
    parts = table.at(threshold, BOTH)
    assert parts == (
        KnownSlide("part 0", dict.fromkeys(BOTH, found[0]), dict.fromkeys(BOTH, 10)),
        KnownSlide("part 2", dict.fromkeys(BOTH, found[1]), dict.fromkeys(BOTH, 20)),
    )


def test_above_the_highest_threshold_of_the_card_nothing_is_known() -> None:
    table = held_out({"end_to_end": TABLE})
    assert table is not None
    assert table.at(0.91, BOTH) is None


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("no thresholds", {"thresholds": [], "found": []}),
        ("thresholds that fall", {"thresholds": [0.9, 0.7, 0.5]}),
        ("a threshold that is no number", {"thresholds": ["x", 0.7, 0.9]}),
        ("more rows than thresholds", {"thresholds": [0.5, 0.7]}),
        ("a short row", {"found": [[9, 0], [8, 0, 15], [5, 0, 2]]}),
        ("a long row", {"found": [[9, 0, 19, 1], [8, 0, 15], [5, 0, 2]]}),
        ("more found than there are", {"found": [[11, 0, 19], [8, 0, 15], [5, 0, 2]]}),
        ("fewer than none found", {"found": [[-1, 0, 19], [8, 0, 15], [5, 0, 2]]}),
        ("a count without end", {"infected": [float("inf"), 0, 20]}),
        ("no list of counts", {"infected": 3}),
        ("a name that would move the cursor", {"set": "a\x1b[2J"}),
    ],
)
def test_a_card_whose_figures_make_no_sense_has_none(name: str, change: dict[str, Any]) -> None:
    assert held_out({"end_to_end": TABLE | change}) is None, name


@pytest.mark.parametrize("missing", TABLE)
def test_a_card_that_lacks_one_of_the_figures_has_none(missing: str) -> None:
    assert held_out({"end_to_end": {key: value for key, value in TABLE.items() if key != missing}}) is None
    assert held_out({}) is None
    assert held_out({"end_to_end": 3}) is None


def test_all_found_and_none_found_and_equal_thresholds_are_figures() -> None:
    assert (
        held_out({"end_to_end": TABLE | {"found": [[10, 0, 20], [0, 0, 0], [0, 0, 0]], "thresholds": [0.5, 0.5, 0.9]}})
        is not None
    )
