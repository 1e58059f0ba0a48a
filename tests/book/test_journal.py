"""The journal: every field and every state of a sample is an entry, numbered without gaps, in the transaction that writes it."""

from __future__ import annotations

from pathlib import Path

import pytest

from edge.book.book import Book
from edge.book.care import check, repair
from edge.book.journal import Journal
from edge.book.opening import open_book
from edge.errors import BookError
from edge.journal import JournalEntry
from edge.record_json import to_text
from tests.book.made import HOSTILE, a_book, begun, first_version, mixed, silent, write


def counted(path: Path, fields: int = 6) -> Journal:
    with a_book(path) as book:
        write(begun(book), mixed()[:fields])
    return Journal(path)


def told(journal: Journal, first: int = 1, most: int = 1000) -> list[tuple[int, int | None]]:
    return [(entry.number, entry.field) for entry in journal.entries(first, most)]


def test_each_field_and_each_end_is_an_entry(tmp_path: Path) -> None:
    journal = counted(tmp_path / "book.sqlite", 3)
    assert told(journal) == [(1, None), (2, 0), (3, 1), (4, 2), (5, None)]
    assert journal.newest() == 5
    assert told(journal, 4, 1) == [(4, 2)]
    assert told(journal, 6) == []


def test_a_sample_that_is_gone_on_with_has_more_entries(tmp_path: Path) -> None:
    path = tmp_path / "book.sqlite"
    with a_book(path) as book:
        write(begun(book), mixed()[:2], interrupted=True)
        writer = begun(book)
        writer.resume(book.sample("s").id)
        write(writer, mixed()[:3])
        assert told(Journal(path)) == [(1, None), (2, 0), (3, 1), (4, None), (5, None), (6, 2), (7, None)]


def test_a_run_that_died_is_an_entry_when_it_is_noticed(tmp_path: Path) -> None:
    path = tmp_path / "book.sqlite"
    with a_book(path) as book:
        writer = begun(book)
        write(writer, mixed()[:2], end=False)
        for hold in book.store.runs.values():
            assert hold is not None
            hold.release()
        book.store.runs.clear()
    a_book(path).close()
    assert told(Journal(path)) == [(1, None), (2, 0), (3, 1), (4, None)]


def interrupt_and_fail(book: Book) -> None:
    with book.store.writing() as connection:
        connection.execute("UPDATE sample SET state = 'interrupted'")
        raise KeyError


def test_what_cannot_be_written_is_no_entry(tmp_path: Path) -> None:
    path = tmp_path / "book.sqlite"
    journal = counted(path, 3)
    with a_book(path) as book, pytest.raises(KeyError):
        interrupt_and_fail(book)
    assert journal.newest() == 5


def test_the_origin_stays_and_the_cursor_moves(tmp_path: Path) -> None:
    journal = counted(tmp_path / "book.sqlite")
    again = Journal(tmp_path / "book.sqlite")
    assert (journal.cursor(), len(journal.origin)) == (0, 32)
    journal.acknowledge(3)
    assert (again.cursor(), again.origin) == (3, journal.origin)
    journal.acknowledge(1)
    assert again.cursor() == 1
    assert counted(tmp_path / "other.sqlite").origin != journal.origin


def test_a_book_of_version_1_has_a_journal_of_what_it_holds(tmp_path: Path) -> None:
    path = first_version(tmp_path / "book.sqlite")
    with pytest.raises(BookError, match="of version 1, which has no journal"):
        Journal(path)
    with open_book(path, silent) as book:
        assert check(book).problems == ()
    assert told(Journal(path)) == [(1, None), (2, 0), (3, 1), (4, 2), (5, 3), (6, None), (7, None), (8, 0), (9, None)]


