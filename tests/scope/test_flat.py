"""Flat field and dust: evenly lit fields, in whole numbers that are the same on every machine."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
import pytest

from edge.errors import ScopeError
from edge.scope.dust import dust_of, with_dust
from edge.scope.flat import flat_field
from edge.scope.light import glance, paper_of
from edge.scope.spread import corrector
from edge.types import UInt8Array
from tests.scope.lit import SIZE, Lit

SCOPE = Lit(corner=0.7)
DUSTY = Lit(corner=0.8, dust=((120, 90, 8, 0.15), (300, 200, 9, 0.6)))


def corners_and_middle(rgb: UInt8Array) -> list[float]:
    h, w = rgb.shape[:2]
    parts = [
        rgb[y : y + 24, x : x + 24] for y, x in ((0, 0), (0, w - 24), (h - 24, 0), (h - 24, w - 24), (h // 2, w // 2))
    ]
    return [float(np.median(part)) for part in parts]


@pytest.mark.parametrize(
    "fields",
    [
        pytest.param(SCOPE.fields(6), id="empty fields"),
        pytest.param(replace(SCOPE, cells=60).fields(16), id="fields with cells that the stage moved between"),
    ],
)
def test_corners_come_out_as_light_as_the_middle(fields: Sequence[UInt8Array]) -> None:
    flat = flat_field(fields)
    new = SCOPE.field(99)
    before, after = corners_and_middle(new), corners_and_middle(corrector(flat.gains(SIZE))(new))
    assert max(before) - min(before) > 50
    assert max(after) - min(after) <= 5
    assert after[-1] == pytest.approx(before[-1], abs=2)  # the lightest place stays as it is
    assert flat.uneven > 0.15
    assert flat.residual < 0.03


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        pytest.param(SCOPE.fields(3), "3 fields are too few: give 5 or more (empty)", id="too few"),
        pytest.param(
            [Lit(lamp=8).field(n) for n in range(6)], "field 1: the field is black: is the lamp on", id="black"
        ),
        pytest.param(
            [Lit(lamp=300).field(n) for n in range(6)], "of the field is saturated: turn the lamp down", id="saturated"
        ),
        pytest.param(
            [replace(SCOPE, cells=60).field(1)] * 12,
            "12 show the same place as the one before: move",
            id="cells, and not moved",
        ),
        pytest.param(
            replace(SCOPE, cells=60).fields(6), "6 fields are too few: give 12 or more (with cells", id="few with cells"
        ),
        pytest.param(
            [*SCOPE.fields(5), replace(SCOPE, size=(320, 240)).field()], "fields are of several sizes", id="two cameras"
        ),
        pytest.param(
            Lit(corner=0.3).fields(6), "centre lamp and condenser first", id="corners too dark to be made even"
        ),
    ],
)
def test_what_makes_no_flat_field_is_said_in_one_line(fields: Sequence[UInt8Array], words: str) -> None:
    with pytest.raises(ScopeError) as said:
        flat_field(fields)
    assert words in str(said.value)
    assert "\n" not in str(said.value)


@pytest.mark.parametrize(
    ("fields", "moved"),
    [
        pytest.param(DUSTY.fields(8), False, id="empty fields"),
        pytest.param(replace(DUSTY, cells=60).fields(30), True, id="fields with cells"),
    ],
)
def test_what_every_field_shows_is_dust_and_the_faint_part_of_it_is_corrected(
    fields: Sequence[UInt8Array], *, moved: bool
) -> None:
    flat = flat_field(fields)
    found = sorted(dust_of(fields, flat.gains, moved=moved), key=lambda speck: speck.depth)
    assert [speck.deep for speck in found] == [False, True]
    assert [speck.depth for speck in found] == [pytest.approx(0.15, abs=0.04), pytest.approx(0.6, abs=0.06)]
    (x, y, w, h), (fx, fy, fw, fh) = found[1].pixels(SIZE), found[0].pixels(SIZE)
    assert (x <= 291, y <= 191, x + w >= 309, y + h >= 209) == (True,) * 4  # a deep one is covered
    assert max(w, h) < 40
    out = corrector(with_dust(flat.gains(SIZE), found))(DUSTY.field(77))
    inside = float(np.median(out[86:94, 116:124]))
    around = float(np.median(out[fy + fh + 4 : fy + fh + 14, fx : fx + fw]))
    assert inside == pytest.approx(around, abs=4)
    deep = out[196:204, 296:304]
    assert np.median(deep) < 0.6 * around  # a deep one is left as it is


@pytest.mark.parametrize(
    ("fields", "moved", "words"),
    [
        pytest.param(
            replace(DUSTY, cells=150).fields(8), True, "8 fields are too few to tell dust from cells", id="too few"
        ),
        pytest.param(
            [
                Lit(dust=[(20 + 18 * (n % 24), 20 + 30 * (n // 24), 4, 0.5) for n in range(60)]).field(n)
                for n in range(6)
            ],
            False,
            "are too many to work with: clean",
            id="filthy",
        ),
    ],
)
def test_dust_that_cannot_be_told_or_worked_with_is_said(
    fields: Sequence[UInt8Array], words: str, *, moved: bool
) -> None:
    with pytest.raises(ScopeError, match=words):
        dust_of(fields, None, moved=moved)


def test_clean_optics_have_no_dust() -> None:
    fields = replace(SCOPE, cells=40).fields(30)
    assert dust_of(fields, flat_field(fields).gains, moved=True) == ()


def test_the_paper_of_a_field_is_the_same_before_and_after_it_is_made_smaller() -> None:
    flat = flat_field(SCOPE.fields(6))
    rgb = SCOPE.field(50)
    gains: Callable[[tuple[int, int]], UInt8Array] = flat.gains
    small = glance(rgb)
    quick = paper_of(rgb, gains((small.shape[1], small.shape[0])))
    slow = paper_of(corrector(gains(SIZE))(rgb))
    assert quick.luma == pytest.approx(slow.luma, rel=0.02)
