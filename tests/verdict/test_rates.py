"""Rates as values with weights, by hand; and the fit against the same model written down anew with SciPy."""

from __future__ import annotations

import numpy as np
import pytest

from edge.verdict.rates import FALSE_POSITIVES, MISSED_CELLS, Range, Rate, _grid, _log_values, _mixing, certain, fit
from edge.verdict.tails import Floats

stats = pytest.importorskip("scipy.stats", reason="SciPy is needed to compare with")

THREE = Rate(np.array([0.1, 0.2, 0.5]), np.array([0.2, 0.5, 0.3]))


def test_the_mean_is_weighted() -> None:
    assert THREE.mean == pytest.approx(0.1 * 0.2 + 0.2 * 0.5 + 0.5 * 0.3)


@pytest.mark.parametrize(
    ("level", "value"), [(0.0, 0.1), (0.2, 0.1), (0.201, 0.2), (0.5, 0.2), (0.7, 0.2), (0.701, 0.5), (1.0, 0.5)]
)
def test_a_quantile_is_the_lowest_value_with_so_much_weight_at_or_below_it(level: float, value: float) -> None:
    assert THREE.quantile(level) == value


def test_weights_that_round_to_less_than_1_still_have_a_highest_quantile() -> None:
    assert Rate(np.array([0.1, 0.2]), np.array([0.5, 0.4999])).quantile(1.0) == 0.2


def test_the_complement_is_one_less_each_value_still_rising() -> None:
    other = THREE.complement()
    assert other.values.tolist() == pytest.approx([0.5, 0.8, 0.9])
    assert other.weights.tolist() == [0.3, 0.5, 0.2]


def test_a_certain_rate_is_one_value() -> None:
    assert (certain(0.3).values.tolist(), certain(0.3).weights.tolist()) == ([0.3], [1.0])


def test_a_product_holds_every_pair_and_stops_at_1() -> None:
    got = Rate(np.array([0.2, 0.8]), np.array([0.25, 0.75])).times(Rate(np.array([0.5, 1.5]), np.array([0.4, 0.6])))
    assert got.values.tolist() == pytest.approx([0.1, 0.3, 0.4, 1.0])
    assert got.weights.tolist() == pytest.approx([0.1, 0.15, 0.3, 0.45])
    many = Rate(np.linspace(0.1, 0.9, 30), np.full(30, 1 / 30))
    product = many.times(many)
    assert len(product.values) <= 2 * 30 + 1
    assert product.mean == pytest.approx(many.mean**2)
    assert product.values.tolist() == sorted(product.values.tolist())


@pytest.mark.parametrize("most", [10, 40])
def test_a_thinned_rate_keeps_weight_mean_and_thin_tails(most: int) -> None:
    values = np.linspace(0, 1, 1000)
    weights = stats.beta.pdf(values, 2, 60)
    rate = Rate(values, weights / weights.sum())
    thin = rate.thin(most)
    assert most * 0.7 <= len(thin.values) <= most + 1
    assert thin.weights.sum() == pytest.approx(1)
    assert thin.mean == pytest.approx(rate.mean)
    assert thin.values.tolist() == sorted(thin.values.tolist())
    assert thin.weights.max() <= 2.7 / most  # half of the bins go by weight
    assert np.diff(thin.values).max() <= 2.05 / most  # and half by value: beyond 0.3 there is next to no weight


def test_a_rate_of_fewer_values_than_allowed_stays_as_it_is() -> None:
    assert THREE.thin(80).values.tolist() == pytest.approx(THREE.values.tolist())
    assert THREE.thin(80).weights.tolist() == pytest.approx(THREE.weights.tolist())


class Reference:
    """The beta-binomial model of the module's docstring on a grid of its own: mu^(-1/2), c uniform, mixed over the posterior."""

    def __init__(self, events: list[int], cells: list[int], spreads: Range) -> None:
        x, n = np.array(events), np.array(cells)
        guess = (x.sum() + 0.5) / n.sum()
        mu = np.geomspace(guess / 1000, min(guess * 100, 0.9), 300)
        c = np.linspace(max(spreads[0], 0.01), spreads[1], 60)
        self.mu, self.c = (axis.ravel() for axis in np.meshgrid(mu, c, indexing="ij"))
        possible = self.mu * self.c**2 < 1 - self.mu
        self.mu, self.c = self.mu[possible], self.c[possible]
        kappa = (1 - self.mu) / (self.mu * self.c**2) - 1
        self.a, self.b = self.mu * kappa, (1 - self.mu) * kappa
        log = 0.5 * np.log(self.mu) + sum(
            stats.betabinom.logpmf(k, m, self.a, self.b) for k, m in zip(x, n, strict=True)
        )
        weights = np.exp(log - log.max())
        self.weights = weights / weights.sum()

    def at_most(self, rate: float) -> float:
        return float(self.weights @ stats.beta.cdf(rate, self.a, self.b))

    def spread(self, level: float) -> float:
        order = np.argsort(self.c)
        return float(self.c[order][np.searchsorted(np.cumsum(self.weights[order]), level)])


