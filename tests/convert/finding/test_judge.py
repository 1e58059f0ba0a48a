"""How float and int8 finder are held against each other."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from convert.errors import CellsError
from convert.finding import judge as judging
from convert.finding.judge import (
    FinderComparison,
    agreement,
    cut,
    drawn_over,
    drop,
    f1,
    figures,
    judge,
    match,
    per_group,
)
from convert.finding.report import Attempt
from convert.measure.matching import Match
from edge.types import CELL, Cells
from tests.convert.finding.nets import field
from tests.convert.finding.nets import fields as made_fields


def boxes(*rows: tuple[int, int, int, int]) -> np.ndarray:
    return np.array(rows, np.int32).reshape(-1, 4)


def judged(one: list[Match], other: list[Match], groups: str) -> FinderComparison:
    none = [boxes()] * len(groups)
    return FinderComparison({"float": one, "int8": other}, {"float": none, "int8": none}, {}, tuple(groups), ())


def test_f1_pools_cells_over_fields() -> None:
    assert f1([Match(8, 2, 0), Match(0, 0, 0)]) == pytest.approx(16 / 18)
    assert f1([Match(0, 0, 5)]) == 0
    assert f1([]) == 0


def test_the_drop_is_in_points_and_its_interval_is_of_the_difference() -> None:
    whole, less = Match(10, 0, 0), Match(9, 0, 1)
    points, (low, high) = drop(judged([whole] * 12, [less] * 12, "a" * 12))
    assert points == pytest.approx((1 - 18 / 19) * 100)
    assert low == pytest.approx(points)
    assert high == pytest.approx(points)


def test_the_same_finds_drop_nothing_however_much_fields_differ() -> None:
    mixed = [Match(10, 0, 0), Match(1, 9, 9)] * 6
    assert drop(judged(mixed, mixed, "ab" * 6)) == (0, (0, 0))


@pytest.mark.parametrize(("lost", "limit", "passed"), [(1, 6.0, True), (1, 5.0, False), (0, 0.0, True)])
def test_the_gate_is_a_limit_in_points_of_f1(lost: int, limit: float, passed: bool) -> None:
    both = judged([Match(10, 0, 0)], [Match(10 - lost, 0, lost)], "a")
    assert Attempt("int8", b"", both, 9).passes(limit) is passed


def test_nothing_judged_passes() -> None:
    assert Attempt("int8", b"", None, 9).passes(0.0)


def test_figures_say_how_many_and_how_sure() -> None:
    found = figures(judged([Match(9, 1, 1, 4, 1), Match(5, 0, 5)] * 5, [], "abcdefghij"), "float")
    assert found["fields"] == 10
    assert found["cells"] == 100
    assert found["infected"] == 20
    assert found["infected_kept"] == pytest.approx(0.75)
    low, high = found["f1_interval"]
    assert low < found["f1"] < high


def test_without_infected_cells_no_share_of_them_is_made_up() -> None:
    found = figures(judged([Match(9, 1, 1)], [], "a"), "float")
    assert found["infected_kept"] is None
    assert "infected_kept_interval" not in found


def test_intervals_resample_groups_where_there_are_enough_of_them() -> None:
    assert drawn_over("abcdefgh") == "groups"
    assert drawn_over("aaaaaaaaaaaab") == "fields"
    alike = [Match(10, 0, 0)] * 8 + [Match(1, 9, 9)] * 8
    wide = figures(judged(alike, [], "abcdefgh" + "ijklmnop"), "float")["f1_interval"]
    paired = [alike[i // 2 + 8 * (i % 2)] for i in range(16)]
    narrow = figures(judged(paired, [], "aabbccddeeffgghh"), "float")["f1_interval"]
    assert wide[1] - wide[0] > 2 * (narrow[1] - narrow[0])


def test_each_group_has_a_figure() -> None:
    assert per_group(judged([Match(1, 0, 0), Match(0, 0, 1)], [], "ba"), "float") == {"b": 1.0, "a": 0.0}


def test_agreement_counts_what_both_found() -> None:
    one = [boxes((10, 10, 20, 20), (50, 10, 20, 20)), boxes()]
    other = [boxes((11, 10, 20, 20)), boxes((9, 9, 9, 9))]
    found = agreement(one, other)
    assert found["boxes"] == pytest.approx(2 * 1 / 4)
    assert 0.85 < found["median_iou"] < 1
    assert agreement([boxes()], [boxes()]) == {"boxes": 0.0, "median_iou": 0.0}


def test_points_are_matched_by_distance_and_boxes_by_overlap() -> None:
    found, shape = boxes((40, 40, 20, 20)), (100, 100)
    assert match(found, field("a", points=np.array([[52, 49]], np.float32)), (), shape) == Match(1, 0, 0)
    ringed = field("a", [[40, 40, 20, 20], [70, 70, 20, 20]], ("cell", "ring"))
    assert match(found, ringed, ("ring",), shape) == Match(1, 0, 1, 1, 1)


class _Finder:
    """Finds one cell in the middle of every field, and sets one thing aside."""

    def find(self, rgb: np.ndarray) -> Cells:
        rows = boxes((rgb.shape[1] // 2 - 10, rgb.shape[0] // 2 - 10, 20, 20), (20, 20, 9, 9))
        return Cells(rows, np.ones(2, np.float32), np.array([0, 1], np.int32), (CELL, "not-platelet"))


def test_all_finders_see_every_field_and_what_is_unreadable_is_named(tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "a.png"), np.full((80, 100, 3), 200, np.uint8))
    (tmp_path / "b.png").write_bytes(b"no image")
    some = made_fields("ab")
    truth = tuple(field(str(tmp_path / f"{name}.png"), [[40, 30, 20, 20]]) for name in "ab")
    finders: Any = {"float": _Finder(), "int8": _Finder()}
    found = judge(finders, type(some)(truth, some.groups, grouped=True), (), lambda *_: None)
    assert found.matches["float"] == found.matches["int8"] == [Match(1, 0, 0)]
    assert found.groups == ("a",)
    assert len(found.skipped) == 1
    assert "b.png" in found.skipped[0]
    with pytest.raises(CellsError, match="no readable field"):
        judge(finders, type(some)(truth[1:], ("b",), grouped=True), (), lambda *_: None)
    empty = (field(str(tmp_path / "a.png")),)
    with pytest.raises(CellsError, match="no cell is annotated"):
        judge(finders, type(some)(empty, ("a",), grouped=True), (), lambda *_: None)


@pytest.mark.parametrize("shape", [(300, 400, 3), (30, 400, 3), (240, 320, 3), (5, 7, 3)])
def test_calibration_images_have_the_files_size_whatever_the_field(shape: tuple[int, int, int]) -> None:
    image = np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)
    part = cut(image, (240, 320), np.random.default_rng(1))
    assert part.shape == (240, 320, 3)
    assert set(np.unique(part)) <= set(np.unique(image))


def test_calibration_sees_what_the_device_feeds_its_net() -> None:
    from edge import shelf
    from edge.finders.learned import GUESS_PX, prepare
    from edge.virtual_slide import SlideSpec, render_field

    rgb, _ = render_field(SlideSpec(seed=3, width=640, height=480, cell_px=33.0, bad_fields=0.0), 0)
    (image,) = judging.as_fed(shelf.load(shelf.FINDER), [rgb], (GUESS_PX * 3 // 4, GUESS_PX), 0)
    assert (image == prepare(rgb, GUESS_PX / 640)).all()
