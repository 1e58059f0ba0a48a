"""Shares, parasites per µL and digits, as people type and read them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from edge.verdict.units import digits, digits_below, parse_share, per_ul, percent, plural, said, two_digits


@pytest.mark.parametrize(
    ("text", "share"),
    [
        ("0.1%", 0.001), ("0.1 %", 0.001), ("100%", 1.0), ("1", 1.0), (" .5 ", 0.5), ("5e-5", 5e-5), ("1E-3", 1e-3),
        ("200/uL", 4e-5), ("200/µL", 4e-5), ("200/μl", 4e-5), ("200 / ul", 4e-5), ("5e6/uL", 1.0),
    ],
)  # fmt: skip
def test_a_share_is_a_percentage_a_density_or_a_number(text: str, share: float) -> None:
    assert parse_share(text) == pytest.approx(share, rel=1e-12)


def test_a_density_is_of_the_red_cells_there_are() -> None:
    assert parse_share("200/uL", 4e6) == pytest.approx(5e-5)


@pytest.mark.parametrize("text", ["", "x", "1.2.3", "-1%", "nan", "/uL", "1/L"])
def test_what_is_no_share_is_told_how_to_write_one(text: str) -> None:
    with pytest.raises(ValueError, match=r"^.*: give a share as 0\.1%, 200/uL or 0\.001$") as caught:
        parse_share(text)
    assert str(caught.value).startswith(repr(text))


@pytest.mark.parametrize("text", ["0", "0%", "101%", "1.1", "1e9/uL"])
def test_a_share_of_nothing_or_of_more_than_all_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"^.*: a share of the cells is more than 0 and at most 1 \(100%\)$") as caught:
        parse_share(text)
    assert str(caught.value).startswith(repr(text))


@pytest.mark.parametrize(
    ("value", "count", "text"),
    [
        (0, 2, "0"), (1.3456, 2, "1.3"), (1.3456, 3, "1.35"), (0.00031456, 2, "0.00031"), (3.1e-7, 2, "0.00000031"),
        (1.5e-12, 2, "0.0000000000015"), (99.6, 2, "100"), (100, 2, "100"), (996, 2, "1,000"), (999, 3, "999"),
        (1000, 2, "1,000"), (1234, 2, "1,200"), (1234, 6, "1,234"), (1234.5678, 6, "1,234.57"), (1234.5, 6, "1,234.5"),
        (12345.678, 7, "12,345.68"), (1_000_000, 2, "1,000,000"), (4_990_000, 3, "4,990,000"), (120, 2, "120"),
        (-1.3456, 2, "-1.3"), (-1234, 2, "-1,200"), (-0.00001, 2, "-0.00001"), (10.0, 3, "10"),
        (1e20, 2, "100,000,000,000,000,000,000"),
    ],
)  # fmt: skip
def test_so_many_digits_that_count_and_never_an_exponent(value: float, count: int, text: str) -> None:
    assert digits(value, count) == text


@pytest.mark.parametrize(
    ("show", "values", "text"),
    [
        (percent, (0.013456,), "1.3 %"), (percent, (0.013456, 3), "1.35 %"), (percent, (1.0,), "100 %"),
        (percent, (3.1e-6,), "0.00031 %"), (per_ul, (0.000812, 5e6), "4,100/µL"), (per_ul, (0.000812, 5e6, 3), "4,060/µL"),
        (per_ul, (0.000812, 4e6), "3,200/µL"), (said, (0.000812, 5e6), "0.081 % (4,100/µL)"),
        (said, (0.000812, 5e6, 3), "0.0812 % (4,060/µL)"), (said, (0.000812, None), "0.081 %"),
        (said, (0.000812, None, 3), "0.0812 %"), (two_digits, (4049,), "4,000"), (plural, (1, "cell"), "1 cell"),
        (plural, (0, "cell"), "0 cells"), (plural, (2000, "tile"), "2,000 tiles"),
    ],
)  # fmt: skip
def test_figures_as_they_are_shown(show: Callable[..., str], values: tuple[Any, ...], text: str) -> None:
    assert show(*values) == text


@pytest.mark.parametrize(
    ("share", "limit", "count"),
    [(0.0005, 0.001, 2), (0.00098, 0.001, 2), (0.000998, 0.001, 3), (0.0009998, 0.001, 4), (0.001, 0.00125, 2),
     (0.001, 0.001, 12), (0.002, 0.001, 12), (0.119996, 0.12, 6), (0.99999999, 1.0, 8), (0.99999999995, 1.0, 10)],
)  # fmt: skip
def test_as_many_digits_as_show_that_a_share_is_below_its_limit(share: float, limit: float, count: int) -> None:
    assert digits_below(share, limit) == count
