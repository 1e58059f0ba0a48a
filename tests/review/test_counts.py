"""From what readers say to what the statistics take, and how a review stands."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from edge.book.book import Book
from edge.errors import BookError
from edge.events import SampleEvent
from edge.record_json import to_text
from edge.review.counts import added, drawn_of
from edge.review.desk import BookDesk
from edge.review.parts import TOP_SIZE
from edge.review.records import Stratum
from edge.review.state import ReviewState, state_of
from edge.verdict.assess import Assessor
from edge.verdict.flag import NO_EVIDENCE, decide
from edge.verdict.review_records import NOT_REVIEWED, PartCounts
from tests.book.answers import decided, marked
from tests.book.made import ABOUT, Counting, a_book, begun, write
from tests.fakes import CARD
from tests.review.test_desk import a_sample, scored
from tests.verdict.made import calibration

DRAWN: dict[str, tuple[list[int], int]] = {
    "nobody answered": ([], 0),
    "the first": ([0], 1),
    "one after the other": ([0, 1, 2, 3], 4),
    "one was passed over": ([0, 2, 3], 4),
    "one, at once": ([1], 2),
    "two of few were passed over": ([0, 3], 1),
    "one of ten was passed over": ([0, *range(2, 11), *range(12, 21)], 21),
    "far ones were chosen": ([0, 1, 2, 50, 90], 3),
    "only far ones": ([40, 41, 42], 0),
    "the gap was filled": (list(range(43)), 43),
}


@pytest.mark.parametrize("case", DRAWN)
def test_the_random_sample_reaches_as_far_as_people_went_in_order(case: str) -> None:
    answered, expected = DRAWN[case]
    assert drawn_of(np.array(answered, np.int64)) == expected


def of_a_sample(*, low: int = 300, top: int = 3) -> Book:
    """Suspects, 40 near misses, others."""
    return a_sample(None, [0.9] * top + [0.3] * 40 + [0.05] * low)


def answer(book: Book, stratum: Stratum, places: list[int], label: str, reader: str = "Ada") -> None:
    state = state_of(book, book.sample("s"), advise=False)
    cells = next(part.cells for part in state.plan.parts if part.stratum is stratum)
    book.decide(1, [decided(str(cells[i].cell), label, reader) for i in places])


def part(state: ReviewState, name: str) -> PartCounts:
    return next(one for one in state.counts.parts if one.name == name)


def test_before_anybody_answers_all_cells_are_in_the_counts_and_nothing_is_reviewed() -> None:
    with of_a_sample() as book:
        state = state_of(book, book.sample("s"))
        tally = book.tally(1)
    assert [(one.name, one.size, one.looked) for one in state.counts.parts] == [
        ("top", 3, 0),
        ("suspects", 0, 0),
        ("near", 40, 0),
        ("rest", 300, 0),
    ]
    assert state.counts.cells == tally.cells == state.plan.cells
    assert (state.verdict.flag, state.machine.flag, state.readers) == (NOT_REVIEWED, "uncalibrated", ())


def test_cells_looked_at_in_order_are_a_sample_and_those_that_were_chosen_are_their_own_part() -> None:
    with of_a_sample() as book:
        answer(book, Stratum.TOP, [0, 2], "parasitized")
        answer(book, Stratum.NEAR, [0, 1, 2], "uninfected")
        answer(book, Stratum.NEAR, [20, 21], "parasitized")
        answer(book, Stratum.REST, [0, 1, 3], "no cell")
        state = state_of(book, book.sample("s"))
    assert part(state, "top") == PartCounts("top", 3, 2, ordered=True, suspect=True)
    assert part(state, "near") == PartCounts("near", 38, 0, 3)
    assert part(state, "near, chosen") == PartCounts("near, chosen", 2, 2)
    assert part(state, "rest") == PartCounts("rest", 300, 0, 0, 3, 1), "who passes one over could not tell"
    assert state.counts.cells == 343
    assert (state.verdict.confirmed, state.readers) == (4, ("Ada",))
    assert state.machine.flag == "uncalibrated"


def test_what_is_taken_back_and_what_divides_readers() -> None:
    with of_a_sample() as book:
        answer(book, Stratum.TOP, [0, 1], "parasitized")
        answer(book, Stratum.TOP, [0, 1], "uninfected", "Bo")
        answer(book, Stratum.TOP, [2], "unsure")
        answer(book, Stratum.TOP, [1], "withdrawn", "Bo")
        state = state_of(book, book.sample("s"))
    assert part(state, "top") == PartCounts("top", 3, 1, 0, 0, 2, ordered=True, suspect=True)
    assert state.counts.votes == ((("Ada", True), ("Bo", False)),)


def test_readers_who_disagree_on_everything_leave_everything_open() -> None:
    with of_a_sample() as book:
        for stratum, places in (
            (Stratum.TOP, [0, 1, 2]),
            (Stratum.NEAR, list(range(40))),
            (Stratum.REST, list(range(60))),
        ):
            answer(book, stratum, places, "parasitized")
            answer(book, stratum, places, "uninfected", "Bo")
        state = state_of(book, book.sample("s"))
    assert [(one.positive, one.unsure) for one in state.counts.parts] == [(0, 3), (0, 0), (0, 40), (0, 60)]
    assert (state.verdict.confirmed, state.verdict.flag) == (0, "indeterminate")
    assert state.verdict.share.low == pytest.approx(0, abs=1e-3)


def test_more_suspects_than_anybody_looks_at_are_drawn() -> None:
    with a_sample(None, np.linspace(0.5, 0.99, 200).tolist()) as book:
        answer(book, Stratum.TOP, list(range(TOP_SIZE)), "uninfected")
        answer(book, Stratum.SUSPECTS, list(range(20)), "uninfected")
        state = state_of(book, book.sample("s"))
    assert part(state, "top").looked == TOP_SIZE
    assert part(state, "suspects") == PartCounts("suspects", 200 - TOP_SIZE, 0, 20, suspect=True)


def test_marks_of_one_cell_by_several_readers_are_one() -> None:
    told = [
        marked(0, (100, 100, 20, 20)),
        marked(0, (102, 101, 20, 20), reader="Bo"),
        marked(1, (100, 100, 20, 20)),
        marked(0, (200, 100, 20, 20), label="uninfected"),
        marked(0, (300, 100, 20, 20)),
        marked(0, (300, 100, 20, 20), withdrawn=True),
    ]
    assert added(told, ("parasitized",)) == 2


def test_a_sample_that_is_no_evidence_stays_so_after_review(tmp_path: Path) -> None:
    with of_a_sample() as book:
        event = book.event(1)
        assert event is not None
        doubted = replace(event, verdict=replace(event.verdict, flag="insufficient", reasons=("Grey.", NO_EVIDENCE)))
        book.store.connection.execute("UPDATE sample SET event = ?, flag = ?", (to_text(doubted), doubted.verdict.flag))
        answer(book, Stratum.TOP, [0], "uninfected")
        state = state_of(book, book.sample("s"))
    assert (state.counts.alike, state.verdict.flag) == (False, "insufficient")


def test_a_calibrated_sample_is_judged_by_its_calibration_after_review_too() -> None:
    known = calibration()
    assessor = Assessor(known, 0.2)
    with a_book() as book:
        run = book.begin_run(replace(ABOUT, calibration=known), {})
        writer, counting = book.writer(run), Counting()
        writer.field(counting.event(scored(0, [0.9, *[0.05] * 300])))
        tally = counting.sample.tally()
        writer.sample(SampleEvent(tally, decide(tally, CARD, assessor), 1.0))
        answer(book, Stratum.TOP, [0], "uninfected")
        state = state_of(book, book.sample("s"))
    assert (state.verdict.rests_on, state.verdict.target) == ("calibration", 0.2)
    assert (state.machine.target, len(state.machine.findings)) == (0.2, 1)


def test_a_sample_that_a_crash_cut_off_can_be_reviewed_as_it_stands() -> None:
    with a_book() as book:
        write(begun(book), [scored(0, [0.9, *[0.05] * 30])], end=False)
        answer(book, Stratum.TOP, [0], "parasitized")
        state = state_of(book, book.sample("s"))
    assert (state.verdict.confirmed, state.counts.cells) == (1, 31)


def test_an_answer_about_a_cell_that_no_longer_counts_is_told_and_left_out() -> None:
    with of_a_sample() as book:
        answer(book, Stratum.TOP, [0], "parasitized")
        book.store.connection.execute("UPDATE field SET reason = 'lost'")
        state = state_of(book, book.sample("s"))
    assert (state.strays, state.readings, state.counts.cells) == (1, (), 0)


def test_the_desk_says_how_the_review_stands_and_remembers_it_until_somebody_answers(tmp_path: Path) -> None:
    path = tmp_path / "book.sqlite"
    a_sample(path, [0.9, 0.9, 0.1]).close()
    desk = BookDesk(path)
    before = desk.state(1)
    assert desk.state(1) is before
    cell = before.plan.parts[0].cells[0].cell
    desk.decide(1, (decided(str(cell)),))
    after = desk.state(1)
    assert (before.verdict.flag, after.verdict.confirmed, after.verdict.looked) == (NOT_REVIEWED, 1, 1)
    with a_book(path) as book:
        assert book.reviewed() == {1: 1}
        book.decide(1, [decided(str(cell), "withdrawn")])
        assert book.reviewed() == {}
    assert desk.state(1).verdict.flag == NOT_REVIEWED
    with pytest.raises(BookError, match="no sample"):
        desk.state(9)
