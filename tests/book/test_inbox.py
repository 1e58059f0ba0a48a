"""A collected book: whatever comes twice, late or in disorder, it holds at the end what the microscopes' own books hold."""

from __future__ import annotations

import random
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import pytest

from edge.book.book import Book
from edge.book.care import check, repair
from edge.book.collected import collected_samples, collected_scopes, heard_scopes
from edge.book.inbox import Inbox
from edge.book.journal import Journal
from edge.book.merge import merge
from edge.book.messages import row_of_part
from edge.book.replay import events
from edge.errors import BookError
from edge.journal import JournalMessage, Taken
from tests.book.made import a_book, begun, field_of, mixed, plain, rows_of, write


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


@pytest.mark.parametrize("names", [True, False], ids=["named", "unnamed"])
def test_what_was_collected_replays_as_it_was_counted(tmp_path: Path, *, names: bool) -> None:
    """Reports, exports and views are made of these events; a going on of the outcomes. Without names they differ in names alone."""
    own = tmp_path / "own.sqlite"
    journal = microscope(own, fields=8)
    with Inbox(tmp_path / "district.sqlite") as inbox, a_book(own) as book:
        inbox.take_all(messages(journal, names=names))
        assert inbox.book.about(1) == (book.about(1) if names else replace(book.about(1), config=""))
        for there, here in zip(events(book, 1), events(inbox.book, 1), strict=True):
            if names:
                assert plain(here) == plain(there)
                continue
            assert here.name == f"field {there.index}"
            assert (here.seconds, here.overlaps, here.tally.counts) == (
                there.seconds,
                there.overlaps,
                there.tally.counts,
            )
            assert (here.result is None) == (there.result is None)
            if here.result is not None and there.result is not None:
                assert plain(here.result.cells) == plain(there.result.cells)
                assert plain(here.result.scores) == plain(there.result.scores)
                assert here.result.identity is not None
                assert here.result.identity.path == ""
            else:
                assert here.reject_reason == "unreadable: reason not sent"


@pytest.mark.parametrize("seed", range(4))
def test_double_late_and_disordered_messages_change_nothing(tmp_path: Path, seed: int) -> None:
    journal = microscope(tmp_path / "own.sqlite", ["s", "t"], 3)
    dice = random.Random(seed)
    with Inbox(tmp_path / "district.sqlite") as inbox:
        sent = messages(journal) * 2
        taken: list[Taken] = []
        while inbox.next(journal.origin) <= journal.newest():
            dice.shuffle(sent)
            taken += [one for one in inbox.take_all(sent) if isinstance(one, Taken)]
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


HOSTILE_FIELDS: dict[str, tuple[dict[str, object], str]] = {
    "no height": ({"height": None}, "comes without its height"),
    "no kinds": ({"kinds": None}, "comes without its kinds"),
    "kinds that are none": ({"kinds": "{}"}, "the kinds is not a list"),
    "too few kinds": ({"kinds": "[]"}, "a cell is of a class or a kind that there is none of"),
    "a file without its size": ({"size": None}, "holds one of path, size, sha256 without the others"),
    "a short thumbnail": ({"signature": b"abc"}, "holds bytes of another length than they have"),
    "unreadable, with cells": ({"readable": 0, "reason": "unreadable: x"}, "could not be read, and holds cells"),
    "a look that is none": ({"appearance": "[1]"}, "makes no sense"),
    "overlaps that are none": ({"overlaps": "[[1]]"}, "makes no sense: not enough values"),
    "metadata that is none": ({"metadata": "[1]"}, "makes no sense"),
    "a typical cell that is not square": ({"typical_cell": bytes(10)}, "makes no sense: cannot reshape"),
    "more cells than there are": ({"found": 31}, "of the cells holds 30 numbers, not 31"),
}


