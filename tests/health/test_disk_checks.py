"""Room, permissions and book, on real folders and files."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest

from edge.book.opening import open_book
from edge.book.schema import APPLICATION_ID
from edge.health.disk import BookCheck, DataFolder, FreeSpace
from edge.health.records import CheckResult, Health
from tests.book.made import a_book, begun, mixed, write

OK, WARNING, FAILED, UNKNOWN, NOT_APPLICABLE = Health
needs_a_user = pytest.mark.skipif(os.geteuid() == 0, reason="root may do anything")


@pytest.mark.parametrize(
    ("free_mb", "files", "health"),
    [(5000, 10**6, OK), (999, 10**6, WARNING), (127, 10**6, FAILED), (0, 10**6, FAILED), (5000, 999, FAILED)],
    ids=["enough", "little", "nearly none", "full", "no more files"],
)
def test_room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, free_mb: int, files: int, health: Health) -> None:
    made = SimpleNamespace(f_bavail=free_mb * 1000, f_frsize=1000, f_blocks=10**7, f_files=2 * 10**6, f_favail=files)
    monkeypatch.setattr("edge.health.disk.os.statvfs", lambda _: made)
    found = FreeSpace(tmp_path).run()
    assert found.health is health
    assert bool(found.remedy) is (health is not OK)


def test_a_file_system_that_counts_no_files_is_judged_by_bytes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = SimpleNamespace(f_bavail=10**7, f_frsize=1000, f_blocks=10**7, f_files=0, f_favail=0)
    monkeypatch.setattr("edge.health.disk.os.statvfs", lambda _: made)
    assert FreeSpace(tmp_path).run().health is OK


def test_room_is_measured_where_the_folder_will_be(tmp_path: Path) -> None:
    assert FreeSpace(tmp_path / "not" / "yet").run().facts["total_bytes"]


def test_a_folder_that_can_be_written_is_left_as_it_was(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    assert DataFolder(tmp_path).run().health is OK
    assert list(tmp_path.iterdir()) == []


def test_a_folder_open_to_all_is_warned_of(tmp_path: Path) -> None:
    tmp_path.chmod(0o777)
    found = DataFolder(tmp_path).run()
    assert (found.health, found.remedy) == (WARNING, f"chmod o-w {tmp_path}")


def test_a_folder_to_come_and_a_file_in_its_place(tmp_path: Path) -> None:
    assert DataFolder(tmp_path / "a" / "b").run().health is OK
    (tmp_path / "file").touch()
    assert DataFolder(tmp_path / "file").run().health is FAILED


@pytest.mark.parametrize(
    ("error", "health"),
    [(PermissionError(13, "Permission denied"), UNKNOWN), (OSError(30, "Read-only file system"), FAILED)],
)
def test_a_folder_that_cannot_be_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: OSError, health: Health
) -> None:
    def refuse(**_: object) -> None:
        raise error

    monkeypatch.setattr("edge.health.disk.tempfile.NamedTemporaryFile", refuse)
    found = DataFolder(tmp_path).run()
    assert found.health is health
    assert found.remedy


@needs_a_user
def test_what_is_closed_to_us_is_unknown_not_healthy(tmp_path: Path) -> None:
    (tmp_path / "shut").mkdir()
    book = tmp_path / "shut" / "book.sqlite"
    open_book(book, lambda _: None).close()
    (tmp_path / "shut").chmod(0)
    assert BookCheck(book).run().health is UNKNOWN
    (tmp_path / "shut").chmod(0o700)


def made_book(path: Path) -> Path:
    open_book(path, lambda _: None).close()
    return path


def damaged(path: Path) -> None:
    made_book(path)
    data = bytearray(path.read_bytes())
    page = 4096
    data[page : page + 64] = b"\xff" * 64
    path.write_bytes(data)


def zeros(path: Path) -> None:
    path.write_bytes(bytes(8192))


def cut_short(path: Path) -> None:
    made_book(path)
    path.write_bytes(path.read_bytes()[:6000])


def loose_rows(path: Path) -> None:
    made_book(path)
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA foreign_keys = OFF")
    connection.execute(
        "INSERT INTO sample (uuid, run_id, name, count, state, began, touched) VALUES ('u', 7, 's', 1, 'complete', '', '')"
    )
    connection.commit()
    connection.close()


def another_program_s(path: Path) -> None:
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE notes (text TEXT)")
    connection.close()


def newer(path: Path) -> None:
    connection = sqlite3.connect(path)
    connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
    connection.execute("PRAGMA user_version = 9999")
    connection.execute("CREATE TABLE future (text TEXT)")
    connection.close()


@pytest.mark.parametrize(
    ("make", "health", "said"),
    [
        (made_book, OK, "is whole"),
        (lambda path: path.touch(), OK, "empty"),
        (lambda _: None, NOT_APPLICABLE, "none yet"),
        (damaged, FAILED, "is damaged"),
        (zeros, FAILED, "is damaged"),
        (cut_short, FAILED, "is damaged"),
        (loose_rows, FAILED, "rows without"),
        (another_program_s, FAILED, "no book of this program"),
        (newer, FAILED, "newer version"),
        (lambda path: path.write_text("a" * 200), FAILED, "no book of this program"),
        (lambda path: path.mkdir(), FAILED, "not a file"),
    ],
    ids=[
        *("whole", "of 0 bytes", "none", "damaged", "zeros", "cut short", "loose rows", "another program's", "newer"),
        *("no database", "a folder"),
    ],
)
def test_books(tmp_path: Path, make: Callable[[Path], object], health: Health, said: str) -> None:
    book = tmp_path / "book.sqlite"
    make(book)
    found = BookCheck(book).run()
    assert (found.health, said in found.says) == (health, True), found


def test_looking_at_a_book_changes_nothing_in_it(tmp_path: Path) -> None:
    book = tmp_path / "book.sqlite"
    damaged(book)
    before = book.read_bytes()
    assert BookCheck(book).run().health is FAILED
    assert book.read_bytes() == before


def test_what_it_holds_is_counted(tmp_path: Path) -> None:
    with a_book(tmp_path / "book.sqlite") as made:
        write(begun(made), mixed(12))
        write(begun(made), mixed(5, "t"), interrupted=True)
        cells = sum(row.cells for row in made.samples())
    facts = BookCheck(tmp_path / "book.sqlite").run().facts
    assert (facts["samples"], facts["interrupted"], facts["fields"], facts["cells"]) == (2, 1, 17, cells)
    assert cells > 0


def test_a_book_that_a_run_is_writing_can_be_looked_at(tmp_path: Path) -> None:
    with open_book(tmp_path / "book.sqlite", lambda _: None):
        assert BookCheck(tmp_path / "book.sqlite").run().health is OK


def locked_by_another(path: Path) -> CheckResult:
    made_book(path)
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA journal_mode = DELETE")
    connection.execute("BEGIN EXCLUSIVE")
    try:
        return BookCheck(path).run()
    finally:
        connection.close()


def test_a_book_that_is_locked_is_unknown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("edge.book.file.BUSY_SECONDS", 0.05)
    found = locked_by_another(tmp_path / "book.sqlite")
    assert (found.health, "locked" in found.says) == (UNKNOWN, True)
