"""What is in the book, as its user sees it again: edge samples, show, report, export, recount, book. Models are stand-ins here."""

from __future__ import annotations

import json
import os
import re
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from edge.cli.book_settings import bytes_of, default_book
from edge.errors import BookError
from tests.cli.resuming import edge, edge_run, killed, lines, outputs, paint
from tests.fakes import FakeSource

HOSTILE = "S\x1b[2J<img src=x onerror=alert(1)>\r\u202e"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Four pictures, one of which cannot be read."""
    place = paint(tmp_path / "f", 5, 6, 7, 4)
    (place / "2.png").write_bytes(b"no picture")
    return place


def change(statement: str, *values: object) -> None:
    """Edit the book by hand."""
    with closing(sqlite3.connect(default_book())) as book, book:
        book.execute(statement, values)


def test_exports_are_the_files_that_the_run_wrote(folder: Path, tmp_path: Path) -> None:
    got = edge_run(folder, "--sample-id", "S", *outputs(tmp_path / "run"), "--report", tmp_path / "run")
    assert got.exit_code == 3
    for kind, name in (("csv", "t.csv"), ("coco", "d.json"), ("jsonl", "e.jsonl")):
        assert edge("export", "S", "--to", kind, "-o", tmp_path / name).exit_code == 0
    assert (tmp_path / "t.csv").read_bytes() == (tmp_path / "run" / "t.csv").read_bytes()
    assert (tmp_path / "d.json").read_bytes() == (tmp_path / "run" / "d.json").read_bytes()
    assert (tmp_path / "e.jsonl").read_text() == got.stdout
    assert edge("report", "S", "-o", tmp_path / "out").exit_code == 0
    pages = [(tmp_path / place / "S.html").read_text() for place in ("run", "out")]
    then, now = (re.sub(r"20\d\d-\d\d-\d\d[T ][\d:]+( UTC|Z)", "", page) for page in pages)
    assert then == now


def test_show_prints_the_table_that_the_run_printed(folder: Path) -> None:
    got = edge_run(folder, "--sample-id", "S", "--scope", "scope-3")
    shown = edge("show", "S").stdout
    assert shown.startswith(got.stdout)
    assert "  count      1, complete, 20" in shown
    assert "  microscope scope-3" in shown
    facts = json.loads(edge("show", "S", "--json").stdout)
    assert (facts["event"], facts["cells"], facts["flag"]) == ("sample", 12, "uncalibrated")
    assert (facts["book"]["state"], facts["book"]["unreadable"]) == ("complete", 1)


def test_samples_are_listed_newest_first_and_since_a_day(folder: Path, tmp_path: Path) -> None:
    edge_run(folder, "--sample-id", "one")
    edge_run(paint(tmp_path / "g", 9), "--sample-id", "two")
    change(
        "UPDATE sample SET began = '1970-01-01T00:00:00.000Z', touched = '1970-01-01T00:00:01.000Z' WHERE name = 'two'"
    )
    head, *rows = edge("samples").stdout.splitlines()
    assert head.split() == ["sample", "fields", "cells", "flag", "when", "(UTC)"]
    assert [row.split()[0] for row in rows] == ["two", "one"]  # the clock changes no order
    assert [
        row["name"] for row in json.loads(edge("samples", "--since", "2000-01-01", "--json").stdout)["samples"]
    ] == ["one"]
    assert edge("samples", "--since", "soon").exit_code == 2


def test_a_sample_that_was_cut_off_is_shown_as_it_stands(folder: Path, tmp_path: Path) -> None:
    killed(2, folder, "--sample-id", "S", "--workers", "1")
    shown = edge("show", "S")
    assert shown.exit_code == 0
    assert "edge-run --resume goes on with it" in shown.stdout
    assert "interrupted" in shown.stdout
    assert "2 kept" in shown.stdout
    assert edge("report", "S", "-o", tmp_path / "out").exit_code == 0
    assert edge("export", "S", "--to", "csv", "-o", tmp_path / "t.csv").exit_code == 0
    assert len((tmp_path / "t.csv").read_text().splitlines()) == 3


NOT_THERE = {
    "no book": ("show", "S"),
    "no sample of that name": ("show", "S-0042", "--book"),
    "no such count": ("show", "S", "--count", "7", "--book"),
}


@pytest.mark.parametrize("name", NOT_THERE)
def test_what_is_not_there_is_one_line(name: str, folder: Path, tmp_path: Path) -> None:
    args: tuple[object, ...] = NOT_THERE[name]
    if "--book" in args:
        args = (*args, tmp_path / "b.sqlite")
        edge_run(folder, "--sample-id", "S", "--book", tmp_path / "b.sqlite")
    got = edge(*args)
    assert got.exit_code == BookError.exit_code
    assert len(got.stderr.splitlines()) == 1, got.stderr


def test_hostile_names_move_no_cursor_and_run_nothing(folder: Path, tmp_path: Path) -> None:
    edge_run(folder, "--sample-id", "S")
    change("UPDATE sample SET name = ?, event = replace(event, '\"S\"', ?)", HOSTILE, json.dumps(HOSTILE))
    for args in (["samples"], ["show", HOSTILE], ["samples", "--json"], ["show", HOSTILE, "--json"], ["show", "S\x1b"]):
        got = edge(*args)
        for text in (got.stdout, got.stderr):
            assert "\x1b" not in text
            assert "\r" not in text
    assert edge("report", HOSTILE, "-o", tmp_path / "out").exit_code == 0
    (page,) = (tmp_path / "out").iterdir()
    assert "<img src=x" not in page.read_text()


EDITED = {
    "a count of a field": "UPDATE cell SET class = 0 WHERE class = 1",
    "a reason": "UPDATE field SET reason = 'x' WHERE number = 0",
    "the settings": "UPDATE run SET about = '{}'",
    "the verdict": "UPDATE sample SET event = '[]'",
}


@pytest.mark.parametrize("name", EDITED)
def test_a_book_that_was_edited_by_hand_is_said_and_shows_no_wrong_number(
    name: str, folder: Path, tmp_path: Path
) -> None:
    edge_run(folder, "--sample-id", "S")
    change(EDITED[name])
    got = edge("export", "S", "--to", "csv", "-o", tmp_path / "t.csv")
    if name == "the verdict":
        got = edge("show", "S")
    assert got.exit_code == BookError.exit_code
    assert "edge book check" in got.stderr
    assert not (tmp_path / "t.csv").exists() or name == "the verdict"
    assert edge("book", "check").exit_code == BookError.exit_code


def test_book_check_compact_backup_and_merge(folder: Path, tmp_path: Path) -> None:
    edge_run(folder, "--sample-id", "S")
    assert edge("book", "check").stdout == "1 samples, 4 fields, 15 cells: sound\n"
    assert edge("book", "compact").exit_code == 0
    assert edge("book", "backup", tmp_path / "copy.sqlite").exit_code == 0
    assert edge("samples", "--book", tmp_path / "copy.sqlite").stdout == edge("samples").stdout
    edge_run(folder, "--sample-id", "T", "--book", tmp_path / "other.sqlite")
    assert edge("book", "merge", tmp_path / "other.sqlite").exit_code == 0
    assert edge("book", "merge", tmp_path / "other.sqlite").exit_code == 0
    assert [row["name"] for row in json.loads(edge("samples", "--json").stdout)["samples"]] == ["T", "S"]


def test_a_book_that_is_not_sound_is_repaired(folder: Path) -> None:
    edge_run(folder, "--sample-id", "S")
    change("UPDATE cell SET class = 0 WHERE class = 1 AND field_id = (SELECT min(field_id) FROM cell)")
    got = edge("book", "check", "--repair")
    assert got.exit_code == BookError.exit_code
    assert "not sound" in got.stdout
    assert edge("book", "check").exit_code == 0
    (row,) = json.loads(edge("samples", "--json").stdout)["samples"]
    assert (row["lost"], row["fields"]) == (1, 3)


def test_a_recount_is_a_second_count_of_the_same_files(folder: Path) -> None:
    edge_run(folder, "--sample-id", "S", "--max-fields", "4")
    (folder / "1.png").write_bytes((folder / "0.png").read_bytes())
    (folder / "3.png").unlink()
    got = edge("recount", "S", "--json")
    assert got.exit_code == 3
    fields = lines(got.stdout)[:-1]
    assert [(one["name"], one["kept"]) for one in fields] == [
        ("0.png", True), ("1.png", False), ("2.png", False), ("3.png", False),
    ]  # fmt: skip
    assert "1.png: changed since it was counted" in fields[1]["reject_reason"]
    assert "3.png: not there any more" in fields[3]["reject_reason"]
    counts = json.loads(edge("samples", "--json").stdout)["samples"]
    assert [(one["count"], one["cells"]) for one in counts] == [(2, 4), (1, 12)]


def camera(*contents: int) -> FakeSource:
    return FakeSource(list(contents))


KEEP = {
    "none": [],
    "suspects": [0, 2],  # the fake classifier calls a cell of every field that holds two things or more
    "kept": [0, 1, 2],
    "all": [0, 1, 2],
}


@pytest.mark.parametrize("keep", KEEP)
def test_pictures_of_fields_that_no_file_holds_are_kept_beside_the_book(keep: str) -> None:
    edge_run("--camera", "--keep", keep, source=camera(5, 1, 6))
    place = default_book().with_suffix(".pictures")
    there = sorted(int(re.findall(r"-(\d+)\.png", file.name)[0]) for file in place.iterdir()) if place.exists() else []
    assert there == KEEP[keep]
    assert json.loads(edge("show", "s", "--json").stdout)["book"]["pictures"] == len(there)


def test_kept_pictures_can_be_recounted_and_files_are_never_copied(folder: Path) -> None:
    edge_run("--camera", "--keep", "suspects", source=camera(5, 1, 6))
    got = edge("recount", "s", "--json")
    assert [(one["kept"], one["cells"]) for one in lines(got.stdout)[:-1]] == [(True, 4), (False, 0), (True, 5)]
    assert "no picture of it was kept" in got.stdout
    edge_run(folder, "--keep", "all")
    assert len(list(default_book().with_suffix(".pictures").iterdir())) == 2


def test_the_oldest_pictures_without_suspects_leave_first_then_the_oldest() -> None:
    room = "1500"  # three pictures of 480 bytes
    edge_run("--camera", "--keep", "kept", "--keep-limit", room, source=camera(5, 1, 1, 4, 3, 1, 2))
    place = default_book().with_suffix(".pictures")
    there = sorted(int(re.findall(r"-(\d+)\.png", file.name)[0]) for file in place.iterdir())
    assert there == [3, 4, 6]
    assert json.loads(edge("show", "s", "--json").stdout)["book"]["pictures"] == 3


def test_a_run_stops_before_the_disk_is_full(monkeypatch: pytest.MonkeyPatch) -> None:
    free = iter([10**9, 10**9, 10**6, 10**6])

    class Disk:
        f_frsize = 1

        @property
        def f_bavail(self) -> int:
            return next(free, 10**6)

    monkeypatch.setattr(os, "statvfs", lambda _: Disk())
    got = edge_run("--camera", "--keep", "none", source=camera(5, 5, 5, 5))
    assert got.exit_code == 7
    assert "1 MB are free: stopped before the disk is full, nothing counted is lost" in got.stderr
    assert "2 kept" in got.stdout
    (row,) = json.loads(edge("samples", "--json").stdout)["samples"]
    assert (row["fields"], row["state"]) == (2, "interrupted")


@pytest.mark.parametrize(("text", "size"), [("0", 0), ("500M", 5 * 10**8), ("2G", 2 * 10**9), ("2 gb", 2 * 10**9)])
def test_room_in_bytes(text: str, size: int) -> None:
    assert bytes_of(text) == size


@pytest.mark.parametrize("text", ["", "-1", "2X", "1.5G", "much"])
def test_what_is_no_number_of_bytes_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="give bytes"):
        bytes_of(text)


def test_without_a_home_a_book_must_be_named(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", "")
    monkeypatch.setattr(Path, "expanduser", lambda _: exec("raise RuntimeError"))  # noqa: S102 - what pathlib does
    got = edge_run("--camera", source=camera(5))
    assert got.exit_code == 7
    assert "give --book FILE" in got.stderr


def test_the_usual_book_is_where_programs_keep_their_data(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", "/data")
    assert default_book() == Path("/data/edge/book.sqlite")
    for other in ("", "relative"):
        monkeypatch.setenv("XDG_DATA_HOME", other)
        monkeypatch.setenv("HOME", "/home/me")
        assert default_book() == Path("/home/me/.local/share/edge/book.sqlite")
