"""A sample: what its kept fields add up to, and what is only counted as rejected or unreadable."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from edge.appearance import BINS
from edge.sample import Sample, class_counts, set_aside_counts
from edge.types import Appearance, FieldResult, SampleAppearance
from tests.fakes import LABELS, quality, result


def seen(colour: float, sharpness: float) -> FieldResult:
    """A field without cells that looks like this."""
    look = Appearance(0, (200.0, 190.0, 180.0), (0.0, 0.0, 0.0), 0.0, colour, np.zeros(BINS, np.int32))
    return replace(result([]), appearance=look, quality=quality()._replace(sharpness=sharpness))


def test_kept_fields_add_up_and_rejected_ones_only_count_as_such() -> None:
    sample = Sample("s", LABELS)
    sample.add(result([0, 0, 1, -1]), None)
    sample.add(result([1, 1, 1]), "out of focus")
    sample.add(result([0, -1], kind=[0, 2]), None)
    sample.add_unreadable("x.png", "truncated")
    tally = sample.tally()
    assert tally.counts == {"uninfected": 3, "parasitized": 1}
    assert tally.cells == sample.cells == 4
    assert tally.set_aside == {"not-red-cell": 1, "not-whole": 1}
    assert (tally.kept, tally.rejected, tally.unreadable) == (2, {"out of focus": 1}, (("x.png", "truncated"),))
    assert sample.fields == 4


def test_every_class_is_in_the_counts_though_none_was_found() -> None:
    assert Sample("s", ("a", "b", "c")).tally().counts == {"a": 0, "b": 0, "c": 0}


def test_a_tally_does_not_change_afterwards() -> None:
    sample = Sample("s", LABELS)
    before = sample.tally()
    sample.add(result([0]), None)
    sample.add(result([0]), "empty")
    assert before.cells == 0
    assert before.rejected == {}


def test_a_sample_begins_with_nothing() -> None:
    sample = Sample("s", LABELS)
    tally = sample.tally()
    assert (sample.name, sample.fields, sample.cells) == ("s", 0, 0)
    assert (tally.sample, tally.kept, tally.rejected, tally.unreadable, tally.set_aside) == ("s", 0, {}, (), {})
    assert sample.appearance() == SampleAppearance(0, 0)


INPUTS = {
    "a kept field": (1, 0, 0),
    "a rejected field": (0, 1, 0),
    "an unreadable input": (0, 0, 1),
    "several of each": (4, 3, 2),
}


@pytest.mark.parametrize("name", INPUTS)
def test_every_input_is_a_field_of_the_sample_once(name: str) -> None:
    kept, rejected, unreadable = INPUTS[name]
    sample = Sample("s", LABELS)
    for _ in range(kept):
        sample.add(result([0, 1]), None)
    for _ in range(rejected):
        sample.add(result([0, 1]), "empty")
    for _ in range(unreadable):
        sample.add_unreadable("x.png", "truncated")
    assert sample.fields == kept + rejected + unreadable
    assert sample.cells == 2 * kept
    assert sample.tally().kept == kept
    assert sum(sample.tally().rejected.values()) == rejected
    assert sample.tally().unreadable == (("x.png", "truncated"),) * unreadable


def test_rejected_fields_are_counted_by_their_reason() -> None:
    sample = Sample("s", LABELS)
    for reason in ("empty", "out of focus", "empty"):
        sample.add(result([0]), reason)
    assert sample.tally().rejected == {"empty": 2, "out of focus": 1}


def test_only_kept_fields_say_what_a_sample_looks_like() -> None:
    sample = Sample("s", LABELS)
    sample.add(seen(colour=0.5, sharpness=0.25), None)
    sample.add(seen(colour=9.0, sharpness=9.0), "out of focus")
    sample.add(result([0]), None)  # a field whose look was not measured
    look = sample.appearance()
    assert look.fields == 1
    assert (look.values["colour"], look.values["sharpness"]) == (0.5, 0.25)


@pytest.mark.parametrize(
    ("classes", "expected"),
    [([], [0, 0, 0]), ([-1, -1], [0, 0, 0]), ([0, 2, 2, -1], [1, 0, 2]), ([1], [0, 1, 0])],
    ids=["no cells", "all set aside", "some set aside", "the last class not found"],
)
def test_cells_per_class_leave_out_what_is_set_aside(classes: list[int], expected: list[int]) -> None:
    assert class_counts(result(classes), 3).tolist() == expected


@pytest.mark.parametrize(
    ("kinds", "expected"),
    [
        ([], {"not-red-cell": 0, "not-whole": 0}),
        ([0, 0], {"not-red-cell": 0, "not-whole": 0}),
        ([1, 0, 2, 2], {"not-red-cell": 1, "not-whole": 2}),
    ],
    ids=["nothing found", "cells only", "some of each kind"],
)
def test_what_is_set_aside_is_counted_by_kind_and_cells_are_no_kind(kinds: list[int], expected: dict[str, int]) -> None:
    assert set_aside_counts(result([0 if kind == 0 else -1 for kind in kinds], kind=kinds)) == expected
