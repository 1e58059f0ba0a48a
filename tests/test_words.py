from __future__ import annotations

import pytest

from edge.finders.kinds import KINDS
from edge.types import NOT_WHOLE
from edge.words import category, is_set_aside, reasons, thing, things

WORDS = {
    "not-white-cell": ("white cell", "white cells"),
    "not-platelet": ("platelet", "platelets"),
    "not-debris": ("debris", "debris"),
    "not-other": ("other thing", "other things"),
    NOT_WHOLE: ("cell cut by the border", "cells cut by the border"),
    "not-again": ("tile another tile stands for", "tiles another tile stands for"),
    "not-new": ("cell counted in an earlier field", "cells counted in an earlier field"),
    "not-crystal": ("crystal", "crystals"),
    "not-yeast_body": ("yeast body", "yeast bodies"),
    "not-key": ("key", "keys"),
    "not-bubbles": ("bubbles", "bubbles"),
    "not-glass": ("glass", "glasses"),
    "not-stain": ("stain", "stain"),
    "not-血小板": ("血小板", "血小板"),
    "not-": ("thing", "things"),
}


@pytest.mark.parametrize(("kind", "words"), WORDS.items())
def test_what_is_set_aside_has_plain_words(kind: str, words: tuple[str, str]) -> None:
    assert (thing(kind), thing(kind, 2)) == words
    assert thing(kind, 0) == words[1]


def test_every_kind_of_our_own_finders_has_words_without_its_inner_name() -> None:
    assert not [kind for kind in (*KINDS[1:], NOT_WHOLE) if "not-" in thing(kind) or "-" in thing(kind)]


def test_in_a_grid_the_border_cuts_tiles() -> None:
    assert thing(NOT_WHOLE, 3, "tile") == "tiles cut by the border"


def test_of_a_tally_only_what_was_found_is_named() -> None:
    found = things({"not-white-cell": 10, "not-platelet": 0, "not-whole": 1})
    assert found == [("white cells", 10), ("cell cut by the border", 1)]


@pytest.mark.parametrize(
    ("name", "supercategory", "aside"),
    [
        (category("not-white-cell"), "set aside", True),
        (category("not-white-cell"), "", True),  # a tool that kept the name only
        (category("not-crystal"), None, True),
        ("not-platelet", None, True),  # of an earlier version
        ("debris", "set aside", True),
        ("platelet", "cell", False),
        ("white cell", None, False),  # a class of somebody's model
    ],
)
def test_what_is_set_aside_is_known_again(name: str, supercategory: str | None, aside: bool) -> None:
    assert is_set_aside(name, supercategory) is aside


@pytest.mark.parametrize(
    ("rejected", "unreadable", "text"),
    [
        ({}, 0, ""),
        ({"empty": 1, "out of focus": 1200}, 0, "out of focus 1,200, empty 1"),
        ({"incomplete": 2}, 3, "incomplete 2, unreadable 3"),
        ({"same view as field 12": 1}, 0, "same view as field 12 1"),
        ({f"same view as field {i}": 1 for i in range(900)}, 0, "same view as field … 900"),
        ({"abcdefghi"[i]: 9 - i for i in range(9)}, 0, "a 9, b 8, c 7, d 6, e 5, other reasons 10"),
    ],
)
def test_any_reasons_fit_a_line(rejected: dict[str, int], unreadable: int, text: str) -> None:
    assert reasons(rejected, unreadable) == text
