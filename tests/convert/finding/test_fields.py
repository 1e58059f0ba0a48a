"""Which fields calibrate and which judge."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest

from convert.errors import CellsError
from convert.measure.fields import read_fields, read_image, split, spread
from edge.errors import UnreadableFieldError
from tests.convert.finding.nets import field, fields


def written(folder: Path, count: int) -> Path:
    raw = [{"image_name": f"s{n // 4}_{n}.png", "objects": []} for n in range(count)]
    (folder / "annotations.json").write_text(json.dumps(raw))
    for entry in raw:
        cv2.imwrite(str(folder / str(entry["image_name"])), np.full((48, 64, 3), 200, np.uint8))
    return folder


@pytest.mark.parametrize("seed", range(5))
def test_a_group_is_never_on_both_sides_and_most_fields_judge(seed: int) -> None:
    made = fields("aaabbbcccdddeeefff")
    calibration, check = split(made, (), seed)
    assert not set(calibration.groups) & set(check.groups)
    assert len(calibration) + len(check) == len(made)
    assert 0 < len(calibration) <= len(made) / 3


def test_the_same_seed_splits_alike_and_another_does_not() -> None:
    made = fields("abcdefghijkl")
    assert split(made, (), 1)[0].groups == split(made, (), 1)[0].groups
    assert len({split(made, (), seed)[0].groups for seed in range(6)}) > 1


@pytest.mark.parametrize("seed", range(8))
def test_the_only_infected_group_is_kept_for_the_check(seed: int) -> None:
    _, check = split(fields("aabbccddee", infected="c"), ("ring",), seed)
    assert "c" in check.groups


def test_one_group_alone_is_refused() -> None:
    with pytest.raises(CellsError, match="all 3 fields are one group"):
        split(fields("aaa"), (), 0)


def test_one_group_of_nearly_all_still_leaves_both_sides_something() -> None:
    calibration, check = split(fields("aaaaaaaab"), (), 0)
    assert set(calibration.groups) == {"b"}
    assert set(check.groups) == {"a"}


def test_a_few_of_many_lie_evenly() -> None:
    assert spread(fields("abcdefghi"), 3).groups == ("a", "e", "i")
    assert spread(fields("abc"), 9).groups == ("a", "b", "c")


def test_blocks_are_the_groups_where_none_are_named(tmp_path: Path) -> None:
    made = read_fields(written(tmp_path, 24), None, None)
    assert not made.grouped
    assert len(set(made.groups)) == 6


def test_group_by_finds_the_slide_in_the_name(tmp_path: Path) -> None:
    made = read_fields(written(tmp_path, 12), None, r"s\d")
    assert made.grouped
    assert set(made.groups) == {"s0", "s1", "s2"}
    with pytest.raises(CellsError, match="is not found in 12 of 12"):
        read_fields(tmp_path, None, "slide")


def test_annotations_without_their_images_are_refused(tmp_path: Path) -> None:
    written(tmp_path, 2)
    for path in tmp_path.glob("*.png"):
        path.unlink()
    with pytest.raises(CellsError, match=r"none of the 2 annotated images is there, e\.g\. s0_0\.png"):
        read_fields(tmp_path, None, None)


def test_an_image_of_another_size_than_it_was_annotated_at_is_not_judged(tmp_path: Path) -> None:
    path = written(tmp_path, 1) / "s0_0.png"
    assert read_image(field(str(path), size=(64, 48))).shape == (48, 64, 3)
    with pytest.raises(UnreadableFieldError, match="64x48 pixels, annotated at 640x480"):
        read_image(field(str(path), size=(640, 480)))
    with pytest.raises(UnreadableFieldError, match="no such image"):
        read_image(field(str(tmp_path / "gone.png")))
