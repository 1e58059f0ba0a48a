"""Reading a calibration back: everything is taken over as it stands, and what makes no sense is told in a word."""

from __future__ import annotations

import json
from dataclasses import fields, replace
from typing import Any

import pytest

from edge.verdict.calibration import Blank, Bound, Calibration, CountError, KnownSlide, to_json
from edge.verdict.schema import parse

BOUND = Bound("thin", "ab" * 32, "finder", "id", "crops", "scope-3", gate=False, profile="ab12", light=(0.5, 0.6, 0.7))
FULL = Calibration(
    bound=BOUND,
    positive=("ring", "trophozoite"),
    threshold=0.75,
    threshold_origin="chosen",
    blanks=(
        Blank("b0", 2000, 12, {"ring": 2, "trophozoite": 0}, {"colour": 0.5, "size": -3.0}),
        Blank("b1", 1000, 11, {"ring": 0, "trophozoite": 1000}),
    ),
    known=(KnownSlide("k", {"ring": 5, "trophozoite": 0}, {"ring": 9, "trophozoite": 0}),),
    known_origin="slides",
    count_error=CountError(-0.1, 0.3, "counted by hand"),
    unit="tile",
    target=0.01,
    rbc_per_ul=4e6,
    cells_per_field=107.5,
    seconds_per_field=0.4,
    made={"tool": "edge", "version": "1"},
)


def raw() -> dict[str, Any]:
    data: dict[str, Any] = json.loads(to_json(FULL))
    return data


def test_every_field_comes_back_as_it_was_written() -> None:
    assert parse(raw()) == FULL
    for spec in fields(Calibration):  # and the example leaves none at its default
        assert getattr(FULL, spec.name) != spec.default


def test_what_an_old_or_short_file_does_not_say_has_its_default() -> None:
    short = {
        "format": "edge-calibration", "version": 1, "bound": {}, "positive": ["ring"], "threshold": 0, "rbc_per_ul": 5e6,
        "blanks": [{"cells": 1, "positives": {"ring": 1}}], "something": "else",
    }  # fmt: skip
    got = parse(short)
    assert got == Calibration(Bound("", "", ""), ("ring",), 0.0, "", (Blank("", 1, 0, {"ring": 1}),), known_origin="")
    assert got.bound.gate is True
    assert got.unit == "cell"
    entry = {"found": {"ring": 1}, "infected": {"ring": 1}}
    assert parse({**short, "known": [entry]}).known == (KnownSlide("", {"ring": 1}, {"ring": 1}),)
    assert parse({**short, "count_error": {"bias": 9, "spread": 2}}).count_error == CountError(9.0, 2.0, "")


def test_numbers_are_read_as_floats_and_counts_as_whole_numbers() -> None:
    got = parse({**raw(), "threshold": 1, "target": 1, "cells_per_field": 0, "seconds_per_field": 1_000_000})
    values = (got.threshold, got.target, got.cells_per_field, got.seconds_per_field)
    assert values == (1.0, 1.0, 0.0, 1e6)
    assert all(isinstance(value, float) for value in values)


def at(path: str, value: Any) -> dict[str, Any]:
    """The full file with one place changed: ``blanks.0.cells``; a value of ``...`` takes the place out."""
    data = raw()
    place: Any = data
    *way, last = [int(step) if step.isdigit() else step for step in path.split(".")]
    for step in way:
        place = place[step]
    if value is ...:
        del place[last]
    else:
        place[last] = value
    return data


OBJECTS = {
    "bound": "bound", "made": "made", "blanks.0": "a blank", "blanks.0.positives": "positives", "known.0": "known",
    "blanks.0.appearance": "appearance", "known.0.found": "found", "known.0.infected": "infected", "count_error": "count_error",
}  # fmt: skip
LISTS = {"positive": "positive", "blanks": "blanks", "known": "known"}
TEXTS = {
    "threshold_origin": "threshold_origin", "known_origin": "known_origin", "blanks.1.name": "name", "known.0.name": "name",
    "count_error.source": "source", "positive.0": "a class", "made.tool": "made",
    **{f"bound.{name}": name for name in ("model", "model_sha256", "finder", "finder_id", "crops", "scope")},
}  # fmt: skip
COUNTS = {
    "blanks.0.cells": "cells", "blanks.0.fields": "fields", "blanks.0.positives.ring": "positives",
    "known.0.found.ring": "found", "known.0.infected.ring": "infected",
}  # fmt: skip
NUMBERS = {
    "threshold": (0, 1), "target": (1e-9, 1), "rbc_per_ul": (1e3, 1e8), "cells_per_field": (0, 1e9), "seconds_per_field": (0, 1e6),
    "count_error.bias": (-0.9, 9), "count_error.spread": (0, 2), "blanks.0.appearance.colour": (-1e6, 1e6),
}  # fmt: skip


def refused(data: Any, text: str) -> None:
    with pytest.raises(ValueError) as caught:  # noqa: PT011 - the whole text is compared
        parse(data)
    assert str(caught.value) == text


@pytest.mark.parametrize("path", OBJECTS)
def test_what_is_no_object_is_named(path: str) -> None:
    refused(at(path, [1]), f"{OBJECTS[path]} is not a JSON object")


def test_the_file_itself_is_an_object() -> None:
    refused([], "the file is not a JSON object")


