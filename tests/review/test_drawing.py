from __future__ import annotations

from collections import Counter

import pytest

from edge.review.drawing import drawn, mixed
from edge.review.records import CellPlace, ReviewCell, ReviewPlan, Stratum, StratumPlan

PARTS = tuple(Stratum)


def plan(*sizes: int) -> ReviewPlan:
    """Of so many cells in each part."""
    parts = tuple(
        StratumPlan(
            part,
            size,
            tuple(ReviewCell(CellPlace(p, i), part, (0, 0, 9, 9), "c", 1 - i / 999, "f") for i in range(size)),
        )
        for p, (part, size) in enumerate(zip(PARTS, sizes, strict=True))
    )
    return ReviewPlan("u", "s", 1, "m", 0.5, ("h", "i"), ("i",), "cell", sum(sizes), parts)


def of(cells: tuple[ReviewCell, ...]) -> tuple[int, ...]:
    found = Counter(cell.stratum for cell in cells)
    return tuple(found[part] for part in PARTS)


@pytest.mark.parametrize(
    ("sizes", "most", "wanted", "expected"),
    [
        pytest.param((60, 0, 200, 900), 120, {}, (60, 0, 30, 30), id="what the top leaves is shared evenly"),
        pytest.param((60, 500, 200, 900), 120, {}, (60, 20, 20, 20), id="also among the other suspects"),
        pytest.param((3, 0, 4, 900), 120, {}, (3, 0, 4, 113), id="what a part does not have goes to others"),
        pytest.param((60, 0, 200, 900), 100, {"near": 30, "rest": 10}, (60, 0, 30, 10), id="as advised"),
        pytest.param((10, 0, 5, 90), 30, {"near": 30}, (10, 0, 5, 15), id="advised more than there is"),
        pytest.param((6, 0, 23, 900), 66, {"rest": 20}, (6, 0, 10, 50), id="a part that is not advised gets a few"),
        pytest.param((60, 0, 10, 10), 20, {}, (20, 0, 0, 0), id="the top comes first"),
        pytest.param((0, 0, 0, 5), 120, {}, (0, 0, 0, 5), id="a sample with no suspect"),
        pytest.param((0, 0, 0, 0), 120, {}, (0, 0, 0, 0), id="no cells at all"),
        pytest.param((60, 50_000, 0, 9), 120, {"top": 5}, (60, 51, 0, 9), id="50,000 suspects"),
    ],
)
def test_cells_are_drawn_part_by_part(
    sizes: tuple[int, ...], most: int, wanted: dict[str, int], expected: tuple[int, ...]
) -> None:
    got = drawn(plan(*sizes), most, wanted)
    assert of(got) == expected
    for part in PARTS:
        assert [c.cell.n for c in got if c.stratum is part] == list(range(of(got)[PARTS.index(part)]))


def test_those_that_were_looked_at_are_left_out_and_the_next_in_order_come() -> None:
    done = {CellPlace(3, 0), CellPlace(3, 2), CellPlace(0, 0)}
    got = drawn(plan(2, 0, 0, 9), 4, done=done)
    assert [str(cell.cell) for cell in got] == ["0-1", "3-1", "3-3", "3-4"]


def test_whoever_stops_half_way_has_looked_at_half_of_each_part() -> None:
    cells = drawn(plan(60, 0, 200, 900), 120)
    first = mixed(cells)[:60]
    assert of(tuple(one.cell for one in first)) == (30, 0, 15, 15)
    top = [one.cell.cell.n for one in first if one.cell.stratum is Stratum.TOP]
    assert top == list(range(30))  # highest first


@pytest.mark.parametrize(("n", "repeated"), [(120, 8), (30, 3), (9, 0), (0, 0)])
def test_a_few_come_a_second_time_at_the_end(n: int, repeated: int) -> None:
    shown = mixed(drawn(plan(60, 0, 200, 900), n))
    assert [one.reading for one in shown] == [0] * n + [1] * repeated
    assert len({(one.cell.cell, one.reading) for one in shown}) == len(shown)
    again = {one.cell.cell for one in shown if one.reading}
    assert again <= {one.cell.cell for one in shown if not one.reading}


def test_suspects_and_others_come_again_in_turn() -> None:
    again = [one.cell.stratum for one in mixed(drawn(plan(60, 0, 200, 900), 120)) if one.reading]
    assert Counter(part is Stratum.TOP for part in again) == {True: 4, False: 4}
