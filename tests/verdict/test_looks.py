"""What the looks on the way may spend, what the last one has left, and who may have a last one."""

from __future__ import annotations

import numpy as np
import pytest

from edge.types import Finding
from edge.verdict.assess import Assessor
from edge.verdict.flag import decide
from edge.verdict.looks import spent_on_blanks, spent_on_target
from edge.verdict.sequential import FEWEST, AnyTime, finer
from tests.fakes import CARD
from tests.verdict.made import calibration, tally

TARGET = 0.005
FIVE_GOOD = calibration([2, 0, 1, 3, 1], 5000, found=54, infected=60)
ONE_BLANK = calibration([0], 16_000, found=54, infected=60)


def walks(rates: np.ndarray, looks: list[int], rng: np.random.Generator) -> np.ndarray:
    """Counts of many slides at each look, int64 [slides, looks]."""
    steps = np.diff([0, *looks])
    return np.cumsum([rng.binomial(step, rates) for step in steps], axis=0).T


@pytest.mark.parametrize(("blanks", "step"), [([2, 0, 1, 3, 1], 100), ([40, 90], 470), ([0], 250)])
def test_no_schedule_of_looks_flags_more_blanks_than_the_bound_says_and_the_bound_is_not_far_off(
    blanks: list[int], step: int
) -> None:
    errors = calibration(blanks, 5000).errors("parasitized")
    bounds = AnyTime(errors, TARGET)
    rng = np.random.default_rng(1)
    looks = list(range(step, 5001, step))
    counts = walks(rng.choice(errors.false.values, 20_000, p=errors.false.weights), looks, rng)
    limits = [bounds.limit(0, n) for n in looks]
    crossed = float((counts > np.array(limits)).any(axis=1).mean())
    bound = spent_on_blanks(bounds, errors, 5000)
    assert crossed <= bound + 0.001  # what 20,000 slides cannot tell
    assert bound < 0.02
    assert bound < 3 * crossed + 0.004


def test_no_schedule_calls_more_samples_at_the_target_negative_than_the_bound_says() -> None:
    errors = calibration([2, 0, 1, 3, 1], 5000).errors("parasitized")
    bounds = AnyTime(errors, 0.02)
    rng = np.random.default_rng(2)
    looks = list(range(100, 5001, 100))
    false = rng.choice(errors.false.values, 20_000, p=errors.false.weights)
    found = rng.choice(errors.found.values, 20_000, p=errors.found.weights / errors.found.weights.sum())
    counts = walks(false + 0.02 * (np.maximum(found, false) - false), looks, rng)
    clean = [bounds.clean(0, n) for n in looks]
    crossed = float((counts <= np.array(clean)).any(axis=1).mean())
    bound = spent_on_target(bounds, errors, 0.02, 5000, 0.0)  # a limit of blank of 0: every look may say negative
    assert 0.005 < crossed <= bound + 0.001
    assert bound <= 0.05
    assert spent_on_target(bounds, errors, 0.02, 5000, 0.95) < bound  # looks too small to show the target say nothing


def test_between_the_rates_that_are_tried_no_count_of_thousands_seems_impossible_for_a_blank() -> None:
    errors = calibration([3, 40], 1000).errors("parasitized")
    assert spent_on_blanks(AnyTime(errors, 0.02), errors, 100_000) < 0.02
    fine = finer(errors.false)
    assert fine.mean == pytest.approx(errors.false.mean, rel=0.01)
    assert fine.weights.sum() == pytest.approx(1)


def test_the_limits_at_every_look_rise_with_the_cells() -> None:
    bounds = AnyTime(FIVE_GOOD.errors("parasitized"), TARGET)
    upper = [bounds.limit(0, n) for n in range(FEWEST, 9000, 397)]
    lower = [bounds.clean(0, n) for n in range(FEWEST, 9000, 397)]
    assert upper == sorted(upper)
    assert lower == sorted(lower)


@pytest.mark.parametrize("seen", [0, 3, 40, 900])
def test_the_limit_is_the_same_from_wherever_it_is_searched(seen: int) -> None:
    bounds = AnyTime(FIVE_GOOD.errors("parasitized"), TARGET)
    limit = bounds.limit(seen, 5000)
    assert limit == bounds.limit(0, 5000)
    assert bounds.excludes(limit + 1, 5000)[0]
    assert not bounds.excludes(limit, 5000)[0]


