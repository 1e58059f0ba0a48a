"""Books of earlier versions: the real first one, and one that never was: in the version after this one samples have a colour."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from edge.book import file, opening, upgrade
from edge.book.care import check, compact
from edge.book.collected import collected_samples, collected_scopes
from edge.book.journal import Journal
from edge.book.merge import merge
from edge.book.opening import open_book
from edge.book.schema import VERSION
from edge.errors import BookError, OutputError
from tests.book.made import a_book, begun, first_version, mixed, plain, rows_of, second_version, silent, write

NEXT = VERSION + 1


def colours(connection: sqlite3.Connection) -> None:
    connection.execute("ALTER TABLE sample ADD COLUMN colour TEXT NOT NULL DEFAULT 'red'")


def breaks_half_way(connection: sqlite3.Connection) -> None:
    colours(connection)
    connection.execute("DELETE FROM nowhere")


def leaves_orphans(connection: sqlite3.Connection) -> None:
    connection.execute("DELETE FROM sample")


def next_version(monkeypatch: pytest.MonkeyPatch, step: Callable[[sqlite3.Connection], None] | None) -> None:
    for module in (file, opening, upgrade):
        monkeypatch.setattr(module, "VERSION", NEXT)
    monkeypatch.setattr(upgrade, "STEPS", {} if step is None else {VERSION: step})


def old_book(path: Path) -> list[object]:
    with a_book(path) as book:
        write(begun(book), mixed())
        return [plain(one) for one in book.outcomes(1)]


def test_an_earlier_book_is_copied_and_brought_up_to_date(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "book.sqlite"
    before = old_book(path)
    next_version(monkeypatch, colours)
    said: list[str] = []
    with open_book(path, said.append) as book:
        assert book.store.rows("SELECT colour FROM sample")[0][0] == "red"
        assert [plain(one) for one in book.outcomes(1)] == before
    assert said == [
        f"note: {path}: brought from version {VERSION} to {NEXT}; the book as it was: {path}.version-{VERSION}"
    ]
    monkeypatch.undo()
    with a_book(Path(f"{path}.version-{VERSION}")) as book:
        assert [plain(one) for one in book.outcomes(1)] == before
    with pytest.raises(BookError, match="newer version"):
        a_book(path)


@pytest.mark.parametrize("step", [breaks_half_way, leaves_orphans])
def test_a_step_that_fails_leaves_the_book_as_it_was(
    step: Callable[[sqlite3.Connection], None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "book.sqlite"
    before = old_book(path)
    next_version(monkeypatch, step)
    with pytest.raises(BookError, match=rf"could not be brought from version {VERSION} to {NEXT}.*It is as it was"):
        open_book(path, silent)
    monkeypatch.undo()
    with a_book(path) as book:
        assert [plain(one) for one in book.outcomes(1)] == before


def test_a_book_that_is_being_counted_into_is_left_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "book.sqlite"
    with a_book(path) as book:
        write(begun(book), mixed(6), end=False)
        next_version(monkeypatch, colours)
        with pytest.raises(OutputError, match="a run of an earlier version is counting into it"):
            open_book(path, silent)
    with open_book(path, silent) as book:
        assert book.store.rows("SELECT colour FROM sample")[0][0] == "red"


def test_a_version_without_a_step_is_left_as_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "book.sqlite"
    old_book(path)
    next_version(monkeypatch, None)
    with pytest.raises(BookError, match=f"of version {VERSION}, which this program cannot bring up to date"):
        open_book(path, silent)
    assert [one.name for one in tmp_path.iterdir()] == ["book.sqlite"]


def layout(path: Path) -> list[tuple[object, ...]]:
    connection = sqlite3.connect(path)
    try:
        return sorted(map(tuple, connection.execute("SELECT name, rootpage FROM sqlite_master WHERE type = 'table'")))
    finally:
        connection.close()


def test_a_book_of_version_1_holds_the_same_and_takes_answers(tmp_path: Path) -> None:
    path = first_version(tmp_path / "book.sqlite")
    said: list[str] = []
    with open_book(path, said.append) as book:
        assert check(book).problems == ()
        assert [(row.name, row.state, row.fields, row.cells) for row in book.samples()] == [
            ("cut", "interrupted", 1, 2),
            ("old", "complete", 4, 9),
        ]
        assert book.decisions(book.sample("old").id) == ()
    assert said == [f"note: {path}: brought from version 1 to {VERSION}; the book as it was: {path}.version-1"]
    assert Path(f"{path}.version-1").is_file()
    new = tmp_path / "new.sqlite"
    a_book(new).close()
    assert layout(path) == layout(new), "a new book's first page stands in for one that is lost"
    assert a_book(path).samples()[0].name == "cut"


def test_a_program_that_only_reads_leaves_a_book_of_version_1_as_it_is(tmp_path: Path) -> None:
    path = first_version(tmp_path / "book.sqlite")
    before, said = path.read_bytes(), list[str]()
    with open_book(path, said.append, make=False, upgraded=False) as book:
        row = book.sample("old")
        assert (row.cells, book.decisions(row.id), book.additions(row.id), book.bundles(row.id)) == (9, (), (), ())
        assert check(book).problems == ()
    assert path.read_bytes() == before
    (line,) = said
    assert line.startswith(f"note: {path}: the book can only be read: it is of version 1. What writes into it")
    assert sorted(one.name for one in tmp_path.iterdir()) == ["book.sqlite"]


def test_a_book_of_version_2_has_a_journal_of_what_it_holds(tmp_path: Path) -> None:
    whole, path = tmp_path / "whole.sqlite", tmp_path / "book.sqlite"
    with a_book(whole) as book:
        write(begun(book), mixed()[:4])
        write(begun(book), mixed(sample="t")[:4], interrupted=True)
        told = list(rows_of(book))
    second_version(path, whole)
    with open_book(path, silent, make=False, upgraded=False) as book:
        assert collected_scopes(book.store) == ()
        assert dict(collected_samples(book.store)) == {}
        assert check(book).problems == ()
    with a_book(tmp_path / "other.sqlite") as book:
        assert (merge(book, path).new, merge(book, path).same) == (2, 2)
        assert list(rows_of(book)) == told
    with open_book(path, silent) as book:
        assert list(rows_of(book)) == told
        assert check(book).problems == ()
    journal = Journal(path)
    assert [one.field for one in journal.entries(1, 99)] == [None, 0, 1, 2, 3, None] * 2
    assert journal.cursor() == 0


@pytest.mark.parametrize("version", [2, VERSION])
def test_a_book_that_was_compacted_outlives_its_first_page(tmp_path: Path, version: int) -> None:
    """What its first page pointed to lies elsewhere than in a new book, and is found."""
    whole, path = tmp_path / "whole.sqlite", tmp_path / "book.sqlite"
    with a_book(whole) as book:
        write(begun(book), mixed(6))
        compact(book)
        told = list(rows_of(book))
    if version == VERSION:
        path = whole
    else:
        connection = sqlite3.connect(second_version(path, whole))
        connection.execute("VACUUM")
        connection.close()
    data = path.read_bytes()
    path.write_bytes(bytes(4096) + data[4096:])
    with a_book(path) as book:
        assert list(rows_of(book)) == told
        assert check(book).problems == ()


def test_a_book_of_version_1_is_taken_in(tmp_path: Path) -> None:
    other = first_version(tmp_path / "old.sqlite")
    with a_book(tmp_path / "book.sqlite") as book:
        assert merge(book, other).new == 2
        assert merge(book, other).same == 2
        assert check(book).problems == ()
