"""What people answer is added to the book, never changed, and survives whatever the book survives."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from edge.answers import ReaderAddition, ReaderDecision
from edge.book.book import Book
from edge.book.care import backup, check, compact, repair
from edge.book.merge import merge
from edge.book.opening import open_book
from edge.book.reviews import SentBundle
from edge.errors import BookError, OutputError, ReviewError
from tests.book.answers import AT, counted, decided, marked, uuid_of
from tests.book.made import Counting, a_book, begun, field_of, first_version, mixed, write

SENT = SentBundle(uuid_of("sent"), AT, "bundle", {"k3x9": "0-1", "f7": "0"})


def a_counted_book(path: Path | None = None, sample: str = "s") -> Book:
    book = a_book(path)
    write(begun(book), mixed(6, sample))
    return book


def answered(path: Path) -> tuple[ReaderDecision, ...]:
    """A book with some answers."""
    with a_counted_book(path) as book:
        cells = counted(book, 1)[:5]
        book.send_out(1, SENT)
        book.answer(1, [decided(cells[0]), decided(cells[1], "no cell")], [marked(0)])
        book.decide(
            1, [decided(cells[0], "withdrawn"), decided(cells[2], "uninfected", "Bo", blind=True, seconds=1.25)]
        )
        return book.decisions(1)


def test_answers_come_back_as_they_were_given_in_their_order(tmp_path: Path) -> None:
    path = tmp_path / "book.sqlite"
    there = answered(path)
    with a_book(path) as book:
        assert book.decisions(1) == there
        assert [one.number for one in there] == [1, 2, 3, 4]
        assert [(str(one.answer), one.label, one.blind, one.seconds) for one in there] == [
            ("class", "parasitized", False, None),
            ("no cell", "", False, None),
            ("withdrawn", "", False, None),
            ("class", "uninfected", True, 1.25),
        ]
        assert [replace(one, number=0) for one in book.additions(1)] == [marked(0)]
        assert book.bundles(1) == (SENT,)
        assert (check(book).problems, check(book).answers) == ((), 5)


def test_a_retry_changes_nothing_and_says_what_is_there(tmp_path: Path) -> None:
    with a_counted_book() as book:
        cell = counted(book, 1)[0]
        first = book.answer(1, [decided(cell)], [marked(0)])
        assert book.answer(1, [replace(decided(cell), at="2026-11-30T09:00:00Z")], [marked(0)]) == first
        assert (len(book.decisions(1)), len(book.additions(1))) == (1, 1)
        with pytest.raises(ReviewError, match="is in the book already, and says something else"):
            book.decide(1, [replace(decided(cell), label="uninfected")])


BAD: dict[str, tuple[dict[str, object], str]] = {
    "a cell that is not there": ({"cell": "0-999"}, "there is no cell 0-999 in this sample"),
    "a field that is not there": ({"cell": "77-0"}, "there is no cell 77-0 in this sample"),
    "a field that does not count": ({"cell": "2-0"}, "2-0 is not counted"),
    "another model": ({"model": "cd" * 32}, "answered for another model .* than the one that counted this sample"),
    "no reader": ({"reader": "  "}, "who answers"),
    "a reader with a long name": ({"reader": "A" * 61}, "reader .*: at most 60 printable characters"),
    "a reader that steers the screen": ({"reader": "A\x1b[2J"}, "at most 60 printable characters"),
    "a reader that turns the text round": ({"reader": "A\u202eb"}, "at most 60 printable characters"),
    "a class that is none": (
        {"label": "Parasitized"},
        "'Parasitized' is no class of the model: uninfected, parasitized",
    ),
    "no class": ({"label": ""}, "is no class of the model"),
    "a long stage": ({"stage": "r" * 61}, "stage .*at most 60"),
    "no uuid": ({"uuid": "7"}, "needs a UUID of its own"),
    "a uuid in another form": ({"uuid": uuid_of(1).upper()}, "needs a UUID of its own"),
    "no time": ({"at": "yesterday"}, "is no time"),
    "a time without a zone": ({"at": "2026-11-30T08:00:00"}, "is no time"),
    "a reading below 0": ({"reading": -1}, "there is no reading -1"),
    "seconds that are no number": ({"seconds": float("nan")}, "is no time that an answer takes"),
}


@pytest.mark.parametrize("case", BAD)
def test_an_answer_that_cannot_be_is_refused_with_all_that_came_with_it(case: str) -> None:
    changed, words = BAD[case]
    with a_counted_book() as book:
        good = counted(book, 1)[0]
        cell = str(changed.pop("cell", good))
        with pytest.raises(ReviewError, match=words):
            book.decide(1, [decided(good, reader="Bo"), replace(decided(cell), **changed)])  # type: ignore[arg-type]
        assert book.decisions(1) == ()
        changed["cell"] = cell


MARKS: dict[str, tuple[ReaderAddition, str]] = {
    "in a field that is not there": (marked(9), "field 9 is not there or does not count"),
    "in a field that could not be read": (marked(3), "field 3 is not there or does not count"),
    "outside the picture": (marked(0, (630, 440, 20, 20)), "box 630, 440, 20, 20 is not inside its 640 x 480 pixels"),
    "without a side": (marked(0, (10, 10, 0, 20)), "is not inside"),
    "of a huge number": (marked(0, (10, 10, 2**70, 20)), "is not inside"),
    "of no class": (marked(0, label=""), "is no class of the model"),
}


@pytest.mark.parametrize("case", MARKS)
def test_a_mark_that_cannot_be_is_refused(case: str) -> None:
    mark, words = MARKS[case]
    with a_counted_book() as book:
        with pytest.raises(ReviewError, match=words):
            book.add(1, [marked(0), mark])
        assert book.additions(1) == ()


def test_there_is_no_answering_a_sample_that_is_not_there() -> None:
    with a_counted_book() as book, pytest.raises(BookError, match="no sample of number 8"):
        book.decide(8, [decided("0-0")])


@pytest.mark.parametrize("table", ["decision", "addition", "bundle"])
@pytest.mark.parametrize("change", ["UPDATE {} SET at = 'x'", "DELETE FROM {}"])
def test_the_book_itself_refuses_to_change_what_was_answered(change: str, table: str, tmp_path: Path) -> None:
    answered(tmp_path / "book.sqlite")
    with a_book(tmp_path / "book.sqlite") as book:
        with pytest.raises(sqlite3.IntegrityError, match="answers are only added"):
            book.store.connection.execute(change.format(table))
        with pytest.raises(sqlite3.IntegrityError):
            book.store.connection.execute("DELETE FROM sample")


@pytest.mark.parametrize("table", ["decision", "addition", "bundle"])
def test_a_row_that_was_changed_all_the_same_is_noticed(table: str, tmp_path: Path) -> None:
    answered(tmp_path / "book.sqlite")
    with a_book(tmp_path / "book.sqlite") as book:
        book.store.connection.execute(f"DROP TRIGGER {table}_no_update")
        book.store.connection.execute(f"UPDATE {table} SET at = '2026-12-24T00:00:00Z' WHERE id = 1")
        assert check(book).problems == (
            f"s (count 1): {table} 1 is not as it was written: damaged, or changed by hand",
        )


def test_answers_stay_through_compaction_and_backup(tmp_path: Path) -> None:
    there = answered(tmp_path / "book.sqlite")
    with a_book(tmp_path / "book.sqlite") as book:
        compact(book)
        assert book.decisions(1) == there
        backup(book, tmp_path / "copy.sqlite")
    with a_book(tmp_path / "copy.sqlite") as copy:
        assert (copy.decisions(1), copy.bundles(1)) == (there, (SENT,))


def test_merged_books_hold_each_answer_once(tmp_path: Path) -> None:
    one, two = tmp_path / "one.sqlite", tmp_path / "two.sqlite"
    there = answered(one)
    with a_book(one) as book:
        backup(book, two)
        mine = decided(counted(book, 1)[3], reader="Cy")
        book.decide(1, [mine])
    with a_book(two) as other:
        theirs = decided(counted(other, 1)[4], reader="Di")
        other.answer(1, [theirs, mine], [marked(0, (5, 440, 9, 9))])
        merge(other, one)
        assert [replace(x, number=0) for x in other.decisions(1)[len(there) :]] == [theirs, mine]
    with a_book(one) as book:
        for new in (2, 0):
            assert merge(book, two).answers == new
            told = [replace(x, number=0) for x in book.decisions(1)[len(there) :]]
            assert (told, len(book.additions(1)), book.bundles(1)) == ([mine, theirs], 2, (SENT,))
            assert check(book).problems == ()
    with a_book(tmp_path / "empty.sqlite") as empty:
        merge(empty, one)
        assert len(empty.decisions(1)) == len(there) + 2


def test_answers_to_two_ways_of_going_on_stay_with_theirs(tmp_path: Path) -> None:
    paths = [tmp_path / f"{name}.sqlite" for name in ("one", "two")]
    with a_book(paths[0]) as book:
        write(begun(book), mixed(5), interrupted=True)
        book.decide(1, [decided(counted(book, 1)[0])])
        backup(book, paths[1])
    for path, fields in zip(paths, (mixed(6), [*mixed(5), field_of(5, shift=40)]), strict=True):
        with a_book(path) as book:
            writer = begun(book)
            writer.resume(1)
            write(writer, fields)
            book.decide(1, [decided(counted(book, 1)[-1], reader=path.stem)])
    with a_book(paths[0]) as book:
        merge(book, paths[1])
        assert check(book).problems == ()
        readers = [[one.reader for one in book.decisions(row.id)] for row in book.samples()]
        assert sorted(readers) == [["Ada", "one"], ["Ada", "two"]]


def test_what_can_be_read_of_answers_in_a_damaged_book_is_recovered(tmp_path: Path) -> None:
    path = tmp_path / "book.sqlite"
    there = answered(path)
    page = sqlite3.connect(path).execute("SELECT rootpage FROM sqlite_master WHERE name = 'view'").fetchone()[0]
    data = bytearray(path.read_bytes())
    data[(page - 1) * 4096 : page * 4096] = bytes(4096)
    path.write_bytes(data)
    said: list[str] = []
    with open_book(path, said.append) as book:
        assert book.decisions(1) == there
        assert (len(book.additions(1)), book.bundles(1)) == (1, (SENT,))
        assert check(book).problems == ()
    assert f"{path}: 6 answers of readers were recovered" in said


@pytest.mark.parametrize("upgraded", [False, True])
def test_answers_outlive_the_first_page(tmp_path: Path, *, upgraded: bool) -> None:
    path = tmp_path / "book.sqlite"
    if upgraded:
        with a_book(first_version(path)) as book:
            book.decide(1, [decided(counted(book, 1)[0])])
            there = book.decisions(1)
    else:
        there = answered(path)
    data = path.read_bytes()
    path.write_bytes(bytes(4096) + data[4096:])
    with a_book(path) as book:
        assert book.decisions(1) == there
        assert check(book).problems == ()


def test_a_book_of_version_1_without_its_first_page_has_lost_no_answers(tmp_path: Path) -> None:
    path, said = first_version(tmp_path / "book.sqlite"), list[str]()
    path.write_bytes(bytes(4096) + path.read_bytes()[4096:])
    with open_book(path, said.append) as book:
        assert [row.cells for row in book.samples()] == [2, 9]
        assert check(book).problems == ()
    assert not any("answers" in line for line in said), said


def test_answers_that_are_lost_are_said(tmp_path: Path) -> None:
    path = tmp_path / "book.sqlite"
    answered(path)
    connection = sqlite3.connect(path)
    connection.execute("DROP TRIGGER decision_no_update")
    connection.execute("UPDATE decision SET label = 'uninfected' WHERE id = 1")
    connection.commit()
    connection.close()
    said: list[str] = []
    repair(path, said.append)
    assert f"{path}: 1 answers of readers could not be read back" in said
    with a_book(path) as book:
        assert [one.number for one in book.decisions(1)] == [1, 2, 3]


READER = """
import sys
from pathlib import Path
from edge.review.desk import BookDesk
from tests.book.answers import decided
desk = BookDesk(Path(sys.argv[1]))
for line in sys.stdin:
    cell, reader = line.split()
    desk.decide(1, (decided(cell, reader=reader),))
    print(cell, flush=True)
