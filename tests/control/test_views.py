"""How far a view moved, whether it moves, and what of it is new. On real fields: tests/real/test_taking_real.py."""

from __future__ import annotations

import numpy as np
import pytest

from edge.control.views import Eye, shift_between, small_view
from edge.types import UInt8Array
from tests.control.cameras import blobs

SLIDE = blobs(7, (1600, 1200), cells=500)
SIZE = (640, 480)  # of a view: width, height


def cut(slide: UInt8Array, x: int, y: int, size: tuple[int, int] = SIZE) -> UInt8Array:
    return np.ascontiguousarray(slide[y : y + size[1], x : x + size[0]])


MOVES = {
    "not at all": (0, 0),
    "a little": (20, 0),
    "down": (0, 144),
    "a third": (210, 90),
    "half": (320, 0),
    "both": (256, 192),
}


@pytest.mark.parametrize("name", MOVES)
def test_how_far_a_view_moved_is_measured(name: str) -> None:
    dx, dy = MOVES[name]
    shift = shift_between(small_view(cut(SLIDE, 300 + dx, 200 + dy)), small_view(cut(SLIDE, 300, 200)))
    assert shift is not None
    assert (-shift.x, -shift.y) == pytest.approx((dx / SIZE[0], dy / SIZE[1]), abs=0.01)
    assert shift.new == pytest.approx(1 - (1 - dx / SIZE[0]) * (1 - dy / SIZE[1]), abs=0.02)


def test_views_of_other_cells_show_nothing_in_common() -> None:
    views = [small_view(cut(SLIDE, x, y)) for x, y in ((0, 0), (900, 0), (0, 700), (900, 700))]
    pairs = [(a, b) for i, a in enumerate(views) for b in views[:i]]
    assert [shift_between(a, b) for a, b in pairs] == [None] * len(pairs)


def test_dust_and_shading_that_stand_still_do_not_hide_a_moved_stage() -> None:
    rows, columns = np.mgrid[0 : SIZE[1], 0 : SIZE[0]]
    shade = 1 - 0.4 * (((columns - 320) / 320) ** 2 + ((rows - 240) / 240) ** 2) / 2
    for x, y in ((100, 100), (400, 60), (520, 400)):
        shade[(columns - x) ** 2 + (rows - y) ** 2 < 60] *= 0.6

    def through(view: UInt8Array) -> UInt8Array:
        return np.asarray(view * shade[..., None], np.uint8)

    shift = shift_between(small_view(through(cut(SLIDE, 500, 200))), small_view(through(cut(SLIDE, 300, 200))))
    assert shift is not None
    assert -shift.x == pytest.approx(200 / SIZE[0], abs=0.01)


def test_the_eye_tells_speed_and_what_is_new_since_the_field_taken_last() -> None:
    eye = Eye()
    first = eye.see(cut(SLIDE, 0, 0), 0.0)
    assert (first.speed, first.moved, first.new) == (None, None, 1.0)
    eye.taken()
    still = eye.see(cut(SLIDE, 0, 0), 0.1)
    assert (still.speed, still.moved, still.new) == (0.0, 0.0, 0.0)
    moving = eye.see(cut(SLIDE, 64, 0), 0.2)
    assert moving.speed == pytest.approx(1.0, abs=0.1)
    assert moving.moved == pytest.approx(0.1, abs=0.01)
    elsewhere = eye.see(cut(SLIDE, 900, 700), 0.3)
    assert (elsewhere.speed, elsewhere.moved, elsewhere.new) == (None, 1.0, 1.0)
    eye.forget()
    assert eye.see(cut(SLIDE, 900, 700), 0.4).new == 1.0


@pytest.mark.parametrize("size", [(64, 64), (1280, 960), (1600, 1200), (16, 12)])
def test_any_size_is_measured(size: tuple[int, int]) -> None:
    view = small_view(np.full((size[1], size[0], 3), 128, np.uint8))
    assert sum(view.histogram) == pytest.approx(1.0)
    assert shift_between(view, view) is None  # nothing to see in it