def test_nothing_is_decided_on_the_first_few_cells() -> None:
    assessor = Assessor(calibration(), TARGET, every_look=True)
    assert not assessor.decided(tally(FEWEST - 40, 30))
    assert assessor.decided(tally(FEWEST - 30, 30))
    (finding,) = assessor.findings(tally(30, 30), complete=False)
    assert finding.flag != "positive"


def found(assessor: Assessor, healthy: int, infected: int, *, complete: bool) -> Finding:
    (finding,) = assessor.findings(tally(healthy, infected), complete=complete)
    return finding


def test_a_count_far_above_the_limit_is_positive_at_the_last_look_though_no_look_before_decided() -> None:
    # as on the IML fields with one blank: 290 positives against a limit of 185
    assessor = Assessor(ONE_BLANK, TARGET, every_look=True)
    counted = tally(27_166, 290)
    assert not assessor.decided(counted)
    last, once = found(assessor, 27_166, 290, complete=True), assessor.at_one_look(counted)[0]
    assert (last.flag, last.look, once.flag, once.look) == ("positive", "last", "positive", "one")
    assert once.limit_of_blank <= last.limit_of_blank < 1.1 * once.limit_of_blank
    assert 0.95 < last.level < 0.96


def test_a_run_that_somebody_stopped_has_no_last_look_and_says_what_one_look_would_have_said() -> None:
    assessor = Assessor(ONE_BLANK, TARGET, every_look=True)
    verdict = decide(tally(27_166, 290), CARD, assessor, complete=False)
    assert verdict.flag == "insufficient"
    assert verdict.findings[0].limit_of_blank > 290
    assert "would not decide" not in " ".join(verdict.reasons)  # the end of the fields would
    said = next(reason for reason in verdict.reasons if reason.startswith("Looked at only once"))
    once = assessor.at_one_look(tally(27_166, 290))[0]
    assert f"parasitized would be positive: its limit would be {once.limit_of_blank:,}, not" in said
    assert "samples whose fields or budget end by themselves" in said


@pytest.mark.parametrize("infected", [1, 100])
def test_what_is_decided_stays_so_at_the_last_look(infected: int) -> None:
    assessor = Assessor(calibration(), TARGET, every_look=True)
    counted = tally(20_000, infected)
    assert assessor.decided(counted)
    flags = {decide(counted, CARD, assessor, complete=complete).flag for complete in (True, False)}
    assert flags == {"negative" if infected == 1 else "positive"}


def test_a_count_between_the_two_limits_is_said_to_be() -> None:
    assessor = Assessor(ONE_BLANK, TARGET, every_look=True)
    once = assessor.at_one_look(tally(9000, 0))[0].limit_of_blank
    verdict = decide(tally(9000 - once - 1, once + 1), CARD, assessor)
    assert verdict.flag != "positive"
    last = verdict.findings[0].limit_of_blank
    assert f"positive: its limit would be {once:,}, not {last:,}; looks after every field take" in " ".join(
        verdict.reasons
    )


def test_too_many_rejected_fields_do_not_end_a_sample_as_a_negative_that_it_would_not_be() -> None:
    assessor = Assessor(calibration(), TARGET, every_look=True)
    assert assessor.decided(tally(20_000, 1, kept=10, rejected=3))
    assert not assessor.decided(tally(20_000, 1, kept=3, rejected=10))
    assert assessor.decided(tally(20_000, 200, kept=3, rejected=10))


def test_cells_that_could_not_have_shown_the_target_do_not_end_a_sample_as_negative() -> None:
    noisy = Assessor(calibration([90, 2, 40, 0, 10, 3]), 0.0005, every_look=True)
    assert noisy._classes[0].any_time is not None
    assert noisy._classes[0].any_time.excludes(1, 30_000)[1]  # the bound alone would
    assert not noisy.decided(tally(29_999, 1))
    assert decide(tally(29_999, 1), CARD, noisy).flag == "insufficient"


def test_stopping_early_by_hand_is_said_where_the_limits_are_of_one_look() -> None:
    one = Assessor(calibration(), TARGET)
    assert "Stopped early" in " ".join(decide(tally(900, 1), CARD, one, complete=False).reasons)
    assert "Stopped early" not in " ".join(decide(tally(900, 1), CARD, one).reasons)
