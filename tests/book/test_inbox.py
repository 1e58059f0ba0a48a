"""A collected book: whatever comes twice, late or in disorder, it holds at the end what the microscopes' own books hold."""

from __future__ import annotations

import random
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import pytest

from edge.book.book import Book
from edge.book.care import check
from edge.book.inbox import Inbox
from edge.book.journal import Journal
from edge.journal import JournalMessage, Taken
from tests.book.made import a_book, begun, mixed, rows_of, write


def microscope(path: Path, samples: Iterable[str] = ("s",), fields: int = 5) -> Journal:
    with a_book(path) as book:
        for name in samples:
            write(begun(book), mixed(sample=name)[:fields])
    return Journal(path)


def messages(journal: Journal, scope: str = "bench", *, names: bool = True) -> list[JournalMessage]:
    return [journal.message(entry, scope, names=names) for entry in journal.entries(1, 10_000)]


def stands(book: Book) -> list[tuple[object, ...]]:
    """What each sample adds up to, whatever ids and counts of its name this book gave it."""
    told = ((r.uuid, r.name, r.state, r.seconds, r.fields, r.kept, r.rejected, r.unreadable) for r in book.samples())
    more = (
        (r.cells, sorted(r.counts.items()), r.flag, r.scope, book.event(r.id), book.tally(r.id).set_aside)
        for r in book.samples()
    )
    return sorted((*a, *map(repr, b)) for a, b in zip(told, more, strict=True))


def same(collected: Book, own: Path) -> None:
    with a_book(own) as book:
        assert stands(collected) == stands(book)
        assert list(rows_of(collected)) == list(rows_of(book))
    assert check(collected).problems == ()


def test_messages_in_order_make_the_same_book(tmp_path: Path) -> None:
    journal = microscope(tmp_path / "own.sqlite", ["s", "t"])
    with Inbox(tmp_path / "district.sqlite") as inbox:
        assert {inbox.take(one) for one in messages(journal)} == {Taken.NEW}
        assert inbox.next(journal.origin) == journal.newest() + 1
        same(inbox.book, tmp_path / "own.sqlite")


@pytest.mark.parametrize("seed", range(4))
def test_double_late_and_disordered_messages_change_nothing(tmp_path: Path, seed: int) -> None:
    journal = microscope(tmp_path / "own.sqlite", ["s", "t"], 3)
    dice = random.Random(seed)
    with Inbox(tmp_path / "district.sqlite") as inbox:
        sent = messages(journal) * 2
        taken: list[Taken] = []
        while inbox.next(journal.origin) <= journal.newest():
            dice.shuffle(sent)
            taken += [inbox.take(one) for one in sent]
        assert taken.count(Taken.NEW) == journal.newest()
        assert set(taken) == set(Taken)
        same(inbox.book, tmp_path / "own.sqlite")


def test_several_in_one_transaction_are_the_same_as_one_by_one(tmp_path: Path) -> None:
    journal = microscope(tmp_path / "own.sqlite")
    sent = messages(journal)
    broken = replace(sent[2], field={**(sent[2].field or {}), "checksum": 1})
    with Inbox(tmp_path / "district.sqlite") as inbox:
        taken = inbox.take_all([sent[0], sent[1], broken, sent[2], *sent])
        assert taken[:2] == (Taken.NEW, Taken.NEW)
        assert str(taken[2]) == "field 1 is not as it was sent"
        assert taken[3:] == (Taken.NEW, *[Taken.KNOWN] * 3, *[Taken.NEW] * (len(sent) - 3))
        same(inbox.book, tmp_path / "own.sqlite")


def test_a_sample_under_way_is_counting_and_stays_so_when_the_book_is_opened(tmp_path: Path) -> None:
    journal = microscope(tmp_path / "own.sqlite")
    path = tmp_path / "district.sqlite"
    with Inbox(path) as inbox:
        for one in messages(journal)[:4]:
            inbox.take(one)
    with a_book(path) as book:
        (row,) = book.samples()
        assert (row.state, row.fields, row.flag, book.event(row.id)) == ("counting", 3, None, None)
        assert book.notes(row.id) == []


