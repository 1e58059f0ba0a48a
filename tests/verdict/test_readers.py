from __future__ import annotations

import numpy as np
import pytest

from edge.verdict.beta import beta_quantile, beta_quantile_above, uniform_points, weighted_quantile
from edge.verdict.readers import confirmed_twice, reader_errors, reader_rates
from edge.verdict.review_records import Votes
from edge.verdict.tails import beta_cdf


def simulated(rng: np.random.Generator, cells: int, share: float, rates: dict[str, tuple[float, float]]) -> list[Votes]:
    """Each cell read once by every reader of ``rates``: name to (missed, imagined)."""
    out: list[Votes] = []
    for _ in range(cells):
        infected = rng.random() < share
        chance = {name: 1 - missed if infected else imagined for name, (missed, imagined) in rates.items()}
        out.append(tuple((name, bool(rng.random() < p)) for name, p in chance.items()))
    return out


def test_unchecked_readers_err_a_little() -> None:
    imagined, missed = reader_errors([]).means()
    assert 0.01 < imagined < 0.02
    assert 0.03 < missed < 0.06


def test_cells_read_once_say_nothing() -> None:
    assert reader_errors([(("anna", True),)] * 50) is reader_errors([])
    assert reader_rates([(("anna", True),)] * 50) == ()


@pytest.mark.parametrize(("missed", "imagined"), [(0.1, 0.03), (0.02, 0.002), (0.25, 0.1)])
def test_many_reread_cells_show_how_readers_err(missed: float, imagined: float) -> None:
    votes = simulated(np.random.default_rng(5), 3000, 0.3, dict.fromkeys("abc", (missed, imagined)))
    errors = reader_errors(votes)
    assert errors.means() == pytest.approx((imagined, missed), rel=0.35)
    spread = errors.weights.sum(axis=1)
    assert float(spread[np.abs(np.log(errors.imagined / imagined)) < 0.7].sum()) > 0.95


def test_each_reader_by_name_and_the_careless_one_is_told_from_the_careful() -> None:
    rates = {"anna": (0.02, 0.005), "ben": (0.25, 0.1), "cleo": (0.05, 0.01)}
    found = {one.reader: one for one in reader_rates(simulated(np.random.default_rng(2), 800, 0.4, rates))}
    assert list(found) == ["anna", "ben", "cleo"]
    for name, (missed, imagined) in rates.items():
        assert found[name].cells == 800
        assert found[name].sensitivity.low - 0.02 < 1 - missed < found[name].sensitivity.high + 0.02
        assert found[name].specificity.low - 0.02 < 1 - imagined < found[name].specificity.high + 0.02


@pytest.mark.parametrize(
    ("name", "votes", "twice"),
    [
        ("two people", ((("a", True), ("b", True)),), 1),
        ("one person twice", ((("a", True), ("a", True)),), 0),
        ("one person alone", ((("a", True),),), 0),
        ("somebody says otherwise", ((("a", True), ("b", True), ("c", False)),), 0),
        ("nobody says so", ((("a", False), ("b", False)),), 0),
    ],
)
def test_a_cell_is_confirmed_twice_by_two_people_and_no_other_word(
    name: str, votes: tuple[Votes, ...], twice: int
) -> None:
    assert confirmed_twice(votes) == twice, name


@pytest.mark.parametrize("cells", [0, 1, 20, 60, 500, 25_000])
@pytest.mark.parametrize("answers", [1, 2])
def test_readers_imagine_no_more_than_their_limit_as_often_as_it_says(cells: int, answers: int) -> None:
    errors = reader_errors([])
    limit = errors.imagined_at_most(cells, 0.95, answers)
    rng = np.random.default_rng(0)
    chance = rng.choice(errors.imagined, 40_000, p=errors.weights.sum(axis=1)) ** answers
    counts = rng.binomial(cells, chance)
    assert (counts <= limit).mean() >= 0.945
    assert limit == 0 or (counts <= limit - 1).mean() < 0.955


def test_pairs_of_rates_are_drawn_as_often_as_they_weigh() -> None:
    errors = reader_errors([(("a", True), ("b", False))] * 5 + [(("a", True), ("b", True))] * 10)
    imagined, missed = errors.draw(*uniform_points(4)[:2])
    assert (imagined.mean(), missed.mean()) == pytest.approx(errors.means(), rel=0.02)


@pytest.mark.parametrize(("a", "b"), [(1, 1), (1, 60), (3, 20_000), (500, 2), (61, 19_940), (0.5, 60)])
def test_quantiles_of_a_beta_distribution_have_the_probability_asked_for(a: float, b: float) -> None:
    u = np.array([0.005, 0.025, 0.1, 0.5, 0.9, 0.975, 0.995])
    assert beta_cdf(a, b, beta_quantile(a, b, u)) == pytest.approx(u, rel=5e-3)


@pytest.mark.parametrize(
    ("a", "b", "floor"), [(1, 60, 0.0), (1, 60, 0.02), (1, 5000, 0.01), (13, 588, 0.03), (21, 40, 0.2)]
)
def test_quantiles_above_a_floor_divide_what_is_left(a: float, b: float, floor: float) -> None:
    u = np.array([0.025, 0.1, 0.5, 0.9, 0.975])
    found = beta_quantile_above(a, b, u, np.full(5, floor))
    assert (found >= floor).all()
    if a == 1:  # the tail is known in closed form
        assert found == pytest.approx(1 - (1 - floor) * (1 - u) ** (1 / b), rel=5e-3)
    else:
        left = 1 - float(beta_cdf(a, b, np.array([floor]))[0])
        assert 1 - beta_cdf(a, b, found) == pytest.approx(left * (1 - u), rel=2e-2)


def test_quantiles_of_weighted_values() -> None:
    values = np.array([3.0, 1.0, 2.0, 4.0])
    assert [weighted_quantile(values, None, level) for level in (0.0, 0.25, 0.5, 0.75, 1.0)] == [1, 1, 2, 3, 4]
    weights = np.array([0.0, 3.0, 1.0, 0.0])
    assert [weighted_quantile(values, weights, level) for level in (0.5, 0.75, 0.9)] == [1, 1, 2]
