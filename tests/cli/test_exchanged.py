"""``edge export --to PROGRAM``: a sample in the book as other programs get it."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import pytest

from edge.book.opening import open_book
from edge.cli.book_settings import default_book
from edge.cli.exchanged import ExchangeWish, sample_of
from edge.cli.export import ExportKind
from edge.exchange.formats import FORMATS
from edge.exchange.records import ExchangeField, ExchangeSample
from edge.review.records import CellPlace
from tests.cli.resuming import edge, edge_run, paint


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Four pictures, one of which cannot be read, counted as sample S."""
    place = paint(tmp_path / "f", 5, 6, 7, 4)
    (place / "2.png").write_bytes(b"no picture")
    edge_run(place, "--sample-id", "S")
    return place


def told(wish: ExchangeWish) -> tuple[ExchangeSample, list[ExchangeField]]:
    with open_book(default_book(), print, make=False) as book:
        sample, fields = sample_of(book, book.sample("S"), wish)
        return sample, list(fields)


def test_every_program_of_the_registry_can_be_named_on_the_command_line() -> None:
    assert {str(kind) for kind in ExportKind} == {kind for kind, one in FORMATS.items() if one.write} | {"jsonl"}


def test_boxes_are_those_of_the_run(folder: Path, tmp_path: Path) -> None:
    for kind in (
        kind
        for kind, one in FORMATS.items()
        if one.write and one.read and kind not in ("csv", "coco", "ecotaxa", "label-studio")
    ):
        got = edge("export", "S", "--to", kind, "-o", tmp_path / kind)
        assert (got.exit_code, got.stderr) == (0, ""), kind
        edge("export", "S", "--to", "coco", "-o", tmp_path / "d.json")
        own = json.loads((tmp_path / "d.json").read_text())
        read = FORMATS[kind].read
        assert read is not None
        back = {cell.cell: (cell.box, cell.label) for field in read(tmp_path / kind).fields for cell in field.cells}
        names = {one["id"]: one["name"] for one in own["categories"]}
        assert back == {one["cell"]: (tuple(one["bbox"]), names[one["category_id"]]) for one in own["annotations"]}


def test_fields_whose_picture_is_gone_are_counted_out(folder: Path, tmp_path: Path) -> None:
    (folder / "0.png").unlink()
    got = edge("export", "S", "--to", "cvat", "-o", tmp_path / "c.zip")
    assert got.exit_code == 0
    assert "1 of 3 fields have no picture any more: cvat got their boxes alone" in got.stderr


def test_pixels_are_the_original_ones(folder: Path) -> None:
    with open_book(default_book(), print, make=False) as book:
        _, fields = sample_of(book, book.sample("S"))
        rgb = next(fields).pixels()
    assert rgb is not None
    assert (rgb[..., ::-1] == cv2.imread(str(folder / "0.png"))).all()


def test_without_names_nothing_says_whose_sample_it_is(folder: Path) -> None:
    sample, fields = told(ExchangeWish(names=False))
    assert (sample.name, sample.scope) == ("sample", "")
    assert [(f.name, f.at) for f in fields] == [("field-0000", ""), ("field-0001", ""), ("field-0003", "")]


def test_only_cells_that_were_asked_for_go_out(folder: Path) -> None:
    _, fields = told(ExchangeWish(only={CellPlace(1, 2)}, reviewed={CellPlace(1, 2): ("no cell", "")}, um_per_px=0.25))
    (only,) = fields
    assert [(c.cell, c.reviewed) for c in only.cells] == [("1-2", "no cell")]
    assert only.um_per_pixel == 0.25
