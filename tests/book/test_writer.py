"""Writing: one transaction per field; going on with a sample compares what is there and writes what is not."""

from __future__ import annotations

import sqlite3
from dataclasses import replace
from pathlib import Path

import pytest

from edge.book.book import Book
from edge.errors import BookError, OutputError
from edge.events import AnalysedField
from tests.book.made import ABOUT, BINDING, Counting, a_book, begun, field_of, mixed, plain, rows_of, write


def counted(path: Path, n: int = 12) -> list[object]:
    with a_book(path) as book:
        write(begun(book), mixed(n))
        return [row[1:] for row in rows_of(book)]


@pytest.mark.parametrize("before", [1, 4, 11, 12])
def test_a_sample_gone_on_with_equals_one_that_never_stopped(tmp_path: Path, before: int) -> None:
    path = tmp_path / "book.sqlite"
    with a_book(path) as book:
        write(begun(book), mixed()[:before], interrupted=True)
    with a_book(path) as book:
        sample = book.sample("s")
        writer = begun(book)
        writer.resume(sample.id)
        assert book.sample("s").state == "counting"
        fields = [*book.outcomes(sample.id), *mixed()[before:]]
        write(writer, fields)
        assert writer.replayed == before
        assert [row.state for row in book.samples()] == ["complete"]
        assert [row[1:] for row in rows_of(book)] == counted(tmp_path / "other.sqlite")


def test_a_replay_that_decides_differently_is_refused() -> None:
    with a_book() as book:
        write(begun(book), mixed(6), interrupted=True)
        writer = begun(book)
        writer.resume(1)
        events = [Counting().event(outcome) for outcome in book.outcomes(1)]
        writer.field(events[0])
        with pytest.raises(
            BookError, match="field 1 of s was kept, would be out of focus now: this version decides differently"
        ):
            writer.field(replace(events[1], reject_reason="out of focus"))
        result = events[0].result
        assert result is not None
        other = replace(events[0], analysed=replace(result, scores=result.scores + 1))
        with pytest.raises(BookError, match="field 0 of s would be counted in another way now"):
            writer.field(other)


def test_only_an_interrupted_sample_is_gone_on_with() -> None:
    with a_book() as book:
        writer = begun(book)
        write(writer, mixed(5))
        for sample in (1, 99):
            with pytest.raises(BookError, match="not interrupted"):
                writer.resume(sample)
        assert book.sample("s").state == "complete"


def test_samples_of_one_run_follow_each_other() -> None:
    with a_book() as book:
        writer = begun(book)
        write(writer, mixed(5, "a"))
        write(writer, mixed(6, "b"), interrupted=True)
        writer.close()
        assert [(row.name, row.state, row.fields) for row in book.samples()] == [
            ("b", "interrupted", 6),
            ("a", "complete", 5),
        ]


def test_a_defect_leaves_nothing_that_looks_complete() -> None:
    with a_book() as book:
        writer = begun(book)
        write(writer, mixed(5), end=False)
        writer.discard()
        assert book.sample("s").state == "interrupted"


def test_a_field_is_there_for_another_program_as_soon_as_it_was_written(tmp_path: Path) -> None:
    path = tmp_path / "book.sqlite"
    with a_book(path) as book, a_book(path) as other:
        writer = begun(book)
        counting = Counting()
        for n, outcome in enumerate(mixed(5)):
            writer.field(counting.event(outcome))
            assert other.sample("s").fields == n + 1


def test_fields_may_be_put_on_the_medium_several_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "book.sqlite"
    clock = iter([0.0, 0.0, 0.1, 0.5, 9.0, 9.0])
    monkeypatch.setattr("edge.book.writer.monotonic", lambda: next(clock))
    with a_book(path) as book, a_book(path) as other:
        writer = book.writer(book.begin_run(ABOUT, BINDING), group_s=0.4)
        counting, there = Counting(), []
        for outcome in mixed(5)[:4]:
            writer.field(counting.event(outcome))
            there.append((writer.settled, len(other.samples()) and other.sample("s").fields))
        assert there == [(False, 0), (False, 0), (True, 3), (False, 3)]
        writer.sample(counting.end())
        assert other.sample("s").fields == 4
        assert other.tally(1) == counting.sample.tally()


