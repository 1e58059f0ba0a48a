from __future__ import annotations

import pytest

from edge.review.keys import MOVES, choices
from edge.review.records import ReaderAnswer

MANY = tuple(f"class {i}" for i in range(40))
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
        {"1": "ring", "2": "schizont", "n": "healthy", "a": "white cell"},
    ),
    "stages of several classes are told apart": (
        ("a", "b", "c"),
        ("a", "b"),
        ("young",),
        {"1": "a", "2": "b", "3": "a, young", "4": "b, young", "n": "c"},
    ),
    "no positive class": (("sphere", "rod"), (), ("young",), {"1": "sphere", "2": "rod"}),
}


@pytest.mark.parametrize(("labels", "positive", "stages", "keys"), CASES.values(), ids=CASES)
def test_each_answer_has_its_key(
    labels: tuple[str, ...], positive: tuple[str, ...], stages: tuple[str, ...], keys: dict[str, str]
) -> None:
    got = {choice.key: choice.words for choice in choices(labels, positive, stages)}
    assert got == {**keys, "x": "not a cell", "u": "cannot tell"}


@pytest.mark.parametrize("positive", [(), MANY[:1], MANY[:12], MANY])
@pytest.mark.parametrize("stages", [(), ("ring", "trophozoite", "schizont", "gametocyte")])
def test_no_two_answers_share_a_key_and_none_has_one_that_moves(
    positive: tuple[str, ...], stages: tuple[str, ...]
) -> None:
    made = choices(MANY, positive, stages)
    keys = [choice.key for choice in made if choice.key]
    assert len(set(keys)) == len(keys)
    assert not set(keys) & set(MOVES)
    assert {choice.label for choice in made if choice.answer is ReaderAnswer.CLASS} == set(MANY)
    assert {choice.label for choice in made if choice.positive} == set(positive)
