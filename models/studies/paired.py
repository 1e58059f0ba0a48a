"""Does the interval of a difference between two counts of the same fields hold? Simulated samples, counted (docs/paired-coverage.md).

Each sample's fields are drawn from a slide: cells per field vary, positive cells gather in some fields, the second count loses some,
gains others, and finds other cells. The truth is the difference on the whole slide.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import product

import numpy as np

from edge.verdict.paired import share_change
from models.report.markdown import paragraph, table
from models.studies.coverage.simulate import HitRate
from models.studies.streams import StudyStream

NAME = "paired-coverage.md"
"""Of the page."""

FIELDS = (2, 5, 20, 100, 400)
"""Fields of a sample."""

CELLS = (20, 120)
"""Cells of a field, on average."""

LEAST = 0.94
"""Of the samples, whose interval must hold the truth: 95 % less what 400 samples leave open of it in one case of many."""

_VARIES = 0.3
"""Variance of the cells per field, beyond a Poisson count's, over the square of their mean."""


@dataclass(frozen=True, slots=True)
class SecondCount:
    """What a second count makes of a slide.

    Attributes:
        share: of positive cells in the first count.
        loses: share of these that it calls negative; ``gains``: share of the others that it calls positive.
        gathers: how much the rates of gained and of positive cells vary between fields: variance over squared mean; 0: not.
        finds: further cells that it finds, as a share of all.
    """

    name: str
    share: float
    loses: float
    gains: float
    gathers: float = 0.0
    finds: float = 0.0

    @property
    def difference(self) -> float:
        """Of the share, over the whole slide."""
        kept = self.share * (1 - self.loses) + (1 - self.share) * self.gains
        return (kept + self.finds * self.share) / (1 + self.finds) - self.share


COUNTS = (
    SecondCount("the same in all", 0.01, 0.0, 0.0),
    SecondCount("hardly another", 0.01, 0.01, 0.0001),
    SecondCount("as many gained as lost", 0.01, 0.2, 0.2 * 0.01 / 0.99),
    SecondCount("as many, gathered", 0.01, 0.2, 0.2 * 0.01 / 0.99, 2.0),
    SecondCount("false positives gone", 0.01, 0.5, 0.0),
    SecondCount("more of them, gathered", 0.002, 0.05, 0.005, 2.0),
    SecondCount("many infected, more found", 0.1, 0.05, 0.02, 1.0),
    SecondCount("another finder", 0.01, 0.05, 0.001, 0.5, 0.1),
    SecondCount("many infected, another finder", 0.2, 0.02, 0.005, 0.5, 0.1),
)
"""The worlds that are simulated."""


@dataclass(frozen=True, slots=True)
class PairedCase:
    """A world, and the size of its samples."""

    second: SecondCount
    fields: int
    cells: int


@dataclass(frozen=True, slots=True)
class PairedRates:
    """What came of a case: intervals that hold the truth, those that exclude 0, and their mean width."""

    held: HitRate
    sure: HitRate
    width: float


def cases() -> list[PairedCase]:
    """Every world with every size."""
    return [PairedCase(second, fields, cells) for second, fields, cells in product(COUNTS, FIELDS, CELLS)]


def simulate(case: PairedCase, samples: int) -> PairedRates:
    """Draw samples of a case and compare their two counts."""
    rng = np.random.default_rng([StudyStream.PAIRED_COUNTS, cases().index(case)])
    held, sure, width = HitRate(), HitRate(), 0.0
    for _ in range(samples):
        change = share_change(*_two_counts(rng, case))
        held.add(change.low - 1e-12 <= case.second.difference <= change.high + 1e-12)  # rounding where nothing differs
        sure.add(change.sure)
        width += (change.high - change.low) / samples
    return PairedRates(held, sure, width)


def _two_counts(
    rng: np.random.Generator, case: PairedCase
) -> tuple[tuple[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]:
    second = case.second
    cells = rng.poisson(_gathered(rng, _VARIES, case.fields) * case.cells)
    infected = np.minimum(second.share * _gathered(rng, second.gathers, case.fields), 1)
    before = rng.binomial(cells, infected)
    gains = np.minimum(second.gains * _gathered(rng, second.gathers, case.fields), 1)
    after = before - rng.binomial(before, second.loses) + rng.binomial(cells - before, gains)
    found = rng.binomial(cells, second.finds)
    return (cells, before), (cells + found, after + rng.binomial(found, infected))


def _gathered(rng: np.random.Generator, varies: float, fields: int) -> np.ndarray:
    """Factors of mean 1 and this variance, one a field."""
    return rng.gamma(1 / varies, varies, fields) if varies else np.ones(fields)


def page(found: Mapping[PairedCase, PairedRates], samples: int) -> str:
    """The page with what came of each case."""
    low = [case for case, rates in found.items() if not enough(rates)]
    lines = [
        "# Two counts of the same fields: does the interval of the difference hold?",
        "",
        *paragraph(
            f"Printed by `python -m models paired-coverage --samples {samples}`. `edge recount --like` compares two counts of the "
            "same fields; the interval of the difference between the two shares is that of `edge/verdict/paired.py` (method and "
            "sources are there). Each case is so many samples from a slide where the difference is known. Cells per field vary "
            f"(standard deviation {_VARIES**0.5:.0%} of the mean, and a Poisson count's); *gathered*: rates differ between "
            "fields."
        ),
        "",
        *paragraph(
            f"Target: {LEAST:.0%} of the intervals hold the difference, unless chance explains what is missing. "
            f"Cases below it: {', '.join(_named(case) for case in low) or 'none'}. Where little differs the interval is wider "
            "than it need be: counts of a few cells cannot be split into 2.5 %, and gains and losses are each given their own."
        ),
        "",
        *table(
            ("second count", "difference", "fields", "cells a field", "held", "excludes 0", "mean width"),
            [
                (
                    case.second.name, f"{case.second.difference:+.3%}", f"{case.fields}", f"{case.cells}",
                    f"{rates.held.share:.1%}", f"{rates.sure.share:.1%}", f"{rates.width:.3%}",
                )
                for case, rates in found.items()
            ],
        ),
    ]  # fmt: skip
    return "\n".join(lines) + "\n"


def enough(rates: PairedRates) -> bool:
    """Whether a case may be on target."""
    return rates.held.within(LEAST, 1.0)


def _named(case: PairedCase) -> str:
    return f"{case.second.name} ({case.fields} fields of {case.cells})"


def simulated(samples: int) -> Iterable[tuple[PairedCase, PairedRates]]:
    """Every case, one after the other."""
    return ((case, simulate(case, samples)) for case in cases())
