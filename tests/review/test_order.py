from __future__ import annotations

import numpy as np
import pytest

from edge.review.order import draw_key, draw_keys
from edge.review.records import CellPlace

KNOWN = 0.4130535602831357  # of cell 12-7: books of different versions draw the same cells


def test_the_first_cells_by_key_are_drawn_evenly_from_all_fields_and_places() -> None:
    cells = [CellPlace(field, n) for field in range(100) for n in range(100)]
    first = sorted(cells, key=draw_key)[:2_000]
    for counts in (np.bincount([c.field for c in first]), np.bincount([c.n for c in first])):
        expected = len(first) / len(counts)
        assert (
            float(((counts - expected) ** 2 / expected).sum()) < 150
        )  # chi-squared of 99 degrees: above it 7 times in 10,000


def test_the_same_cell_has_the_same_key_on_every_machine() -> None:
    assert draw_key(CellPlace(12, 7)) == pytest.approx(KNOWN, abs=1e-12)


def test_many_keys_at_once_are_the_same_keys() -> None:
    field, n = np.array([12, 0, 999_999_999], np.int32), np.array([7, 0, 123_456], np.int32)
    one_by_one = [draw_key(CellPlace(*place)) for place in zip(field.tolist(), n.tolist(), strict=True)]
    assert draw_keys(field, n).tolist() == one_by_one
    assert draw_keys(field[:0], n[:0]).shape == (0,)


@pytest.mark.parametrize(
    "text", ["", "12", "12-", "-7", "1.5-2", "12-7 ", "\uff11\uff12-7", "9999999999-1", "12-7-3", "<b>-1"]
)
def test_what_is_no_cell_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="FIELD-N"):
        CellPlace.parse(text)


def test_a_cell_is_written_as_it_is_read() -> None:
    assert str(CellPlace.parse("12-7")) == "12-7"
