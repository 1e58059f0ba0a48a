"""Thresholds: by false positives, and never chosen on what they are reported on."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from convert.measure.matching import Match
from models.judge import finder_thresholds as thresholds
from models.judge import thresholds as choose
from models.judge.finder_thresholds import at_false_positives, best
from models.report.all_figures import interval, parasites
from models.report.figure import Figure, show


@pytest.mark.parametrize(("rate", "passing"), [(0.0, 0), (0.001, 1), (0.01, 10)])
def test_no_more_than_the_rate_of_healthy_cells_passes(rate: float, passing: int) -> None:
    rng = np.random.default_rng(0)
    scores = rng.random(1100).astype(np.float32)
    infected = np.zeros(1100, bool)
    infected[:100] = True
    limit = at_false_positives(scores, infected, rate)
    assert int((scores[~infected] >= limit).sum()) == passing


def test_equal_scores_do_not_slip_through_together() -> None:
    scores = np.full(100, 0.7, np.float32)
    assert (scores >= at_false_positives(scores, np.zeros(100, bool), 0.01)).sum() == 0


def test_the_best_pair_weighs_infected_cells_and_bias() -> None:
    keen, shy = (0.3, 0.1), (0.5, 0.3)
    grid = {keen: [Match(95, 5, 5, 10, 0)], shy: [Match(95, 3, 5, 10, 4)]}
    assert best([grid]) == keen


def test_each_fold_gets_thresholds_of_the_others_only(monkeypatch: pytest.MonkeyPatch) -> None:
    pairs = [(0.3, 0.1), (0.4, 0.2), (0.5, 0.3)]
    grids = [
        {pair: [Match(99, 0, 1) if pair == favourite else Match(50, 0, 50)] for pair in pairs} for favourite in pairs
    ]
    queue = iter(grids)
    chosen = []
    monkeypatch.setattr(thresholds, "finder_grid", lambda path, fields: next(queue))
    monkeypatch.setattr(thresholds, "rewrite", lambda path, pair, origin: chosen.append(pair))
    thresholds.choose([Path("a"), Path("b"), Path("c")], [[], [], []], Path("shipped"), lambda line: None)
    for own, pair in zip(pairs, chosen[:3], strict=True):
        assert pair != own


def test_the_interval_holds_the_value_and_shrinks_with_more_fields() -> None:
    rng = np.random.default_rng(0)
    matches = [Match(int(n), 3, 4) for n in rng.integers(60, 100, 200)]
    wide, narrow = interval(matches[:20], lambda s: s.f1), interval(matches, lambda s: s.f1)
    assert wide[0] < 0.96 < wide[1]
    assert narrow[1] - narrow[0] < wide[1] - wide[0]


def test_a_missed_target_is_said() -> None:
    rows = [Figure("a", "here", ">= 1", "2", met=True), Figure("b", "there", ">= 1", "0", met=False)]
    assert "1 of 2 targets met" in show(rows, markdown=False)
    assert "missed: b, there" in show(rows, markdown=False)
    assert "| b | there | >= 1 | 0 | **missed** |" in show(rows, markdown=True)


def test_parasites_lost_by_the_finder_count_as_missed() -> None:
    truth = np.array([[50, 50, 40, 40], [150, 50, 40, 40], [250, 50, 40, 40]], np.int32)
    sick = np.array([True, True, False])
    boxes = truth[1:]
    use, label, lost = parasites(boxes, truth, sick, (200, 400))
    assert use.all()
    assert label.tolist() == [True, False]
    assert lost == 1


def test_the_shipped_budget_of_false_positives_is_below_one_in_a_hundred() -> None:
    assert 0 < choose.FALSE_POSITIVES <= 0.01
