"""The bootstrap: groups are drawn, never cells; equal numbers of groups get equal resamples."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from convert.measure import bootstrap
from convert.measure.bootstrap import (
    drawn_groups,
    figure_interval,
    limits,
    resampled_sums,
    rows_interval,
    share_interval,
    sums_by_group,
)
from convert.measure.metrics import accuracy, auc

HALF = np.repeat([True, False], 500)


@pytest.mark.parametrize(
    ("groups", "low", "high"),
    [
        pytest.param(
            np.repeat(["a", "b"], 500), (0.0, 0.0), (1.0, 1.0), id="two slides, one all right and one all wrong"
        ),
        pytest.param(np.arange(1000), (0.45, 0.49), (0.51, 0.55), id="every cell a group of its own"),
        pytest.param(np.tile(np.arange(10), 100), (0.5, 0.5), (0.5, 0.5), id="groups that are all alike"),
    ],
)
def test_a_share_varies_as_its_groups_do(
    groups: np.ndarray, low: tuple[float, float], high: tuple[float, float]
) -> None:
    found = share_interval(HALF, groups)
    assert low[0] <= found[0] <= low[1]
    assert high[0] <= found[1] <= high[1]


@pytest.mark.parametrize(
    ("cells", "low"), [(60, 0.940), (600, 0.9939)], ids=["60 cells do not show much", "600 show more"]
)
def test_all_right_is_not_sure_to_be_all_right(cells: int, low: float) -> None:
    right = np.ones(cells, bool)
    assert share_interval(right, np.arange(cells)) == pytest.approx((low, 1.0), abs=1e-3)
    assert share_interval(~right, np.arange(cells)) == pytest.approx((0.0, 1 - low), abs=1e-3)


def test_resamples_depend_on_the_number_of_groups_alone() -> None:
    assert (drawn_groups(7, 20) == drawn_groups(7, 20)).all()
    assert (drawn_groups(7, 20) == drawn_groups(7, 40)[:20]).all()
    assert drawn_groups(7, 20).shape == (20, 7)
    assert set(np.unique(drawn_groups(7, 20))) == set(range(7))


def test_sums_of_groups_are_in_the_order_of_their_names() -> None:
    assert sums_by_group(np.array([1, 2, 3, 4]), np.array(["b", "a", "b", "c"])).tolist() == [2, 4, 4]
    assert sums_by_group(np.array([[1, 0], [2, 5]]), np.array(["x", "x"])).tolist() == [[3, 5]]


@pytest.mark.parametrize("shape", [(6,), (6, 2), (6, 3, 4)])
def test_resampled_sums_are_sums_over_the_drawn_groups(shape: tuple[int, ...]) -> None:
    table = np.random.default_rng(1).integers(0, 50, shape)
    found = resampled_sums(table, 9)
    assert found.dtype == table.dtype
    for sums, drawn in zip(found, drawn_groups(6, 9), strict=True):
        assert (sums == table[drawn].sum(axis=0)).all()


@pytest.mark.parametrize("measure", [auc, accuracy])
def test_an_interval_holds_its_figure_and_shrinks_with_more_groups(
    measure: Callable[[np.ndarray, np.ndarray], float],
) -> None:
    rng = np.random.default_rng(0)
    positive = rng.random(4000) < 0.3
    values = np.clip(rng.normal(np.where(positive, 0.6, 0.4), 0.2), 0, 1)
    groups = np.arange(4000) % 80
    few = groups < 10
    wide = figure_interval(measure, positive[few], values[few], groups[few])
    narrow = figure_interval(measure, positive, values, groups)
    assert narrow[0] < measure(positive, values) < narrow[1]
    assert narrow[1] - narrow[0] < wide[1] - wide[0]


def test_a_figure_is_measured_on_all_cells_of_the_drawn_groups() -> None:
    groups = np.array(["a", "a", "b", "c", "c", "c"])
    positive = np.array([True, False, True, False, True, False])
    seen: list[int] = []

    def count(truth: np.ndarray, _values: np.ndarray) -> float:
        seen.append(len(truth))
        return float(len(truth))

    figure_interval(count, positive, positive.astype(float), groups, 5)
    sizes = [int(np.array([2, 1, 3])[drawn].sum()) for drawn in drawn_groups(3, 5)]
    both = [size for size, drawn in zip(sizes, drawn_groups(3, 5), strict=True) if set(drawn) != {1}]
    assert seen == both  # group b alone has no negative cell


def test_resamples_of_one_kind_of_cell_give_no_value() -> None:
    positive = np.array([True, False])
    low, high = figure_interval(auc, positive, np.array([0.9, 0.1]), np.array(["a", "b"]))
    assert (low, high) == (1.0, 1.0)


def test_a_share_is_the_same_by_sums_and_by_rows() -> None:
    rng = np.random.default_rng(2)
    right, groups = rng.random(600) < 0.8, rng.integers(0, 25, 600)
    members = [np.flatnonzero(groups == g) for g in np.unique(groups)]
    by_rows = rows_interval(lambda drawn: right[np.concatenate([members[g] for g in drawn])].mean(), len(members), 300)
    assert share_interval(right, groups, 300) == pytest.approx(by_rows, abs=1e-12)


def test_the_interval_is_of_the_middle_95_percent_and_leaves_out_what_has_no_value() -> None:
    values = np.append(np.arange(1001) / 1000, np.nan)
    assert limits(values) == pytest.approx((0.025, 0.975))
    assert bootstrap.QUICK_RESAMPLES >= bootstrap.RESAMPLES