@pytest.mark.parametrize("case", HOSTILE_FIELDS)
def test_a_strangers_field_that_is_whole_and_makes_no_sense_is_refused(tmp_path: Path, case: str) -> None:
    change, words = HOSTILE_FIELDS[case]
    first, second = messages(microscope(tmp_path / "own.sqlite", fields=1))[:2]
    part = {**(second.field or {}), **change}
    if "found" not in change:
        there = row_of_part(second.field or {})
        part["checksum"] = replace(there, values={name: part[name] for name in there.values}).checksum
    with Inbox(tmp_path / "district.sqlite") as inbox:
        inbox.take(first)
        with pytest.raises(ValueError, match=words):
            inbox.take(replace(second, field=part))
        assert inbox.next(first.origin) == 2
        assert inbox.take(second) is Taken.NEW
        assert check(inbox.book).problems == ()


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


def test_a_sample_of_another_microscope_is_gone_on_with_there(tmp_path: Path) -> None:
    own, path = tmp_path / "own.sqlite", tmp_path / "district.sqlite"
    with a_book(own) as book:
        write(begun(book), mixed()[:3], interrupted=True)
    with Inbox(path) as inbox:
        inbox.take_all(messages(Journal(own)))
        with pytest.raises(BookError, match="the sample is counted at the microscope bench: go on with it there"):
            begun(inbox.book).resume(1)
        assert inbox.book.samples()[0].state == "interrupted"
    with a_book(tmp_path / "other.sqlite") as book:
        merge(book, own)
        writer = begun(book)
        writer.resume(1)
        assert dict(collected_samples(book.store)) == {}
        write(writer, mixed()[:6])
        assert book.samples()[0].state == "complete"


def test_microscopes_are_known_by_what_they_say(tmp_path: Path) -> None:
    journal = microscope(tmp_path / "own.sqlite")
    with Inbox(tmp_path / "district.sqlite") as inbox:
        inbox.heard("bench-9", "f" * 32, online=False, newest=7, at="2026-01-01T00:00:00Z")
        inbox.take(messages(journal)[0])
        first, second = inbox.scopes()
        assert (first.name, first.next, first.online, first.newest) == ("bench", 2, True, 1)
        assert (second.name, second.next, second.online, second.newest) == ("bench-9", 1, False, 7)
        assert second.heard == "2026-01-01T00:00:00Z"


