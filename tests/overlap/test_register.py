from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from edge.overlap import Register
from edge.overlap import register as register_module
from edge.types import NOT_NEW, FieldResult, Overlap
from tests.overlap.slides import SIZE, slide, view, whole_inside

FILM = slide(1)


def placed(fields: Sequence[FieldResult]) -> list[tuple[FieldResult, tuple[Overlap, ...]]]:
    register = Register()
    return [register.place(field) for field in fields]


def counted(fields: Sequence[FieldResult]) -> int:
    return sum(int((result.classes >= 0).sum()) for result, _ in placed(fields))


@pytest.mark.parametrize(
    ("name", "altered"),
    [
        ("as it is", {}),
        ("a tenth of the cells lost", {"lost": 0.1}),
        ("three tenths of the cells lost", {"lost": 0.3}),
        ("places off by 3 px", {"jitter": 3.0}),
        ("turned by a degree", {"turn": 1.0}),
        ("larger by a hundredth", {"scale": 1.01}),
        ("all of it", {"lost": 0.15, "jitter": 2.0, "turn": -0.7, "scale": 0.993}),
    ],
)
@pytest.mark.parametrize("move", [(430, 0), (0, -520), (-700, 240), (850, 100)])
def test_a_field_that_moved_by_part_of_itself_is_found(
    name: str, altered: dict[str, float], move: tuple[int, int]
) -> None:
    at = (900.0, 1000.0)
    first, second = view(FILM, at), view(FILM, (at[0] + move[0], at[1] + move[1]), index=1, **altered)  # type: ignore[arg-type]
    (_, none), (result, (overlap,)) = placed([first, second])
    assert none == ()
    assert overlap.field == 0
    assert np.abs(np.array(overlap.shift) - move).max() <= 12, name
    aside = result.cells.kind == result.cells.kinds.index(NOT_NEW)
    assert overlap.cells == aside.sum() > 0
    assert (result.classes[aside] == -1).all()
    assert (result.scores[aside] == 0).all()


