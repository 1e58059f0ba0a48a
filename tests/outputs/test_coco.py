from __future__ import annotations

import json
from pathlib import Path

import pytest

from edge.errors import OutputError
from edge.outputs.coco import Coco
from tests.fakes import LABELS, result
from tests.outputs import events


def coco(path: Path) -> Coco:
    return Coco(path, LABELS, events.MODEL)


def test_it_holds_every_cell_of_every_kept_field(tmp_path: Path) -> None:
    out = coco(tmp_path / "out.json")
    for event in (events.kept(), events.rejected(), events.unreadable()):
        out.field(event)
    out.field(events.field(result([1], index=3, name="field-3.png"), index=3, name="field-3.png"))
    out.close()
    got = json.loads((tmp_path / "out.json").read_text())
    assert [(i["id"], i["file_name"], i["width"], i["height"]) for i in got["images"]] == [
        (0, "field-0.png", 320, 64),
        (3, "field-3.png", 320, 64),
    ]
    assert [(c["id"], c["name"]) for c in got["categories"]] == [
        (1, "uninfected"),
        (2, "parasitized"),
        (3, "not-red-cell"),
        (4, "not-whole"),
    ]
    assert [a["category_id"] for a in got["annotations"]] == [1, 2, 3, 4, 2]
    assert [a["id"] for a in got["annotations"]] == [1, 2, 3, 4, 5]
    assert [a["cell"] for a in got["annotations"]] == ["0-0", "0-1", "0-2", "0-3", "3-0"]


def test_score_is_the_categorys_and_scores_are_in_category_order(tmp_path: Path) -> None:
    out = coco(tmp_path / "out.json")
    out.field(events.kept())
    out.close()
    first, second, aside, _ = json.loads((tmp_path / "out.json").read_text())["annotations"]
    assert (first["score"], first["scores"]) == (0.75, [0.75, 0.25])
    assert (second["score"], second["scores"]) == (0.75, [0.25, 0.75])
    assert (aside["score"], aside["scores"]) == (0.9, [0, 0])
    assert first["bbox"] == [10, 10, 20, 20]


def test_a_run_without_cells_is_valid_too(tmp_path: Path) -> None:
    out = coco(tmp_path / "out.json")
    out.field(events.field(result([])))
    out.close()
    got = json.loads((tmp_path / "out.json").read_text())
    assert got["annotations"] == []
    assert len(got["images"]) == 1


def test_the_file_appears_only_when_it_is_complete(tmp_path: Path) -> None:
    path = tmp_path / "out.json"
    path.write_text("of an earlier run")
    out = coco(path)
    out.field(events.kept())
    assert path.read_text() == "of an earlier run"
    out.discard()
    assert path.read_text() == "of an earlier run"
    assert [p.name for p in tmp_path.iterdir()] == ["out.json"]


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    (tmp_path / "link.json").symlink_to(tmp_path / "real.json")
    out = coco(tmp_path / "link.json")
    out.close()
    assert (tmp_path / "link.json").is_symlink()
    assert json.loads((tmp_path / "real.json").read_text())["images"] == []


@pytest.mark.parametrize("path", ["missing/out.json", "."])
def test_what_cannot_be_written_is_said_at_once(tmp_path: Path, path: str) -> None:
    with pytest.raises(OutputError, match="cannot be written"):
        coco(tmp_path / path)


def test_a_device_is_never_replaced() -> None:
    with pytest.raises(OutputError, match="not a regular file"):
        coco(Path("/dev/null"))
