"""What readers together say of a cell."""

from __future__ import annotations

import pytest

from edge.review.consensus import consensus_of, readings_of, standing, standing_marks, votes_of
from edge.review.records import CellPlace, Consensus, Stratum
from tests.book.answers import decided, marked

YES, NO, NONE, UNSURE = "parasitized", "uninfected", "no cell", "unsure"
POSITIVE = ("parasitized",)

CASES: dict[str, tuple[list[tuple[str, str]], Consensus]] = {
    "one says yes": ([("Ada", YES)], Consensus.POSITIVE),
    "one says no": ([("Ada", NO)], Consensus.NEGATIVE),
    "one sees no cell": ([("Ada", NONE)], Consensus.NO_CELL),
    "one cannot tell": ([("Ada", UNSURE)], Consensus.UNSURE),
    "who cannot tell does not vote": ([("Ada", UNSURE), ("Bo", YES)], Consensus.POSITIVE),
    "two differ": ([("Ada", YES), ("Bo", NO)], Consensus.DISPUTED),
    "two of three": ([("Ada", YES), ("Bo", NO), ("Cy", YES)], Consensus.POSITIVE),
    "two say it is not, each in a way": ([("Ada", NO), ("Bo", NONE)], Consensus.NEGATIVE),
    "no cell, mostly": ([("Ada", NONE), ("Bo", NONE), ("Cy", YES)], Consensus.NO_CELL),
    "a reader has one voice": ([("Ada", YES), ("Ada", YES), ("Bo", NO)], Consensus.DISPUTED),
    "a reader who differs with himself cannot tell": ([("Ada", YES), ("Ada", NO)], Consensus.UNSURE),
    "nor does he vote": ([("Ada", YES), ("Ada", NO), ("Bo", NO)], Consensus.NEGATIVE),
}


@pytest.mark.parametrize("case", CASES)
def test_readers_together(case: str) -> None:
    said, expected = CASES[case]
    answers = [decided("0-1", label, reader, reading=n) for n, (reader, label) in enumerate(said)]
    assert consensus_of(answers, POSITIVE) is expected


def test_the_newest_answer_of_a_reading_stands_and_one_that_is_taken_back_does_not() -> None:
    told = [
        decided("0-1", YES),
        decided("0-1", NO, reading=1),
        decided("0-2", YES),
        decided("0-1", NO),
        decided("0-2", "withdrawn"),
        decided("0-3", "withdrawn"),
        decided("0-3", YES),
    ]
    found = standing(told)
    assert found == {CellPlace(0, 1): (told[1], told[3]), CellPlace(0, 3): (told[6],)}


def test_answers_about_what_is_not_counted_say_nothing_of_the_count() -> None:
    parts = {CellPlace(0, 2): Stratum.NEAR}
    (only,) = readings_of([decided("0-1"), decided("0-2")], parts.get, POSITIVE)
    assert (str(only.cell), only.stratum, only.consensus) == ("0-2", Stratum.NEAR, Consensus.POSITIVE)


def test_votes_leave_out_what_cannot_be_told() -> None:
    answers = [decided("0-1", YES), decided("0-1", NONE, reading=1), decided("0-1", UNSURE, "Bo")]
    assert votes_of(answers, POSITIVE) == (("Ada", True), ("Ada", False))


def test_marks_stand_until_they_are_withdrawn() -> None:
    told = [marked(0), marked(0, (5, 5, 9, 9)), marked(0, withdrawn=True), marked(0, reader="Bo")]
    assert standing_marks(told) == (told[1], told[3])