def test_what_both_fields_show_is_counted_once() -> None:
    corners = [(900.0, 900.0), (900.0 + SIZE[0] // 3, 900.0)]
    fields = [view(FILM, at, index=i) for i, at in enumerate(corners)]
    assert counted(fields) == whole_inside(FILM, corners)


def test_a_cell_that_the_border_cut_is_counted_in_the_next_field() -> None:
    corners = [(900.0 + 20 * i, 900.0) for i in range(8)]  # a third of a cell a field
    fields = [view(FILM, at, index=i) for i, at in enumerate(corners)]
    assert counted(fields) == whole_inside(FILM, corners)


def test_a_cell_that_was_missed_is_counted_when_it_is_found() -> None:
    whole = view(FILM, (900, 900), index=1)
    poorer = view(FILM, (900, 900), lost=0.2)
    (first, _), (second, _) = placed([poorer, whole])
    assert (second.classes >= 0).sum() == (whole.classes >= 0).sum() - (first.classes >= 0).sum() > 0


def test_a_stage_that_creeps_ends_with_the_true_number_though_cells_come_and_go() -> None:
    corners = [(700.0 + 16 * i, 900.0) for i in range(60)]
    fields = [view(FILM, at, index=i, lost=0.05, jitter=1.0) for i, at in enumerate(corners)]
    true = whole_inside(FILM, corners)
    assert abs(counted(fields) - true) <= 0.02 * true
    assert sum(int((field.classes >= 0).sum()) for field in fields) > 20 * true


def test_a_stage_that_comes_back_after_many_fields_is_found() -> None:
    corners = [(100.0 + 1300 * (i % 2), 100.0 + 1000 * (i // 2)) for i in range(4)]
    away = [view(slide(seed, fields=1.5), (30, 30), index=seed) for seed in range(10, 22)]
    again = view(FILM, (corners[2][0], corners[2][1]), index=30, lost=0.1, jitter=1.0)
    came = placed([*(view(FILM, at, index=i) for i, at in enumerate(corners)), *away, again])
    assert [overlaps for _, overlaps in came[:-1]] == [()] * 16
    (result, (overlap,)) = came[-1]
    assert overlap.field == 2
    assert (result.classes >= 0).sum() <= 1  # one that the border cuts now and then


@pytest.mark.parametrize(("remembered", "found"), [(4, True), (3, False)])
def test_of_thin_fields_the_oldest_are_forgotten_so_that_memory_does_not_grow_all_day(
    remembered: int, found: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(register_module, "_FIELDS", remembered)
    others = [view(slide(2 + i), (900.0, 900.0), index=1 + i) for i in range(3)]
    fields = [view(FILM, (900.0, 900.0)), *others, view(FILM, (1100.0, 900.0), index=4)]
    assert bool(placed(fields)[-1][1]) is found


def test_a_field_between_two_earlier_ones_is_held_against_both() -> None:
    corners = [(100.0, 900.0), (1450.0, 900.0), (775.0, 900.0)]
    fields = [view(FILM, at, index=i) for i, at in enumerate(corners)]
    assert {overlap.field for overlap in placed(fields)[-1][1]} == {0, 1}
    assert counted(fields) == whole_inside(FILM, corners)


DUST = np.random.default_rng(5).uniform(50, 900, (14, 2)).astype(np.float32)


@pytest.mark.parametrize("per_field", [30, 120])
def test_dust_that_stands_in_every_field_ties_no_fields_together(per_field: int) -> None:
    fields = [
        view(slide(seed, per_field=per_field, fields=1.5), (30, 30), index=seed, dust=DUST) for seed in range(100, 115)
    ]
    assert [overlaps for _, overlaps in placed(fields)] == [()] * 15


def test_a_stage_that_comes_back_is_found_through_the_dust() -> None:
    fields = [view(slide(seed, fields=1.5), (30, 30), index=i, dust=DUST) for i, seed in enumerate(range(100, 110))]
    again = view(slide(104, fields=1.5), (30, 30), index=10, dust=DUST, lost=0.1)
    assert [overlap.field for overlap in placed([*fields, again])[-1][1]] == [4]


def test_things_that_are_no_cells_are_not_set_aside_twice_either() -> None:
    def with_white_cells(field: FieldResult) -> FieldResult:
        field.cells.kind[np.flatnonzero(field.cells.kind == 0)[::7]] = 1
        return field

    first = with_white_cells(view(FILM, (900, 900)))
    (_, _), (second, _) = placed([first, with_white_cells(view(FILM, (900, 900), index=1))])
    assert not (second.cells.kind == 1).any()


def test_a_thing_set_aside_at_first_sight_is_not_counted_at_the_second() -> None:
    first, second = view(FILM, (900, 900)), view(FILM, (900, 900), index=1)
    first.cells.kind[first.cells.kind == 0] = 1
    assert (placed([first, second])[1][0].classes >= 0).sum() == 0


@pytest.mark.parametrize(("per_field", "cell_px"), [(12, 60.0), (40, 90.0), (700, 24.0)])
def test_sparse_and_dense_fields_of_any_magnification(per_field: int, cell_px: float) -> None:
    film = slide(3, per_field=per_field, cell_px=cell_px, fields=6)
    first = view(film, (300, 300), cell_px=cell_px)
    second = view(film, (420, 380), index=1, cell_px=cell_px, jitter=0.01 * cell_px)
    assert [overlap.shift for overlap in placed([first, second])[1][1]] == [pytest.approx((120, 80), abs=0.1 * cell_px)]


def test_too_few_cells_to_tell_are_counted() -> None:
    film = slide(4, per_field=5, fields=2)
    (first, _), (second, overlaps) = placed([view(film, (100, 100)), view(film, (100, 100), index=1)])
    assert overlaps == ()
    assert (second.classes >= 0).sum() == (first.classes >= 0).sum() > 0


def test_a_field_without_a_cell_is_no_trouble() -> None:
    film = slide(4, per_field=1, fields=1)
    film = type(film)(film.middles[:0])
    assert [overlaps for _, overlaps in placed([view(film, (0, 0)), view(FILM, (0, 0), index=1)])] == [(), ()]


def test_different_slides_do_not_overlap() -> None:
    fields = [view(slide(seed, fields=1.5), (30, 30), index=seed) for seed in range(200, 230)]
    assert [overlaps for _, overlaps in placed(fields)] == [()] * 30


def test_the_kinds_are_the_same_for_every_field() -> None:
    fields = [view(FILM, (0, 0)), view(slide(4, per_field=2, fields=2), (0, 0), index=1), view(FILM, (16, 0), index=2)]
    assert {result.cells.kinds for result, _ in placed(fields)} == {(*fields[0].cells.kinds, NOT_NEW)}


def test_a_field_given_is_left_as_it_was() -> None:
    first, second = view(FILM, (0, 0)), view(FILM, (16, 0), index=1)
    before = second.classes.copy(), second.cells.kind.copy()
    placed([first, second])
    assert np.array_equal(before[0], second.classes)
    assert np.array_equal(before[1], second.cells.kind)
