from __future__ import annotations

from models.studies.coverage.simulate import HitRate
from models.studies.paired import COUNTS, PairedCase, PairedRates, cases, enough, page, simulate


def test_a_case_gives_the_same_figures_again() -> None:
    case = cases()[-1]
    assert simulate(case, 3) == simulate(case, 3)


def test_the_page_names_cases_whose_interval_does_not_hold() -> None:
    good, bad = (PairedCase(COUNTS[0], 20, 20), PairedCase(COUNTS[4], 100, 120))
    found = {
        good: PairedRates(HitRate(97, 100), HitRate(2, 100), 0.01),
        bad: PairedRates(HitRate(60, 100), HitRate(40, 100), 0.02),
    }
    assert [enough(rates) for rates in found.values()] == [True, False]
    text = page(found, 100)
    assert "below it: false positives gone (100 fields of 120)." in " ".join(text.split())
    assert "| the same in all | +0.000% | 20 | 20 | 97.0% | 2.0% | 1.000% |" in text


def test_a_world_that_changes_nothing_has_no_difference() -> None:
    assert [
        round(one.difference, 12) for one in COUNTS if one.name in ("the same in all", "as many gained as lost")
    ] == [0, 0]
