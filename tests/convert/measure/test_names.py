"""Which names of classes mean the same, and how a folder's are brought to a net's."""

from __future__ import annotations

import pytest

from convert.errors import CellsError
from convert.measure.names import match, same, settle


@pytest.mark.parametrize(
    ("one", "other", "alike"),
    [
        ("Parasitized", "parasitized", True),
        ("PARASITIZED ", "parasitized", True),
        ("red blood cell", "Red_Blood-Cell", True),
        ("red  blood cell", "red blood cell", True),
        ("Zelle gr\u00fcn", "zelle_gru\u0308n", True),  # as macOS writes it
        ("STRASSE", "stra\u00dfe", True),
        ("cell", "cells", False),
        ("un-infected", "uninfected", False),
        ("CD4+", "CD4-", False),
        ("CD4-", "CD4", False),
        ("-", "+", False),
        ("_", "-", False),
    ],
)
def test_names_that_mean_the_same(one: str, other: str, *, alike: bool) -> None:
    assert (same(one) == same(other)) == alike


@pytest.mark.parametrize(
    ("labels", "found", "settled"),
    [
        ((), ("b", "A"), ("A", "b")),
        (("b", "a"), ("A", "B"), ("b", "a")),
        (("uninfected", "parasitized"), ("Parasitized", "Uninfected"), ("uninfected", "parasitized")),
    ],
)
def test_the_order_and_the_spelling_are_the_nets(
    labels: tuple[str, ...], found: tuple[str, ...], settled: tuple[str, ...]
) -> None:
    assert settle(found, labels, "cells") == settled


@pytest.mark.parametrize(
    ("labels", "complaint"),
    [
        (("clear", "spotted"), "no folder for spotted; no label for the folder dotted"),
        (("clear",), "no label for the folder dotted"),
        (("clear", "dotted", "clear"), "names a class twice"),
        (("clear", "dotted", "Dotted"), "--labels: dotted and Dotted differ in case"),
    ],
)
def test_classes_that_are_not_the_nets_are_refused(labels: tuple[str, ...], complaint: str) -> None:
    with pytest.raises(CellsError, match=complaint):
        settle(("clear", "dotted"), labels, "cells")


def test_a_class_is_named_in_any_case() -> None:
    assert match(("Parasitized",), ("uninfected", "parasitized"), "--positive") == ("parasitized",)
    with pytest.raises(CellsError, match="--positive ring: no such class, there are uninfected, parasitized"):
        match(("ring",), ("uninfected", "parasitized"), "--positive")


def test_all_names_that_are_lacking_are_told_and_the_order_is_the_users() -> None:
    with pytest.raises(CellsError, match=r"^--positive ring, bud: no such class, there are a, b$"):
        match(iter(("ring", "A", "bud")), ("a", "b"), "--positive")
    assert match(("B", "a"), ("a", "b"), "--positive") == ("b", "a")
