from __future__ import annotations

from itertools import pairwise

import pytest

from edge.report.series import Series
from tests.report.made import field, unreadable


def test_one_stretch_per_field_while_there_is_room() -> None:
    series = Series(8)
    series.add(field([[1, 0], [0, 1]], 0), 2, 1)
    series.add(field([[1, 0]], 1, "out of focus"), 1, 0)
    series.add(unreadable(2), 0, 0)
    kept, rejected, lost = series.stretches()
    assert (kept.kept, kept.cells, kept.positives, kept.focus, kept.focus_rejected) == (1, 2, 1, 0.5, None)
    assert (rejected.kept, rejected.cells, dict(rejected.rejected)) == (0, 0, {"out of focus": 1})
    assert rejected.focus is None
    assert rejected.focus_rejected == pytest.approx(0.501)
    assert dict(lost.rejected) == {"unreadable": 1}
    assert lost.focus_rejected is None


@pytest.mark.parametrize("fields", [8, 9, 1000, 4099])
def test_any_number_of_fields_fits_and_nothing_is_lost(fields: int) -> None:
    series = Series(8)
    for i in range(fields):
        series.add(field([], i, "empty" if i % 5 == 0 else None), 3, 1)
        assert len(series.stretches()) <= 8
    parts = series.stretches()
    assert parts[0].first == 0
    assert parts[-1].last == fields - 1
    assert all(a.last + 1 == b.first for a, b in pairwise(parts))
    kept = sum(i % 5 != 0 for i in range(fields))
    assert sum(part.kept for part in parts) == kept
    assert sum(part.cells for part in parts) == 3 * kept
    assert sum(part.positives for part in parts) == kept
    assert sum(sum(part.rejected.values()) for part in parts) == fields - kept


def test_stages_are_averaged_over_all_fields_and_the_slowest_is_named() -> None:
    series = Series(2)
    for i in range(5):
        series.add(field([], i), 0, 0)
    assert [(s.name, s.mean, s.slowest) for s in series.stages()] == [
        ("decode", 4.0, 4.0),
        ("gate", 0.5, 0.5),
        ("find", 1.0, 1.0),
        ("crop", 2.0, 2.0),
        ("classify", 1.0, 1.0),
    ]
