from __future__ import annotations

import pytest

from edge.outputs.pace import EndConditions, Pace


def run(
    ends: EndConditions, fields: int, *, every: float = 1.0, cells: int = 100, first: float = 3.0
) -> tuple[Pace, int]:
    """A run whose first field comes late and the others evenly; with the sample's cells so far."""
    pace = Pace(ends, 0.0)
    for i in range(fields):
        pace.add(first + i * every, i + 1, (i + 1) * cells)
    return pace, fields * cells


@pytest.mark.parametrize(
    ("ends", "left"),
    [
        (EndConditions(cells=3000), 20.0),
        (EndConditions(fields=15), 5.0),
        (EndConditions(inputs=60), 50.0),
        (EndConditions(seconds=20), 8.0),  # it began three seconds before its first field: 12 have gone
        (EndConditions(cells=3000, fields=15, seconds=20, inputs=60), 5.0),  # the first to come
        (EndConditions(cells=1500, fields=15, seconds=14, inputs=60), 2.0),
        (EndConditions(cells=1200, fields=15, seconds=20, inputs=12), 2.0),
        (EndConditions(cells=900), 0.0),
        (EndConditions(), None),
    ],
)
def test_the_time_left_is_that_of_whichever_end_comes_first(ends: EndConditions, left: float | None) -> None:
    pace, cells = run(ends, 10)
    assert pace.cells_per_second == pytest.approx(100)
    assert pace.left(cells) == (None if left is None else pytest.approx(left))


@pytest.mark.parametrize(("fields", "every"), [(0, 1.0), (1, 1.0), (5, 10.0), (100, 0.01)])
def test_nothing_is_claimed_before_enough_is_known(fields: int, every: float) -> None:
    pace, cells = run(EndConditions(cells=10**6, fields=10**4, seconds=1e4, inputs=10**4), fields, every=every)
    assert pace.cells_per_second is None
    assert pace.left(cells) is None


def test_what_happened_lately_counts() -> None:
    pace, cells = run(EndConditions(inputs=400), 100)
    for i in range(100):
        pace.add(103 + i * 0.2, 101 + i, cells + i * 100)
    assert pace.left(cells) == pytest.approx(200 * 0.2)


def test_where_no_cell_is_found_the_limit_of_cells_is_no_end() -> None:
    pace, cells = run(EndConditions(cells=3000, inputs=60), 10, cells=0)
    assert pace.left(cells) == pytest.approx(50)
    pace, cells = run(EndConditions(cells=3000), 10, cells=0)
    assert pace.left(cells) is None


def test_several_samples_end_with_the_last_input() -> None:
    pace, cells = run(EndConditions(inputs=60, several=True), 10)
    assert pace.left(cells) == pytest.approx(50)


def test_of_several_samples_cut_short_nothing_is_claimed_before_one_is_complete() -> None:
    ends = EndConditions(cells=1000, fields=20, seconds=30, inputs=400, several=True)
    pace, cells = run(ends, 10)
    assert pace.left(cells) is None
    pace.sample_ended()
    for i in range(10):  # the first sample's other 90 fields were left out
        pace.add(13 + i, 101 + i, 1000 + 100 * i)
    assert pace.left(1000) == pytest.approx((400 - 110) / (109 / 19))


def test_a_long_run_is_remembered_in_few_marks() -> None:
    pace, _ = run(EndConditions(inputs=10**6), 20_000, every=0.05)
    assert len(pace._marks) < 400
