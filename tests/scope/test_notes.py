"""What is said of a run's typical cells: a sentence of each kind per sample, and one line of each kind while it runs."""

from __future__ import annotations

import pytest

from edge.scope.notes import TypicalWatch
from edge.scope.settling import SettledScope
from edge.types import FieldResult
from tests.fakes import result
from tests.scope.made import field, settled

USUAL = [field(f"f{n}.png") for n in range(4)]
FEW = [field("few.png", finds=3), field("fewer.png", finds=1)]
DARK = [field("dark.png", light=140), field("darkest.png", light=110)]

CASES: dict[
    str, tuple[list[FieldResult], bool, list[str]]
] = {  # fields, whether it is settled, what the sentences hold
    "enough cells everywhere": (USUAL, False, []),
    "enough cells everywhere, settled": (USUAL, True, []),
    "a net that compares nothing": ([result([0, 0])], False, []),
    "few cells": (
        [*USUAL, *FEW],
        False,
        ["2 of 6 fields have fewer than 9 cells", "edge scope settle --fields DIR -o FILE", "--settled FILE"],
    ),
    "few cells in one field": ([*USUAL, FEW[0]], False, ["1 of 5 fields has fewer than 9 cells"]),
    "few cells, settled": ([*USUAL, *FEW], True, ["2 of 6 fields have fewer than 9 cells", "with the settled one"]),
    "a field without cells is not one of few": ([*USUAL, field(finds=0)], True, []),
    "a darker lamp": (
        [*USUAL, *DARK],
        True,
        ["2 of 6 fields have another look", "50 % darker in darkest.png.", "Look at lamp, stain and objective"],
    ),
    "a darker lamp, not settled": ([*USUAL, *DARK], False, []),
}


def notes(fields: list[FieldResult], known: SettledScope | None, told: list[str]) -> tuple[str, ...]:
    one = TypicalWatch(known, told.append).sample()
    for each in fields:
        one.add(each)
    return one.sentences()


@pytest.mark.parametrize("name", CASES)
def test_the_sentences_of_a_sample(name: str) -> None:
    fields, known, parts = CASES[name]
    text = " ".join(notes(fields, settled() if known else None, []))
    assert all(part in text for part in parts), text
    assert bool(text) == bool(parts), text
    assert "with what little" not in text or not known


def test_each_kind_is_told_once_per_run_with_the_field_and_the_number() -> None:
    told: list[str] = []
    watch = TypicalWatch(settled(), told.append)
    for _ in range(2):
        sample = watch.sample()
        for one in (*DARK, field("wide.png", size=70)):
            sample.add(one)
    assert told == [
        "dark.png: the paper is 36 % darker than when this microscope was settled",
        "wide.png: the cells are 75 % wider than when this microscope was settled",
    ]
