"""The verdict: its flag, and its reasons from the first sentence to the last."""

# ruff: noqa: E501, ISC004 - whole sentences, as they are read

from __future__ import annotations

from dataclasses import replace

import pytest

from edge.modelfile import Card
from edge.types import Interval, Tally, Verdict
from edge.verdict.assess import Assessor
from edge.verdict.flag import decide, percent_range, percent_value
from edge.verdict.interval import clopper_pearson
from edge.verdict.words import why
from tests.fakes import CARD
from tests.verdict.made import calibration, tally

TWO = replace(CARD, labels=("a", "b", "c"), positive=("b", "c"))
UNCALIBRATED = (
    "No calibration for this model, finder and microscope: its false positives are not known, "
    "so the counts are not turned into a judgement."
)
ONE_IN_TEN = "1 of 10 cells counted as parasitized: 0.25 to 44.50 % with 95 % confidence, false positives included."


@pytest.mark.parametrize(
    ("name", "sample", "card", "unit", "reasons"),
    [
        ("a sample", tally(9, 1), CARD, "cell", [UNCALIBRATED, ONE_IN_TEN]),
        (
            "many cells", tally(1986, 27), CARD, "cell",
            [UNCALIBRATED, "27 of 2,013 cells counted as parasitized: 0.89 to 1.95 % with 95 % confidence, false positives included."],
        ),
        (
            "tiles", tally(998_000, 2000), CARD, "tile",
            [UNCALIBRATED, "2,000 of 1,000,000 tiles counted as parasitized: 0.1913 to 0.2090 % with 95 % confidence, false positives included."],
        ),
        ("no cell", tally(0, 0), CARD, "cell", [UNCALIBRATED, "No cell was counted."]),
        ("no tile", tally(0, 0), CARD, "tile", [UNCALIBRATED, "No tile was counted."]),
        (
            "several positive classes", Tally("s", {"a": 5, "b": 1, "c": 2}, {}, 1, {}), TWO, "cell",
            [UNCALIBRATED, "3 of 8 cells counted as b or c: 8.52 to 75.51 % with 95 % confidence, false positives included."],
        ),
        (
            "no positive class", tally(9, 1), replace(CARD, positive=()), "cell",
            [UNCALIBRATED, "10 cells counted; no class of this model makes a sample suspicious."],
        ),
        (
            "most fields rejected", Tally("s", {"uninfected": 9, "parasitized": 1}, {}, 3, {"blurred": 4, "dark": 3}), CARD, "cell",
            [UNCALIBRATED, ONE_IN_TEN, "Only 3 of 10 fields passed the gate: check focus, light and stage."],
        ),
        ("half of them rejected", tally(9, 1, kept=5, rejected=5), CARD, "cell", [UNCALIBRATED, ONE_IN_TEN]),
        (
            "a card with a calibration of a later version", tally(9, 1), replace(CARD, calibration={"blank": []}), "cell",
            ["The model's card carries a calibration that this version does not read: give it as a file (--calibration).", ONE_IN_TEN],
        ),
    ],
)  # fmt: skip
def test_without_a_calibration_counts_are_told_and_no_judgement(
    name: str, sample: Tally, card: Card, unit: str, reasons: list[str]
) -> None:
    share = {label: clopper_pearson(count, sample.cells) for label, count in sample.counts.items()}
    assert decide(sample, card, unit=unit) == Verdict("uncalibrated", tuple(reasons), share, unit=unit), name


def test_cells_are_counted_unless_it_is_said_otherwise() -> None:
    assert decide(tally(0, 0), CARD).unit == "cell"


RESTS_ON = (
    "Calibrated on 10 blank slides, 200,000 cells; sensitivity: positive slides. It does not say what its blanks looked like, "
    "so whether it fits these fields was not checked: calibrate anew."
)
FEW_FIELDS = "Only 4 of 10 fields passed the gate: check focus, light and stage."


@pytest.mark.parametrize("calibrated", [True, False])
def test_doubts_come_first_and_leave_nothing_but_the_count(calibrated: bool) -> None:
    sample = tally(9, 1, kept=4, rejected=6)
    verdict = decide(
        sample,
        CARD,
        Assessor(calibration(), 0.002) if calibrated else None,
        "tile",
        doubts=("It is grey.", "It is dark."),
    )
    counted = ONE_IN_TEN.replace("cells", "tiles")
    reasons = ("It is grey.", "It is dark.", "So these counts are no evidence of anything.", counted, FEW_FIELDS)
    share = {"uninfected": clopper_pearson(9, 10), "parasitized": clopper_pearson(1, 10)}
    assert verdict == Verdict("insufficient", reasons, share, unit="tile")


