"""What the book costs is measured on a real book, with nets of the shelf."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

from benchmarks.book import __main__ as program
from benchmarks.book.fields import FieldMaker, Telling, field_maker
from benchmarks.book.journal import JournalCost, journal_cost, journal_table
from benchmarks.book.measure import BookSize, FieldCost, field_cost, full_book
from benchmarks.book.page import HEADING, tables, with_figures
from benchmarks.errors import NoInputError, OutputError
from edge.events import FieldEvent


@pytest.fixture(scope="module")
def maker() -> FieldMaker:
    return field_maker(None, 2)


def test_what_a_field_costs(maker: FieldMaker, tmp_path: Path) -> None:
    cost = field_cost(maker, tmp_path / "book.sqlite", 5, None)
    assert cost.cells > 50
    assert 0 < cost.book_ms < cost.analysis_ms
    assert cost.share == cost.book_ms / cost.analysis_ms
    assert cost.wall_ms > 0


def test_what_the_journal_costs(maker: FieldMaker, tmp_path: Path) -> None:
    cost = journal_cost(maker, tmp_path, 40)
    assert (cost.fields, cost.cells > 50) == (40, True)
    assert cost.without_ms > 0
    assert cost.with_ms > 0
    assert 0 <= cost.with_bytes - cost.without_bytes < 4096
    assert cost.message_bytes > 1000
    assert cost.take_ms > 0
    table = journal_table("a Pi", JournalCost(40, 110.0, 0.5, 0.51, 9000.0, 9020.0, 1.25, 12_000.0, 2.0))
    assert "| book, processor ms | 0.500 | 0.510 | +0.010 |" in table
    assert "| book, bytes | 9,000 | 9,020 | +20 |" in table
    assert HEADING in program.JOURNAL_PAGE.read_text()


class Counting:
    """A keeper that keeps a picture of a kilobyte of every field."""

    def __init__(self, _: object) -> None:
        pass

    def field(self, event: FieldEvent) -> object:
        from edge.book.records import Kept

        assert event.rgb is not None
        return Kept({0: bytes(1000)})


def test_how_large_a_full_book_is(maker: FieldMaker, tmp_path: Path) -> None:
    book = full_book(maker, tmp_path / "book.sqlite", 1500, 500, Counting)  # type: ignore[arg-type]
    assert 1500 <= book.cells < 2500
    assert book.samples in (2, 3)
    assert book.fields % book.samples == 0
    assert book.pictures == 1000 * book.fields
    assert book.size > book.pictures
    assert 0 < book.samples_s < 5
    assert 0 < book.cold_show_s < 5


def test_a_sample_is_told_under_rising_numbers(maker: FieldMaker) -> None:
    telling = Telling(maker.card, "a")
    made = [maker.make(n) for n in range(2)]
    told = [telling.field(*one) for one in (*made, *made)]
    assert [event.index for event in told] == [0, 1, 2, 3]
    assert len({event.identity.sha256 for event in told if event.identity}) == 4
    assert telling.end().tally == told[-1].tally


COST = FieldCost(110.0, 20.0, 0.9, 2.25)
BOOK = BookSize(200, 9091, 1_000_010, 99_000_000, 9_000_000, 0.0123, 0.0456, 0.1, 0.2)


def test_the_tables() -> None:
    text = tables("a Pi", {"grouped": COST}, {"full": BOOK})
    assert "| grouped | 110 | 20.0 | 0.90 | 4.5% | 2.2 |" in text
    assert "| full | 200 | 9,091 | 1,000,010 | 99 | 9 | 90 | 0.012 | 0.046 | 0.100, 0.200 |" in text
    assert "Missed: none." in text
    slow, large = replace(COST, book_ms=2.0), replace(BOOK, size=130_000_000, show_s=0.4)
    text = tables("a Pi", {"slow": slow}, {"large": large})
    assert "Missed: slow (10.0%), large (130 MB), large (seconds)." in text


def test_figures_take_the_place_of_earlier_ones() -> None:
    page = f"# The book\n\n{HEADING}\nold\n"
    assert with_figures(page, "new\n") == f"# The book\n\n{HEADING}\nnew\n"
    with pytest.raises(OutputError, match="no heading"):
        with_figures("# The book\n", "new\n")
    assert HEADING in program.PAGE.read_text()


def test_a_folder_without_pictures_is_refused(tmp_path: Path) -> None:
    with pytest.raises(NoInputError):
        field_maker(tmp_path, 2)
    assert CliRunner().invoke(program.app, ["--fields", str(tmp_path)]).exit_code == 4
