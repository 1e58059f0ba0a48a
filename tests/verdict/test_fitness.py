"""A sample that does not look like what the model or the calibration was made for is not judged."""

from __future__ import annotations

from dataclasses import replace

import pytest

from edge.types import SampleAppearance, Tally
from edge.verdict.assess import Assessor
from edge.verdict.calibration import Calibration, to_json
from edge.verdict.fitness import FEWEST, Fitness, ReferenceRanges, range_of, ranges_of
from edge.verdict.flag import decide
from edge.verdict.schema import parse
from tests.fakes import CARD
from tests.verdict.made import calibration

MODEL = ReferenceRanges("thin", {"colour": (0.3, None), "blue": (None, 0.1), "confidence": (0.4, None)})
STAINED = {
    "colour": 0.8, "density": 0.4, "red": -0.6, "blue": -0.5, "size": 80.0, "light": 210.0, "warm": -0.1, "cool": -0.1,
    "sharpness": 0.45, "confidence": 0.7,
}  # fmt: skip


def seen(cells: int = 500, sure: tuple[float, float] | None = None, **other: float) -> SampleAppearance:
    return SampleAppearance(10, cells, STAINED | other, sure)


@pytest.mark.parametrize(
    ("name", "sample", "word"),
    [
        ("a stained film", seen(), None),
        ("grey pictures", seen(colour=0.005), "grey"),
        ("hardly any hue", seen(colour=0.2), "Hue in the picture: 0.20"),
        ("unstained cells", seen(blue=0.6), "Blue in the cells' stain: 0.60"),
        ("what the finder takes for cells and is not sure of", seen(confidence=0.3, sure=(0.29, 0.31)), "finder"),
        ("unsure, but of few cells", seen(25, confidence=0.38, sure=(0.3, 0.46)), None),
        ("too few cells to tell", seen(FEWEST - 1, blue=0.6), "too few"),
        ("just enough", seen(FEWEST, blue=0.6), "Blue"),
        ("no field was kept", SampleAppearance(0, 0), None),
    ],
)
def test_what_a_model_says_of_a_sample(name: str, sample: SampleAppearance, word: str | None) -> None:
    doubts = Fitness((MODEL,))(sample)
    if word is None:
        assert doubts == (), name
    else:
        assert len(doubts) == 1, name
        assert word in doubts[0]


def test_a_card_without_ranges_still_refuses_grey_pictures_for_a_colour_model_only() -> None:
    assert "grey" in Fitness(())(seen(colour=0.0))[0]
    assert Fitness((), colour=False)(seen(colour=0.0)) == ()
    assert (
        Fitness((ReferenceRanges("mine", {"colour": (0.0, None)}),))(seen(colour=0.0)) == ()
    )  # it was made for grey pictures


def test_grey_blanks_give_a_colour_model_no_leave_to_judge_grey_pictures() -> None:
    blanks = ReferenceRanges("the calibration", {"colour": (0.0, 0.01)}, model=False)
    assert "grey" in Fitness((blanks,))(seen(colour=0.0))[0]
    assert Fitness((blanks,), colour=False)(seen(colour=0.0)) == ()


def test_tiles_are_only_asked_for_their_hue() -> None:
    assert Fitness((MODEL,), tiles=True)(seen(3, blue=2.0, confidence=0.0)) == ()
    assert len(Fitness((MODEL,), tiles=True)(seen(colour=0.01))) == 1


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("grey", {"colour": 0.0}),
        ("another objective", {"size": 56.0}),
        ("a darker lamp", {"light": 130.0}),
        ("a warmer lamp", {"warm": 0.1}),
        ("out of focus", {"sharpness": 0.15}),
        ("another stain", {"red": 0.4}),
    ],
)
def test_a_calibration_holds_for_what_its_blanks_looked_like(name: str, change: dict[str, float]) -> None:
    fits = Fitness((ReferenceRanges("the calibration", ranges_of([STAINED, STAINED | {"size": 84.0}])),))
    assert fits(seen()) == ()
    assert len(fits(replace(seen(), values=STAINED | change))) == 1, name


def test_blanks_that_differ_leave_more_room_and_more_blanks_less() -> None:
    alike, unlike = range_of("size", [80, 81, 80]), range_of("size", [60, 81, 100])
    assert (unlike[1] or 0) - (unlike[0] or 0) > (alike[1] or 0) - (alike[0] or 0)
    many = range_of("size", [60, 81, 100] * 10)
    assert (many[1] or 0) < (unlike[1] or 0)
    assert range_of("density", [0.0, 0.4])[0] == 0


def looked(c: Calibration) -> Calibration:
    return replace(c, blanks=tuple(replace(blank, appearance=STAINED) for blank in c.blanks))


def test_the_file_keeps_what_blanks_looked_like() -> None:
    import json

    made = looked(calibration())
    assert parse(json.loads(to_json(made))).ranges() == made.ranges()
    assert calibration().ranges() == {}


def test_a_doubted_sample_is_insufficient_whatever_was_counted() -> None:
    tally = Tally("s", {"uninfected": 9_000, "parasitized": 1_000}, {}, 50, {})
    for assessor in (None, Assessor(looked(calibration()), 0.001)):
        verdict = decide(tally, CARD, assessor, doubts=("The fields are grey.",))
        assert verdict.flag == "insufficient"
        assert verdict.reasons[0] == "The fields are grey."
        assert verdict.findings == ()
        assert not any("confidence: below" in reason for reason in verdict.reasons)


def test_a_calibration_of_an_earlier_version_judges_and_says_what_was_not_checked() -> None:
    tally = Tally("s", {"uninfected": 9_000, "parasitized": 1_000}, {}, 50, {})
    old, new = (decide(tally, CARD, Assessor(c, 0.001)).reasons[-1] for c in (calibration(), looked(calibration())))
    assert "was not checked" in old
    assert "was not checked" not in new