def test_a_sample_that_is_gone_on_with_is_counting_again(tmp_path: Path) -> None:
    own, path = tmp_path / "own.sqlite", tmp_path / "district.sqlite"
    with a_book(own) as book, Inbox(path) as inbox:
        write(begun(book), mixed()[:3], interrupted=True)
        for one in messages(Journal(own)):
            inbox.take(one)
        assert inbox.book.samples()[0].state == "interrupted"
        same(inbox.book, own)
        writer = begun(book)
        writer.resume(1)
        for one in messages(Journal(own)):
            inbox.take(one)
        assert (inbox.book.samples()[0].state, inbox.book.event(1)) == ("counting", None)
        write(writer, mixed()[:6])
        for one in messages(Journal(own)):
            inbox.take(one)
        same(inbox.book, own)


def test_what_was_deleted_here_comes_again(tmp_path: Path) -> None:
    journal = microscope(tmp_path / "own.sqlite")
    with Inbox(tmp_path / "district.sqlite") as inbox:
        sent = messages(journal)
        inbox.take_all(sent[:3])
        inbox.book.store.connection.execute("DELETE FROM sample")
        assert inbox.take(sent[3]) is Taken.AHEAD
        assert inbox.next(journal.origin) == 1
        inbox.take_all(sent)
        same(inbox.book, tmp_path / "own.sqlite")


def test_a_sample_that_was_deleted_there_is_passed_over(tmp_path: Path) -> None:
    journal = microscope(tmp_path / "own.sqlite", ["s", "t"], 2)
    with a_book(tmp_path / "own.sqlite") as book:
        book.store.connection.execute("DELETE FROM sample WHERE name = 's'")
    with Inbox(tmp_path / "district.sqlite") as inbox:
        assert set(inbox.take_all(messages(journal))) == {Taken.NEW}
        same(inbox.book, tmp_path / "own.sqlite")


def test_a_copy_of_a_book_that_was_counted_on_with_loses_nothing(tmp_path: Path) -> None:
    first = microscope(tmp_path / "own.sqlite", ["s"], 2)
    (tmp_path / "copy.sqlite").write_bytes((tmp_path / "own.sqlite").read_bytes())
    second = microscope(tmp_path / "copy.sqlite", ["u"], 2)
    first = microscope(tmp_path / "own.sqlite", ["t", "v"], 3)
    assert first.origin == second.origin
    with Inbox(tmp_path / "district.sqlite") as inbox:
        for _ in range(3):
            inbox.take_all(messages(first))
            inbox.take_all(messages(second))
        assert sorted(row.name for row in inbox.book.samples()) == ["s", "t", "u", "v"]
        assert all(row.state == "complete" for row in inbox.book.samples())
        assert check(inbox.book).problems == ()


def test_names_that_are_here_stay_when_the_same_comes_without(tmp_path: Path) -> None:
    journal = microscope(tmp_path / "own.sqlite")
    with Inbox(tmp_path / "district.sqlite") as inbox:
        inbox.take_all(messages(journal))
        inbox.book.store.connection.execute("UPDATE microscope SET next = 1")
        assert set(inbox.take_all(messages(journal, names=False))) == {Taken.NEW}
        assert [row.name for row in inbox.book.samples()] == ["s"]
        assert list(rows_of(inbox.book)) == list(rows_of(a_book(tmp_path / "own.sqlite")))


def test_microscopes_are_known_by_what_they_say(tmp_path: Path) -> None:
    journal = microscope(tmp_path / "own.sqlite")
    with Inbox(tmp_path / "district.sqlite") as inbox:
        inbox.heard("bench-9", "f" * 32, online=False, newest=7, at="2026-01-01T00:00:00Z")
        inbox.take(messages(journal)[0])
        first, second = inbox.scopes()
        assert (first.name, first.next, first.online, first.newest) == ("bench", 2, True, 1)
        assert (second.name, second.next, second.online, second.newest) == ("bench-9", 1, False, 7)
        assert second.heard == "2026-01-01T00:00:00Z"
