from __future__ import annotations

from dataclasses import replace

from edge.types import Tally
from edge.verdict.flag import decide
from tests.fakes import CARD


def tally(healthy: int, infected: int, *, kept: int = 10, rejected: int = 0) -> Tally:
    counts = {"uninfected": healthy, "parasitized": infected}
    return Tally("s", counts, {}, kept, {"out of focus": rejected} if rejected else {})


def test_without_calibration_the_flag_says_so_and_why() -> None:
    verdict = decide(tally(1986, 27), CARD)
    assert verdict.flag == "uncalibrated"
    assert "No calibration" in verdict.reasons[0]
    assert "27 of 2,013 cells counted as parasitized: 0.89 to 1.95 %" in verdict.reasons[1]


def test_every_class_has_its_share_and_interval() -> None:
    verdict = decide(tally(90, 10), CARD)
    assert list(verdict.share) == ["uninfected", "parasitized"]
    assert verdict.share["parasitized"].value == 0.1


def test_no_cells_no_judgement() -> None:
    verdict = decide(tally(0, 0), CARD)
    assert "No cell was counted." in verdict.reasons
    assert verdict.share["parasitized"].value is None


def test_many_rejected_fields_are_a_reason() -> None:
    assert any("Only 3 of 10 fields passed" in r for r in decide(tally(9, 1, kept=3, rejected=7), CARD).reasons)
    assert not any("passed" in r for r in decide(tally(9, 1, kept=9, rejected=1), CARD).reasons)


def test_a_calibration_of_a_later_version_is_not_passed_over_in_silence() -> None:
    verdict = decide(tally(9, 1), replace(CARD, calibration={"blank": []}))
    assert verdict.flag == "uncalibrated"
    assert "does not read" in verdict.reasons[0]


def test_nothing_is_wired_to_two_classes() -> None:
    card = replace(CARD, labels=("a", "b", "c"), positive=("b", "c"))
    verdict = decide(Tally("s", {"a": 5, "b": 1, "c": 2}, {}, 1, {}), card)
    assert any("3 of 8 cells counted as b or c" in r for r in verdict.reasons)
    assert list(verdict.share) == ["a", "b", "c"]


def test_a_model_without_positive_classes_has_no_suspects() -> None:
    card = replace(CARD, positive=())
    assert any("no class" in r for r in decide(tally(9, 1), card).reasons)
