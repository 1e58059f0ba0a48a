"""Names in folders and annotations become classes, and those the classes of another net."""

from __future__ import annotations

from collections import Counter

import pytest

from convert.errors import CellsError
from edge.modelfile import Card
from models.data.classes import ClassMapping, ClassScheme, Naming, fit, make_scheme, parse_merge

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