@pytest.mark.parametrize("content", [None, b"", b"a text", b"\0" * 5000], ids=["none", "empty", "text", "zeros"])
def test_no_book_no_journal(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "book.sqlite"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(BookError):
        Journal(path)


def changed(book: Book, statement: str) -> None:
    book.store.connection.execute(statement)


@pytest.mark.parametrize(
    "statement", ["UPDATE journal SET field = 9", "DELETE FROM journal", "UPDATE journal SET sample_id = 2"]
)
def test_entries_are_never_changed(tmp_path: Path, statement: str) -> None:
    counted(tmp_path / "book.sqlite")
    with a_book(tmp_path / "book.sqlite") as book, pytest.raises(Exception, match="only added"):
        changed(book, statement)


def test_a_sample_that_was_deleted_leaves_entries_that_stand_for_nothing(tmp_path: Path) -> None:
    path = tmp_path / "book.sqlite"
    journal = counted(path, 2)
    with a_book(path) as book:
        changed(book, "DELETE FROM sample")
    assert journal.entries(1, 9) == tuple(JournalEntry(n, "", f) for n, f in ((1, None), (2, 0), (3, 1), (4, None)))
    message = journal.message(journal.entries(2, 1)[0], "bench", names=True)
    assert (message.number, message.sample, message.field) == (2, {}, None)


def test_a_book_that_takes_its_place_has_another_journal(tmp_path: Path) -> None:
    path = tmp_path / "book.sqlite"
    journal = counted(path, 2)
    entry = journal.entries(1, 1)[0]
    repair(path, silent)
    for ask in (
        journal.newest,
        journal.cursor,
        lambda: journal.entries(1, 1),
        lambda: journal.message(entry, "b", names=True),
    ):
        with pytest.raises(BookError, match="another book has taken its place"):
            ask()
    journal.acknowledge(3)
    assert Journal(path).cursor() == 0


@pytest.mark.parametrize("lost", [1, 3, 4], ids=["first", "in between", "last"])
def test_a_gap_is_said_and_nothing_is_sent_past_it(tmp_path: Path, lost: int) -> None:
    path = tmp_path / "book.sqlite"
    journal = counted(path, 3)
    with a_book(path) as book:
        changed(book, "DROP TRIGGER journal_no_DELETE")
        changed(book, f"DELETE FROM journal WHERE number = {lost}")
    with pytest.raises(BookError, match="the journal has a gap"):
        journal.entries(1, 5)
    with pytest.raises(BookError, match="the journal has a gap"):
        journal.entries(lost, 5)


def test_only_the_newest_entry_of_a_sample_says_how_it_ended(tmp_path: Path) -> None:
    journal = counted(tmp_path / "book.sqlite", 2)
    states = [journal.message(entry, "b", names=True).sample for entry in journal.entries(1, 9)]
    assert [(one["state"], one["newest"]) for one in states] == [*[("counting", False)] * 3, ("complete", True)]
    assert [one["event"] is None for one in states] == [True, True, True, False]


def test_a_damaged_field_is_not_sent(tmp_path: Path) -> None:
    path = tmp_path / "book.sqlite"
    journal = counted(path, 3)
    with a_book(path) as book:
        changed(book, "UPDATE cell SET class = 0 WHERE field_id = 3")
    with pytest.raises(BookError, match=r"field 2 is not as it was written.*edge book check"):
        journal.message(journal.entries(4, 1)[0], "bench", names=False)


def test_without_names_nothing_that_names_is_sent(tmp_path: Path) -> None:
    path = tmp_path / "book.sqlite"
    with a_book(path) as book:
        write(begun(book), mixed(5, "Ada Lovelace, 12 Nov"))
        note = "4 of 5 fields have another look: worst in field-2.png"
        event = to_text(book.event(1)).replace("A note.", note)
        book.store.connection.execute("UPDATE sample SET event = ?", (event,))
        book.note(1, "notes", "born in 1815")
        uuid = book.samples()[0].uuid
    journal = Journal(path)
    for names in (False, True):
        messages = [journal.message(entry, "bench-3", names=names) for entry in journal.entries(1, 99)]
        said = repr(messages)
        assert "born in" not in said
        secret = ["Lovelace", "field-2.png", "/fields/", HOSTILE[:8], "DROP TABLE"]
        assert [word in said for word in secret] == [names] * len(secret)
    assert f"bench-3-{uuid[:8]}" == journal.message(journal.entries(1, 1)[0], "bench-3", names=False).sample["name"]