@pytest.mark.parametrize(
    ("name", "events", "cells", "spreads"),
    [
        ("ten good blanks", [2, 0, 1, 3, 1, 2, 0, 1, 2, 1], [20_000] * 10, FALSE_POSITIVES),
        ("five that differ", [14, 25, 9, 12, 22], [10_000] * 5, FALSE_POSITIVES),
        ("unequal sizes", [3, 30, 1, 9], [2000, 30_000, 900, 8000], FALSE_POSITIVES),
        ("infected cells missed", [10, 14, 7, 12], [100, 120, 90, 110], MISSED_CELLS),
    ],
)
def test_the_next_slides_rate_is_the_posterior_predictive(
    name: str, events: list[int], cells: list[int], spreads: Range
) -> None:
    got, want = fit(events, cells, spreads), Reference(events, cells, spreads)
    for level in (0.05, 0.25, 0.5, 0.75, 0.95, 0.99):
        assert want.at_most(got.next.quantile(level)) == pytest.approx(level, abs=0.035), (name, level)
    for spread, level in ((got.spread_low, 0.025), (got.spread, 0.5)):
        assert spread == pytest.approx(want.spread(level), abs=0.3 if want.spread(level) > 0.6 else 0.16), name
    assert want.spread(0.9) <= got.spread_high <= spreads[1], name  # the highest spread tried stands for a wide range
    assert got.next.weights.sum() == pytest.approx(1)


def test_the_pooled_rate_is_half_an_event_more_over_a_cell_more() -> None:
    assert fit([1, 4], [99, 100]).pooled == pytest.approx(5.5 / 200)


def test_the_spread_stays_within_what_it_is_allowed_to_be() -> None:
    wild = [0, 900, 0, 0, 700, 0]
    assert fit(wild, [10_000] * 6, MISSED_CELLS).spread_high <= 1
    assert fit(wild, [10_000] * 6, FALSE_POSITIVES).spread > 1
    alike = [100] * 8
    assert fit(alike, [10_000] * 8, MISSED_CELLS).spread_low == 0
    assert fit(alike, [10_000] * 8, FALSE_POSITIVES).spread_low == 0.2


@pytest.mark.parametrize(("events", "cells"), [(0, 500), (3, 1500), (400, 900)])
def test_trial_rates_reach_from_far_below_to_far_above_what_was_seen(events: float, cells: float) -> None:
    logs = _log_values(events, cells)
    assert logs.tolist() == pytest.approx(np.linspace(logs[0], logs[-1], len(logs)).tolist())
    assert np.exp(logs[0]) < stats.gamma.ppf(0.01, events + 0.5) / cells / 3
    assert np.exp(logs[-1]) > min(4 * stats.gamma.ppf(1 - 1e-6, events + 0.5) / cells, 0.999)
    assert np.exp(logs[-1]) < 1


def grid_and_mixing() -> tuple[Floats, Floats, Floats, Floats, Floats]:
    logs = _log_values(20, 10_000)
    means, spreads, prior = _grid(logs, np.array([0.0, 0.2, 0.45, 1.0]))
    return logs, means, spreads, prior, _mixing(logs, means, spreads)


def test_each_mean_and_spread_is_mixed_over_rates_that_have_them() -> None:
    logs, means, spreads, _, mixing = grid_and_mixing()
    values = np.exp(logs)
    assert mixing.sum(axis=1) == pytest.approx(np.ones(len(means)))
    inner = (means > 30 * values[0]) & (means < values[-1] / 30)  # the rest is cut off at the ends of the trial rates
    assert inner.sum() > 40
    mean = mixing @ values
    assert mean[inner] == pytest.approx(means[inner], rel=0.035)
    equal = inner & (spreads == 0)
    assert mean[equal] == pytest.approx(means[equal], rel=1e-3)
    deviation = np.sqrt(np.maximum(mixing @ values**2 - mean**2, 0))
    assert deviation[inner] == pytest.approx((spreads * means)[inner], rel=0.02, abs=float(means.max()) * 1e-3)
    assert ((mixing > 0).sum(axis=1)[spreads == 0] <= 2).all()  # equal slides: the two trial rates beside it


def test_the_prior_is_jeffreys_for_the_mean_and_even_in_the_spread() -> None:
    _, means, spreads, prior, _ = grid_and_mixing()
    for spread, width in ((0.0, 0.2), (0.2, 0.225), (0.45, 0.4), (1.0, 0.55)):
        here = spreads == spread
        assert np.exp(prior[here]) == pytest.approx(
            means[here] ** 0.5 * width, rel=0.2
        )  # mu^(-1/2) d mu, d mu = mu d log mu


def test_a_mean_and_spread_that_no_beta_distribution_has_are_left_out() -> None:
    means, spreads, _ = _grid(np.log([1e-3, 0.9]), np.array([0.2, 2.5]))
    assert (means * spreads**2 < 1 - means).all()
    assert means[spreads == 2.5].max() == pytest.approx(1 / (1 + 2.5**2), rel=0.15)
    assert means[spreads == 0.2].max() == pytest.approx(0.9, rel=0.02)
