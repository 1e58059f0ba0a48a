from __future__ import annotations

import csv
import os
from pathlib import Path

import pytest

from edge.errors import OutputError
from edge.outputs.csv import FieldTable
from tests.fakes import LABELS, result
from tests.outputs import events


def test_every_field_has_one_row_also_when_it_does_not_count(tmp_path: Path) -> None:
    path = tmp_path / "out.csv"
    table = FieldTable(path, LABELS)
    for event in (events.kept(), events.rejected(), events.unreadable()):
        table.field(event)
    table.sample(events.sample())
    table.close()
    with path.open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert [(r["field"], r["kept"], r["reject_reason"]) for r in rows] == [
        ("0", "1", ""),
        ("1", "0", "out of focus"),
        ("2", "0", "unreadable: field-2.png: not an image"),
    ]
    assert [(r["cells"], r["count_uninfected"], r["count_parasitized"], r["set_aside"]) for r in rows] == [
        ("2", "1", "1", "2"),
        ("2", "2", "0", "0"),
        ("0", "0", "0", "0"),
    ]
    assert [r["decode_ms"] for r in rows] == ["1.23", "1.23", ""]
    assert None not in rows[2]


def test_the_file_appears_when_it_is_complete_and_an_earlier_one_stays_until_then(tmp_path: Path) -> None:
    path = tmp_path / "out.csv"
    path.write_text("earlier\n")
    table = FieldTable(path, LABELS)
    table.field(events.kept())
    assert path.read_text() == "earlier\n"
    table.close()
    assert len(path.read_text().splitlines()) == 2
    assert [file.name for file in tmp_path.iterdir()] == ["out.csv"]


def test_a_failed_run_leaves_no_file(tmp_path: Path) -> None:
    table = FieldTable(tmp_path / "out.csv", LABELS)
    table.field(events.kept())
    table.discard()
    assert not list(tmp_path.iterdir())


def test_a_name_keeps_its_bytes(tmp_path: Path) -> None:
    table = FieldTable(tmp_path / "out.csv", LABELS)
    table.field(events.field(result([0]), name=b'f\xff,".png'.decode("utf-8", "surrogateescape")))
    table.close()
    assert b'"f\xff,"".png"' in (tmp_path / "out.csv").read_bytes()


@pytest.mark.parametrize("path", ["missing/out.csv", "."])
def test_what_cannot_be_written_is_said_at_once(tmp_path: Path, path: str) -> None:
    with pytest.raises(OutputError, match="cannot be written"):
        FieldTable(tmp_path / path, LABELS)


def test_a_disk_that_fills_up_is_one_known_error_and_no_second_one(tmp_path: Path) -> None:
    table = FieldTable(tmp_path / "out.csv", LABELS)
    full = os.open("/dev/full", os.O_WRONLY)
    os.dup2(full, table._file.stream.fileno())
    os.close(full)
    with pytest.raises(OutputError, match="No space left"):
        table.field(events.kept())
    table.discard()


def test_the_fields_that_a_field_overlaps_are_named_in_words(tmp_path: Path) -> None:
    table = FieldTable(tmp_path / "out.csv", LABELS)
    for event in (events.kept(), events.overlapping(), events.unreadable()):
        table.field(event)
    table.close()
    with (tmp_path / "out.csv").open(newline="") as stream:
        told = [row["overlaps"] for row in csv.DictReader(stream)]
    assert told == ["", "overlaps field 12: 71 cells counted there; overlaps field 11: 1 cell counted there", ""]
