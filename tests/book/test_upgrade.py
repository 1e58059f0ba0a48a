"""Books of earlier versions, shown with one that never was: in version 2 samples have a colour."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from edge.book import file, opening, upgrade
from edge.book.opening import open_book
from edge.errors import BookError, OutputError
from tests.book.made import a_book, begun, mixed, plain, silent, write


def colours(connection: sqlite3.Connection) -> None:
    connection.execute("ALTER TABLE sample ADD COLUMN colour TEXT NOT NULL DEFAULT 'red'")


def breaks_half_way(connection: sqlite3.Connection) -> None:
    colours(connection)
    connection.execute("DELETE FROM nowhere")


def leaves_orphans(connection: sqlite3.Connection) -> None:
    connection.execute("DELETE FROM sample")


def next_version(monkeypatch: pytest.MonkeyPatch, step: Callable[[sqlite3.Connection], None] | None) -> None:
    for module in (file, opening, upgrade):
        monkeypatch.setattr(module, "VERSION", 2)
    monkeypatch.setattr(upgrade, "STEPS", {} if step is None else {1: step})


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
    assert said == [f"note: {path}: brought from version 1 to 2; the book as it was: {path}.version-1"]
    monkeypatch.undo()
    with a_book(Path(f"{path}.version-1")) as book:
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
    with pytest.raises(BookError, match=r"could not be brought from version 1 to 2.*It is as it was"):
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
    with pytest.raises(BookError, match="of version 1, which this program cannot bring up to date"):
        open_book(path, silent)
    assert [one.name for one in tmp_path.iterdir()] == ["book.sqlite"]
