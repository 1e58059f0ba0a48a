"""Which cell a reader is shown next."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise

import pytest

from edge.review.order import draw_key
from edge.review.records import (
    CellPlace,
    CellReading,
    Consensus,
    ReaderAnswer,
    ReaderDecision,
    ReviewCell,
    ReviewPlan,
    Stratum,
)
from edge.serve.review_queue import FIRST, MOST_REPEATS, REPEAT_EACH, ReaderQueue, queue_of
from tests.serve.fake_desk import MODEL, plan_of_cells


def cell(field: int, n: int, part: Stratum, score: float = 0.1) -> ReviewCell:
    label = "parasitized" if part in (Stratum.TOP, Stratum.SUSPECTS) else "uninfected"
    return ReviewCell(CellPlace(field, n), part, (0, 0, 60, 60), label, score, f"field-{field}.png")


def a_plan(suspects: int = 4, near: int = 6, rest: int = 200, top: int = 60) -> ReviewPlan:
    return plan_of_cells(
        [cell(0, n, Stratum.TOP if n < top else Stratum.SUSPECTS, 0.9 - n / 1e5) for n in range(suspects)],
        [cell(1, n, Stratum.NEAR) for n in range(near)],
        [cell(2, n, Stratum.REST) for n in range(rest)],
        top,
    )


def answered(*said: tuple[ReviewCell, str, str], reading: int = 0) -> list[CellReading]:
    """Cells with their reader and label, in the order they were given; an empty label: cannot tell."""
    made = []
    for number, (one, reader, label) in enumerate(said, 1):
        answer = ReaderAnswer.CLASS if label else ReaderAnswer.UNSURE
        decision = ReaderDecision(
            f"u{number}", one.cell, reader, "", MODEL, answer, label, reading=reading, number=number
        )
        made.append(CellReading(one.cell, one.stratum, (decision,), Consensus.NEGATIVE))
    return made


def parts(queue: ReaderQueue) -> Mapping[str, int]:
    found = [one.cell.stratum for one in queue.cells if one.reading == 0]
    return {part: found.count(part) for part in Stratum if part in found}


PLAN = a_plan()
REST, NEAR = PLAN.parts[3].cells, PLAN.parts[2].cells
ADVISED = {
    "nothing is advised yet": (PLAN, [], None, 0, {"top": 4, "near": 6, "rest": FIRST[Stratum.REST]}),
    "as advised": (PLAN, [], {"near": 2, "rest": 7}, 0, {"top": 4, "near": 2, "rest": 7}),
    "enough: only the suspects are left": (PLAN, [], {}, 0, {"top": 4}),
    "a person asks for more": (PLAN, [], {"rest": 7}, 1, {"top": 4, "near": 6, "rest": 7 + FIRST[Stratum.REST]}),
    "another reader's cells come before new ones": (
        PLAN,
        answered((REST[0], "ben", "uninfected"), (REST[1], "ben", "uninfected")),
        {"rest": 3},
        0,
        {"top": 4, "rest": 5},
    ),
    "one's own do not come again": (
        PLAN,
        answered((REST[0], "ann", "uninfected"), (PLAN.parts[0].cells[1], "ann", "parasitized")),
        {"rest": 3},
        0,
        {"top": 3, "rest": 3},
    ),
    "no suspects": (a_plan(0), [], {"rest": 5}, 0, {"rest": 5}),
    "no cell at all": (a_plan(0, 0, 0), [], None, 0, {}),
    "fewer cells than are advised": (a_plan(0, 0, 3), [], {"rest": 50}, 0, {"rest": 3}),
    "fifty thousand suspects": (
        a_plan(50_000, 0, 0),
        [],
        {"suspects": 30},
        0,
        {"top": 60, "suspects": 30},
    ),
}


@pytest.mark.parametrize(("plan", "readings", "advised", "more", "wanted"), ADVISED.values(), ids=ADVISED)
def test_a_reader_is_shown_what_is_advised(
    plan: ReviewPlan, readings: list[CellReading], advised: Mapping[str, int] | None, more: int, wanted: dict[str, int]
) -> None:
    assert parts(queue_of(plan, readings, "ann", advised, more=more)) == wanted


def test_suspects_come_first_by_score_and_the_others_mixed_in_the_order_of_their_keys() -> None:
    queue = queue_of(PLAN, [], "ann", {"near": 5, "rest": 20})
    shown = [one.cell for one in queue.cells]
    assert [one.cell.n for one in shown[:4]] == [0, 1, 2, 3]
    for part in (Stratum.NEAR, Stratum.REST):
        keys = [draw_key(one.cell) for one in shown if one.stratum is part]
        assert keys == sorted(keys)
    near = [i for i, one in enumerate(shown[4:]) if one.stratum is Stratum.NEAR]
    assert all(5 * k <= at < 5 * k + 9 for k, at in enumerate(near))  # spread over the others, not in a row


def test_a_blind_reader_learns_nothing_from_the_order() -> None:
    shown = [one.cell.stratum for one in queue_of(a_plan(30), [], "ann", {"rest": 30}, blind=True).cells]
    runs = sum(one is not other for one, other in pairwise(shown))
    assert runs > 15
    assert shown.count(Stratum.TOP) == 30


def test_the_queue_is_the_same_after_a_reload_and_for_everybody() -> None:
    one = queue_of(PLAN, [], "ann", {"near": 5, "rest": 20})
    assert queue_of(PLAN, [], "ann", {"near": 5, "rest": 20}) == one
    assert queue_of(PLAN, [], "ben", {"near": 5, "rest": 20}).cells == one.cells


def test_a_withdrawn_answer_leaves_the_cell_to_be_looked_at() -> None:
    (reading,) = answered((REST[0], "ann", "uninfected"))
    taken = ReaderDecision("u9", REST[0].cell, "ann", "", MODEL, ReaderAnswer.WITHDRAWN, number=9)
    gone = CellReading(reading.cell, reading.stratum, (taken,), Consensus.UNSURE)
    assert REST[0] in [one.cell for one in queue_of(PLAN, [gone], "ann", {"rest": 3}).cells]


def many(n: int) -> list[CellReading]:
    return answered(*((one, "ann", "parasitized" if i % 4 == 0 else "uninfected") for i, one in enumerate(REST[:n])))


REPEATS = {
    "too few answers": (REPEAT_EACH - 1, 0),
    "none is old enough to be forgotten": (REPEAT_EACH + 1, 0),
    "some": (24, 3),
    "never more than so many": (200, MOST_REPEATS),
}


@pytest.mark.parametrize(("n", "repeats"), REPEATS.values(), ids=REPEATS)
def test_some_cells_come_again_without_a_word(n: int, repeats: int) -> None:
    queue = queue_of(a_plan(rest=400), many(n), "ann", {"rest": 60})
    again = [one.cell.cell for one in queue.cells if one.reading == 1]
    assert len(again) == len(set(again)) == repeats
    assert not queue_of(a_plan(rest=400), many(n), "ben", {"rest": 60}).answered


def test_cells_that_come_again_are_positive_and_other_ones_in_turns_and_not_in_a_row() -> None:
    queue = queue_of(a_plan(rest=400), many(160), "ann", {"rest": 200})
    at = [i for i, one in enumerate(queue.cells) if one.reading == 1]
    assert min(b - a for a, b in pairwise(at)) > 1
    positive = {one.cell for i, one in enumerate(REST[:160]) if i % 4 == 0}
    assert sum(one.cell.cell in positive for one in queue.cells if one.reading == 1) == MOST_REPEATS // 2


def test_a_cell_that_was_shown_again_does_not_come_a_third_time() -> None:
    readings = many(24)
    again = [one.cell for one in queue_of(PLAN, readings, "ann", {"rest": 60}).cells if one.reading == 1]
    second = answered(*((one, "ann", "uninfected") for one in again), reading=1)
    assert [one for one in queue_of(PLAN, [*readings, *second], "ann", {"rest": 60}).cells if one.reading == 1] == []


def test_what_is_left_and_done_is_counted() -> None:
    readings = answered((PLAN.parts[0].cells[0], "ann", "parasitized"), (REST[0], "ann", ""), (REST[1], "ben", ""))
    queue = queue_of(PLAN, readings, "ann", {"rest": 3})
    assert (queue.left, queue.answered, queue.suspects) == (3 + 4, 2, 1)
    assert [one.cell for one in queue.mine] == [PLAN.parts[0].cells[0].cell, REST[0].cell]
