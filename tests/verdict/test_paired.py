from __future__ import annotations

import numpy as np
import pytest

from edge.verdict.paired import ShareChange, share_change
from models.studies.paired import PairedCase, SecondCount, simulate


def even(fields: int, cells: int, before: list[int], after: list[int]) -> ShareChange:
    """Fields of as many cells each; the first ones hold these positive cells, the others none."""
    n = [cells] * fields
    return share_change((n, before + [0] * (fields - len(before))), (n, after + [0] * (fields - len(after))))


def test_the_difference_is_that_of_the_two_shares() -> None:
    got = share_change(([100, 50], [1, 2]), ([110, 60], [4, 0]))
    assert (got.before, got.after) == (3 / 150, 4 / 170)
    assert got.difference == pytest.approx(4 / 170 - 3 / 150)
    assert (got.fields, got.differ) == (2, 2)


# fields of 100 cells with one positive cell more each, and whether that is sure: the sign test says 2 * 0.5**n
SIGNS = {0: False, 1: False, 4: False, 5: False, 6: True, 20: True}


@pytest.mark.parametrize("gained", SIGNS)
def test_single_cells_in_single_fields_are_judged_as_by_the_sign_test(gained: int) -> None:
    more, less = even(400, 100, [], [1] * gained), even(400, 100, [1] * gained, [])
    assert (more.sure, less.sure) == (SIGNS[gained], SIGNS[gained])
    assert (more.low, more.high) == pytest.approx((-less.high, -less.low))


def test_where_nothing_differs_three_or_four_cells_might_have() -> None:
    got = even(50, 100, [1, 2, 3], [1, 2, 3])
    assert (got.difference, got.differ, got.sure) == (0.0, 0, False)
    assert got.high == pytest.approx(3.689 / 5000, rel=1e-3)
    assert got.low == pytest.approx(-3.689 / 5000, rel=1e-3)


def test_twenty_cells_in_one_field_are_less_sure_than_in_twenty() -> None:
    gathered, spread = even(50, 100, [], [20]), even(50, 100, [], [1] * 20)
    assert gathered.difference == spread.difference
    assert (gathered.sure, spread.sure) == (False, True)


def test_the_same_fields_tell_more_than_two_intervals_of_their_own() -> None:
    rng = np.random.default_rng(3)
    positive = rng.binomial(100, 0.2, 200)
    got = share_change(([100] * 200, positive), ([100] * 200, positive + (np.arange(200) % 5 == 0)))
    assert got.sure
    assert got.high - got.low < 0.002  # either share alone is known to 0.011


def test_where_much_differs_it_is_the_interval_from_the_spread_between_fields() -> None:
    rng = np.random.default_rng(4)
    before = rng.binomial(200, 0.3, 400)
    after = rng.binomial(200, 0.3, 400)
    got = share_change(([200] * 400, before), ([200] * 400, after))
    error = np.std(after - before, ddof=1) / 200 / np.sqrt(400)
    assert got.high - got.low == pytest.approx(2 * 1.966 * error, rel=0.05)


@pytest.mark.parametrize(
    ("before", "after", "says"),
    [
        pytest.param(([], []), ([], []), (None, None, None, 0), id="no fields"),
        pytest.param(([0, 0], [0, 0]), ([9, 9], [1, 0]), (None, 1 / 18, None, 2), id="nothing counted before"),
        pytest.param(([9], [1]), ([9], [0]), (1 / 9, 0.0, -1 / 9, 1), id="one field"),
        pytest.param(([9, 0], [1, 0]), ([9, 0], [1, 0]), (1 / 9, 1 / 9, 0.0, 1), id="a field that counts in neither"),
    ],
)
def test_fewer_than_two_fields_or_an_empty_count_say_nothing_of_the_difference(
    before: tuple[list[int], list[int]], after: tuple[list[int], list[int]], says: tuple[object, ...]
) -> None:
    got = share_change(before, after)
    assert (got.before, got.after, got.difference, got.fields) == says
    assert (got.low, got.high, got.sure) == (-1.0, 1.0, False)


@pytest.mark.parametrize(
    ("before", "after", "match"),
    [
        (([9, 9], [1, 1]), ([9], [1]), "same number of fields"),
        (([9], [10]), ([9], [1]), "no more positive cells"),
        (([9], [1]), ([9], [-1]), "no more positive cells"),
    ],
)
def test_impossible_counts_of_fields_are_refused(
    before: tuple[list[int], list[int]], after: tuple[list[int], list[int]], match: str
) -> None:
    with pytest.raises(ValueError, match=match):
        share_change(before, after)


def test_the_interval_holds_the_difference_and_turns_with_the_counts() -> None:
    rng = np.random.default_rng(8)
    for _ in range(40):
        fields = int(rng.integers(2, 30))
        n = rng.integers(0, 40, (2, fields))
        k = rng.binomial(n, rng.choice([0.0, 0.02, 0.5, 1.0]))
        one, other = share_change((n[0], k[0]), (n[1], k[1])), share_change((n[1], k[1]), (n[0], k[0]))
        assert -1 <= one.low <= one.high <= 1
        assert (one.low, one.high) == pytest.approx((-other.high, -other.low))
        assert one.difference is None or one.low <= one.difference <= one.high


@pytest.mark.parametrize(
    "case",
    [
        PairedCase(SecondCount("false positives gone", 0.01, 0.5, 0.0), 20, 120),
        PairedCase(SecondCount("many infected, another finder", 0.2, 0.02, 0.005, 0.5, 0.1), 100, 20),
    ],
    ids=lambda case: case.second.name,
)
def test_simulated_intervals_hold_the_truth(case: PairedCase, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("models.studies.paired.cases", lambda: [case])
    assert simulate(case, 150).held.within(0.94, 1.0)
