from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from edge.errors import OutputError
from edge.outputs import annotate
from edge.outputs.annotate import NEAR, AnnotatedImages, class_colours, draw, near_misses
from edge.types import Region, UInt8Array
from tests.fakes import LABELS, picture, result
from tests.outputs import events


def test_boxes_have_their_class_colour_and_a_legend_is_added() -> None:
    rgb = picture(3)
    res = result([0, 1, -1])
    image = draw(rgb, res, LABELS, {"parasitized"})
    colours = class_colours(LABELS, res.cells.kinds, {"parasitized"})
    for n, name in enumerate(("uninfected", "parasitized", "not-red-cell")):
        x, y, w, _ = res.cells.boxes[n]
        assert tuple(image[y, x + w // 2]) == colours[name]
    assert image.shape[0] > rgb.shape[0]
    assert image.shape[1] == rgb.shape[1]
    assert rgb[10, 20].tolist() == [200, 200, 200]  # the field itself is left alone


def test_all_colours_differ() -> None:
    colours = class_colours(("a", "b", "c", "d"), ("cell", "not-x", "not-y", "not-z", "not-whole"), {"d"})
    assert len({*colours.values(), NEAR}) == len(colours) + 1 == 9


def test_one_image_per_kept_field(tmp_path: Path) -> None:
    out = AnnotatedImages(tmp_path / "new" / "folder", LABELS, ("parasitized",))
    for event in (events.kept(), events.rejected(), events.unreadable()):
        out.field(event)
    out.close()
    (path,) = (tmp_path / "new" / "folder").iterdir()
    assert path.name == "00000-field-0.jpg"
    seen = cv2.imread(str(path))
    assert seen is not None
    assert seen.shape[1] == 320


def test_a_name_cannot_leave_the_folder(tmp_path: Path) -> None:
    out = AnnotatedImages(tmp_path / "d", LABELS, ())
    out.field(events.field(result([0]), name="../../etc/pass wd\n.png"))
    assert [p.name for p in (tmp_path / "d").iterdir()] == ["00000-pass_wd.jpg"]
    assert [p.name for p in tmp_path.iterdir()] == ["d"]


def test_a_folder_that_cannot_be_is_said_at_once(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="cannot be written"):
        AnnotatedImages(tmp_path / "file", LABELS, ())


def test_a_legend_wider_than_the_field_wraps() -> None:
    narrow = np.full((64, 80, 3), 200, np.uint8)
    wide = draw(picture(0), result([]), LABELS, ())
    assert draw(narrow, result([]), LABELS, ()).shape[0] > wide.shape[0]


def test_a_disk_that_fills_up_leaves_no_half_image(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    out = AnnotatedImages(tmp_path, LABELS, ())
    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OutputError, match="No space left"):
        out.field(events.kept())
    assert list(tmp_path.iterdir()) == []


def test_letters_of_any_script_stay_in_a_files_name(tmp_path: Path) -> None:
    out = AnnotatedImages(tmp_path, LABELS, ())
    out.field(events.field(result([0]), name="образец 1.png"))
    assert [p.name for p in tmp_path.iterdir()] == ["00000-образец_1.jpg"]


def test_fields_of_one_name_do_not_overwrite_each_other(tmp_path: Path) -> None:
    out = AnnotatedImages(tmp_path, LABELS, ())
    for index, name in enumerate(("a.png", "A.png", "a/.png", "a.jpg")):
        out.field(events.field(result([0], index=index), index=index, name=name))
    assert len(list(tmp_path.iterdir())) == 4


def test_a_near_miss_is_dashed_and_stands_in_the_legend() -> None:
    res = result([0, 0, 1, -1])
    res.scores[:2] = [[0.2, 0.8], [0.9, 0.1]]
    rgb = picture(3)
    near = near_misses(res, LABELS, {"parasitized"}, 0.9)
    assert near == [0]
    image, plain = draw(rgb, res, LABELS, {"parasitized"}, near), draw(rgb, res, LABELS, {"parasitized"})
    tops = [image[10, 25 * n + 10 : 25 * n + 29] for n in range(4)]
    marked = [np.unique(top, axis=0).tolist() for top in tops]
    assert list(NEAR) in marked[0]
    assert len(marked[0]) == 2  # dashes and what is between them
    assert [len(colours) for colours in marked[1:]] == [1, 1, 1]
    assert image.shape[1] == plain.shape[1]
    assert not np.array_equal(image[64:].sum(), plain[64:].sum())  # the legend says more


@pytest.mark.parametrize("threshold", [None, 0.0])
def test_without_a_threshold_nothing_is_a_near_miss(threshold: float | None) -> None:
    res = result([1, 1])
    assert near_misses(res, LABELS, {"parasitized"}, threshold) == []


def test_the_legend_says_in_plain_words_what_was_set_aside(monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[str] = []

    def legend(entries: list[tuple[str, tuple[int, int, int]]], width: int, unit: int) -> UInt8Array:
        said.extend(text for text, _ in entries)
        return picture(0)

    monkeypatch.setattr(annotate, "_legend", legend)
    res = result([0, 1, -1, -1, -1], kind=[0, 0, 1, 2, 2])
    draw(picture(3), res, LABELS, {"parasitized"}, [0])
    assert said == [
        "parasitized 1",
        "uninfected 1",
        "red cell 1, set aside",
        "cells cut by the border 2, set aside",
        "just below the threshold 1",
    ]
    said.clear()
    draw(picture(3), result([0]), LABELS, {"parasitized"})
    assert said == ["parasitized 0", "uninfected 1"]


def test_the_outline_of_the_lit_region_is_drawn() -> None:
    field = result([0])
    region = Region(np.array([[100, 20], [300, 20], [300, 60], [100, 60]], np.float32))
    plain, drawn = (draw(picture(1), one, LABELS, ("parasitized",)) for one in (field, replace(field, region=region)))
    changed = np.any(plain != drawn, axis=2)
    assert changed[20, 110:290].all()
    assert not changed[30:50, 110:290].any()
