"""Cells keep what belongs to them when some are taken, when groups are held out and when sets are joined."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from convert.measure.typicals import CellTypicals, joined
from edge.typical import TypicalCells
from models.data.cells import BOX, FOUND, HARD, LabelledCells, join


def typicals(count: int, variants: int = 1) -> CellTypicals:
    """The typical cells of so many cells, two of each field, whose pixels hold the field's number; variants are 100 more each."""
    fields = (count + 1) // 2
    value = (np.arange(fields)[:, None] + 100 * np.arange(variants)).astype(np.uint8).ravel()
    paper, cell = np.repeat(value[:, None], 3, axis=1), np.full((len(value), 2, 2, 3), value[:, None, None, None])
    return CellTypicals(TypicalCells(paper, cell), np.arange(count, dtype=np.int32) // 2 * np.int32(variants), variants)


def cells(groups: str = "aabbcc", fields: tuple[int, ...] = (0, 1, 2, 3, 4, 5)) -> LabelledCells:
    """Six cells whose pixels hold their number, and two cells that the finder lost, of groups b and c."""
    count = len(groups)
    return LabelledCells(
        np.arange(count, dtype=np.uint8)[:, None, None, None] + np.zeros((count, 2, 2, 3), np.uint8),
        np.array([0, 1] * (count // 2), np.int32),
        ("clear", "ill"),
        np.array(list(groups)),
        np.array(fields, np.int32),
        np.array([FOUND, BOX, HARD] * (count // 3), np.int8),
        np.array([1, 0], np.int32),
        np.array([groups[2], groups[-1]]),
        np.array([2, 6], np.int32),
        typicals(count),
        np.array([1, 0] * (count // 2), np.int32),
    )


def numbers(some: LabelledCells) -> list[int]:
    """Which cells these are; every column must say the same."""
    of: list[int] = some.crops[:, 0, 0, 0].tolist()
    assert some.typical is not None
    assert some.lessons is not None
    assert some.typical.typical.take(some.typical.of).papers[:, 0].tolist() == [i // 2 for i in of]
    assert some.truth.tolist() == [i % 2 for i in of]
    assert some.lessons.tolist() == [1 - i % 2 for i in of]
    assert some.role.tolist() == [i % 3 for i in of]
    assert some.fields.tolist() == of
    assert some.groups.tolist() == ["aabbcc"[i] for i in of]
    return of


@pytest.mark.parametrize(
    ("take", "left", "lost"),
    [
        pytest.param(lambda c: c.take(np.array([4, 1])), [4, 1], [1, 0], id="by number: lost cells stay"),
        pytest.param(lambda c: c.take(c.truth == 1), [1, 3, 5], [1, 0], id="by mask"),
        pytest.param(lambda c: c.as_found(), [0, 2, 3, 5], [1, 0], id="what the device sees: no annotated boxes"),
        pytest.param(lambda c: c.of_groups(frozenset("a")), [0, 1], [], id="a group without lost cells"),
        pytest.param(lambda c: c.of_groups(frozenset("bx")), [2, 3], [1], id="a group with its lost cell"),
        pytest.param(lambda c: c.of_groups(frozenset("ac")), [0, 1, 4, 5], [0], id="two groups"),
        pytest.param(lambda c: c.of_groups(frozenset()), [], [], id="no group: nothing"),
    ],
)
def test_cells_are_taken_with_all_that_belongs_to_them(
    take: Callable[[LabelledCells], LabelledCells], left: list[int], lost: list[int]
) -> None:
    some = take(cells())
    assert numbers(some) == left
    assert len(some) == len(left)
    assert some.lost_truth.tolist() == lost
    assert some.lost_groups.tolist() == [{1: "b", 0: "c"}[i] for i in lost]
    assert some.lost_fields.tolist() == [{1: 2, 0: 6}[i] for i in lost]


@pytest.mark.parametrize(
    ("groups", "fields", "over"),
    [
        pytest.param("aabbcc", (0, 1, 2, 3, 4, 5), "fields", id="few groups of several fields each"),
        pytest.param("aabbcc", (0, 0, 2, 2, 6, 6), "groups", id="few groups, a field each"),
        pytest.param("abcdefgha", tuple(range(9)), "groups", id="enough groups"),
        pytest.param("abcdefgaa", tuple(range(9)), "fields", id="one group too few"),
    ],
)
def test_intervals_are_over_groups_where_they_are_enough_and_over_fields_else(
    groups: str, fields: tuple[int, ...], over: str
) -> None:
    count = len(groups)
    some = LabelledCells(
        np.zeros((count, 1, 1, 3), np.uint8),
        np.zeros(count, np.int32),
        ("clear", "ill"),
        np.array(list(groups)),
        np.array(fields, np.int32),
        np.zeros(count, np.int8),
        np.ones(1, np.int32),
        np.array([groups[0]]),
        np.array([fields[0]], np.int32),
    )
    of_cells, of_lost = some.units()
    assert of_cells.tolist() == (list(groups) if over == "groups" else list(fields))
    assert of_lost.tolist() == ([groups[0]] if over == "groups" else [fields[0]])


def test_a_lesson_is_learned_from_but_nothing_is_judged_by_it() -> None:
    some = cells()
    assert some.taught.tolist() == [1, 0] * 3
    assert replace(some, lessons=None).taught.tolist() == [0, 1] * 3
    assert some.judged().truth.tolist() == [0, 1] * 3
    assert some.counts().tolist() == [3, 3]
    assert replace(some, truth=np.zeros(6, np.int32)).counts().tolist() == [6, 0]


def test_the_workshop_gets_the_same_cells_and_is_told_whether_slides_hold_several() -> None:
    judged = cells().judged()
    assert (judged.images == cells().crops).all()
    assert judged.labels == ("clear", "ill")
    assert judged.groups.tolist() == list("aabbcc")
    assert judged.names == ("0", "1", "2", "3", "4", "5")
    assert judged.grouped
    assert not replace(cells(), groups=np.array(list("abcdef"))).judged().grouped


@pytest.mark.parametrize(
    ("variants", "first", "second"), [(1, {2}, {1}), (2, {102}, {101}), (3, {102, 202}, {101, 201})]
)
def test_each_cell_learns_beside_a_variant_of_its_own_field_and_where_there_is_none_beside_the_devices(
    variants: int, first: set[int], second: set[int]
) -> None:
    known, rows = typicals(6, variants), np.repeat([5, 2], 50)
    drawn = known.each(rows, np.random.default_rng(0)).papers[:, 0]
    assert len(drawn) == 100
    assert set(drawn[:50].tolist()) == first
    assert set(drawn[50:].tolist()) == second


def test_cells_with_variants_and_such_without_do_not_mix() -> None:
    with pytest.raises(ValueError, match="do not mix"):
        joined([typicals(4), typicals(4, 2)])


def test_joined_sets_keep_their_cells_and_their_fields_are_numbered_on() -> None:
    one, other = cells(), replace(cells(), lost_fields=np.array([0, 1], np.int32))
    both = join([one, other, one])
    assert both.fields.tolist() == [*range(6), *range(7, 13), *range(13, 19)]  # a lost cell was of field 6
    assert both.lost_fields.tolist() == [2, 6, 7, 8, 15, 19]
    assert both.fields.dtype == both.lost_fields.dtype == np.int32
    assert both.labels == ("clear", "ill")
    for name in ("crops", "truth", "groups", "role", "lost_truth", "lost_groups", "lessons"):
        parts = [getattr(part, name) for part in (one, other, one)]
        assert (getattr(both, name) == np.concatenate(parts)).all(), name
    assert both.typical is not None
    assert both.typical.typical.take(both.typical.of).papers[:, 0].tolist() == [i // 2 for i in range(6)] * 3


@pytest.mark.parametrize(
    ("changes", "typical", "taught"),
    [
        pytest.param(({}, {"typical": None}), False, [1, 0] * 6, id="typical cells of one set only: of none"),
        pytest.param(({}, {"lessons": None}), True, [1, 0] * 3 + [0, 1] * 3, id="lessons of one set only"),
        pytest.param(({"lessons": None}, {"lessons": None}), True, None, id="no lessons"),
    ],
)
def test_what_only_some_of_the_joined_sets_have(
    changes: tuple[dict[str, None], dict[str, None]], taught: list[int] | None, *, typical: bool
) -> None:
    both = join([replace(cells(), **change) for change in changes])  # type: ignore[arg-type]
    assert (both.typical is not None) == typical
    assert (None if both.lessons is None else both.lessons.tolist()) == taught