@pytest.mark.parametrize("path", LISTS)
def test_what_is_no_list_is_named(path: str) -> None:
    refused(at(path, "x"), f"{LISTS[path]} is not a list")


@pytest.mark.parametrize("value", [3, None, "two\nlines", "\x1b[2J", "x" * 2001])
@pytest.mark.parametrize("path", TEXTS)
def test_what_is_no_line_of_text_is_named(path: str, value: Any) -> None:
    refused(at(path, value), f"{TEXTS[path]} is not one line of printable text")


@pytest.mark.parametrize("key", ["made", "blanks.0.positives"])
def test_a_key_that_is_no_line_of_text_is_named(key: str) -> None:
    refused(at(f"{key}.a\nb", 1), f"{key.rsplit('.', maxsplit=1)[-1]} is not one line of printable text")


def test_the_longest_text_is_taken() -> None:
    assert parse(at("known_origin", "x" * 2000)).known_origin == "x" * 2000


@pytest.mark.parametrize("value", [-1, 1.0, True, None, "3", 10**12 + 1])
@pytest.mark.parametrize("path", COUNTS)
def test_what_is_no_count_is_named(path: str, value: Any) -> None:
    refused(at(path, value), f"{COUNTS[path]} is not a count")


def test_the_largest_count_is_taken() -> None:
    assert parse(at("blanks.0.cells", 10**12)).blanks[0].cells == 10**12


@pytest.mark.parametrize("value", ["low", "high", "below", "above", True, "x", float("nan"), float("inf")])
@pytest.mark.parametrize("path", NUMBERS)
def test_a_number_is_within_its_range(path: str, value: Any) -> None:
    low, high = NUMBERS[path]
    if value in ("low", "high"):
        parse(at(path, {"low": low, "high": high}[value]))
        return
    value = {"below": low - 1e-10, "above": high * 1.001}.get(value, value)
    refused(at(path, value), f"{path.rsplit('.', maxsplit=1)[-1]} is not a number from {low:g} to {high:g}")


@pytest.mark.parametrize("path", ["target", "cells_per_field", "seconds_per_field", "count_error"])
def test_what_was_not_measured_is_none(path: str) -> None:
    assert getattr(parse(at(path, None)), path) is None
    assert getattr(parse(at(path, ...)), path) is None


@pytest.mark.parametrize(
    ("path", "value", "text"),
    [
        ("format", "other", "its format is not 'edge-calibration'"),
        ("format", ..., "its format is not 'edge-calibration'"),
        ("version", 2, "version 2 is not 1; calibrate anew or update the runner"),
        ("version", ..., "version None is not 1; calibrate anew or update the runner"),
        ("version", "x" * 90, "version 'xxxxxxxxxxxx...xxxxxxxxxxxxx' is not 1; calibrate anew or update the runner"),
        ("positive", [], "its positive classes are missing or named twice"),
        ("positive", ["ring", "ring"], "its positive classes are missing or named twice"),
        ("blanks", [], "its blanks hold no cells"),
        ("blanks", [{"cells": 0, "positives": {"ring": 0, "trophozoite": 0}}], "its blanks hold no cells"),
        ("unit", "litre", "its unit is neither cell nor tile"),
        ("unit", None, "its unit is neither cell nor tile"),
        ("bound.gate", 1, "gate is neither true nor false"),
        ("blanks.0.positives", {"ring": 1}, "a blank lacks a class, or has more positives than cells"),
        ("blanks.0.positives.ring", 2001, "a blank lacks a class, or has more positives than cells"),
        ("blanks.0.positives", {}, "a blank lacks a class, or has more positives than cells"),
        ("known.0.found", {"ring": 5}, "more infected cells are found than there are"),
        ("known.0.found.ring", 10, "more infected cells are found than there are"),
        ("threshold", ..., "threshold is not a number from 0 to 1"),
        ("rbc_per_ul", ..., "rbc_per_ul is not a number from 1000 to 1e+08"),
        ("positive", ..., "positive is not a list"),
        ("blanks", ..., "blanks is not a list"),
        ("bound", ..., "bound is not a JSON object"),
        ("blanks.0.cells", ..., "cells is not a count"),
        ("blanks.0.positives", ..., "positives is not a JSON object"),
        ("known.0.found", ..., "found is not a JSON object"),
        ("known.0.infected", ..., "infected is not a JSON object"),
        ("count_error.bias", ..., "bias is not a number from -0.9 to 9"),
        ("count_error.spread", ..., "spread is not a number from 0 to 2"),
    ],
)  # fmt: skip
def test_what_makes_no_sense_is_told_in_a_word(path: str, value: Any, text: str) -> None:
    refused(at(path, value), text)


def test_measures_that_this_version_does_not_know_are_passed_over() -> None:
    assert parse(at("blanks.0.appearance.odour", "strong")) == FULL


def test_more_classes_than_are_positive_may_be_counted() -> None:
    assert parse(at("blanks.0.positives.schizont", 1)).blanks[0].positives == {
        "ring": 2,
        "trophozoite": 0,
        "schizont": 1,
    }
    assert parse(to_dict(replace(FULL, known=()))).known == ()


def to_dict(made: Calibration) -> dict[str, Any]:
    data: dict[str, Any] = json.loads(to_json(made))
    del data["known"]
    return data