def test_a_field_that_fails_half_way_leaves_no_trace(tmp_path: Path) -> None:
    with a_book(tmp_path / "book.sqlite") as book:
        writer = begun(book)
        counting = Counting()
        for outcome in mixed(5)[:4]:
            writer.field(counting.event(outcome))
        before = list(book.store.connection.iterdump())
        book.store.connection.execute(
            "CREATE TEMP TRIGGER full BEFORE UPDATE ON sample BEGIN SELECT raise(ABORT, 'no room'); END"
        )
        with pytest.raises(OutputError, match="the book cannot be written: no room"):
            writer.field(counting.event(mixed(5)[4]))
        book.store.connection.execute("DROP TRIGGER full")
        assert list(book.store.connection.iterdump()) == before


def test_a_field_without_what_the_worker_made_of_it_is_a_defect() -> None:
    with a_book() as book, pytest.raises(ValueError, match="without what the worker made"):
        begun(book).field(replace(Counting().event(field_of(0)), analysed=None))


def changed(book: Book, statement: str) -> None:
    book.store.connection.execute(statement)


BY_HAND = {
    "a score": "UPDATE cell SET scores = x'0000803F00000000' WHERE field_id = 1 AND n = 2",
    "a class": "UPDATE cell SET class = 1 - class WHERE field_id = 1 AND class >= 0",
    "a cell taken out": "DELETE FROM cell WHERE field_id = 1 AND n = 3",
    "a cell put in": "INSERT INTO cell SELECT field_id, 1000, x, y, w, h, kind, class, seen, confidence, scores, mask "
    "FROM cell WHERE field_id = 1 AND n = 0",
    "a reason": "UPDATE field SET reason = 'out of focus' WHERE id = 1",
    "scores of another length": "UPDATE cell SET scores = x'00' WHERE field_id = 1 AND n = 2",
    "a number no box has": "UPDATE cell SET x = 9223372036854775807 WHERE field_id = 1 AND n = 2",
    "a picture that is none": "UPDATE field SET typical_cell = x'0102' WHERE id = 1",
    "kinds": "UPDATE field SET kinds = '[]'",
    "a mask": "UPDATE cell SET mask = x'00' WHERE field_id = 1 AND n = 0",
}


@pytest.mark.parametrize("case", BY_HAND)
def test_a_row_changed_by_hand_is_noticed(case: str) -> None:
    with a_book() as book:
        write(begun(book), mixed(5))
        changed(book, BY_HAND[case])
        with pytest.raises(BookError, match="edge book check"):
            list(book.outcomes(1))


@pytest.mark.parametrize(
    "case", ["counts = '[1]'", "counts = 'x'", """counts = '{"a": 1.5}'""", """counts = '{"a": true}'"""]
)
def test_a_sample_changed_by_hand_to_nonsense_is_noticed(case: str) -> None:
    with a_book() as book:
        write(begun(book), mixed(5))
        changed(book, f"UPDATE sample SET {case}")
        with pytest.raises(BookError, match="changed by hand, or damaged"):
            book.samples()


@pytest.mark.parametrize("column", ["state = 'done'", "count = 0", "count = 'two'", "run_id = 99"])
def test_the_tables_refuse_what_makes_no_sense(column: str) -> None:
    with a_book() as book:
        write(begun(book), mixed(5))
        with pytest.raises(sqlite3.IntegrityError):
            changed(book, f"UPDATE sample SET {column}")


def test_a_sample_that_is_deleted_takes_all_of_its_rows_along() -> None:
    with a_book() as book:
        write(begun(book), mixed(5))
        changed(book, "DELETE FROM sample")
        for table in ("field", "cell"):
            assert book.store.rows(f"SELECT count(*) FROM {table}")[0][0] == 0


def test_masks_of_any_pixels_come_back() -> None:
    outcome = field_of(4, masks=True)
    masks = outcome.result.cells.masks
    assert masks is not None
    grey = replace(outcome.result.cells, masks=masks // 2)
    given = AnalysedField(replace(outcome.result, cells=grey), seconds=1.0)
    with a_book() as book:
        write(begun(book), [given])
        assert [plain(one) for one in book.outcomes(1)] == [plain(given)]