"""


def a_reader(path: Path) -> subprocess.Popen[str]:
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    return subprocess.Popen([sys.executable, "-c", READER, path], text=True, **pipes)  # type: ignore[call-overload, no-any-return]


def test_two_processes_decide_while_a_third_counts(tmp_path: Path) -> None:
    path = tmp_path / "book.sqlite"
    with a_book(path) as book:
        writer, counting = begun(book), Counting()
        fields = mixed(12)
        for outcome in fields[:5]:
            writer.field(counting.event(outcome))
        cells = counted(book, 1)[:20]
        with a_reader(path) as ada, a_reader(path) as bo:
            for process, name in ((ada, "Ada"), (bo, "Bo")):
                assert process.stdin is not None
                process.stdin.write("".join(f"{cell} {name}\n" for cell in cells))
                process.stdin.close()
            for outcome in fields[5:]:
                writer.field(counting.event(outcome))
            assert (ada.wait(60), bo.wait(60)) == (0, 0)
        writer.sample(counting.end())
        assert check(book).problems == ()
        told = [(str(one.cell), one.reader) for one in book.decisions(1)]
    assert sorted(told) == sorted((cell, name) for cell in cells for name in ("Ada", "Bo"))


def test_what_was_said_to_be_decided_survives_kill(tmp_path: Path) -> None:
    path = tmp_path / "book.sqlite"
    with a_counted_book(path) as book:
        cells = counted(book, 1)
    with a_reader(path) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write("".join(f"{cell} Ada\n" for cell in cells))
        process.stdin.flush()
        said = [process.stdout.readline().strip() for _ in range(7)]
        os.kill(process.pid, signal.SIGKILL)
        said += [line.strip() for line in process.stdout if line.endswith("\n")]
    with a_book(path) as book:
        there = [str(one.cell) for one in book.decisions(1)]
        assert check(book).problems == ()
    assert there[: len(said)] == said
    assert len(there) <= len(said) + 1  # the one that was on the medium and not said yet


def test_a_disk_without_room_takes_no_half_of_an_answer() -> None:
    with a_counted_book() as book:
        cells = counted(book, 1)
        pages = book.store.connection.execute("PRAGMA page_count").fetchone()[0]
        book.store.connection.execute(f"PRAGMA max_page_count = {pages}")
        with pytest.raises(OutputError, match="the disk is full"):
            book.decide(1, [decided(cell, reader=f"{n}") for n in range(40) for cell in cells])
        assert book.decisions(1) == ()
