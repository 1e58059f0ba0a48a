"""Real fields counted by edge-run are reviewed: the cell that is shown is the cell that was counted, also when the files are gone."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from typer.testing import CliRunner

from edge.cli import edge_app, edge_run_app
from edge.review.desk import BookDesk
from edge.review.records import ReaderAnswer, ReaderDecision, ReviewPicture, Stratum
from edge.sources.decode import decode_image
from edge.types import UInt8Array
from models.data.fields import data_dir
from tests.book.answers import AT, uuid_of

FIELDS = 4  # of the set
SIDE, AROUND = 240, 4.0  # of what is shown

pytestmark = [
    pytest.mark.real,
    pytest.mark.skipif(
        not (data_dir() / "iml_fields").is_dir(), reason="the real images are not beside this repository"
    ),
]


@pytest.fixture(scope="module")
def counted(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A folder of copies, which may be removed, and the book they were counted into."""
    folder = tmp_path_factory.mktemp("fields")
    for image in sorted((data_dir() / "iml_fields" / "images").iterdir())[:FIELDS]:
        (folder / image.name).write_bytes(image.read_bytes())
    book = tmp_path_factory.mktemp("book") / "book.sqlite"
    got = CliRunner().invoke(edge_run_app(), [str(folder), "--sample-id", "S", "--book", str(book)])
    assert got.exit_code == 0, got.stderr
    return folder, book


def inside(shown: ReviewPicture) -> UInt8Array:
    """The pixels of the box in what is shown."""
    assert shown.box is not None
    pixels = cv2.imdecode(np.frombuffer(shown.jpeg, np.uint8), cv2.IMREAD_COLOR)
    assert pixels is not None
    x, y, w, h = (round(one) for one in shown.box)
    return np.asarray(pixels[y : y + h, x : x + w, ::-1], np.uint8)


def test_what_is_shown_is_the_cell_and_where_files_are_gone_its_kept_picture(counted: tuple[Path, Path]) -> None:
    folder, path = counted
    plan = BookDesk(path).plan(1)
    desk = BookDesk(path)
    cells = [one for part in plan.parts for one in part.cells[:10]]
    assert len(cells) > 20
    colours = []
    for one in cells:
        shown = desk.cell_picture(1, one.cell, SIDE, AROUND)
        assert shown is not None
        x, y, w, h = one.box
        height, width = decode_image(folder / one.name).shape[:2]
        if x < 0 or y < 0 or x + w > width or y + h > height:
            continue
        field = decode_image(folder / one.name)[y : y + h, x : x + w]
        assert np.abs(inside(shown).mean(axis=(0, 1)) - field.mean(axis=(0, 1))).max() < 6
        colours.append((one.cell, field.mean(axis=(0, 1))))
    for image in folder.iterdir():
        image.unlink()
    gone = BookDesk(path)
    assert gone.field_picture(1, cells[0].cell.field, 500) is None
    kept = [(colour, shown) for cell, colour in colours if (shown := gone.cell_picture(1, cell, SIDE, AROUND))]
    assert len(kept) == len(colours), "the cells that are looked at first keep a picture"
    for colour, shown in kept:
        assert np.abs(inside(shown).mean(axis=(0, 1)) - colour).max() < 8


def test_answers_change_what_is_said_of_the_sample(counted: tuple[Path, Path]) -> None:
    _, path = counted
    desk = BookDesk(path)
    plan = desk.plan(1)
    top = plan.parts[0].cells
    desk.decide(
        1,
        tuple(
            ReaderDecision(
                *(uuid_of(one.cell), one.cell, "Ada", AT, plan.model, ReaderAnswer.NO_CELL), stratum=Stratum.TOP
            )
            for one in top
        ),
    )
    state = desk.state(1)
    assert (state.verdict.confirmed, state.verdict.looked) == (0, len(top))
    shown = CliRunner().invoke(edge_app(), ["show", "S", "--book", str(path)])
    assert shown.exit_code == 0
    assert f"0 confirmed, {len(top)} looked at" in shown.stdout
    assert CliRunner().invoke(edge_app(), ["book", "check", "--book", str(path)]).exit_code == 0
