"""Rank statistics and thresholds at a rate of false positives, on scores whose answer is known."""

from __future__ import annotations

import numpy as np
import pytest

from convert.measure.metrics import accuracy, auc, sensitivity_at, threshold_at

SICK, WELL = True, False


@pytest.mark.parametrize(
    ("infected", "scores", "area"),
    [
        pytest.param([WELL, WELL, SICK], [0.1, 0.2, 0.3], 1.0, id="all above"),
        pytest.param([WELL, WELL, SICK], [0.2, 0.3, 0.1], 0.0, id="all below"),
        pytest.param([WELL, WELL, SICK], [0.1, 0.3, 0.2], 0.5, id="between"),
        pytest.param([WELL, SICK, WELL, SICK], [0.5, 0.5, 0.5, 0.5], 0.5, id="ties count half"),
        pytest.param([WELL, WELL, SICK, SICK], [0.1, 0.5, 0.5, 0.9], 0.875, id="one tie of four pairs"),
        pytest.param([SICK, WELL, WELL, WELL, SICK], [0.4, 0.1, 0.4, 0.6, 0.7], 4.5 / 6, id="in no order"),
    ],
)
def test_the_area_is_the_share_of_pairs_in_the_right_order(
    infected: list[bool], scores: list[float], area: float
) -> None:
    assert auc(np.array(infected), np.array(scores)) == pytest.approx(area)


NEGATIVES = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1.0]


@pytest.mark.parametrize(
    ("rate", "found"),
    [
        pytest.param(0.0, 0.0, id="none may exceed: the highest negative is the limit"),
        pytest.param(0.1, 0.25, id="one of ten may: above 0.9"),
        pytest.param(0.19, 0.25, id="still one of ten"),
        pytest.param(0.3, 0.75, id="three of ten: above 0.7"),
    ],
)
def test_sensitivity_is_the_share_above_what_so_many_negatives_exceed(rate: float, found: float) -> None:
    infected = np.array([WELL] * 10 + [SICK] * 4)
    scores = np.array([*NEGATIVES, 0.7, 0.75, 0.85, 0.95])
    assert sensitivity_at(infected, scores, rate) == found


@pytest.mark.parametrize(
    ("negatives", "positives", "rate", "threshold"),
    [
        pytest.param([0.1, 0.2, 0.3], [0.7, 0.9], 0.0, 0.5, id="half way to the next score"),
        pytest.param([0.1, 0.2, 0.4], [0.7, 0.9], 0.4, 0.3, id="half way to a negative that may pass"),
        pytest.param([0.1, 0.2, 0.3], [0.05], 0.0, 0.300004, id="nothing is above: just above all"),
        pytest.param([0.1, 0.2, 0.3], [0.300003, 0.8], 0.0, 0.55, id="nearer than the device tells apart: not above"),
        pytest.param([0.1, 1.0], [1.0], 0.0, 1.0, id="at most one"),
    ],
)
def test_the_lowest_threshold_at_a_rate(
    negatives: list[float], positives: list[float], rate: float, threshold: float
) -> None:
    infected = np.array([WELL] * len(negatives) + [SICK] * len(positives))
    assert threshold_at(infected, np.array([*negatives, *positives]), rate) == pytest.approx(threshold, abs=1e-9)


def test_one_half_counts_as_infected() -> None:
    assert accuracy(np.array([SICK, WELL, SICK, WELL]), np.array([0.5, 0.5, 0.49, 0.2])) == 0.5
