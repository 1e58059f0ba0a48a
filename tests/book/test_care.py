"""Check, compact, backup, merge."""

from __future__ import annotations

import itertools
import sqlite3
from pathlib import Path

import pytest

from edge.book.book import Book
from edge.book.care import CheckReport, backup, check, compact
from edge.book.merge import Merged, merge
from edge.errors import BookError, OutputError
from tests.book.made import Counting, a_book, begun, mixed, rows_of, write


def test_a_sound_book_is_sound(tmp_path: Path) -> None:
    with a_book(tmp_path / "book.sqlite") as book:
        write(begun(book), mixed(12, "a"))
        write(begun(book), mixed(6, "b"), interrupted=True)
        cells = sum(len(row.cells) for id_ in (1, 2) for row in book.field_rows(id_))
        assert check(book) == CheckReport(2, 18, cells, ())


WRONG = {
    "a cell": (
        "UPDATE cell SET class = 1 WHERE field_id = 1 AND class = 0",
        "a (count 1): field 0 is not as it was written: damaged, or",
    ),
    "a sum": ("UPDATE sample SET cells = cells + 1", "a (count 1): its fields do not add up to its sums"),
    "the flag": (
        "UPDATE sample SET flag = 'negative'",
        "a (count 1): what was said at its end is not what its fields add up to",
    ),
    "the end": ("UPDATE sample SET event = '{}'", "a (count 1): what was said at its end is not what"),
    "the run": ("UPDATE run SET about = '{}'", "a (count 1): changed by hand, or damaged: model of the run is missing"),
    "a gap in the journal": (
        "DROP TRIGGER journal_no_DELETE; DELETE FROM journal WHERE number = 3",
        "the journal lacks 1 fields",
    ),
    "another entry": (
        "INSERT INTO journal (number) VALUES (99)",
        "the journal has 9 entries, and its numbers are 1 to 99",
    ),
    "an origin": ("UPDATE origin SET uuid = 'mine'", "the book has not one origin"),
    "an orphan": (
        "PRAGMA foreign_keys = OFF; DELETE FROM run; PRAGMA foreign_keys = ON",
        "a row of sample belongs to one of run that is not there",
    ),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_is_wrong_is_said(case: str) -> None:
    statement, words = WRONG[case]
    with a_book() as book:
        write(begun(book), mixed(6, "a"))
        for one in statement.split(";"):
            book.store.connection.execute(one)
        problems = check(book).problems
    assert any(words in problem for problem in problems), problems


def test_a_compacted_book_is_smaller_and_holds_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "book.sqlite"
    with a_book(path) as book:
        for name in ("a", "b"):
            write(begun(book), mixed(12, name))
        book.store.connection.execute("DELETE FROM sample WHERE name = 'a'")
        before = list(rows_of(book))
        was, is_ = compact(book)
        assert is_ < 0.75 * was
        assert list(rows_of(book)) == before
        monkeypatch.setattr("shutil.disk_usage", lambda _: type("Usage", (), {"free": 10}))
        with pytest.raises(OutputError, match="bytes are needed, 10 are free: make room first"):
            compact(book)
    with a_book() as book:
        assert compact(book) == (0, 0)


def test_a_backup_is_whole_while_the_book_is_written(tmp_path: Path) -> None:
    copy = tmp_path / "copy.sqlite"
    with a_book(tmp_path / "book.sqlite") as book, a_book(tmp_path / "book.sqlite") as other:
        writer, counting = begun(book), Counting()
        for outcome in mixed(6):
            writer.field(counting.event(outcome))
            assert backup(other, copy) == copy.stat().st_size
            with a_book(copy) as again:
                assert check(again).problems == ()
                assert again.sample("s").fields == outcome_index(outcome) + 1
                assert again.sample("s").state == "interrupted"
    assert sorted(one.name for one in tmp_path.iterdir()) == ["book.sqlite", "copy.sqlite"]


def outcome_index(outcome: object) -> int:
    found: int = getattr(outcome, "index", None) if hasattr(outcome, "index") else outcome.result.index  # type: ignore[attr-defined, assignment]
    return found


def test_a_backup_replaces_no_other_file(tmp_path: Path) -> None:
    path, text, folder = tmp_path / "book.sqlite", tmp_path / "thesis.txt", tmp_path / "folder"
    text.write_text("years of work " * 20)
    folder.mkdir()
    with a_book(path) as book:
        for place, words in {text: "no book of this program", folder: "not a file", path: "the book itself"}.items():
            with pytest.raises(BookError, match=words):
                backup(book, place)
        with pytest.raises(OutputError, match="cannot be written"):
            backup(book, tmp_path / "missing" / "copy.sqlite")
    assert text.read_text().startswith("years of work")


def everything(book: Book) -> list[object]:
    """What two books that saw the same have in common."""
    ends = sorted((row.uuid, row.state, row.flag, row.fields, row.cells, row.seconds) for row in book.samples())
    return [*rows_of(book), *ends, sorted(len(book.crops(row.id)) for row in book.samples())]


def three(folder: Path) -> tuple[list[Path], Path]:
    """Books of two devices and a book that saw both; a third that saw the beginning of a sample of the first."""
    paths = [folder / f"{name}.sqlite" for name in ("one", "two", "early")]
    with a_book(paths[0]) as one, a_book(paths[1]) as two:
        write(begun(two), mixed(12, "two"))
        write(begun(one), mixed(5, "a"), interrupted=True)
        backup(one, paths[2])
        writer = begun(one)
        writer.resume(one.sample("a").id)
        write(writer, mixed(12, "a"))
        write(begun(one), mixed(7, "shared"))
        write(begun(two), mixed(8, "shared"), interrupted=True)
    return paths, folder / "all.sqlite"


def test_merged_books_equal_one_that_saw_all_in_any_order_and_again(tmp_path: Path) -> None:
    paths, _ = three(tmp_path)
    seen = []
    for n, order in enumerate(itertools.permutations(paths)):
        with a_book(tmp_path / f"all-{n}.sqlite") as book:
            for path in order:
                merge(book, path)
            assert check(book).problems == ()
            seen.append(everything(book))
            counts = sorted((row.name, row.count) for row in book.samples())
            assert counts == [("a", 1), ("shared", 1), ("shared", 2), ("two", 1)]
            for path in order:
                got = merge(book, path)
                assert (got.new, got.longer, got.fields) == (0, 0, 0)
            assert everything(book) == seen[-1]
    assert all(one == seen[0] for one in seen)
    with a_book(paths[0]) as one, a_book(paths[1]) as two:
        assert sorted(map(str, seen[0][:-1])) == sorted(map(str, [*everything(one)[:-1], *everything(two)[:-1]]))


def test_what_a_merge_did_is_told(tmp_path: Path) -> None:
    (one, two, early), _ = three(tmp_path)
    with a_book(tmp_path / "all.sqlite") as book:
        assert merge(book, early) == Merged(1, 0, 0, 5, ())
        assert merge(book, one) == Merged(1, 1, 0, 7 + 7, ())
        assert merge(book, two) == Merged(2, 0, 0, 20, ())
        assert merge(book, early) == Merged(0, 0, 1, 0, ())


def test_a_sample_that_went_on_in_two_books_is_two_counts(tmp_path: Path) -> None:
    one, two = tmp_path / "one.sqlite", tmp_path / "two.sqlite"
    with a_book(one) as book:
        write(begun(book), mixed(5, "a"), interrupted=True)
        backup(book, two)
    fields = mixed(12, "a")
    for path, more in ((one, fields[5:8]), (two, fields[6:10])):
        with a_book(path) as book:
            writer = begun(book)
            writer.resume(1)
            write(writer, [*fields[:5], *more])
    with a_book(one) as book:
        for _ in range(2):
            merge(book, two)
            assert sorted((row.count, row.fields) for row in book.samples()) == [(1, 8), (2, 9)]
            assert check(book).problems == ()


def test_a_merge_refuses_what_it_cannot_take(tmp_path: Path) -> None:
    path, text, newer, gone = (tmp_path / name for name in ("book.sqlite", "a.txt", "newer.sqlite", "gone.sqlite"))
    text.write_text("x" * 200)
    a_book(newer).close()
    connection = sqlite3.connect(newer)
    connection.execute("PRAGMA user_version = 99")
    connection.close()
    with a_book(path) as book:
        cases = {
            path: "the same book",
            text: "no book of this program",
            newer: "newer version",
            gone: "there is no book",
        }
        for other, words in cases.items():
            with pytest.raises(BookError, match=words):
                merge(book, other)


def test_a_damaged_field_stops_a_merge_before_its_sample(tmp_path: Path) -> None:
    one, two = tmp_path / "one.sqlite", tmp_path / "two.sqlite"
    with a_book(one) as book:
        write(begun(book), mixed(5, "a"))
        write(begun(book), mixed(5, "b"))
        book.store.connection.execute("UPDATE field SET sharpness = 1 WHERE id = 7")
    with a_book(two) as book:
        with pytest.raises(BookError, match=r"field 1 is not as it was written.*edge book check --book"):
            merge(book, one)
        assert [row.name for row in book.samples()] == ["a"]


def test_a_sample_that_is_being_counted_is_left_for_later(tmp_path: Path) -> None:
    one, two = tmp_path / "one.sqlite", tmp_path / "two.sqlite"
    with a_book(one) as counting, a_book(two) as book:
        writer = begun(counting)
        write(writer, mixed(5, "a"), end=False)
        assert merge(book, one).skipped == ("a",)
        writer.close()
        assert merge(book, one).new == 1
