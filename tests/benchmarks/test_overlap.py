"""Figures of overlapping fields: windows whose overlap is known, and what is counted of them. No finder runs."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from typer.testing import CliRunner

from benchmarks.overlap import fields, figures
from benchmarks.overlap.__main__ import app
from benchmarks.overlap.fields import Pair, altered, joined_tiles, mirrored, strips, windows
from benchmarks.overlap.figures import (
    SHARES,
    ConfirmedOverlap,
    Cost,
    Creep,
    Recall,
    Sweep,
    agreement,
    creep,
    false_in_mirrors,
    in_common,
    recall,
    right,
)
from benchmarks.overlap.measure import OverlapFigures
from benchmarks.overlap.page import page
from edge.types import Cells, FieldResult, Overlap, Quality, Timings, UInt8Array

SIZE = (400, 300)
"""Width and height of a made-up field."""


def field_of(boxes: np.ndarray, index: int = 0, size: tuple[int, int] = SIZE, name: str = "f") -> FieldResult:
    count = len(boxes)
    cells = Cells(boxes.astype(np.int32), np.ones(count, np.float32), np.zeros(count, np.int32), ("cell", "not-whole"))
    quality, times = Quality(1.0, 128.0, 0.0, 0.0, 0.5, b""), Timings(0, 0, 0, 0, 0)
    scores, classes = np.zeros((count, 1), np.float32), np.zeros(count, np.int32)
    return FieldResult(index, "s", name, (size[1], size[0]), cells, scores, classes, quality, times)


def enlarged(rgb: UInt8Array, size: tuple[int, int]) -> UInt8Array:
    return np.asarray(cv2.resize(rgb, size), np.uint8)


def slide(seed: int, count: int = 300, side: int = 900) -> np.ndarray:
    """Boxes of 20 pixels, int32 [n, 4], at random places of a square slide."""
    places = np.random.default_rng(seed).integers(0, side, (count, 2))
    return np.concatenate([places, np.full((count, 2), 20)], axis=1)


def view(boxes: np.ndarray, x: int, y: int, index: int = 0) -> FieldResult:
    """What a field at (x, y) of the slide shows wholly."""
    moved = boxes - [x, y, 0, 0]
    inside = (moved[:, :2] >= 0).all(axis=1) & (moved[:, :2] + 20 <= SIZE).all(axis=1)
    return field_of(moved[inside], index)


def pair(shift: tuple[int, int], share: float = 0.5, seed: int = 0) -> Pair:
    boxes = slide(seed)
    return Pair(share, shift, view(boxes, 200, 200), view(boxes, 200 + shift[0], 200 + shift[1], 1), 0)


@pytest.mark.parametrize(("across", "down"), [(True, False), (False, True), (True, True), (False, False)])
def test_a_mirror_image_of_a_mirror_image_is_the_field(across: bool, down: bool) -> None:
    field = view(slide(1), 100, 100)
    once = mirrored(field, 7, across=across, down=down)
    twice = mirrored(once, 0, across=across, down=down)
    assert once.index == 7
    assert (twice.cells.boxes == field.cells.boxes).all()
    assert (once.cells.boxes == field.cells.boxes).all() == (not (across or down))


def test_a_mirrored_box_is_as_far_from_the_other_border() -> None:
    field = field_of(np.array([[30, 40, 20, 10]]))
    assert mirrored(field, 0, across=True, down=False).cells.boxes.tolist() == [[350, 40, 20, 10]]
    assert mirrored(field, 0, across=False, down=True).cells.boxes.tolist() == [[30, 250, 20, 10]]


@pytest.mark.parametrize(
    ("found", "is_right"),
    [
        pytest.param((100, 50), True, id="exactly there"),
        pytest.param((110, 50), True, id="half a cell off"),
        pytest.param((111, 50), False, id="more than half a cell off"),
        pytest.param((100, 39), False, id="off in the other direction"),
        pytest.param((-100, -50), False, id="the other way round"),
    ],
)
def test_an_overlap_is_right_within_half_a_cell(found: tuple[int, int], is_right: bool) -> None:
    assert right(pair((100, 50)), [Overlap(0, 5, found)], cell_px=20.0) is is_right


def test_one_right_overlap_is_enough_and_none_is_not() -> None:
    assert right(pair((100, 50)), [Overlap(0, 5, (0, 0)), Overlap(0, 5, (100, 50))], 20.0)
    assert not right(pair((100, 50)), [], 20.0)


@pytest.mark.parametrize("shift", [(0, 0), (150, 0), (-150, 60), (0, -120), (399, 0)])
def test_cells_in_common_are_those_that_both_windows_show_whole(shift: tuple[int, int]) -> None:
    boxes = slide(3)
    low = np.maximum([200, 200], [200 + shift[0], 200 + shift[1]])
    high = np.minimum([600, 500], [600 + shift[0], 500 + shift[1]])
    expected = int(((boxes[:, :2] >= low) & (boxes[:, :2] + 20 <= high)).all(axis=1).sum())
    assert in_common(pair(shift, seed=3)) == expected


def test_fewer_cells_in_one_window_decide_what_is_in_common() -> None:
    both = pair((0, 0))
    few = field_of(both.second.cells.boxes[:4], 1)
    assert in_common(replace(both, second=few)) == 4


def test_mirror_images_of_different_fields_do_not_overlap() -> None:
    seen = [view(slide(seed), 100, 100, seed) for seed in range(3)]
    assert false_in_mirrors(seen) == (12, 54, 0)


def test_recall_counts_found_pairs_by_share_and_those_with_ten_cells_in_common() -> None:
    pairs = [pair((120, 60), share=0.56, seed=seed) for seed in range(4)]
    nothing_common = Pair(0.25, (120, 60), view(slide(5), 200, 200), view(slide(6), 200, 200, 1), 0)
    got = recall("x", [*pairs, nothing_common], 20.0)
    assert got.what == "x"
    assert got.tried == {(0.2, 0.3): (0, 1), (0.3, 0.4): (0, 0), (0.4, 0.6): (4, 4), (0.6, 0.9): (0, 0)}
    assert got.enough[0] == 4
    assert got.wrong == 0


def test_pairs_with_fewer_than_ten_cells_in_common_are_not_among_those_that_could_be_found() -> None:
    whole = pair((120, 60), share=0.56)
    nine = replace(whole, second=field_of(whole.second.cells.boxes[:9], 1))
    assert in_common(nine) < 10 <= in_common(whole)
    got = recall("x", [whole, nine], 20.0)
    assert got.tried[0.4, 0.6][1] == 2
    assert got.enough[1] == 1


def test_an_overlap_at_a_wrong_place_is_counted_as_wrong() -> None:
    moved = replace(pair((120, 60), share=0.56), shift=(60, 60))
    got = recall("x", [moved], 20.0)
    assert got.wrong == 1
    assert got.tried[0.4, 0.6] == (0, 1)


def test_windows_share_an_area_between_the_two_shares() -> None:
    rng = np.random.default_rng(0)
    picture = rng.integers(0, 256, (300, 400, 3), np.uint8)
    seen: list[UInt8Array] = []

    def found(rgb: UInt8Array, index: int = 0) -> FieldResult:
        seen.append(rgb)
        return field_of(np.zeros((0, 4)), index)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(fields, "found", found)
        for low, high in SHARES:
            one = windows(picture, (200, 150), (low, high), 20.0, rng)
            assert low <= one.share < high
            dx, dy = one.shift
            assert one.share == pytest.approx((200 - abs(dx)) * (150 - abs(dy)) / (200 * 150))
        strip = next(iter(strips(picture, 20.0, [SHARES[2]], 1)))
    assert SHARES[2][0] <= strip.share < SHARES[2][1]
    assert {rgb.shape for rgb in seen[:8]} == {(150, 200, 3)}
    assert seen[-1].shape in {(300, 232, 3), (174, 400, 3)}


def test_an_altered_window_shows_the_same_place_otherwise() -> None:
    rng = np.random.default_rng(2)
    picture = enlarged(rng.integers(60, 200, (30, 40, 3), np.uint8), (400, 300))
    out, blur = altered(picture, (100, 50), (200, 150), 20.0, rng)
    window = picture[50:200, 100:300]
    assert out.shape == window.shape
    assert 0 <= blur < 5
    assert np.corrcoef(out.ravel(), window.ravel())[0, 1] > 0.8
    assert (out != window).mean() > 0.5


@pytest.mark.parametrize(
    ("moved", "agrees"), [((40, 20), True), ((46, 20), True), ((0, 0), False), ((-40, -20), False)]
)
def test_pixels_agree_where_both_fields_show_the_slide(moved: tuple[int, int], agrees: bool) -> None:
    rng = np.random.default_rng(4)
    picture = enlarged(rng.integers(0, 256, (60, 80, 3), np.uint8), (400, 300))
    then, now = picture[50:250, 50:300], picture[70:270, 90:340]
    assert (agreement(now, then, moved) > 0.5) is agrees


def test_a_stage_that_creeps_counts_each_cell_about_once(monkeypatch: pytest.MonkeyPatch) -> None:
    boxes = slide(8, count=400)
    mosaic = np.zeros((900, 900, 3), np.uint8)
    mosaic[..., 0] = np.arange(900) // 4  # a column's place can be read off its pixels

    def found(rgb: UInt8Array, index: int = 0, name: str = "") -> FieldResult:
        x = int(round(float(rgb[:, :8, 0].mean())) * 4)
        width = rgb.shape[1]
        near = boxes - [x, 0, 0, 0]
        inside = (near[:, 0] >= 0) & (near[:, 0] + 20 <= width) & (near[:, 1] + 20 <= 300)
        return field_of(near[inside], index, (width, 300), name)

    class Exact:
        """Noise of none and an exposure of one."""

        uniform = staticmethod(lambda *_: 1.0)
        normal = staticmethod(lambda *_: 0.0)

    monkeypatch.setattr(figures, "found", found)
    monkeypatch.setattr(np.random, "default_rng", lambda _seed: Exact)
    got = creep(mosaic, (0, 0), SIZE, 40, 6)
    assert (got.step, got.frames) == (40, 6)
    assert got.strip <= got.counted <= 1.2 * got.strip
    assert got.added > 2 * got.counted


def test_joined_tiles_lie_by_row_and_column(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "healthy_tiles" / "images").mkdir(parents=True)
    monkeypatch.setenv("EDGE_DATA", str(tmp_path))
    for row, column, level in ((0, 0, 10), (0, 1, 60), (1, 0, 120), (1, 1, 240)):
        tile = np.full((512, 512, 3), level, np.uint8)
        cv2.imwrite(str(tmp_path / "healthy_tiles" / "images" / f"{row}_{column}.png"), tile)
    whole = joined_tiles()
    assert whole.shape == (1024, 1024, 3)
    assert [int(whole[y, x, 0]) for y, x in ((9, 9), (9, 900), (900, 9), (900, 900))] == [10, 60, 120, 240]


def figures_of(pixels: float = 0.9, mirrors: int = 0) -> OverlapFigures:
    found = ConfirmedOverlap("b.jpg", "a.jpg", Overlap(0, 71, (12, -340)), pixels)
    return OverlapFigures(
        sweeps=[Sweep("iml_fields", 10, 9, 1200, 1129, (found,))],
        mirrors=[("iml_fields", 40, 600, mirrors)],
        recalls=[Recall("IML", {**dict.fromkeys(SHARES, (0, 0)), (0.4, 0.6): (9, 10)}, (5, 5), 1)],
        creeps=[Creep(16, 60, 9000, 700, 650)],
        costs=[Cost(100, 0.0123, 6.54)],
    )


@pytest.mark.parametrize(
    "line",
    [
        "| iml_fields | 10 | 36 | 1 | 0 | 1,200 | 1,129 |",
        "| iml_fields, and in mirrors | 40 | 600 | | 0 | | |",
        "0 false overlaps in 636 pairs: at most 58 in 10,000 (95 %).",
        "| IML | - | - | 9 of 10 (55.5% to 99.7%) | - | 5 of 5 (47.8% to 100.0%) | 1 |",
        "| 16 | 60 | 9,000 | 700 | 650 |",
        "| 100 | 1.2% | 6.5 |",
        "| iml_fields | b.jpg | a.jpg | 12, -340 | 71 | 0.90 |",
    ],
)
def test_the_page_holds_every_figure(line: str) -> None:
    assert line in page(figures_of()).splitlines()


@pytest.mark.parametrize(("pixels", "mirrors", "false"), [(0.5, 0, 0), (0.49, 0, 1), (0.9, 2, 2), (0.1, 2, 3)])
def test_overlaps_that_the_pixels_do_not_confirm_are_false_ones(pixels: float, mirrors: int, false: int) -> None:
    assert f"\n{false} false overlaps in 636 pairs" in page(figures_of(pixels, mirrors))


def test_without_real_images_it_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EDGE_DATA", str(tmp_path))
    got = CliRunner().invoke(app, [])
    assert got.exit_code == 4
    assert "EDGE_DATA" in got.stderr
