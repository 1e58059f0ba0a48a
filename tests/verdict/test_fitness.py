"""A sample that does not look like what the model or the calibration was made for is not judged."""

from __future__ import annotations

import math
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


GREY = "The fields are grey, and {} was made for colour pictures: it cannot judge them."
COLOUR, GREY_TOO = ReferenceRanges("Thin", {"colour": (0.3, None)}), ReferenceRanges("Mono", {"colour": (0.0, None)})
BLANKS = ReferenceRanges("The calibration", {"colour": (0.3, 1.0)}, model=False)


@pytest.mark.parametrize(
    ("name", "made", "colour", "hue", "who"),
    [
        ("a model for colour pictures", (COLOUR,), True, 0.005, "Thin"),
        ("just grey", (COLOUR,), True, 0.0199, "Thin"),
        ("a model that says nothing and takes colour", (), True, 0.005, "the model"),
        ("a model that says nothing and takes grey", (), False, 0.005, None),
        ("a model for grey pictures too", (GREY_TOO,), True, 0.005, None),
        ("colour blanks of a grey model", (GREY_TOO, BLANKS), True, 0.005, "The calibration"),
        ("colour blanks of a model that says nothing", (BLANKS,), True, 0.005, "the model"),
        ("colour blanks of a model that takes grey", (BLANKS,), False, 0.005, "The calibration"),
        ("a bound of no lowest hue is none", (ReferenceRanges("Mono", {"colour": (None, 1.0)}),), True, 0.005, None),
        ("a lowest hue that is grey itself", (ReferenceRanges("Mono", {"colour": (0.019, 1.0)}),), True, 0.0195, None),
        (
            "a lowest hue that is just no longer grey",
            (ReferenceRanges("Thin", {"colour": (0.02, 1.0)}),),
            True,
            0.0195,
            "Thin",
        ),
        (
            "a model with other ranges says nothing of hue",
            (ReferenceRanges("Thin", {"size": (1, 99)}),),
            True,
            0.005,
            "the model",
        ),
    ],
)
def test_grey_pictures_are_refused_by_whatever_was_made_for_colour_alone(
    name: str, made: tuple[ReferenceRanges, ...], colour: bool, hue: float, who: str | None
) -> None:
    doubts = Fitness(made, colour=colour)(seen(colour=hue))
    assert doubts == (() if who is None else (GREY.format(who),)), name


def test_hue_that_was_not_measured_or_is_just_enough_is_not_grey() -> None:
    unmeasured = replace(seen(), values={k: v for k, v in STAINED.items() if k != "colour"})
    assert Fitness((ReferenceRanges("Thin", {}),))(unmeasured) == ()
    assert Fitness((GREY_TOO,))(seen(colour=0.02)) == ()
    assert Fitness((COLOUR,))(seen(colour=0.02)) == (
        "Hue in the picture: 0.02 here, and Thin was made for 0.30 or more.",
    )


ALL = {
    "colour": "Hue in the picture", "density": "How dark the cells are", "red": "Red in the cells' stain",
    "blue": "Blue in the cells' stain", "size": "Width of a cell in pixels", "light": "Brightness of the background",
    "warm": "Red in the background", "cool": "Blue in the background", "sharpness": "Sharpness",
    "confidence": "How sure the finder is of its cells",
}  # fmt: skip


def measured(name: str, value: float) -> SampleAppearance:
    return replace(seen(), values=STAINED | {name: value})


@pytest.mark.parametrize("name", ALL)
def test_each_measure_is_told_by_its_name_with_what_it_should_be(name: str) -> None:
    fits = Fitness((ReferenceRanges("Thin", {name: (1.0, 2.0)}),), colour=False)
    assert fits(measured(name, 2.1)) == (f"{ALL[name]}: 2.10 here, and Thin was made for 1.00 to 2.00.",)
    assert fits(measured(name, 0.9)) == (f"{ALL[name]}: 0.90 here, and Thin was made for 1.00 to 2.00.",)
    assert fits(measured(name, 1.0)) == fits(measured(name, 2.0)) == ()


@pytest.mark.parametrize(
    ("value", "allowed", "words"),
    [
        (3.0, (None, 2.0), "3.00 here, and Thin was made for 2.00 or less"),
        (-12.4, (1.0, None), "-12 here, and Thin was made for 1.00 or more"),
        (9.999, (10.0, 200.0), "10.00 here, and Thin was made for 10 to 200"),
        (10.0, (20.4, 30.6), "10 here, and Thin was made for 20 to 31"),
        (10.0, (11.0, None), "10 here, and Thin was made for 11 or more"),
    ],
)
def test_numbers_from_ten_on_have_no_decimals(
    value: float, allowed: tuple[float | None, float | None], words: str
) -> None:
    assert Fitness((ReferenceRanges("Thin", {"sharpness": allowed}),), colour=False)(seen(sharpness=value)) == (
        f"Sharpness: {words}.",
    )


@pytest.mark.parametrize(
    ("name", "sure", "doubted"),
    [
        ("the whole interval is below", (0.29, 0.39), True),
        ("it reaches the lowest", (0.29, 0.4), False),
        ("it reaches the highest", (0.8, 0.9), False),
        ("the whole interval is above", (0.81, 0.9), True),
        ("no interval: the value itself", None, True),
    ],
)
def test_the_finders_confidence_is_doubted_where_all_that_it_may_be_is_outside(
    name: str, sure: tuple[float, float] | None, doubted: bool
) -> None:
    fits = Fitness((ReferenceRanges("Thin", {"confidence": (0.4, 0.8)}),), colour=False)
    assert bool(fits(seen(confidence=0.3, sure=sure))) == doubted, name
    other = Fitness((ReferenceRanges("Thin", {"density": (0.4, 0.8)}),), colour=False)
    assert other(seen(density=0.3, sure=(0.3, 0.9)))  # an interval of the confidence is of nothing else


