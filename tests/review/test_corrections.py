"""Files of corrections against a sample: what is taken for which cell, what it says, and what is refused."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from edge.errors import ReviewError
from edge.exchange.records import CorrectedCell, CorrectedField, Corrections, ExchangeCell, ExchangeField
from edge.review.corrections import AnswerWords, FileAnswers, FileReading, answers_of, new_additions, new_decisions
from edge.review.matching import matched
from edge.review.records import CellPlace, ReaderAnswer, ReaderDecision, ReviewPlan, Stratum

MODEL = "ab" * 32
LABELS = ("healthy", "infected", "white")
PLAN = ReviewPlan("sample-uuid", "S-1", 1, MODEL, 0.5, LABELS, LABELS[1:2], "cell", 6, ())
BOXES = ((10, 10, 40, 40), (60, 10, 40, 40), (110, 10, 40, 40), (10, 60, 40, 40))
WENT = ("infected", "healthy", "infected", "not-other")
READING = FileReading(AnswerWords(PLAN, ("ring",)), "Ann", "2026-11-30T08:00:00Z", {CellPlace(0, 0): Stratum.TOP})


def field(index: int = 0, name: str = "a.png", n: int = 4) -> ExchangeField:
    """Three counted cells and one that is set aside."""
    cells = tuple(ExchangeCell(f"{index}-{i}", BOXES[i], WENT[i], 0.9, i < 3, WENT[i] == "infected") for i in range(n))
    return ExchangeField(index, name, 200, 100, None, lambda: None, cells)


FIELDS = (field(), field(1, "b.png"))


def cell(
    label: str, box: tuple[float, float, float, float] | None = None, name: str = "", stage: str = ""
) -> CorrectedCell:
    return CorrectedCell(name, box, label, stage)


AS_THEY_WENT = (*map(cell, WENT[:3], BOXES), cell("other things, set aside", BOXES[3]))


def file(
    *cells: CorrectedCell,
    index: int | None = 0,
    name: str = "a.png",
    size: tuple[int, int] = (200, 100),
    whole: bool = True,
    source: str = "cvat",
    model: str = MODEL,
) -> Corrections:
    fields = (CorrectedField(index, name, *size, cells, whole),)
    return Corrections(source, Path("c.zip"), "", model, fields)


def answered(given: Corrections, reading: FileReading = READING) -> FileAnswers:
    return answers_of(given, matched(given, FIELDS, MODEL), reading)


def told(given: FileAnswers) -> dict[str, str]:
    return {str(one.cell): " ".join((one.label or one.answer, one.stage)).strip() for one in given.decisions}


x, y, w, h = BOXES[0]
SHIFTED = (x + 5, y - 3, w, h)  # shares most of itself with the cell
ELSEWHERE = (150.0, 60.0, 30.0, 30.0)
CASES = {
    "what came back as it went says nothing": (AS_THEY_WENT, {}, 3, 0),
    "another class is an answer": ((cell("healthy", BOXES[0]), *AS_THEY_WENT[1:]), {"0-0": "healthy"}, 2, 0),
    "a box that was moved a little is the same cell": (
        (cell("white", SHIFTED), *AS_THEY_WENT[1:]),
        {"0-0": "white"},
        2,
        0,
    ),
    "a stage is said of the positive class": (
        (cell("RING", BOXES[0]), *AS_THEY_WENT[1:]),
        {"0-0": "infected ring"},
        2,
        0,
    ),
    "no cell and unsure are words": (
        (cell("no cell", BOXES[0]), cell("unsure", BOXES[1]), *AS_THEY_WENT[2:]),
        {"0-0": "no cell", "0-1": "unsure"},
        1,
        0,
    ),
    "a box that was removed is no cell": (AS_THEY_WENT[1:], {"0-0": "no cell"}, 2, 0),
    "a box that was drawn is a cell that the machine has not": ((*AS_THEY_WENT, cell("infected", ELSEWHERE)), {}, 3, 1),
    "a thing that was set aside may be a cell": ((*AS_THEY_WENT[:3], cell("infected", BOXES[3])), {}, 3, 1),
    "an id tells more than a place": (
        (cell("healthy", (0, 0, 60, 60), "0-0"), *AS_THEY_WENT[1:]),
        {"0-0": "healthy"},
        2,
        0,
    ),
    "of copies of a box the one on its cell keeps the id": (
        (cell("infected", ELSEWHERE, "0-0"), cell("healthy", BOXES[0], "0-0"), *AS_THEY_WENT[1:]),
        {"0-0": "healthy"},
        2,
        1,
    ),
}


@pytest.mark.parametrize(("cells", "expected", "same", "added"), CASES.values(), ids=CASES)
def test_each_box_stands_for_its_cell(
    cells: tuple[CorrectedCell, ...], expected: dict[str, str], same: int, added: int
) -> None:
    got = answered(file(*cells))
    assert told(got) == expected
    assert (got.same, len(got.additions)) == (same, added)
    for one in got.decisions:
        assert (one.reader, one.model, one.source, one.blind) == ("Ann", MODEL, "cvat", False)
        assert one.stratum is (Stratum.TOP if one.cell == CellPlace(0, 0) else Stratum.REST)


def test_whoever_looked_at_everything_agrees_with_what_came_back_as_it_went() -> None:
    got = answered(file(*AS_THEY_WENT), replace(READING, agree=True))
    assert told(got) == {"0-0": "infected", "0-1": "healthy", "0-2": "infected"}
    assert got.same == 0


@pytest.mark.parametrize("label", ["infected", "healthy"])
def test_what_others_answered_since_it_went_out_is_not_what_this_reader_says(label: str) -> None:
    """A file may have gone out before or after somebody answered: neither the machine's word nor theirs is this reader's."""
    cells = (replace(FIELDS[0].cells[0], reviewed="healthy"), *FIELDS[0].cells[1:])
    given = file(cell(label, BOXES[0]), *AS_THEY_WENT[1:])
    got = answers_of(given, matched(given, (replace(FIELDS[0], cells=cells),), MODEL), READING)
    assert (got.decisions, got.same) == ((), 3)


def test_rows_of_a_table_are_answers_and_its_empty_ones_are_not() -> None:
    rows = (cell("infected", None, "0-0"), cell("n", None, "0-2"), cell("X", None, "0-1"))
    reading = replace(READING, words=replace(READING.words, keys=True))
    got = answered(file(*rows, whole=False, source="csv", name=""), reading)
    assert told(got) == {"0-0": "infected", "0-2": "healthy", "0-1": "no cell"}


def test_only_cells_that_went_out_can_have_been_removed() -> None:
    """An export for review holds few of a field's cells: the others were not there to be removed."""
    sent = (frozenset({CellPlace(0, 0), CellPlace(0, 1)}),)
    assert told(answered(file(AS_THEY_WENT[1]), replace(READING, sent=sent))) == {"0-0": "no cell"}
    assert told(answered(file(), replace(READING, sent=sent))) == {"0-0": "no cell", "0-1": "no cell"}
    assert told(answered(file(*AS_THEY_WENT[1:]), replace(READING, sent=sent))) == {"0-0": "no cell"}  # a full export


