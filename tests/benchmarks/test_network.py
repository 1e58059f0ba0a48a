"""The way that doubles and disorders, the comparison of books, the page; and a district in small with a real broker."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks.network import page
from benchmarks.network.district import CollectorCounts
from benchmarks.network.rough import Disorder, packets
from benchmarks.network.same import compare
from benchmarks.network.trial import CUT_S, TrialPlan, TrialRecord, run_trial
from edge.book.inbox import Inbox
from edge.book.journal import Journal
from edge.book.opening import open_book
from edge.book.writer import BookWriter
from edge.events import AnalysedField
from tests.book.made import ABOUT, Counting, field_of
from tests.network.mosquitto import needs_mosquitto

ENTRY = bytes([0x32, 5]) + b"topic"
OTHER = bytes([0x30, 2]) + b"ab"


class TestPackets:
    def test_whole_packets_come_off_the_front_and_the_rest_stays(self) -> None:
        long = bytes([0x32, 0x80 | 72, 1]) + bytes(200)
        buffer = bytearray(ENTRY + long + OTHER[:3])
        assert packets(buffer) == [ENTRY, long]
        assert bytes(buffer) == OTHER[:3]
        buffer += OTHER[3:]
        assert packets(buffer) == [OTHER]
        assert not buffer

    @pytest.mark.parametrize("cut", range(1, 5))
    def test_what_is_cut_anywhere_comes_whole_later(self, cut: int) -> None:
        buffer = bytearray(ENTRY[:cut])
        assert packets(buffer) == []
        buffer += ENTRY[cut:]
        assert packets(buffer) == [ENTRY]


class TestDisorder:
    def test_nothing_is_lost_and_what_is_no_entry_is_neither_doubled_nor_overtaken(self) -> None:
        disorder = Disorder(random.Random(1))
        sent = [bytes([0x32, 1, number % 256]) for number in range(1000)]
        out = [packet for one in sent for packet in disorder.passed(one)] + disorder.left()
        assert sorted(set(out)) == sorted(set(sent))
        assert len(out) == len(sent) + disorder.doubled
        assert out != sent
        assert disorder.doubled > 20
        assert disorder.overtaken > 20
        assert [packet for _ in range(1000) for packet in disorder.passed(OTHER)] == [OTHER] * 1000


def counted(path: Path, sample: str, fields: int) -> Path:
    """A book with a sample of a few fields."""
    with open_book(path, lambda _: None) as book:
        writer: BookWriter = book.writer(book.begin_run(ABOUT, {}))
        counting = Counting(sample)
        for number in range(fields):
            writer.field(counting.event(field_of(number, sample)))
        writer.sample(counting.end())
        writer.close()
    return path


def collected(books: dict[str, Path], district: Path) -> None:
    with Inbox(district) as inbox:
        for name, path in books.items():
            journal = Journal(path)
            for entry in journal.entries(1, 1000):
                inbox.take(journal.message(entry, name, names=True))


def without_a_sample(district: Path) -> None:
    with open_book(district, lambda _: None) as book, book.store.writing() as connection:
        connection.execute("DELETE FROM sample WHERE id = 1")


def without_a_field(district: Path) -> None:
    with open_book(district, lambda _: None) as book, book.store.writing() as connection:
        connection.execute("DELETE FROM field WHERE id = 2")


def another_flag(district: Path) -> None:
    with open_book(district, lambda _: None) as book, book.store.writing() as connection:
        connection.execute("UPDATE sample SET flag = 'negative' WHERE id = 1")


def another_order(district: Path) -> None:
    with open_book(district, lambda _: None) as book, book.store.writing() as connection:
        connection.execute("PRAGMA defer_foreign_keys = ON")
        connection.execute("UPDATE field SET id = 900 WHERE id = 1")
        connection.execute("UPDATE cell SET field_id = 900 WHERE field_id = 1")


WRONG: dict[str, tuple[Callable[[Path], None], str]] = {
    "a sample is missing": (without_a_sample, "missing"),
    "a field is missing": (without_a_field, "fields_missing"),
    "a sample has another flag": (another_flag, "changed"),
    "fields came in another order": (another_order, "disordered"),
}


class TestCompare:
    @pytest.fixture
    def books(self, tmp_path: Path) -> dict[str, Path]:
        return {name: counted(tmp_path / f"{name}.sqlite", f"{name}-s", 3) for name in ("a", "b")}

    @pytest.fixture
    def district(self, tmp_path: Path, books: dict[str, Path]) -> Path:
        collected(books, tmp_path / "district.sqlite")
        return tmp_path / "district.sqlite"

    def test_a_book_that_has_all_is_the_same(self, books: dict[str, Path], district: Path) -> None:
        found = compare(district, books)
        assert found.wrong == 0
        assert (found.samples, found.complete, found.fields) == (2, 2, 6)

    @pytest.mark.parametrize("case", WRONG)
    def test_a_difference_is_found(self, books: dict[str, Path], district: Path, case: str) -> None:
        spoil, where = WRONG[case]
        spoil(district)
        assert getattr(compare(district, books), where) > 0

    def test_a_sample_of_nobody_is_found(self, books: dict[str, Path], district: Path) -> None:
        del books["a"]
        assert compare(district, books).foreign == 1

    def test_a_book_that_is_not_there_yet_holds_nothing(self, books: dict[str, Path], tmp_path: Path) -> None:
        assert compare(tmp_path / "none.sqlite", books).missing == 2


def test_the_page_shows_each_trial_in_a_column(tmp_path: Path) -> None:
    found = compare(tmp_path / "none.sqlite", {})
    record = TrialRecord(TrialPlan("saves", True), found, 3, 4, CollectorCounts(1, 2, 3, 4, 0), CUT_S, 600.0, None)
    text = page.page_text([record, replace(record, left_s=12.0)])
    assert "| broker killed | 50 times | 50 times |" in text
    assert "| seconds from the last fault until all was there | never | 12 |" in text


@needs_mosquitto
@pytest.mark.filterwarnings(
    "ignore:This process.*multi-threaded:DeprecationWarning"
)  # of pytest's own; children begin anew
def test_a_district_in_small_collects_all(tmp_path: Path) -> None:
    pytest.importorskip("paho", reason="paho-mqtt (extra mqtt) is not installed")
    made = field_of(1, "s", cells=5)
    assert isinstance(made, AnalysedField)
    plan = TrialPlan("small", False, 2, 1, 1, 0, 1, cut=False, pause_s=0.02, apart_s=(0.2, 0.4))
    record = run_trial(plan, tmp_path, [made.result], ABOUT, lambda _: None)
    assert record.compared.wrong == 0
    assert record.compared.complete == 2
    assert record.left_s is not None