@pytest.mark.parametrize(
    ("cells", "words"), [(0, "0 cells"), (1, "1 cell"), (2, "2 cells"), (FEWEST - 1, "19 cells"), (FEWEST, None)]
)
def test_few_cells_cannot_be_held_against_what_the_model_was_made_for(cells: int, words: str | None) -> None:
    fits = Fitness((ReferenceRanges("Thin", {"size": (1.0, 2.0)}),), colour=False)
    if words is None:
        assert len(fits(seen(cells))) == 1
        assert "Width" in fits(seen(cells))[0]
    else:
        assert fits(seen(cells)) == (
            f"Only {words} counted: too few to tell whether these fields are what the model was made for.",
        )
    light = Fitness((ReferenceRanges("Thin", {"light": (1.0, 2.0)}),), colour=False)
    assert len(light(seen(cells))) == 1  # the background needs no cells
    both = Fitness(
        (ReferenceRanges("Thin", {"light": (1.0, 2.0)}), ReferenceRanges("The calibration", {"size": (1.0, 2.0)})),
        colour=False,
    )
    assert len(both(seen(3))) == 2


def test_every_doubt_of_every_model_and_calibration_is_told() -> None:
    made = (
        ReferenceRanges("Thin", {"light": (1.0, 2.0), "size": (1.0, 2.0)}),
        ReferenceRanges("The calibration", {"light": (1.0, 3.0)}),
    )
    assert [text.split(":")[0] for text in Fitness(made, colour=False)(seen())] == [
        "Brightness of the background", "Width of a cell in pixels", "Brightness of the background",
    ]  # fmt: skip
    assert (
        Fitness(made, colour=False)(replace(seen(), values={})) == ()
    )  # what was not measured is not held against anybody
    assert (
        len(Fitness((ReferenceRanges("Thin", {"colour": (0.9, None), "light": (1.0, 2.0)}),), tiles=True)(seen())) == 1
    )


@pytest.mark.parametrize(
    ("name", "values", "low", "high"),
    [
        ("size", [80.0], 80 / 2.718281828**0.2, 80 * 2.718281828**0.2),  # one blank: the slack on either side
        ("size", [50.0, 100.0, 70.0, 60.0], 50 / 2**0.5, 100 * 2**0.5),  # 2/4 of its own width, a factor of two
        ("light", [200.0, 210.0], 200 / 2.718281828**0.25, 210 * 2.718281828**0.25),
        ("red", [-0.5], -1.0, 0.0),
        ("red", [-0.5, 0.5], -1.5, 1.5),
        ("warm", [0.1] * 10, 0.02, 0.18),
        ("warm", [0.1] * 9 + [1.1], -0.1, 1.3),  # 2/10 of a width of 1
        ("density", [0.0005, 0.4, 0.4], 0.0, 0.4 * (400 ** (2 / 3))),  # no logarithm of next to nothing
        ("density", [0.001], 0.0, 0.001 * 2.718281828**0.7),
        ("density", [0.0011], 0.0011 / 2.718281828**0.7, 0.0011 * 2.718281828**0.7),
    ],
)
def test_the_blanks_range_is_widened_by_its_own_width_over_half_their_number_or_the_slack(
    name: str, values: list[float], low: float, high: float
) -> None:
    assert list(range_of(name, values)) == [pytest.approx(low, abs=1e-6), pytest.approx(high)]


@pytest.mark.parametrize(
    ("name", "slack"), [("density", 0.7), ("size", 0.2), ("light", 0.25), ("sharpness", 0.4), ("colour", 0.5)]
)
def test_the_slack_of_a_measure_is_a_factor(name: str, slack: float) -> None:
    assert list(range_of(name, [0.5])) == [pytest.approx(0.5 / math.exp(slack)), pytest.approx(0.5 * math.exp(slack))]


@pytest.mark.parametrize(("name", "slack"), [("red", 0.5), ("blue", 0.5), ("warm", 0.08), ("cool", 0.08)])
def test_the_slack_of_a_measure_that_is_a_logarithm_is_a_difference(name: str, slack: float) -> None:
    assert list(range_of(name, [0.5])) == [pytest.approx(0.5 - slack), pytest.approx(0.5 + slack)]


@pytest.mark.parametrize("name", ALL)
def test_what_is_measured_on_cells_needs_enough_of_them(name: str) -> None:
    fits = Fitness((ReferenceRanges("Thin", {name: (1.0, 2.0)}),), colour=False)
    (doubt,) = fits(replace(measured(name, 9.0), cells=FEWEST - 1))
    assert doubt.startswith("Only 19 cells") == (name in {"density", "red", "blue", "size", "confidence"})


def test_measures_that_not_every_blank_has_are_left_out() -> None:
    got = ranges_of([{"size": 80.0, "red": 0.1, "odour": 3.0}, {"size": 81.0, "odour": 3.0}])
    assert got == {"size": range_of("size", [80.0, 81.0])}
    assert ranges_of([]) == {}
    assert set(ranges_of([STAINED])) == set(STAINED) - {"confidence"}
