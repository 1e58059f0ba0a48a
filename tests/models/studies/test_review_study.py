from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from edge.types import Interval
from edge.verdict.review_records import ReviewedVerdict
from models.studies.review.cases import every, grid, simulate, together
from models.studies.review.page import page, summary
from models.studies.review.simulate import (
    READERS,
    TOP,
    Review,
    ReviewCase,
    ReviewTally,
    SlideParts,
    block,
    follows,
    slide,
)

CASE = ReviewCase(0, 2000, 0.05, READERS[2], 10)


def test_a_slides_parts_hold_its_cells_and_its_infected_ones() -> None:
    rng = np.random.default_rng(1)
    slides = [slide(CASE, rng) for _ in range(40)]
    for parts in slides:
        every_part = (parts.top, parts.suspects, parts.near, parts.rest)
        assert sum(cells for cells, _ in every_part) == CASE.cells
        assert all(0 <= infected <= cells for cells, infected in every_part)
        assert parts.top[0] == min(TOP, parts.suspected)
    assert np.mean([p.top[1] + p.suspects[1] for p in slides]) == pytest.approx(CASE.cells * 0.05 * 0.8, rel=0.1)


def test_what_readers_say_adds_up_and_cells_read_twice_are_among_the_votes() -> None:
    review = Review(CASE, SlideParts((60, 50), (30, 20), (40, 5), (1870, 3)), np.random.default_rng(2))
    for name, cells in (("top", 60), ("suspects", 10), ("near", 500), ("rest", 100)):
        review.look(name, cells)
    counts = review.counts()
    assert [part.looked for part in counts.parts] == [60, 10, 40, 100]
    assert len(counts.votes) == CASE.reread
    at_odds = sum(len({said for _, said in votes}) == 2 for votes in counts.votes)
    assert sum(part.unsure for part in counts.parts) == at_odds


def test_readers_who_are_never_wrong_find_what_is_there() -> None:
    case = replace(CASE, readers=READERS[0])
    review = Review(case, SlideParts((60, 50), (30, 20), (40, 5), (1870, 3)), np.random.default_rng(2))
    for name in ("top", "suspects", "near", "rest"):
        review.look(name, 5000)
    assert [part.positive for part in review.counts().parts] == [50, 20, 5, 3]


def test_a_block_is_the_same_whenever_it_is_simulated() -> None:
    assert block(CASE, 3, 4) == block(CASE, 3, 4) != block(CASE, 4, 4)


def test_a_run_that_was_broken_off_goes_on_where_it_stood(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[tuple[str, int]] = []

    def fake(case: ReviewCase, number: int) -> ReviewTally:
        made.append((case.key, number))
        return ReviewTally(50, 48)

    monkeypatch.setattr("models.studies.review.cases.block", fake)
    cases, silent = grid()[:3], lambda _: None
    simulate(cases, 50, tmp_path, silent)
    (file,) = tmp_path.glob("*.jsonl")
    with file.open("a") as out:
        out.write('{"case": "cut o')  # the power went
    again = simulate(cases, 100, tmp_path, silent)
    assert len(made) == len(set(made)) == 6
    assert again[cases[0]] == ReviewTally(100, 96)


@pytest.mark.parametrize(
    ("flag", "low", "high", "most", "agree"),
    [
        ("positive", 0.001, 0.01, 0.01, True),
        ("positive", 0.0, 0.01, 0.01, False),
        ("negative", 0.0, 0.0009, 0.0009, True),
        ("negative", 0.0, 0.002, 0.0009, False),
        ("indeterminate", 0.0, 0.002, 0.002, True),
        ("indeterminate", 0.02, 0.002, 0.002, False),
    ],
)
def test_a_flag_that_its_interval_contradicts_is_noticed(
    flag: str, low: float, high: float, most: float, agree: bool
) -> None:
    assert follows(ReviewedVerdict(flag, (), 0, 1, Interval(None, low, high), most)) is agree


def made_up(**wrong: int) -> dict[ReviewCase, ReviewTally]:
    """Every case as it should be, but for what is asked for."""
    out = {}
    for case in every():
        found = 100 if case.share else 0
        out[case] = replace(ReviewTally(100, 96, 2, 2, found, 100 - found, found // 2, 5000, 100), **wrong)
    return out


@pytest.mark.parametrize(
    ("name", "wrong", "missed"),
    [
        ("nothing", {}, set()),
        ("intervals too narrow", {"covered": 80}, {"coverage, with a calibration", "coverage, without one"}),
        ("every sample flagged", {"positive": 100}, {"blanks flagged after review", "specificity after review, with a calibration"}),
        ("none found any more", {"positive": 0}, {"infected samples found, with a calibration"}),
        ("all called negative", {"negative": 100}, {"called negative at or above the target"}),
        ("flag and interval differ once", {"agree": 99}, {"flag, interval and bound agree"}),
    ],
)  # fmt: skip
def test_a_promise_that_is_not_kept_is_called_missed(name: str, wrong: dict[str, int], missed: set[str]) -> None:
    tallies = made_up(**wrong)
    promises = summary(tallies)
    assert missed <= {one.what for one in promises if not one.met}, name
    if not missed:
        assert all(one.met for one in promises)
    text = page(tallies, promises, 100)
    assert ("**missed**" in text) == bool(missed)
    assert "--samples 100" in text


def test_tallies_add_up() -> None:
    assert together([ReviewTally(50, 40, looked=7), ReviewTally(50, 50, looked=1)]) == ReviewTally(100, 90, looked=8)
