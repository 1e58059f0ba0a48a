"""``--until decided`` simulated with the code that judges samples: a look after every field, the last when the budget ends."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from edge.types import Finding, Tally
from edge.verdict.assess import Assessor
from edge.verdict.calibration import Blank, Bound, Calibration, KnownSlide
from edge.verdict.table import NEGATIVE, POSITIVE
from models.studies.coverage.simulate import HitRate, World

TIMES = (0, 1, 3)
"""Shares of infected cells, as multiples of the target."""

SLIDES = 5
"""New slides for each calibration."""

_LABEL = "infected"


@dataclass(frozen=True, slots=True)
class StoppingCase:
    """Samples with ``times`` the target's share of infected cells, of at most ``budget`` cells each."""

    world: World
    target: float
    times: int
    budget: int


CASES = tuple(
    StoppingCase(world, target, times, budget)
    for world, target in (
        (World(1e-4, 0.5, 10), 0.001),
        (World(1e-4, 1.0, 20), 0.001),
        (World(1e-3, 0.5, 20), 0.01),
        (World(1e-3, 1.0, 3), 0.01),
    )
    for budget in (5000, 30_000)
    for times in TIMES
)


@dataclass(slots=True)
class StoppingOutcome:
    """How the samples of one case ended.

    Attributes:
        positive: flagged positive at any look.
        negative: called negative at any look.
        once_positive: the same samples flagged positive in one look at the whole budget.
        once_negative: the same samples called negative in one look at the whole budget.
        early: decided before the last look.
        covered: the interval shown holds the share.
        agree: flag, limit, interval and bound say the same (``agrees``).
        cells: counted until the end.
    """

    positive: HitRate = field(default_factory=HitRate)
    negative: HitRate = field(default_factory=HitRate)
    once_positive: HitRate = field(default_factory=HitRate)
    once_negative: HitRate = field(default_factory=HitRate)
    early: HitRate = field(default_factory=HitRate)
    covered: HitRate = field(default_factory=HitRate)
    agree: HitRate = field(default_factory=HitRate)
    cells: list[int] = field(default_factory=list)


def sequential(case: StoppingCase, runs: int, seed: int, *, step: int = 250) -> StoppingOutcome:
    """``runs`` samples, ``SLIDES`` for each calibration; a field has ``step`` cells."""
    rng = np.random.default_rng(seed)
    out = StoppingOutcome()
    share = case.times * case.target
    ends = list(range(step, case.budget + 1, step))
    for i in range(runs):
        if i % SLIDES == 0:
            calibration = calibrated(case.world, rng)
            assessor = Assessor(calibration, case.target, every_look=True)
        f, s = case.world.false_rates(rng, 1)[0], case.world.found_rates(rng, 1)[0]
        counts = np.cumsum(rng.binomial(step, f + share * (s - f), len(ends))).tolist()
        looks = [_tally(k, n) for k, n in zip(counts, ends, strict=True)]
        end = next((tally for tally in looks if assessor.decided(tally)), looks[-1])
        (found,) = assessor.findings(end, complete=end is looks[-1], advise=False)
        (once,) = assessor.at_one_look(looks[-1])
        out.positive.add(found.flag == POSITIVE)
        out.negative.add(found.flag == NEGATIVE)
        out.once_positive.add(once.flag == POSITIVE)
        out.once_negative.add(once.flag == NEGATIVE)
        out.early.add(end is not looks[-1])
        out.covered.add(found.infected.low <= share <= found.infected.high)
        out.agree.add(agrees(found, case.target))
        out.cells.append(end.cells)
    return out


def agrees(found: Finding, target: float) -> bool:
    """Whether the flag follows from what is shown with it: count and limit, interval and 0, bound and target."""
    low, high = found.infected.low, found.infected.high
    if (found.flag == POSITIVE) != (found.count > found.limit_of_blank) or not 0 <= low <= high <= 1:
        return False
    if found.flag == NEGATIVE:
        return high < target and found.most < target
    return found.flag != POSITIVE or low > 0


def calibrated(world: World, rng: np.random.Generator) -> Calibration:
    """A calibration as it would be made in this world."""
    events, missed = world.known_slides(rng)
    blanks = tuple(Blank(f"blank {i}", world.blank_cells, 50, {_LABEL: n}) for i, n in enumerate(events))
    known = tuple(
        KnownSlide(f"slide {i}", {_LABEL: world.infected - n}, {_LABEL: world.infected}) for i, n in enumerate(missed)
    )
    return Calibration(Bound("model", "0" * 64, "finder"), (_LABEL,), 0.5, "simulated", blanks, known, "simulated")


def _tally(positives: int, cells: int) -> Tally:
    return Tally("sample", {"healthy": cells - positives, _LABEL: positives}, {}, 1, {})
