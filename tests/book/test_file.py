"""The file: what is no book, where it lies, who else is at it, and what happens when it cannot be written."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from edge.book import file
from edge.book.file import connect, file_system
from edge.book.opening import open_book
from edge.book.schema import VERSION
from edge.book.writer import BookWriter
from edge.errors import BookError, OutputError
from edge.events import FieldEvent
from tests.book.made import Counting, a_book, begun, mixed, silent, write


def other_program(path: Path) -> None:
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE cell (a)")
    connection.close()


def newer(path: Path) -> None:
    a_book(path).close()
    connection = sqlite3.connect(path)
    connection.execute(f"PRAGMA user_version = {VERSION + 1}")
    connection.close()


REFUSED: dict[str, tuple[Callable[[Path], object], str]] = {
    "another program's database": (other_program, "no book of this program: it is left as it is"),
    "a text": (lambda path: path.write_text("cells: 12\n" * 20), "no book of this program: it is left as it is"),
    "a picture": (lambda path: path.write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(200)), "no book of this program"),
    "a folder": (lambda path: path.mkdir(), "not a file"),
    "a newer version": (
        newer,
        rf"written by a newer version \(tables {VERSION + 1}, this one knows {VERSION}\).*Update",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_no_book_is_refused_and_left_as_it_is(case: str, tmp_path: Path) -> None:
    path = tmp_path / "book.sqlite"
    make, words = REFUSED[case]
    make(path)
    before = path.read_bytes() if path.is_file() else None
    with pytest.raises(BookError, match=words):
        open_book(path, silent)
    assert before is None or path.read_bytes() == before


@pytest.mark.parametrize("start", ["missing", "missing folders", "0 bytes", "a database without tables"])
def test_a_book_is_made_where_there_is_none(start: str, tmp_path: Path) -> None:
    path = tmp_path / ("a/b/book.sqlite" if start == "missing folders" else "book.sqlite")
    if start == "0 bytes":
        path.touch()
    if start == "a database without tables":  # a power cut came while it was made
        connection = connect_made(path)
        connection.execute("PRAGMA journal_mode = WAL")
        connection.close()
    with a_book(path) as book:
        write(begun(book), mixed(5))
    assert path.read_bytes()[:15] == b"SQLite format 3"
    assert sorted(one.name for one in path.parent.iterdir()) == ["book.sqlite"]


def connect_made(path: Path) -> sqlite3.Connection:
    path.touch()
    return connect(path)


def test_a_view_makes_no_book(tmp_path: Path) -> None:
    with pytest.raises(BookError, match="there is no book: nothing was counted into it yet"):
        open_book(tmp_path / "book.sqlite", silent, make=False)
    assert list(tmp_path.iterdir()) == []


def test_commits_reach_the_medium(tmp_path: Path) -> None:
    with a_book(tmp_path / "book.sqlite") as book:
        pragma = {
            name: book.store.rows(f"PRAGMA {name}")[0][0] for name in ("journal_mode", "synchronous", "foreign_keys")
        }
    assert pragma == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1}


@pytest.mark.parametrize("system", ["vfat", "nfs4", "cifs"])
def test_where_the_log_does_not_work_another_journal_is_used_and_that_is_said_once(
    system: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[str] = []
    monkeypatch.setattr(file, "file_system", lambda path: system)
    for _ in range(2):
        with open_book(tmp_path / "book.sqlite", said.append) as book:
            write(begun(book), mixed(5))
            assert book.store.rows("PRAGMA journal_mode")[0][0] == "truncate"
            assert book.store.rows("PRAGMA synchronous")[0][0] == 2
    assert len(said) == 1
    assert f"on {system} the write-ahead log does not work" in said[0]


def test_a_book_with_a_log_that_was_moved_to_a_network_changes_its_journal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "book.sqlite"
    with a_book(path) as book:
        write(begun(book), mixed(5))
    monkeypatch.setattr(file, "file_system", lambda path: "nfs")
    with a_book(path) as book:
        assert book.store.rows("PRAGMA journal_mode")[0][0] == "truncate"
        assert len(list(book.outcomes(1))) == 5


def test_file_systems_are_known_by_where_they_are_mounted(tmp_path: Path) -> None:
    mounts = tmp_path / "mountinfo"
    mounts.write_text(
        "22 1 179:2 / / rw,noatime shared:1 - ext4 /dev/root rw\n"
        f"40 22 8:1 / {tmp_path}/usb\\040stick rw shared:7 - vfat /dev/sda1 rw\n"
        f"41 22 0:44 / {tmp_path}/net rw - nfs4 server:/x rw\n"
    )
    for name, expected in {"usb stick/book": "vfat", "net/a/b": "nfs4", "network/book": "ext4", "book": "ext4"}.items():
        assert file_system(tmp_path / name, mounts) == expected
    assert file_system(tmp_path, tmp_path / "missing") is None
    mounts.write_text("nonsense\n")
    assert file_system(tmp_path, mounts) is None


CHILD = """
import sys
from pathlib import Path
from tests.book.made import a_book, begun, mixed, write
book = a_book(Path(sys.argv[1]))
write(begun(book), mixed(5), end=False)
print("counting", flush=True)
sys.stdin.read()
"""


def test_a_run_that_was_killed_leaves_an_interrupted_sample_and_one_that_lives_does_not(tmp_path: Path) -> None:
    path = tmp_path / "book.sqlite"
    child = subprocess.Popen(
        [sys.executable, "-c", CHILD, path], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert child.stdin is not None
    assert child.stdout is not None
    assert child.stdout.readline() == "counting\n"
    with a_book(path) as book:
        assert book.sample("s").state == "counting"
        write(begun(book), mixed(6, "other"))
    os.kill(child.pid, signal.SIGKILL)
    child.wait()
    child.stdin.close()
    child.stdout.close()
    with a_book(path) as book:
        assert (book.sample("s").state, book.sample("s").fields) == ("interrupted", 5)
        assert [note.kind for note in book.notes(book.sample("s").id)] == ["interrupted"]
        assert book.sample("other").state == "complete"
    assert [one.name for one in tmp_path.iterdir()] == ["book.sqlite"]


def test_two_runs_into_one_book_at_once(tmp_path: Path) -> None:
    path = tmp_path / "book.sqlite"
    with a_book(path) as one, a_book(path) as two:
        writers = [begun(one), begun(two)]
        countings = [Counting("a"), Counting("a")]
        for outcome in mixed(6, "a"):
            for writer, counting in zip(writers, countings, strict=True):
                writer.field(counting.event(outcome))
        assert [(row.state, row.count) for row in a_book(path).samples()] == [("counting", 2), ("counting", 1)]
        for writer, counting in zip(writers, countings, strict=True):
            writer.sample(counting.end())
            writer.close()
        assert [row.fields for row in one.samples() if row.state == "complete"] == [6, 6]


def locked(path: Path, _: sqlite3.Connection) -> None:
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    _OPEN.append(other)


def replaced(path: Path, _: sqlite3.Connection) -> None:
    path.unlink()
    path.touch()


_OPEN: list[sqlite3.Connection] = []

TROUBLE: dict[str, tuple[Callable[[Path, sqlite3.Connection], object], str]] = {
    "a full disk": (lambda _, c: c.execute("PRAGMA max_page_count = 1"), "the disk is full: make room"),
    "a read-only disk": (lambda _, c: c.execute("PRAGMA query_only = ON"), "it is read-only"),
    "another program at it": (locked, "another program has kept it locked for 0.1 s"),
    "moved away": (lambda path, _: path.rename(path.with_name("gone")), "moved or deleted while it was written"),
    "deleted": (lambda path, _: path.unlink(), "moved or deleted while it was written"),
    "another file in its place": (
        replaced,
        "moved or deleted while it was written",
    ),
}


def write_all(writer: BookWriter, events: list[FieldEvent]) -> None:
    for event in events:
        writer.field(event)


@pytest.mark.parametrize("case", TROUBLE)
def test_trouble_with_the_file_is_one_clear_line_and_what_was_counted_stays(
    case: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(file, "BUSY_SECONDS", 0.1)
    path = tmp_path / "book.sqlite"
    book = a_book(path)
    writer = begun(book)
    counting = Counting()
    fields = mixed(9)
    for outcome in fields[:5]:
        writer.field(counting.event(outcome))
    cause, words = TROUBLE[case]
    cause(path, book.store.connection)
    with pytest.raises(OutputError, match=words) as caught:
        write_all(writer, [counting.event(outcome) for outcome in fields[5:]])
    assert str(caught.value).startswith(str(path))
    assert "\n" not in str(caught.value)
    writer.discard()
    for other in _OPEN:
        other.close()
    if "moved" not in words:
        rows = a_book(path).samples()
        assert [(row.state, row.fields) for row in rows] == [("interrupted", 5)]
    book.close()


def test_a_book_that_cannot_be_written_can_be_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "book.sqlite"
    with a_book(path) as book:
        write(begun(book), mixed(5))
    said: list[str] = []
    really = sqlite3.connect

    def only_still(name: str, timeout: float, isolation_level: None, *, uri: bool) -> sqlite3.Connection:
        name = name if "immutable" in name else "file:/nowhere/x?mode=ro"
        return really(name, timeout=timeout, isolation_level=isolation_level, uri=uri)

    monkeypatch.setattr(sqlite3, "connect", only_still)
    with open_book(path, said.append, make=False) as book:
        assert len(list(book.outcomes(1))) == 5
    assert len(said) == 1
    assert "the book can only be read: it cannot be opened" in said[0]
    with pytest.raises(OutputError, match="the book cannot be written: it cannot be opened"):
        open_book(path, silent)
