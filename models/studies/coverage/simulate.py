"""Do the verdict's statistics keep what they promise? Simulated slides, calibrations and samples, counted.

One round draws a calibration (blank slides and infected cells of other slides, each with rates of its own) and then samples
from new slides. What is counted: intervals that hold the true share, blanks flagged positive, samples at the limit of
detection that are found. The same for runs that look after every field (``--until decided``): ``models.studies.coverage.until``.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np

from edge.verdict.interval import clopper_pearson
from edge.verdict.limits import CountTail, ErrorRates, limit_of_blank, limit_of_detection
from edge.verdict.prevalence import LOWER, UPPER, ShareOf
from edge.verdict.rates import MISSED_CELLS, fit

TAIL = 0.025
"""Probability beyond either end of a 95 % interval."""

_SLIDES = 400  # new slides over which a chance is averaged


@dataclass(frozen=True, slots=True)
class World:
    """The true error rates of slides.

    Attributes:
        false: mean false-positive rate per cell.
        spread: between-slide standard deviation of it, as a share of the mean.
        blanks: blank slides in a calibration.
        blank_cells: cells on each.
        sensitivity: mean share of infected cells found.
        missed_spread: between-slide standard deviation of the missed share, as a share of its mean.
        positives: slides with known infected cells in a calibration, ``infected`` on each.
    """

    false: float
    spread: float
    blanks: int
    blank_cells: int = 5000
    sensitivity: float = 0.8
    missed_spread: float = 0.3
    positives: int = 5
    infected: int = 60

    def false_rates(self, rng: np.random.Generator, n: int) -> np.ndarray:
        """False-positive rates of n slides."""
        return _beta(rng, self.false, self.spread, n)

    def found_rates(self, rng: np.random.Generator, n: int) -> np.ndarray:
        """Shares of infected cells found on n slides."""
        return 1 - _beta(rng, 1 - self.sensitivity, self.missed_spread, n)

    def calibrate(self, rng: np.random.Generator) -> ErrorRates:
        """The error rates that one calibration estimates in this world."""
        events, missed = self.known_slides(rng)
        false = fit(events, [self.blank_cells] * self.blanks)
        missing = fit(missed, [self.infected] * self.positives, MISSED_CELLS)
        return ErrorRates(false.next, missing.next.complement())

    def known_slides(self, rng: np.random.Generator) -> tuple[list[int], list[int]]:
        """False positives on each blank slide, and infected cells missed on each positive one."""
        events = rng.binomial(self.blank_cells, self.false_rates(rng, self.blanks))
        missed = rng.binomial(self.infected, 1 - self.found_rates(rng, self.positives))
        return events.tolist(), missed.tolist()

    def above(self, rng: np.random.Generator, cells: int, limit: int, share: float) -> float:
        """The chance that a new slide shows more than ``limit``, over many of them."""
        f, s = self.false_rates(rng, _SLIDES), self.found_rates(rng, _SLIDES)
        return 1 - float(CountTail(limit, cells)(f + share * (s - f)).mean())

    def sample(self, rng: np.random.Generator, cells: int, share: float) -> int:
        """Positives among the cells of a new slide."""
        f, s = self.false_rates(rng, 1)[0], self.found_rates(rng, 1)[0]
        return int(rng.binomial(cells, f + share * (s - f)))


def _beta(rng: np.random.Generator, mean: float, spread: float, n: int) -> np.ndarray:
    if spread == 0:
        return np.full(n, mean)
    kappa = (1 - mean) / (mean * spread**2) - 1
    return rng.beta(mean * kappa, (1 - mean) * kappa, n)


@dataclass(slots=True)
class HitRate:
    """Hits among trials."""

    hits: int = 0
    trials: int = 0

    def add(self, hit: bool) -> None:
        """Count one trial."""
        self.hits += hit
        self.trials += 1

    @property
    def share(self) -> float:
        """Hits per trial."""
        return self.hits / self.trials if self.trials else float("nan")

    def within(self, low: float, high: float) -> bool:
        """Whether the true share may lie from low to high, by its exact 95 % interval."""
        interval = clopper_pearson(self.hits, self.trials)
        return interval.high >= low and interval.low <= high


def pooled(rates: Iterable[HitRate]) -> HitRate:
    """All trials together."""
    known = list(rates)
    return HitRate(sum(one.hits for one in known), sum(one.trials for one in known))


@dataclass(slots=True)
class MeanChance:
    """A chance, averaged over calibrations."""

    values: list[float] = field(default_factory=list)

    def add(self, value: float) -> None:
        """Add the chance of one calibration."""
        self.values.append(value)

    @property
    def share(self) -> float:
        """The mean."""
        return float(np.mean(self.values))

    @property
    def error(self) -> float:
        """Its standard error."""
        return float(np.std(self.values) / max(len(self.values), 1) ** 0.5)


@dataclass(slots=True)
class FixedSizeOutcome:
    """Samples of a fixed size in one world.

    Attributes:
        covered: by (cells, share): the two-sided interval held the share.
        flagged: by cells: the chance that a blank sample's count is above its limit.
        found: by cells: the chance that a sample at the limit of detection is above the limit of blank.
        limits: by cells: the limits of detection of those calibrations that had one.
    """

    covered: dict[tuple[int, float], HitRate] = field(default_factory=dict)
    flagged: dict[int, MeanChance] = field(default_factory=dict)
    found: dict[int, MeanChance] = field(default_factory=dict)
    limits: dict[int, list[float]] = field(default_factory=dict)


def fixed(world: World, cells: Sequence[int], shares: Sequence[float], rounds: int, seed: int) -> FixedSizeOutcome:
    """Samples of a size fixed beforehand."""
    rng = np.random.default_rng(seed)
    out = FixedSizeOutcome()
    for _ in range(rounds):
        errors = world.calibrate(rng)
        for n in cells:
            limit = limit_of_blank(errors.false, n)
            for share in shares:
                k = world.sample(rng, n, share)
                out.covered.setdefault((n, share), HitRate()).add(holds(k, n, errors, share, limit))
            out.flagged.setdefault(n, MeanChance()).add(world.above(rng, n, limit, 0.0))
            lowest = limit_of_detection(errors, n, limit)
            if lowest is not None:
                out.found.setdefault(n, MeanChance()).add(world.above(rng, n, limit, lowest))
                out.limits.setdefault(n, []).append(lowest)
    return out


def holds(k: int, n: int, errors: ErrorRates, share: float, limit: int) -> bool:
    """Whether the interval shown holds this share, without its bisections.

    That of ``prevalence.estimate``, and of a positive (a count above ``limit``) only what the test behind the flag leaves.
    """
    below = ShareOf(k, n, errors)(share)
    if below < TAIL or (k > limit and ShareOf(k, n, errors, LOWER)(share) < 2 * TAIL):
        return False
    return below <= 1 - TAIL or ShareOf(k, n, errors, UPPER)(share) <= 1 - 2 * TAIL


CELLS = (2000, 20_000, 100_000)
"""Sizes of the samples."""

SHARES = (0.0, 0.001, 0.01, 0.05)
"""Shares of infected cells in them."""


def worlds() -> list[World]:
    """The worlds of the page."""
    return [World(f, c, s) for f in (1e-4, 1e-3) for c in (0.0, 0.5, 1.0) for s in (5, 20)]