def test_a_file_without_most_of_the_cells_is_refused_unless_the_reader_says_so() -> None:
    many = tuple(ExchangeCell(f"0-{i}", (9.0 * i, 0, 8, 8), "healthy", 0.1, True, False) for i in range(20))
    fields = (replace(FIELDS[0], cells=many),)
    given = file(cell("infected", many[0].box))
    with pytest.raises(ReviewError, match=r"19 of 20 cells .* --removed"):
        answers_of(given, matched(given, fields, MODEL), READING)
    got = answers_of(given, matched(given, fields, MODEL), replace(READING, removed=True))
    assert (len(got.decisions), got.removed) == (20, 19)


def test_the_same_file_gives_the_same_uuids_and_another_reader_others() -> None:
    given = file(cell("healthy", BOXES[0]), *AS_THEY_WENT[1:], cell("infected", ELSEWHERE))
    one, again, other = (answered(given, replace(READING, reader=name)) for name in ("Ann", "Ann", "Bob"))
    assert one == again
    assert one.decisions[0].uuid != other.decisions[0].uuid
    assert one.additions[0].uuid != other.additions[0].uuid


REFUSED = {
    "another model": (file(model="cd" * 32), "another model"),
    "a picture scaled to half": (
        file(size=(100, 50)),
        r"100 x 50 pixels there, 200 x 100 here: scaled by 0.5\. Export",
    ),
    "a picture that was cut": (file(size=(200, 90)), "200 x 90 pixels there, 200 x 100 here$"),
    "a field that is not there": (file(AS_THEY_WENT[0], index=7, name=""), "no field of this sample"),
    "a name that is not there": (file(AS_THEY_WENT[0], index=None, name="q.png"), "q.png is no field"),
    "a field of another sample": (file(AS_THEY_WENT[0], name="z.png"), "z.png there and a.png here"),
    "a name of ours of another sample": (file(AS_THEY_WENT[0], name="1f-edge-00000-z.png"), "of another sample"),
    "a longer name of ours": (file(AS_THEY_WENT[0], name="edge-00000-ab.png"), "of another sample"),
    "a cell that is not there": (file(cell("healthy", None, "0-9")), "no cell 0-9"),
    "a cell in another field": (file(cell("healthy", None, "1-0")), "no cell 1-0 in field 0"),
    "a cell twice": (file(cell("healthy", None, "0-0"), cell("infected", None, "0-0")), "cell 0-0 twice"),
    "two boxes on one cell": (file(cell("healthy", BOXES[0]), cell("infected", SHIFTED)), "two boxes lie on cell 0-0"),
    "boxes that lie elsewhere": (file(cell("infected", ELSEWHERE, "0-0")), "1 of 1 boxes lie elsewhere"),
    "a word that means nothing": (file(cell("<img src=x>", BOXES[0])), "means nothing here"),
}


