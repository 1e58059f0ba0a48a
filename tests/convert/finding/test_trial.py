"""Finding out a finder's value range, without guessing between two that fit."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from convert.errors import CellsError
from convert.finding.trial import TRIED, input_range, middle_of_best, value_range
from convert.net.values import ValueRange
from edge import shelf


def scores(**named: float) -> Callable[[ValueRange], float]:
    values = dict(zip(TRIED, (named.get("shelf", 0), named.get("unit", 0), named.get("signed", 0), 0.0), strict=True))
    return lambda one: values[one.name]


def test_one_that_fits_clearly_is_taken_and_said() -> None:
    values, said = value_range(None, None, scores(unit=0.9, shelf=0.5))
    assert values.name == "0..1"
    assert "--value-range=0..1" in said[0]


def test_two_that_fit_alike_are_not_guessed_between() -> None:
    with pytest.raises(CellsError, match="cannot tell the net's value range"):
        value_range(None, None, scores(shelf=0.958, signed=0.959))
    with pytest.raises(CellsError, match="cannot tell"):
        value_range(None, "0..1", scores(shelf=0.958, signed=0.959, unit=0.5))


def test_the_finder_it_is_like_decides_between_two_that_fit_alike_but_not_against_one_that_fits() -> None:
    assert value_range(None, "-2..2", scores(shelf=0.958, signed=0.959))[0].name == "-2..2"
    assert value_range(None, "-2..2", scores(shelf=0.5, signed=0.9))[0].name == "-1..1"


def test_what_is_given_is_kept_unless_the_net_finds_nothing_with_it_and_much_with_another() -> None:
    assert value_range("0..1", None, scores(unit=0.6, shelf=0.9)) == value_range("0..1", None, scores(unit=0.6))
    with pytest.raises(CellsError, match=r"--value-range=0\.\.1 does not fit.*--value-range=-2\.\.2 F1 is 0\.90"):
        value_range("0..1", None, scores(unit=0.05, shelf=0.9))
    assert value_range("0..1", None, scores(unit=0.05, shelf=0.1))[0].name == "0..1"


def test_the_range_folded_into_a_files_input_is_read_back() -> None:
    assert input_range(shelf.load(shelf.FINDER).flatbuffer) == "-2..2"


def test_of_thresholds_that_are_equally_good_the_middle_one_is_taken() -> None:
    assert middle_of_best({0.2: 0.8, 0.3: 0.9, 0.4: 0.9, 0.5: 0.9004, 0.6: 0.7}) == 0.4
    assert middle_of_best({0.2: 0.8, 0.3: 0.95, 0.4: 0.9}) == 0.3