@pytest.mark.parametrize("complete", [True, False])
def test_with_a_calibration_each_class_is_told_then_the_fields_then_the_looks_then_what_it_rests_on(
    complete: bool,
) -> None:
    assessor, sample = Assessor(calibration(), 0.002), tally(900, 100, kept=4, rejected=6)
    verdict = decide(sample, CARD, assessor, complete=complete)
    (finding,) = assessor.findings(sample)
    stopped = () if complete else ("Stopped early: the limits are those of a sample that ends with its fields or its budget, "
                                   "not of one that is stopped for what it shows.",)  # fmt: skip
    assert verdict.reasons == (*why(finding, assessor), FEW_FIELDS, *stopped, RESTS_ON)
    assert verdict.flag == finding.flag == "positive"
    assert verdict.share == {"uninfected": clopper_pearson(900, 1000), "parasitized": clopper_pearson(100, 1000)}
    assert (verdict.findings, verdict.target, verdict.rbc_per_ul, verdict.unit) == ((finding,), 0.002, 5e6, "cell")


def test_a_sample_is_complete_unless_it_is_said_otherwise() -> None:
    every = Assessor(calibration(), 0.005, every_look=True)
    assert decide(tally(1998, 2), CARD, every).findings[0].look == "last"
    assert decide(tally(1998, 2), CARD, every, complete=False).findings[0].look == "every"


def test_of_no_cells_nothing_is_told_but_that_and_the_unit_is_the_one_that_was_counted() -> None:
    assessor = Assessor(replace(calibration(), unit="tile"), 0.002)
    verdict = decide(tally(0, 0, kept=0, rejected=12), CARD, assessor, "tile")
    assert verdict.flag == "insufficient"
    assert verdict.reasons == (
        "No tile was counted.",
        "Only 0 of 12 fields passed the gate: check focus, light and stage.",
        RESTS_ON.replace("cells", "tiles"),
    )
    assert verdict.rbc_per_ul is None


def test_of_several_classes_the_one_that_gave_the_flag_is_told_first() -> None:
    made = calibration()
    both = replace(
        made, positive=("first", "second"),
        blanks=tuple(replace(b, positives=dict.fromkeys(("first", "second"), b.positives["parasitized"])) for b in made.blanks),
        known=tuple(replace(k, found={"first": 90, "second": 90}, infected={"first": 100, "second": 100}) for k in made.known),
    )  # fmt: skip
    card = replace(CARD, labels=("red", "first", "second"), positive=("first", "second"))
    for first, second, label in ((1, 300, "second"), (300, 1, "first"), (1, 1, "first")):
        counts = {"red": 30_000 - first - second, "first": first, "second": second}
        verdict = decide(Tally("s", counts, {}, 9, {}), card, Assessor(both, 0.005))
        assert f"counted as {label};" in verdict.reasons[0]


@pytest.mark.parametrize(
    ("name", "scope", "looks", "blanks", "text"),
    [
        ("a named microscope", "scope-3", False, 10, RESTS_ON.replace("on 10", "on scope-3: 10")),
        ("one blank", "", False, 1, RESTS_ON.replace("10 blank slides, 200,000", "1 blank slide, 20,000")),
        ("blanks whose looks are known", "", True, 10, RESTS_ON.split(" It does not", maxsplit=1)[0]),
    ],
)
def test_what_a_verdict_rests_on_is_told_last(name: str, scope: str, looks: bool, blanks: int, text: str) -> None:
    made = calibration()
    seen = {"size": 80.0} if looks else {}
    made = replace(
        made,
        bound=replace(made.bound, scope=scope),
        blanks=tuple(replace(b, appearance=seen) for b in made.blanks[:blanks]),
    )
    assert decide(tally(99, 1), CARD, Assessor(made, 0.002)).reasons[-1] == text, name


@pytest.mark.parametrize(
    ("share", "range_", "value"),
    [
        (Interval(0.0148, 0.0108, 0.0194), "1.08 to 1.94 %", "1.48 %"),
        (Interval(0.00148, 0.00108, 0.00194), "0.1080 to 0.1940 %", "0.1480 %"),
        (Interval(0.0005, 0.0, 0.001), "0.0000 to 0.1000 %", "0.0500 %"),
        (Interval(0.5, 0.4985, 0.5), "49.85 to 50.00 %", "50.00 %"),
        (Interval(None, 0.0, 1.0), "0.00 to 100.00 %", "-"),
    ],
)
def test_an_interval_is_shown_with_two_digits_or_four_where_it_is_narrow(
    share: Interval, range_: str, value: str
) -> None:
    assert percent_range(share) == range_
    assert percent_value(share) == value