def district(path: Path, sent: Iterable[JournalMessage], dice: random.Random) -> Path:
    """A book that got these messages, some of them twice, in disorder, as far as it could take them."""
    all_ = [*sent]
    all_ += dice.sample(all_, len(all_) // 3)
    with Inbox(path) as inbox:
        taken: set[Taken | ValueError] = {Taken.NEW}
        while Taken.NEW in taken:
            dice.shuffle(all_)
            all_.sort(key=lambda one: one.number + dice.randint(-2, 2))
            taken = set(inbox.take_all(all_))
    return path


@pytest.mark.parametrize("names", [True, False], ids=["named", "unnamed"])
@pytest.mark.parametrize("seed", range(2))
def test_merged_district_books_are_the_same_as_one_that_had_seen_all(tmp_path: Path, seed: int, *, names: bool) -> None:
    dice = random.Random(seed)
    sent = []
    for number in range(3):
        own = tmp_path / f"own-{number}.sqlite"
        with a_book(own) as book:
            write(begun(book), mixed(sample="s")[:2], interrupted=True)
            before = messages(Journal(own), f"bench-{number}", names=names)
            writer = begun(book)
            writer.resume(1)
            write(writer, mixed(sample="s")[:4])
            write(begun(book), mixed(sample="t")[:3], interrupted=bool(dice.randrange(2)))
        sent.append(before[: dice.randrange(len(before))] + messages(Journal(own), f"bench-{number}", names=names))
    cuts = [dice.randrange(5, len(one)) for one in sent]
    first = district(tmp_path / "1.sqlite", [m for one, cut in zip(sent, cuts, strict=True) for m in one[:cut]], dice)
    second = district(tmp_path / "2.sqlite", [m for one in sent[1:] for m in one], dice)
    third = district(tmp_path / "3.sqlite", sent[0], dice)
    one_place = district(tmp_path / "all.sqlite", [m for one in sent for m in one], dice)
    with a_book(one_place) as book:
        wanted = (
            stands(book),
            list(rows_of(book)),
            [(s.name, s.origin, s.next, s.newest) for s in collected_scopes(book.store)],
        )
    for n, order in enumerate(((first, second, third), (third, second, first), (second, third, first))):
        with a_book(tmp_path / f"merged-{n}.sqlite") as book:
            for path in (*order, order[0]):
                merge(book, path)
            assert check(book).problems == ()
            scopes = [(s.name, s.origin, s.next, s.newest) for s in collected_scopes(book.store)]
            assert (stands(book), list(rows_of(book)), scopes) == wanted


def test_a_microscopes_own_book_and_what_was_collected_of_it_are_one(tmp_path: Path) -> None:
    own, path = tmp_path / "own.sqlite", tmp_path / "district.sqlite"
    journal = microscope(own, ["s", "t"])
    with Inbox(path) as inbox:
        sent = messages(journal, names=False)
        inbox.take_all(sent[:9])
        assert merge(inbox.book, own).skipped == ()
        assert sorted((row.state, row.fields, row.count) for row in inbox.book.samples()) == [("complete", 5, 1)] * 2
        assert inbox.next(journal.origin) == journal.newest() + 1
        assert set(inbox.take_all(sent)) == {Taken.KNOWN}
        assert [scope.name for scope in heard_scopes(inbox.book.store)] == ["bench"]
        assert check(inbox.book).problems == ()
    with a_book(own) as book:
        got = merge(book, path)
        assert (got.new, got.longer, got.same, got.fields) == (0, 0, 2, 0)
        same(book, own)
    with a_book(tmp_path / "other.sqlite") as book:
        merge(book, own)
        assert [scope.next for scope in collected_scopes(book.store)] == [journal.newest() + 1]
        assert heard_scopes(book.store) == (), "nobody spoke: two books were laid together"


def test_a_damaged_collected_book_asks_for_all_again(tmp_path: Path) -> None:
    journal, path = microscope(tmp_path / "own.sqlite", ["s", "t"]), tmp_path / "district.sqlite"
    with Inbox(path) as inbox:
        inbox.take_all(messages(journal))
        inbox.book.store.connection.execute("UPDATE cell SET class = 0 WHERE field_id = 3")
        before = inbox.scopes()
    repair(path, lambda _: None)
    with Inbox(path) as inbox:
        assert sorted((row.name, row.state, row.fields) for row in inbox.book.samples()) == [
            ("s", "interrupted", 4),
            ("t", "complete", 5),
        ]
        assert inbox.scopes() == tuple(replace(one, next=1) for one in before)
        inbox.take_all(messages(journal))
        same(inbox.book, tmp_path / "own.sqlite")


def test_a_damaged_book_has_another_journal_and_tells_all_of_it_again(tmp_path: Path) -> None:
    own = tmp_path / "own.sqlite"
    journal = microscope(own, ["s", "t"])
    with Inbox(tmp_path / "district.sqlite") as inbox:
        inbox.take_all(messages(journal))
        with a_book(own) as book:
            book.store.connection.execute("UPDATE cell SET class = 0 WHERE field_id = 3")
        repair(own, lambda _: None)
        anew = Journal(own)
        assert anew.origin != journal.origin
        assert set(inbox.take_all(messages(anew))) == {Taken.NEW}
        assert sorted((r.name, r.state, r.fields, r.count) for r in inbox.book.samples()) == [
            ("s", "interrupted", 5, 1),
            ("t", "complete", 5, 1),
        ]
        assert check(inbox.book).problems == ()
        with a_book(own) as book:
            writer = begun(book)
            writer.resume(book.sample("s").id)
            kept = mixed(sample="s")
            write(writer, [*kept[:2], *kept[3:5], field_of(5, "s", name="field-2.png")])
        taken = inbox.take_all(messages(anew))
        assert taken[-1] is Taken.AHEAD, (
            "what the microscope lost and counted again elsewhere is not counted twice here"
        )
        inbox.take_all(messages(anew))
        same(inbox.book, own)
