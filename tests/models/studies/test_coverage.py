"""The simulation in small; the page it writes is docs/verdict-simulation.md."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edge.types import Finding, Interval
from edge.verdict.limits import limit_of_blank
from edge.verdict.prevalence import estimate
from models.studies.coverage import page as coverage_page
from models.studies.coverage.simulate import FixedSizeOutcome, HitRate, MeanChance, World, fixed, holds, pooled
from models.studies.coverage.until import StoppingCase, StoppingOutcome, agrees, sequential

WORLD = World(1e-3, 0.5, 10)


def test_slides_have_the_mean_and_spread_that_were_asked_for() -> None:
    rates = WORLD.false_rates(np.random.default_rng(0), 20_000)
    assert abs(rates.mean() / 1e-3 - 1) < 0.03
    assert abs(rates.std() / rates.mean() / 0.5 - 1) < 0.05
    assert set(World(1e-3, 0.0, 5).false_rates(np.random.default_rng(0), 9)) == {1e-3}


def test_intervals_and_limits_keep_their_promises_in_one_world() -> None:
    out = fixed(WORLD, (5000,), (0.0, 0.01), 60, seed=0)
    assert out.covered[5000, 0.01].within(0.93, 0.98)
    assert out.covered[5000, 0.0].within(0.95, 1.0)
    flagged, found = out.flagged[5000], out.found[5000]
    assert flagged.share - 2 * flagged.error <= 0.05
    assert found.share + 2 * found.error >= 0.95


def test_stopping_early_keeps_them_too() -> None:
    blank = sequential(StoppingCase(WORLD, 0.02, 0, 5000), 30, seed=1)
    infected = sequential(StoppingCase(WORLD, 0.02, 1, 5000), 30, seed=2)
    assert blank.positive.within(0, 0.05)
    assert infected.negative.within(0, 0.05)
    assert blank.negative.share > 0.5
    assert np.median(infected.cells) <= 5000
    assert infected.positive.share >= infected.once_positive.share - 0.1
    for out in (blank, infected):
        assert out.agree.hits == out.agree.trials == 30
        assert out.covered.within(0.94, 1)


def test_a_flag_that_its_own_figures_contradict_shows() -> None:
    good = Finding("a", 9, 500, "positive", 4, 0.01, 0.01, Interval(0.01, 0.002, 0.03), 0.03)
    assert agrees(good, 0.05)
    assert not agrees(replace(good, limit_of_blank=9), 0.05)
    assert not agrees(replace(good, infected=Interval(0.01, 0.0, 0.03)), 0.05)
    assert not agrees(replace(good, count=1, flag="negative"), 0.02)
    assert agrees(replace(good, count=1, flag="negative"), 0.04)


def test_a_promise_that_is_broken_shows() -> None:
    assert not HitRate(80, 100).within(0.94, 0.97)
    assert MeanChance([0.1, 0.1]).share - 2 * MeanChance([0.1, 0.1]).error > 0.05


def test_page_and_picture_are_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "docs").mkdir()
    said: list[str] = []

    monkeypatch.setattr(coverage_page, "worlds", lambda: [WORLD])
    monkeypatch.setattr(coverage_page, "CASES", tuple(StoppingCase(WORLD, 0.05, times, 1000) for times in (0, 1)))
    coverage_page.make(tmp_path / "docs", 3, 2, said.append)
    page = (tmp_path / "docs" / "verdict-simulation.md").read_text()
    assert "| 1,000 | 50% | 10 | 2,000 |" in page
    assert (tmp_path / "docs" / "images" / "verdict-simulation.svg").read_text().startswith("<svg")
    assert "| 1,000 | 50% | 10 | 5.0% | 1,000 | 0.0% |" in page
    assert "of the infected samples are found" in page
    assert len(said) == 3


# what the simulation counts


def test_a_rate_counts_hits_among_trials_and_several_are_pooled_by_trials() -> None:
    rate = HitRate()
    for hit in (True, False, True, True):
        rate.add(hit)
    assert (rate.hits, rate.trials, rate.share) == (3, 4, 0.75)
    assert pooled([rate, HitRate(1, 16)]) == HitRate(4, 20)
    assert np.isnan(HitRate().share)


def test_a_mean_chance_has_the_standard_error_of_its_calibrations() -> None:
    chance = MeanChance()
    for value in (0.0, 0.0, 0.2, 0.2):
        chance.add(value)
    assert chance.share == pytest.approx(0.1)
    assert chance.error == pytest.approx(0.05)


@pytest.mark.parametrize(
    ("hits", "low", "high", "agrees_with"),
    [
        (190, 0.94, 0.97, True),
        (200, 0.94, 0.97, False),
        (200, 0.95, 1.0, True),
        (10, 0.0, 0.05, True),
        (24, 0.0, 0.05, False),
    ],
)
def test_a_rate_agrees_with_a_band_that_its_exact_interval_touches(
    hits: int, low: float, high: float, agrees_with: bool
) -> None:
    assert HitRate(hits, 200).within(low, high) is agrees_with


def test_the_chance_above_a_limit_is_that_of_samples() -> None:
    rng = np.random.default_rng(0)
    drawn = np.array([WORLD.sample(rng, 2000, 0.01) for _ in range(4000)])
    for limit in (5, 10, 15):
        assert WORLD.above(rng, 2000, limit, 0.01) == pytest.approx((drawn > limit).mean(), abs=0.04)


def test_every_calibration_gives_one_sample_per_size_and_share_and_the_same_seed_the_same_counts() -> None:
    one = fixed(WORLD, (500, 2000), (0.0, 0.05), 4, seed=3)
    assert set(one.covered) == {(n, share) for n in (500, 2000) for share in (0.0, 0.05)}
    assert {rate.trials for rate in one.covered.values()} == {4}
    assert {len(chance.values) for chance in one.flagged.values()} == {4}
    assert {n: len(limits) for n, limits in one.limits.items()} == {n: len(c.values) for n, c in one.found.items()}
    assert fixed(WORLD, (500, 2000), (0.0, 0.05), 4, seed=3) == one
    assert fixed(WORLD, (500, 2000), (0.0, 0.05), 4, seed=4) != one


def test_an_interval_that_is_shown_holds_what_is_counted_as_covered() -> None:
    errors = WORLD.calibrate(np.random.default_rng(1))
    limit = limit_of_blank(errors.false, 2000)
    for k in (0, limit // 2, limit):
        interval = estimate(k, 2000, errors).share
        for share in (0.0005, 0.002, 0.01, 0.02, 0.03, 0.04, 0.05):
            if min(abs(share - interval.low), abs(share - interval.high)) > 1e-4:
                assert holds(k, 2000, errors, share, limit) == (interval.low <= share <= interval.high), (k, share)


def test_of_a_positive_sample_a_share_of_zero_does_not_count_as_covered() -> None:
    errors = WORLD.calibrate(np.random.default_rng(1))
    limit = limit_of_blank(errors.false, 2000)
    assert holds(limit, 2000, errors, 0.0, limit)
    assert not holds(limit + 5, 2000, errors, 0.0, limit)


def test_each_sample_of_a_case_is_counted_once_and_never_beyond_the_budget() -> None:
    out = sequential(StoppingCase(WORLD, 0.02, 3, 1000), 7, seed=5)
    rates = (out.positive, out.negative, out.once_positive, out.once_negative, out.early, out.covered, out.agree)
    assert {rate.trials for rate in rates} == {7}
    assert len(out.cells) == 7
    assert all(cells <= 1000 and cells % 250 == 0 for cells in out.cells)
    assert out.early.hits == sum(cells < 1000 for cells in out.cells)
    assert out.positive.hits + out.negative.hits <= 7


# the summary


def met(**changes: Any) -> dict[str, bool]:
    """Which promises are met when one world and one case of either kind come out well, but for the changes."""
    good = {
        "zero": 97,
        "inner": 95,
        "flagged": 0.04,
        "found": 0.96,
        "false": 3,
        "missed": 3,
        "covered": 95,
        "agree": 100,
    }
    got = {**good, **changes}
    outcome = FixedSizeOutcome(
        {(2000, 0.0): HitRate(got["zero"], 100), (2000, 0.01): HitRate(got["inner"], 100)},
        {2000: MeanChance([got["flagged"]] * 4)},
        {2000: MeanChance([got["found"]] * 4)},
    )
    end: dict[str, Any] = {"covered": HitRate(got["covered"], 100), "agree": HitRate(got["agree"], 100)}
    stopped = {
        StoppingCase(WORLD, 0.02, 0, 1000): StoppingOutcome(positive=HitRate(got["false"], 100), **end),
        StoppingCase(WORLD, 0.02, 1, 1000): StoppingOutcome(negative=HitRate(got["missed"], 100), **end),
    }
    return {one.what: one.met for one in coverage_page.summary({WORLD: outcome}, stopped)}


def test_all_promises_are_met_where_all_figures_are_good() -> None:
    assert len(met()) == 8
    assert all(met().values())


@pytest.mark.parametrize(
    ("changes", "broken"),
    [
        ({"inner": 85}, "coverage of the interval, nominal 95 %"),
        ({"inner": 100}, "coverage of the interval, nominal 95 %"),
        ({"zero": 85}, "the same where nothing is infected"),
        ({"flagged": 0.06}, "blanks flagged"),
        ({"found": 0.94}, "found at the limit of detection"),
        ({"false": 13}, "until decided: blanks flagged"),
        ({"missed": 13}, "until decided: called negative at or above the target"),
        ({"covered": 85}, "until decided: coverage of the interval shown, nominal 95 %"),
        ({"agree": 99}, "until decided: flag, limit, interval and bound agree"),
    ],
)
def test_one_figure_out_of_its_target_breaks_its_own_promise_alone(changes: dict[str, float], broken: str) -> None:
    assert [what for what, kept in met(**changes).items() if not kept] == [broken]
