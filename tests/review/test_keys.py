from __future__ import annotations

import pytest

from edge.review.keys import ALL, BLIND, FIELD, MANY, MARKS, UNDO, choices_of
from edge.review.records import ReaderAnswer

CLASSES = tuple(f"class {i}" for i in range(40))
CASES = {
    "one positive class": (("infected", "healthy"), ("infected",), (), {"1": "infected", "n": "healthy"}),
    "its stages follow it": (
        ("healthy", "infected"),
        ("infected",),
        ("ring", "schizont"),
        {"1": "infected", "2": "ring", "3": "schizont", "n": "healthy"},
    ),
    "several positive classes come first": (
        ("healthy", "ring", "white cell", "schizont"),
        ("ring", "schizont"),
        (),
        {"1": "ring", "2": "schizont", "n": "healthy", "3": "white cell"},
    ),
    "several positive classes have no stages": (
        ("a", "b", "c"),
        ("a", "b"),
        ("young",),
        {"1": "a", "2": "b", "n": "c"},
    ),
    "no positive class": (("sphere", "rod"), (), ("young",), {"n": "sphere", "1": "rod"}),
}


@pytest.mark.parametrize(("labels", "positive", "stages", "keys"), CASES.values(), ids=CASES)
def test_each_answer_has_its_key(
    labels: tuple[str, ...], positive: tuple[str, ...], stages: tuple[str, ...], keys: dict[str, str]
) -> None:
    got = {choice.key: choice.words for choice in choices_of(labels, positive, stages)}
    assert got == {**keys, "x": "not a cell", "u": "cannot tell"}


@pytest.mark.parametrize("positive", [(), CLASSES[:1], CLASSES[:12], CLASSES])
@pytest.mark.parametrize("stages", [(), ("ring", "trophozoite", "schizont", "gametocyte")])
def test_no_two_answers_share_a_key_and_none_has_one_that_moves(
    positive: tuple[str, ...], stages: tuple[str, ...]
) -> None:
    made = choices_of(CLASSES, positive, stages)
    keys = [choice.key for choice in made if choice.key]
    assert len(set(keys)) == len(keys)
    assert not set(keys) & {UNDO, MANY, MARKS, ALL, BLIND, FIELD}
    assert {choice.label for choice in made if choice.answer is ReaderAnswer.CLASS} == set(CLASSES)
    assert {choice.label for choice in made if choice.positive} == set(positive)
