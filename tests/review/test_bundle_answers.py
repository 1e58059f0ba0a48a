from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from edge.errors import ReviewError
from edge.review.bundle_answers import decisions_of, read_answers
from edge.review.records import CellPlace, ReaderAnswer, Stratum
from tests.review.made import MadeSample

BUNDLE = str(uuid4())
NAMES = {"aa": CellPlace(0, 1), "bb": CellPlace(3, 4), "cc": CellPlace(0, 1)}
PLAN = MadeSample(1).plan


def answer(name: str = "aa", **changed: Any) -> dict[str, Any]:
    """As the page writes it."""
    told = {"answer": "class", "label": "infected", "stage": "", "blind": True, "seconds": 1.2}
    return {"id": name, "uuid": str(uuid4()), **told, "at": "2026-11-30T08:00:00Z", **changed}


def written(folder: Path, *answers: Any, **changed: Any) -> Path:
    """A file of answers."""
    top = {"format": "edge-review-answers", "version": 1, "bundle": BUNDLE, "reader": "Dr Ünal", "answers": answers}
    path = folder / "answers.json"
    path.write_text(json.dumps({**top, **changed}))
    return path


def test_answers_come_back_as_decisions_about_the_cells_they_stand_for(tmp_path: Path) -> None:
    told = [
        answer("aa", stage="ring"),
        answer("bb", answer="no cell", label="", blind=False, seconds=None),
        answer("cc", answer="unsure", label=""),
    ]
    given = read_answers(written(tmp_path, *told))
    assert (given.bundle, given.reader) == (BUNDLE, "Dr Ünal")
    first, second, third = decisions_of(given, NAMES, PLAN, "Ünal", {CellPlace(0, 1): Stratum.TOP})
    assert (first.cell, first.answer, first.label, first.stage) == (
        CellPlace(0, 1),
        ReaderAnswer.CLASS,
        "infected",
        "ring",
    )
    assert (first.reader, first.stratum, first.blind, first.seconds, first.source) == (
        "Ünal",
        Stratum.TOP,
        True,
        1.2,
        "bundle",
    )
    assert (second.cell, second.answer, second.blind, second.seconds) == (
        CellPlace(3, 4),
        ReaderAnswer.NO_CELL,
        False,
        None,
    )
    assert (first.reading, second.reading, third.reading) == (0, 0, 1)  # the same cell, shown again without saying so
    assert third.cell == first.cell
    assert [one.uuid for one in (first, second, third)] == [one["uuid"] for one in told]


HOSTILE = {
    "another file": ({"format": "edge-report"}, "holds no answers"),
    "a newer version": ({"version": 2}, "version 2 is not 1"),
    "no list": ({"answers": {"a": 1}}, "not a list"),
    "no bundle": ({"bundle": "../../etc"}, "not a uuid"),
    "a reader of many lines": ({"reader": "a\nb"}, "printable"),
    "a reader without end": ({"reader": "a" * 61}, "longer than 60"),
    "an answer that is a number": ({"answers": [7]}, "not a JSON object"),
    "an answer nobody gave": ({"answers": [answer(answer="perhaps")]}, "none of"),
    "a cell twice": ({"answers": [answer(), answer()]}, "twice"),
    "a uuid twice": ({"answers": [answer(uuid=BUNDLE), answer("bb", uuid=BUNDLE)]}, "twice"),
    "a time of words": ({"answers": [answer(at="yesterday")]}, "not of the form"),
    "a year of seconds": ({"answers": [answer(seconds=3e7)]}, "from 0 to 3600"),
    "blind by number": ({"answers": [answer(blind=1)]}, "true or false"),
    "a class of a page": ({"answers": [answer(label="x" * 61)]}, "longer"),
}


@pytest.mark.parametrize(("changed", "said"), HOSTILE.values(), ids=HOSTILE)
def test_a_file_that_makes_no_sense_is_refused_in_one_line(tmp_path: Path, changed: dict[str, Any], said: str) -> None:
    with pytest.raises(ReviewError, match=said) as caught:
        read_answers(written(tmp_path, **changed))
    assert "\n" not in str(caught.value)
    assert str(tmp_path / "answers.json") in str(caught.value)


@pytest.mark.parametrize(
    ("data", "said"),
    [
        pytest.param(b"", "holds no answers", id="empty"),
        pytest.param(b"[" * 200_000, "nested too deep", id="nested"),
        pytest.param(b"\xff\xfe\0", "holds no answers", id="not text"),
        pytest.param(b" " * (17 * 2**20), "holds no answers", id="huge"),
    ],
)
def test_what_is_no_json_is_refused(tmp_path: Path, data: bytes, said: str) -> None:
    path = tmp_path / "answers.json"
    path.write_bytes(data)
    with pytest.raises(ReviewError, match=said):
        read_answers(path)


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ReviewError, match="No such file"):
        read_answers(tmp_path / "none.json")


@pytest.mark.parametrize(
    ("one", "said"),
    [
        pytest.param(answer("zz"), "not in its bundle", id="a cell the bundle has not"),
        pytest.param(answer(label="<b>dog</b>"), "no class of this sample", id="a class the sample has not"),
    ],
)
def test_answers_that_do_not_fit_the_sample_are_refused(tmp_path: Path, one: dict[str, Any], said: str) -> None:
    with pytest.raises(ReviewError, match=said):
        decisions_of(read_answers(written(tmp_path, one)), NAMES, PLAN, "A", {})
