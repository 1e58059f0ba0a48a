"""Answers that guessing would give are told from those that it would not."""

from __future__ import annotations

import numpy as np
import pytest

from convert.measure.cells import CellSet
from convert.measure.chance import ERROR_RATE, balanced_accuracy, probability_of_chance


def cells(count: int, slides: int = 0, classes: int = 2) -> CellSet:
    names = tuple(str(n) for n in range(count))
    groups = np.array([f"s{n % slides}" for n in range(count)] if slides else names)
    truth = (np.arange(count) // max(1, slides) % classes).astype(np.int32)
    labels = tuple("abc"[:classes])
    return CellSet(np.zeros((count, 1, 1, 3), np.uint8), truth, labels, groups, names, grouped=slides > 0)


@pytest.mark.parametrize(
    ("count", "share", "better"),
    [(300, 0.5, False), (300, 0.64, True), (40, 0.64, False), (40, 0.95, True), (300, 0.3, False)],
)
def test_the_same_share_says_more_of_more_cells(count: int, share: float, better: bool) -> None:
    asked = cells(count)
    guess = np.where(np.arange(count) < count * share, asked.truth, 1 - asked.truth)
    assert (probability_of_chance(guess, asked) < ERROR_RATE / 20) == better


def test_guesses_seldom_look_better_than_chance() -> None:
    rng = np.random.default_rng(0)
    for asked in (cells(120), cells(120, slides=10), cells(120, classes=3)):
        found = [probability_of_chance(rng.integers(0, len(asked.labels), 120), asked) for _ in range(2000)]
        assert np.mean(np.array(found) < ERROR_RATE) < 2 * ERROR_RATE


def test_an_answer_that_only_knows_slides_is_chance_on_slides_and_not_on_cells() -> None:
    """On six of ten slides all is right, on the others little: as if each slide were one draw."""
    rng = np.random.default_rng(0)
    asked = cells(400, slides=10)
    wrong = np.where(np.arange(400) % 10 < 6, 0.1, 0.8) > rng.random(400)
    guess = np.where(wrong, 1 - asked.truth, asked.truth)
    assert balanced_accuracy(guess, asked) > 0.58
    assert probability_of_chance(guess, asked) > ERROR_RATE
    apart = cells(400)
    assert probability_of_chance(np.where(wrong, 1 - apart.truth, apart.truth), apart) < ERROR_RATE


def test_what_is_right_on_every_slide_is_no_chance() -> None:
    asked = cells(60, slides=6)
    assert balanced_accuracy(asked.truth, asked) == 1
    assert probability_of_chance(asked.truth, asked) < ERROR_RATE / 30
