from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from edge.errors import OutputError
from edge.outputs.annotate import Annotated, class_colours, draw
from edge.types import Region
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
    assert len(set(colours.values())) == len(colours) == 8


def test_one_image_per_kept_field(tmp_path: Path) -> None:
    out = Annotated(tmp_path / "new" / "folder", LABELS, ("parasitized",))
    for event in (events.kept(), events.rejected(), events.unreadable()):
        out.field(event)
    out.close()
    (path,) = (tmp_path / "new" / "folder").iterdir()
    assert path.name == "00000-field-0.jpg"
    seen = cv2.imread(str(path))
    assert seen is not None
    assert seen.shape[1] == 320


def test_a_name_cannot_leave_the_folder(tmp_path: Path) -> None:
    out = Annotated(tmp_path / "d", LABELS, ())
    out.field(events.field(result([0]), name="../../etc/pass wd\n.png"))
    assert [p.name for p in (tmp_path / "d").iterdir()] == ["00000-pass_wd.jpg"]
    assert [p.name for p in tmp_path.iterdir()] == ["d"]


def test_a_folder_that_cannot_be_is_said_at_once(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="cannot be written"):
        Annotated(tmp_path / "file", LABELS, ())


def test_a_legend_wider_than_the_field_wraps() -> None:
    narrow = np.full((64, 80, 3), 200, np.uint8)
    wide = draw(picture(0), result([]), LABELS, ())
    assert draw(narrow, result([]), LABELS, ()).shape[0] > wide.shape[0]


def test_a_disk_that_fills_up_leaves_no_half_image(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def half(path: Path, data: bytes) -> int:
        with path.open("wb") as stream:
            stream.write(data[: len(data) // 2])
        raise OSError(28, "No space left on device")

    out = Annotated(tmp_path, LABELS, ())
    monkeypatch.setattr(Path, "write_bytes", half)
    with pytest.raises(OutputError, match="No space left"):
        out.field(events.kept())
    assert list(tmp_path.iterdir()) == []


def test_the_outline_of_the_lit_region_is_drawn() -> None:
    field = result([0])
    region = Region(np.array([[100, 20], [300, 20], [300, 60], [100, 60]], np.float32))
    plain, drawn = (draw(picture(1), one, LABELS, ("parasitized",)) for one in (field, replace(field, region=region)))
    changed = np.any(plain != drawn, axis=2)
    assert changed[20, 110:290].all()
    assert not changed[30:50, 110:290].any()
