from __future__ import annotations

from pathlib import Path

import pytest

from edge.types import Tally
from edge.verdict.assess import Assessor
from edge.verdict.calibration import Blank, Calibration, KnownSlide
from edge.verdict.flag import decide
from edge.verdict.table import FLAGS, TABLE, Evidence, decide_flag, markdown
from tests.fakes import CARD
from tests.verdict.made import BOUND, calibration, tally

ROOT = Path(__file__).parents[2]


def test_the_table_in_the_docs_is_the_one_in_the_code() -> None:
    assert markdown() in (ROOT / "docs" / "verdict.md").read_text()


@pytest.mark.parametrize(
    ("evidence", "flag"),
    [
        (Evidence(False, 5000, above=True), "uncalibrated"),
        (Evidence(True, 0), "insufficient"),
        (Evidence(True, 500, above=True, detectable=False), "positive"),
        (Evidence(True, 500, enough_fields=False, above=True), "positive"),
        (Evidence(True, 50_000, enough_fields=False, detectable=True, below=True), "insufficient"),
        (Evidence(True, 500, detectable=False, below=True), "insufficient"),
        (Evidence(True, 50_000, detectable=True, below=True), "negative"),
        (Evidence(True, 50_000, detectable=True, below=False), "indeterminate"),
        (Evidence(True, 50_000), "indeterminate"),
    ],
)
def test_the_first_row_that_holds_decides(evidence: Evidence, flag: str) -> None:
    assert decide_flag(evidence) == flag


def test_every_flag_has_a_row_and_an_order() -> None:
    assert {row.flag for row in TABLE} == {"uncalibrated", *FLAGS}


def judged(healthy: int, infected: int, target: float | None = 0.002, **kwargs: int) -> tuple[str, str]:
    verdict = decide(tally(healthy, infected, **kwargs), CARD, Assessor(calibration(), target))
    return verdict.flag, " ".join(verdict.reasons)


def test_many_parasites_are_positive_however_few_the_cells() -> None:
    flag, why = judged(900, 100)
    assert flag == "positive"
    assert "100 of 1,000 cells counted as parasitized; a blank slide stays at" in why


def test_few_cells_are_insufficient_and_it_is_said_how_many_more_would_do() -> None:
    flag, why = judged(1000, 0)
    assert flag == "insufficient"
    assert "another " in why
    assert " cells would decide" in why
    assert "for the target of 0.2 % (10,000/µL)" in why


def test_as_many_more_cells_as_are_asked_for_do_decide() -> None:
    assessor = Assessor(calibration(), 0.002)
    (finding,) = decide(tally(1000, 0), CARD, assessor).findings
    assert finding.cells_short is not None
    assert decide(tally(1000 + finding.cells_short, 0), CARD, assessor).flag == "negative"
    assert decide(tally(1000 + finding.cells_short // 2, 0), CARD, assessor).flag == "insufficient"


def test_a_clean_sample_of_many_cells_is_negative_and_says_how_much_could_hide() -> None:
    flag, why = judged(50_000, 1)
    assert flag == "negative"
    assert "with 95 % confidence: below the target" in why


def test_zero_positives_are_not_a_negative() -> None:
    assert judged(500, 0)[0] == "insufficient"


def test_no_cells_and_all_fields_rejected_are_insufficient() -> None:
    flag, why = judged(0, 0, kept=0, rejected=12)
    assert flag == "insufficient"
    assert "No cell was counted." in why
    assert "Only 0 of 12 fields passed the gate" in why


def test_a_sample_that_lost_most_fields_is_insufficient_though_its_cells_were_enough() -> None:
    flag, why = judged(50_000, 1, kept=4, rejected=6)
    assert flag == "insufficient"
    assert "Only 4 of 10 fields" in why


def test_without_a_target_nothing_is_negative() -> None:
    flag, why = judged(50_000, 1, target=None)
    assert flag == "indeterminate"
    assert "--target-parasitaemia" in why


def test_positive_below_the_target_says_so() -> None:
    flag, why = judged(99_800, 200, target=0.05)
    assert flag == "positive"
    assert "Positive, but less than the target of 5 %" in why


def test_an_estimate_below_zero_is_shown() -> None:
    noisy = Assessor(calibration([20] * 10), 0.01)
    why = " ".join(decide(tally(20_000, 2), CARD, noisy).reasons)
    assert "the estimate itself is below zero" in why


def test_an_unknown_sensitivity_never_allows_a_negative() -> None:
    verdict = decide(tally(200_000, 0), CARD, Assessor(calibration(slides=0), 0.01))
    assert verdict.flag == "insufficient"
    assert any("calibrate with --positive" in reason for reason in verdict.reasons)


def test_a_target_below_what_slides_allow_is_said_to_be_out_of_reach() -> None:
    verdict = decide(tally(200_000, 5), CARD, Assessor(calibration([90, 2, 40, 0, 10, 3]), 0.0001))
    assert verdict.flag == "insufficient"
    assert any("slides differ too much" in reason for reason in verdict.reasons)


def several(**positives: int) -> Calibration:
    blanks = tuple(Blank(f"b{i}", 20_000, 50, positives) for i in range(8))
    known = tuple(KnownSlide(f"k{i}", dict.fromkeys(positives, 90), dict.fromkeys(positives, 100)) for i in range(3))
    return Calibration(BOUND, tuple(positives), 0.5, "test", blanks, known, "test")


def test_several_classes_have_limits_of_their_own_and_the_gravest_decides() -> None:
    from dataclasses import replace

    card = replace(CARD, labels=("red", "toxoplasma", "trichomonad"), positive=("toxoplasma", "trichomonad"))
    assessor = Assessor(several(toxoplasma=1, trichomonad=40), 0.005)
    assert assessor.level == pytest.approx(0.975)

    def flags(toxoplasma: int, trichomonad: int) -> tuple[str, list[str]]:
        counts = {"red": 20_000, "toxoplasma": toxoplasma, "trichomonad": trichomonad}
        verdict = decide(Tally("s", counts, {}, 50, {}), card, assessor)
        return verdict.flag, [finding.flag for finding in verdict.findings]

    assert flags(1, 40) == ("negative", ["negative", "negative"])
    assert flags(30, 40) == ("positive", ["positive", "negative"])  # 30 are many of one class and few of the other
    tox, tri = decide(
        Tally("s", {"red": 20_000, "toxoplasma": 1, "trichomonad": 1}, {}, 5, {}), card, assessor
    ).findings
    assert tox.limit_of_blank < 20 < tri.limit_of_blank


def test_tiles_are_called_tiles_and_have_no_parasites_per_ul() -> None:
    from dataclasses import replace

    verdict = decide(tally(20_000, 400), CARD, Assessor(replace(calibration(), unit="tile"), 0.01))
    text = " ".join(verdict.reasons)
    assert "400 of 20,400 tiles" in text
    assert "µL" not in text
    assert verdict.rbc_per_ul is None


def test_until_decided_stops_at_a_clear_positive_and_a_clear_negative_only() -> None:
    assessor = Assessor(calibration(), 0.005, every_look=True)
    assert assessor.decided(tally(900, 100))
    assert assessor.decided(tally(20_000, 1))
    assert not assessor.decided(tally(0, 0))
    assert not assessor.decided(tally(300, 0))
    for healthy, infected in ((900, 100), (20_000, 1)):  # and the flag is what made it stop
        assert decide(tally(healthy, infected), CARD, assessor).flag in ("positive", "negative")
