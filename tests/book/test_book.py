"""What is counted into a book comes out of it again, exactly, and says what it is."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from edge.book.records import FieldPicture, Kept
from edge.book.replay import events
from edge.errors import BookError
from edge.events import FieldEvent, Unreadable
from edge.types import FieldIdentity
from tests.book.made import ABOUT, BINDING, HOSTILE, Counting, a_book, begun, field_of, mixed, plain, silent, write


def test_outcomes_come_back_exactly_as_the_workers_gave_them(tmp_path: Path) -> None:
    given = mixed()
    with a_book(tmp_path / "book.sqlite") as book:
        write(begun(book), given)
    with a_book(tmp_path / "book.sqlite") as book:
        got = list(book.outcomes(book.sample("s").id))
    assert [plain(one) for one in got] == [plain(one) for one in given]


def test_events_come_back_exactly_as_they_were_told() -> None:
    with a_book() as book:
        told = write(begun(book), mixed())
        again = list(events(book, book.sample("s").id))
    assert any(event.overlaps for event in told)
    assert any(event.reject_reason for event in told)
    assert [plain(event) for event in again] == [plain(event) for event in told]


def test_the_end_of_a_sample_comes_back_exactly() -> None:
    with a_book() as book:
        writer = begun(book)
        counting = Counting()
        for outcome in mixed():
            writer.field(counting.event(outcome))
        writer.sample(counting.end())
        assert plain(book.event(book.sample("s").id)) == plain(counting.end())


def test_run_and_settings_come_back_exactly() -> None:
    with a_book() as book:
        run = book.begin_run(ABOUT, BINDING)
        assert plain(book.about(run))["card"] == {**plain(ABOUT.card), "accuracy": {"auc": 0.99, "of": [1, 2]}}
        assert book.about(run) == ABOUT
        assert book.binding(run) == BINDING


def test_a_sample_says_how_far_it_is_at_every_field() -> None:
    with a_book() as book:
        writer = begun(book)
        counting = Counting()
        for outcome in mixed():
            event = counting.event(outcome)
            writer.field(event)
            row, tally = book.sample("s"), event.tally
            assert (row.state, row.fields) == ("counting", event.index + 1)
            assert (row.kept, row.cells, row.counts) == (tally.kept, tally.cells, tally.counts)
            assert (row.rejected, row.unreadable) == (sum(tally.rejected.values()), len(tally.unreadable))
            assert row.seconds == event.seconds
        assert (row.model, row.scope, row.unit, row.flag) == ("fake", "scope-3", "cell", None)
        writer.sample(counting.end())
        assert (book.sample("s").state, book.sample("s").flag) == ("complete", "uncalibrated")


def test_a_sample_adds_up_to_the_same_again() -> None:
    with a_book() as book:
        told = write(begun(book), mixed(), end=False)
        assert book.tally(1) == told[-1].tally
        assert sum(told[-1].tally.set_aside.values()) > 0


def test_an_interrupted_sample_is_one_that_may_be_gone_on_with() -> None:
    with a_book() as book:
        write(begun(book), mixed(5), interrupted=True)
        assert book.sample("s").state == "interrupted"


def test_a_name_that_is_there_is_counted_again_and_both_stay() -> None:
    with a_book() as book:
        for n in (5, 6, 7):
            write(begun(book), mixed(n))
        assert [(row.count, row.fields) for row in book.samples(name="s")] == [(3, 7), (2, 6), (1, 5)]
        assert book.sample("s").fields == 7
        assert book.sample("s", 2).fields == 6
        assert [note.text for note in book.notes(book.sample("s").id)] == ["counted again: there were 2 of this name"]


def test_a_name_that_is_not_there_is_told_with_those_that_are_near() -> None:
    with a_book() as book:
        for name in ("S-0042", "S-0043", "other"):
            write(begun(book), mixed(5, name))
        with pytest.raises(BookError, match=r"no sample S-042: did you mean S-004\d or S-004\d\?"):
            book.sample("S-042")
        with pytest.raises(BookError, match="no sample xyz: edge samples lists them"):
            book.sample("xyz")
        with pytest.raises(BookError, match="no count 3 of other"):
            book.sample("other", 3)


def test_samples_are_in_the_order_they_came_whatever_the_clock_says(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter(("2026-11-29T10:00:00.000Z", "1970-01-01T00:00:05.000Z", "2026-11-28T10:00:00.000Z"))
    with a_book() as book:
        for name in ("first", "second", "third"):
            time = next(clock)
            monkeypatch.setattr("edge.book.writer.now", lambda time=time: time)
            write(begun(book), mixed(5, name))
        assert [row.name for row in book.samples()] == ["third", "second", "first"]
        assert [row.name for row in book.samples(since="2026-11-28T12:00")] == ["first"]


def test_names_may_hold_any_bytes() -> None:
    with a_book() as book:
        write(begun(book), mixed(5, HOSTILE))
        assert book.sample(HOSTILE).name == HOSTILE
        names = [one.name if isinstance(one, Unreadable) else one.result.name for one in book.outcomes(1)]
        assert names[3:] == [HOSTILE, HOSTILE]


def test_files_are_known_by_their_content() -> None:
    outcome = field_of(7)
    twin = FieldIdentity("/copy.png", 1007, outcome.result.identity.sha256 if outcome.result.identity else "")
    copy = replace(outcome, result=replace(outcome.result, index=8, name="copy.png", identity=twin))
    camera = replace(outcome, result=replace(outcome.result, index=9, identity=None))
    with a_book() as book:
        write(begun(book), [outcome, copy, camera])
        ((sha256, fields),) = book.known(1).items()
    assert sha256 == twin.sha256
    assert [(one.index, one.name, one.identity.path) for one in fields] == [
        (7, "field-7.png", "/fields/field-7.png"),
        (8, "copy.png", "/copy.png"),
    ]


class TwoOfEach:
    """Keeps a picture of the latest two fields."""

    def field(self, event: FieldEvent) -> Kept:
        view = FieldPicture(4, 3, b"view %d" % event.index)
        gone = event.index - 2
        picture = (f"{event.index}.png", 10, event.index % 2 == 0)
        return Kept({0: b"first", 5: b"%d" % event.index}, view, picture, [(gone, 0), (gone, 5)], [gone])


def test_pictures_that_stay_and_pictures_that_leave() -> None:
    with a_book() as book:
        write(book.writer(book.begin_run(ABOUT, BINDING), keep=TwoOfEach()), mixed(6))
        assert book.crops(1) == {(4, 0): b"first", (4, 5): b"4", (5, 0): b"first", (5, 5): b"5"}
        assert book.views(1) == {4: FieldPicture(4, 3, b"view 4"), 5: FieldPicture(4, 3, b"view 5")}
        kept = book.pictures(1)
        assert [(one.field, one.file, one.suspicious) for one in kept[:2]] == [(0, "0.png", True), (1, "1.png", False)]
        book.forget_pictures(kept[1:])
        assert book.pictures() == kept[:1]


def test_a_throw_away_book_does_all_of_it_without_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with a_book() as book:
        write(begun(book), mixed())
        assert len(list(book.outcomes(1))) == 12
    assert list(tmp_path.iterdir()) == []
    silent("")
