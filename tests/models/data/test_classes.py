"""Names in folders and annotations become classes, and those the classes of another net."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from convert.errors import CellsError
from edge.modelfile import Card
from models.data.classes import REST, ClassMapping, ClassScheme, Naming, fit, make_scheme, parse_merge

STAGES = Counter({"red blood cell": 900, "ring": 30, "trophozoite": 10, "difficult": 5})
BINARY = Card("net", "classify", ("uninfected", "parasitized"), positive=("parasitized",))


def plan(names: Counter[str] = STAGES, *, fields: bool = True, **naming: object) -> ClassScheme:
    return make_scheme(names, Naming(**naming), None, (), whole_fields=fields)  # type: ignore[arg-type]


def test_the_most_frequent_class_of_fields_is_background_and_comes_first() -> None:
    made = plan(ignore=frozenset({"difficult"}))
    assert made.labels == ("red blood cell", "ring", "trophozoite")
    assert made.background == "red blood cell"
    assert made.positive == ("ring", "trophozoite")
    assert made.index("difficult") == -1


def test_names_are_merged_into_one_class() -> None:
    made = plan(merge=parse_merge(["ring,trophozoite=parasitized"]), ignore=frozenset({"difficult"}))
    assert made.labels == ("red blood cell", "parasitized")
    assert made.index("Ring") == made.index("trophozoite") == 1


def test_a_star_stands_for_all_other_names() -> None:
    made = plan(merge=parse_merge(["red blood cell=uninfected", "*=parasitized"]), ignore=frozenset({"difficult"}))
    assert made.labels == ("uninfected", "parasitized")
    assert made.index("ring") == 1


def test_case_does_not_make_another_class() -> None:
    made = plan(Counter({"Uninfected": 3, "uninfected": 4, "Parasitized": 5}), fields=False)
    assert len(made.labels) == 2
    assert made.background is not None
    assert made.background.lower() == "uninfected"


def test_among_single_cells_the_background_is_told_by_its_name_only() -> None:
    assert plan(Counter({"amoeba": 90, "euglena": 10, "hydra": 5}), fields=False).positive == ()


def test_what_is_not_among_the_classes_must_be_merged_or_ignored() -> None:
    with pytest.raises(CellsError, match="difficult, not among --classes: --merge difficult=CLASS, or --ignore"):
        plan(classes=("red blood cell", "ring", "trophozoite"))


def test_a_class_without_cells_is_refused() -> None:
    with pytest.raises(CellsError, match="--classes schizont: no cell is of that class"):
        plan(classes=("red blood cell", "schizont"))


def test_one_class_is_no_task_to_learn_but_enough_to_count_false_positives_on() -> None:
    names = Counter({"uninfected": 9})
    with pytest.raises(CellsError, match=r"only one class \(uninfected\)"):
        make_scheme(names, Naming(), None, (), whole_fields=False)
    assert make_scheme(names, Naming(), None, (), whole_fields=False, least=1).labels == ("uninfected",)


@pytest.mark.parametrize("text", ["ring", "=x", "ring=", ","])
def test_a_merge_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="--merge"):
        parse_merge([text])


def test_a_name_cannot_go_into_two_classes() -> None:
    with pytest.raises(ValueError, match="ring goes into a and into b"):
        parse_merge(["ring=a", "ring=b"])


def seen(found: ClassMapping) -> tuple[list[int] | None, list[bool]]:
    return None if found.label_of is None else found.label_of.tolist(), found.suspect.tolist()


def test_a_net_of_two_classes_reads_stages_by_what_is_positive() -> None:
    made = plan(ignore=frozenset({"difficult"}))
    assert seen(fit(made, BINARY)) == ([0, 1, 1], [False, True, True])


def test_names_that_are_the_nets_own_are_taken_whatever_their_order() -> None:
    made = plan(Counter({"Parasitized": 5, "Uninfected": 9}), fields=False)
    assert [BINARY.labels[i] for i in seen(fit(made, BINARY))[0] or ()] == [name.lower() for name in made.labels]


def test_a_net_of_stages_on_two_classes_is_judged_by_what_is_positive_alone() -> None:
    stages = Card("net", "classify", ("none", "ring", "schizont"), positive=("ring", "schizont"))
    made = plan(Counter({"parasitized": 5, "uninfected": 9}), fields=False)
    assert seen(fit(made, stages)) == (None, [False, True])


def test_classes_that_have_nothing_to_do_with_the_net_are_refused() -> None:
    made = plan(Counter({"amoeba": 9, "hydra": 5}), fields=False)
    with pytest.raises(CellsError, match="the cells are of amoeba, hydra, net tells uninfected, parasitized apart"):
        fit(made, BINARY)


@pytest.mark.parametrize(
    ("naming", "name", "kind"),
    [
        pytest.param(Naming(), " ring ", "ring", id="as it is, without spaces around"),
        pytest.param(Naming(classes=("Ring",)), "RING", "Ring", id="as --classes spells it"),
        pytest.param(Naming(ignore=frozenset({"ring"})), "Ring", None, id="ignored"),
        pytest.param(Naming(merge={"ring": "ill"}, ignore=frozenset({"ring"})), "ring", None, id="ignoring goes first"),
        pytest.param(
            Naming(classes=("ring", "ill"), merge={"ring": "ill"}), "ring", "ill", id="merging goes before --classes"
        ),
        pytest.param(Naming(merge={REST: "ill"}), "ring", "ill", id="the star takes what nothing is said of"),
        pytest.param(Naming(classes=("ring",), merge={REST: "ill"}), "Ring", "ring", id="but no class of its own"),
        pytest.param(
            Naming(merge={"cell": "clear", REST: "ill"}), "Clear", "Clear", id="nor what others are merged into"
        ),
        pytest.param(Naming(merge={REST: "ill"}), "ILL", "ILL", id="nor its own class"),
    ],
)
def test_what_becomes_of_an_annotated_name(naming: Naming, name: str, kind: str | None) -> None:
    assert naming.of(name) == kind


@pytest.mark.parametrize(
    ("texts", "merged"),
    [
        ([], {}),
        (["Ring, early Stage =Ill "], {"ring": "Ill", "early stage": "Ill"}),
        (["a=b=c"], {"a=b": "c"}),
        (["a=c", "b=c", "a=c"], {"a": "c", "b": "c"}),
        (["a,,b=c"], {"a": "c", "b": "c"}),
    ],
)
def test_merges_are_read(texts: list[str], merged: dict[str, str]) -> None:
    assert parse_merge(texts) == merged


@pytest.mark.parametrize(
    ("names", "background", "positive", "whole_fields", "labels", "found"),
    [
        pytest.param({"b": 1, "a": 2, "c": 3}, None, (), True, ("c", "a", "b"), ("c", ("a", "b")), id="most frequent"),
        pytest.param({"b": 1, "a": 2}, None, (), False, ("a", "b"), (None, ()), id="single cells: no background"),
        pytest.param({"b": 1, "a": 2}, "B", (), False, ("b", "a"), ("b", ("a",)), id="as asked, in any case"),
        pytest.param({"b": 1, "a": 2, "c": 3}, "b", ("C",), True, ("b", "a", "c"), ("b", ("c",)), id="one is positive"),
        pytest.param({"b": 1, "a": 2}, "b", ("b", "a"), True, ("b", "a"), ("b", ("a",)), id="the background never is"),
        pytest.param({"b": 1, "a": 2}, None, ("a",), False, ("a", "b"), (None, ("a",)), id="positive without background"),
        pytest.param({"uninfected": 1, "x": 9}, None, (), True, ("uninfected", "x"), ("uninfected", ("x",)), id="by name"),
        pytest.param(
            {"uninfected": 1, "uninfected white": 1, "x": 9}, None, (), True, ("x", "uninfected", "uninfected white"),
            ("x", ("uninfected", "uninfected white")), id="two such names say nothing",
        ),
    ],
)  # fmt: skip
def test_background_and_positive_classes(
    names: dict[str, int],
    background: str | None,
    positive: tuple[str, ...],
    labels: tuple[str, ...],
    found: tuple[str | None, tuple[str, ...]],
    *,
    whole_fields: bool,
) -> None:
    made = make_scheme(Counter(names), Naming(), background, positive, whole_fields=whole_fields)
    assert made.labels == labels
    assert (made.background, made.positive) == found
    assert made.background_index == (None if found[0] is None else 0)
    assert made.suspect.tolist() == [label in found[1] for label in labels]


def test_classes_keep_their_given_order_and_spelling() -> None:
    made = plan(Counter({"RING": 3, "cell": 9}), classes=("ring", "Cell"))
    assert (made.labels, made.background, made.positive) == (("ring", "Cell"), "Cell", ("ring",))
    assert made.background_index == 1
    assert made.indices(["Ring", "CELL", "ring", "other"]).tolist() == [0, 1, 0, -1]
    assert made.indices([]).dtype == np.int32


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"background": "x"}, "--background x: there is no such class, there are a, b"),
        ({"positive": ("x",)}, "--positive x: there is no such class, there are a, b"),
        ({"naming": Naming(classes=("a", "c"))}, "--classes c: no cell is of that class, there are a, b"),
        (
            {"naming": Naming(classes=("a",))},
            "some cells are annotated as b, not among --classes: --merge b=CLASS, or --ignore b",
        ),
        ({"naming": Naming(ignore=frozenset("ab"))}, "no class is annotated: at least two are needed"),
        ({"naming": Naming(ignore=frozenset("ab")), "least": 1}, "no class is annotated: at least one is needed"),
        ({"naming": Naming(ignore=frozenset("b"))}, r"only one class \(a\) is annotated: at least two are needed"),
    ],
)
def test_what_is_no_scheme_is_refused(change: dict[str, Any], said: str) -> None:
    given = {"naming": Naming(), "background": None, "positive": (), "whole_fields": False, **change}
    with pytest.raises(CellsError, match=f"^{said}$"):
        make_scheme(Counter({"a": 1, "b": 2}), **given)


STAGED = Card("net", "classify", ("none", "ring", "schizont"), positive=("ring", "schizont"))


@pytest.mark.parametrize(
    ("labels", "background", "positive", "card", "found"),
    [
        pytest.param(("Ring", "none"), "none", ("Ring",), STAGED, ([1, 0], [True, False]), id="by name, in any order"),
        pytest.param(("none",), "none", (), STAGED, ([0], [False]), id="only the background"),
        pytest.param(
            ("none", "ring"), "none", ("ring",), Card("net", "classify", ("none", "ring")), ([0, 1], [False, True]),
            id="a net without positive classes: what is positive among the cells",
        ),
        pytest.param(
            ("parasitized", "uninfected"), "parasitized", ("uninfected",), BINARY, ([1, 0], [True, False]),
            id="what the net calls positive goes first",
        ),
        pytest.param(
            ("ring", "clear", "odd"), "clear", ("ring",), BINARY, ([1, 0, 0], [True, False, False]), id="two classes"
        ),
        pytest.param(("clear", "sick"), "clear", ("sick",), STAGED, (None, [False, True]), id="positive or not alone"),
        pytest.param(
            ("ring", "clear"), "clear", ("ring",),
            Card("net", "classify", ("ill", "well"), positive=("ill",)), ([0, 1], [True, False]), id="the first is positive",
        ),
    ],
)  # fmt: skip
def test_how_a_net_reads_the_classes_of_cells(
    labels: tuple[str, ...],
    background: str | None,
    positive: tuple[str, ...],
    card: Card,
    found: tuple[list[int] | None, list[bool]],
) -> None:
    mapping = fit(ClassScheme(labels, background, positive), card)
    assert seen(mapping) == found
    assert mapping.label_of is None or mapping.label_of.dtype == np.int32


@pytest.mark.parametrize("positive", [(), ("uninfected", "parasitized")])
def test_a_net_without_positive_and_negative_classes_cannot_read_others(positive: tuple[str, ...]) -> None:
    with pytest.raises(CellsError, match=r"--merge clear=uninfected and so on, or say what is --positive$"):
        fit(ClassScheme(("clear", "sick"), "clear", ("sick",)), replace(BINARY, positive=positive))