@pytest.mark.parametrize(("given", "said"), REFUSED.values(), ids=REFUSED)
def test_a_file_that_does_not_fit_is_refused_in_one_line(given: Corrections, said: str) -> None:
    with pytest.raises(ReviewError, match=said) as caught:
        answered(given)
    assert "\n" not in str(caught.value)
    assert "c.zip" in str(caught.value)


NAMES = (
    *("a.png", "field-0000", "edge-00000.png", "1f2e-edge-00000-a.png", ""),
    *("edge-00000.ome.tif", "edge-00000-a.ome.tif", "edge-00000"),
)


@pytest.mark.parametrize("name", NAMES)
def test_a_field_is_known_by_any_name_it_went_out_under(name: str) -> None:
    assert told(answered(file(*AS_THEY_WENT[1:], name=name))) == {"0-0": "no cell"}


def test_a_field_is_known_by_its_own_name_alone() -> None:
    given = replace(file(), fields=(CorrectedField(None, "b.png", 0, 0, AS_THEY_WENT[1:], True),))
    assert told(answered(given)) == {"1-0": "no cell"}


def test_a_name_that_several_fields_have_tells_nothing() -> None:
    fields = (field(0, "x/a.png"), field(1, "y/a.png"))
    given = replace(file(), fields=(CorrectedField(None, "a.png", 0, 0, AS_THEY_WENT, True),))
    with pytest.raises(ReviewError, match=r"several fields of the sample are called a\.png"):
        matched(given, fields, MODEL)


def test_fifty_thousand_cells_are_matched_in_seconds() -> None:
    rng = np.random.default_rng(4)
    fields, came = [], []
    for index in range(5):
        at = np.column_stack([rng.integers(0, 40_000, (10_000, 2)), rng.integers(30, 60, (10_000, 2))]).astype(float)
        cells = tuple(ExchangeCell(f"{index}-{i}", tuple(box), "healthy", 0.1, True, False) for i, box in enumerate(at))
        fields.append(ExchangeField(index, f"{index}.png", 50_000, 50_000, None, lambda: None, cells))
        moved = tuple(cell("infected", (box[0] + 1, box[1], box[2], box[3])) for box in at)
        came.append(CorrectedField(index, f"{index}.png", 50_000, 50_000, moved, True))
    given = replace(file(), fields=tuple(came))
    start = time.perf_counter()
    got = answers_of(given, matched(given, fields, MODEL), READING)
    assert time.perf_counter() - start < 60
    assert len(got.decisions) + len(got.additions) == 50_000
    assert len(got.decisions) > 49_900  # a few lie upon each other


def decision(answer: ReaderAnswer, label: str = "", reader: str = "Ann", reading: int = 0) -> ReaderDecision:
    return ReaderDecision("u", CellPlace(0, 0), reader, "now", MODEL, answer, label, "", reading)


INFECTED, HEALTHY = decision(ReaderAnswer.CLASS, "infected"), decision(ReaderAnswer.CLASS, "healthy")


@pytest.mark.parametrize(
    ("standing", "given", "new"),
    [
        pytest.param((), INFECTED, True, id="nothing stands"),
        pytest.param((INFECTED,), INFECTED, False, id="it stands already"),
        pytest.param((INFECTED,), HEALTHY, True, id="it changed"),
        pytest.param((replace(INFECTED, reader="Bob"),), INFECTED, True, id="it stands of another reader"),
        pytest.param((replace(INFECTED, reading=1),), INFECTED, True, id="it stands of another reading"),
        pytest.param((), decision(ReaderAnswer.WITHDRAWN), False, id="nothing to take back"),
        pytest.param((INFECTED,), decision(ReaderAnswer.WITHDRAWN), True, id="taken back"),
    ],
)
def test_what_stands_already_is_not_said_again(
    standing: tuple[ReaderDecision, ...], given: ReaderDecision, new: bool
) -> None:
    assert new_decisions((given,), standing) == ((given,) if new else ())


def test_a_mark_that_is_there_is_not_made_again() -> None:
    one = answered(file(*AS_THEY_WENT, cell("infected", ELSEWHERE))).additions
    moved = (replace(one[0], box=(152, 61, 30, 30)),)
    assert new_additions(moved, one) == ()
    assert new_additions(moved, (replace(one[0], reader="Bob"),)) == moved
