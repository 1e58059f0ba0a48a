"""``edge export --to PROGRAM``: a sample in the book as other programs get it."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from uuid import NAMESPACE_URL, uuid5

import cv2
import pytest

from edge.book.opening import open_book
from edge.cli.book_settings import default_book
from edge.cli.exchanged import ExchangeWish, sample_of
from edge.cli.export import ExportKind
from edge.exchange.formats import FORMATS
from edge.exchange.records import ExchangeField, ExchangeSample
from edge.review.desk import BookDesk
from edge.review.records import CellPlace, ReaderAddition, ReaderAnswer, ReaderDecision
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


def answer(cell: str, reader: str, said: ReaderAnswer, label: str = "", stage: str = "") -> ReaderDecision:
    with open_book(default_book(), print, make=False) as book:
        model = book.about(book.sample("S").run).model.sha256
    uuid = str(uuid5(NAMESPACE_URL, f"{reader}-{cell}"))
    return ReaderDecision(uuid, CellPlace.parse(cell), reader, "2026-11-30T04:00:00Z", model, said, label, stage)


def test_what_readers_say_goes_out_and_the_machine_s_class_beside_it(folder: Path, tmp_path: Path) -> None:
    is_, no_cell, unsure = ReaderAnswer.CLASS, ReaderAnswer.NO_CELL, ReaderAnswer.UNSURE
    given = (
        answer("0-0", "ada", is_, "uninfected"),
        answer("0-1", "ada", is_, "parasitized", "ring"),
        answer("0-1", "bo", is_, "parasitized", "ring"),
        answer("0-2", "ada", no_cell),
        answer("1-0", "ada", unsure),
        answer("1-1", "ada", is_, "parasitized"),
        answer("1-1", "bo", is_, "uninfected"),
    )
    with open_book(default_book(), print, make=False) as book:
        sample = book.sample("S").id
    desk = BookDesk(default_book())
    desk.decide(sample, given)
    uuid, ada = str(uuid5(NAMESPACE_URL, "mark")), given[0]
    box = (200, 10, 9, 8)
    desk.add(sample, (ReaderAddition(uuid, 1, box, ada.reader, ada.at, ada.model, "parasitized", "ring"),))
    assert edge("export", "S", "--to", "cvat", "-o", tmp_path / "c.zip").exit_code == 0
    with zipfile.ZipFile(tmp_path / "c.zip") as archive:
        told = json.loads(archive.read("annotations/instances_default.json"))
    names = {one["id"]: one["name"] for one in told["categories"]}
    out = {
        one["attributes"].get("cell", ""): (names[one["category_id"]], one["attributes"]) for one in told["annotations"]
    }
    machine = {
        "0-0": "parasitized",
        "0-1": "uninfected",
        "0-2": "uninfected",
        "1-0": "parasitized",
        "1-1": "uninfected",
    }
    assert {cell: out[cell][1]["machine"] for cell in machine} == machine
    assert {cell: (out[cell][0], out[cell][1].get("stage"), out[cell][1]["reviewed"]) for cell in machine} == {
        "0-0": ("uninfected", None, "uninfected"),
        "0-1": ("parasitized", "ring", "parasitized"),
        "0-2": ("no cell", None, "no cell"),
        "1-0": ("parasitized", None, "unsure"),
        "1-1": ("uninfected", None, "unsure"),
    }
    assert out[""][0] == "parasitized"
    assert "machine" not in out[""][1]
