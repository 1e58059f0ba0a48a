"""The simulation in small; the page it writes is docs/verdict-simulation.md."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from edge.types import Finding, Interval
from models.studies.coverage import page as coverage_page
from models.studies.coverage.simulate import HitRate, MeanChance, World, fixed
from models.studies.coverage.until import StoppingCase, agrees, sequential

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
