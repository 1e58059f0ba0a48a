"""Which differences between two runs are real.

What is compared are the medians of rounds, not raw samples: those of one round resemble each other (they are autocorrelated), and
a test that takes thousands of them for independent finds a difference in anything. A difference is called real when

* the Mann-Whitney U test on the round medians, corrected for the number of cases by Holm's method, says so, **and**
* the 95 % interval of the ratio of medians, bootstrapped over processes and within them over rounds, excludes 1.

The first knows the spread of rounds, the second also that of processes; neither knows a machine that changed between the
two runs.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from benchmarks.errors import ComparisonError, MissingPackageError, RegressionError
from benchmarks.record.run import CaseRecord, Run
from benchmarks.record.summary import round_medians
from benchmarks.report.figures import percent
from edge.extras import how_to_install

SIGNIFICANT: Final = 0.05
"""Level of the test, after Holm's correction."""

RESAMPLES: Final = 10_000
"""Draws of the bootstrap."""

LEAST_ROUNDS: Final = 4
"""Below this the smallest possible p of the test is above 0.05, whatever was measured."""

MUST_AGREE: Final = (
    "board",
    "cpu",
    "cores",
    "clock_max_mhz",
    "machine",
    "virtual",
    "emulated",
    "python",
    "runtime",
)
"""Facts of the device: where these differ, so does what was measured."""

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class CaseDifference:
    """One case in two runs.

    Attributes:
        unit: of the figures.
        old_us: median of the round medians, microseconds per unit; likewise ``new_us``.
        ratio: new over old; above 1 is slower.
        low: lower end of its 95 % bootstrap interval; ``high``: the upper.
        p: of the Mann-Whitney U test, corrected by Holm's method.
        delta: Cliff's delta, -1 (every new round is quicker) to 1 (every one is slower).
        shift_us: Hodges-Lehmann estimate of the shift, microseconds per unit.
        real: see the module's docstring.
        enough: whether there were rounds enough to tell.
    """

    name: str
    unit: str
    old_us: float
    new_us: float
    ratio: float
    low: float
    high: float
    p: float
    delta: float
    shift_us: float
    real: bool
    enough: bool

    @property
    def verdict(self) -> str:
        """In words."""
        if not self.enough:
            return f"cannot be told: fewer than {LEAST_ROUNDS} rounds"
        if not self.real:
            return "no real difference"
        return f"{'slower' if self.ratio > 1 else 'faster'} by {percent(self.ratio)}"


@dataclass(frozen=True, slots=True)
class RunComparison:
    """Two runs. ``warnings`` say what ``--force`` passed over and what else weakens the comparison."""

    differences: tuple[CaseDifference, ...]
    only_old: tuple[str, ...]
    only_new: tuple[str, ...]
    warnings: tuple[str, ...]


def compare(old: Run, new: Run, *, force: bool = False, names: tuple[str, str] = ("old", "new")) -> RunComparison:
    """Compare the cases that both runs measured.

    Raises:
        ComparisonError: the runs are of different machines, versions or models, or invalid, and not ``force``; or they have no
            case in common.
    """
    objections = [*_objections(old, new), *_unsound(old, names[0]), *_unsound(new, names[1])]
    if objections and not force:
        raise ComparisonError(f"cannot be compared: {'; '.join(objections)} (--force compares all the same)")
    before, after = _usable(old), _usable(new)
    both = [name for name in before if name in after]
    if not both:
        raise ComparisonError("cannot be compared: no case was measured in both")
    raw = [_difference(before[name], after[name]) for name in both]
    corrected = holm([one.p for one in raw])
    differences = tuple(_judged(one, p) for one, p in zip(raw, corrected, strict=True))
    warnings = [
        *objections,
        *(f"{name}: {note}" for run, name in zip((old, new), names, strict=True) for note in _busy(run)),
    ]
    return RunComparison(
        differences,
        tuple(name for name in before if name not in after),
        tuple(name for name in after if name not in before),
        tuple(warnings),
    )


def refuse_regressions(found: RunComparison, limit: float) -> None:
    """Raise RegressionError naming the cases that became slower for real, by more than ``limit`` (0.05 is 5 %)."""
    slower = [one for one in found.differences if one.real and one.ratio > 1 + limit]
    if slower:
        names = ", ".join(f"{one.name} {percent(one.ratio)}" for one in slower)
        raise RegressionError(f"slower by more than {limit * 100:g} %: {names}")


def holm(values: Sequence[float]) -> list[float]:
    """Holm's step-down correction of p values, in their order, at most 1."""
    order = sorted(range(len(values)), key=lambda i: values[i])
    corrected, largest = [0.0] * len(values), 0.0
    for rank, i in enumerate(order):
        largest = max(largest, min(1.0, values[i] * (len(values) - rank)))
        corrected[i] = largest
    return corrected


def ratio_interval(old: Sequence[tuple[int, float]], new: Sequence[tuple[int, float]]) -> tuple[float, float]:
    """95 % bootstrap interval of median(new) / median(old), processes drawn first and rounds within them."""
    rng = np.random.default_rng(0)
    ratios = _resampled(new, rng) / _resampled(old, rng)
    low, high = np.percentile(ratios, (2.5, 97.5))
    return float(low), float(high)


def _resampled(rounds: Sequence[tuple[int, float]], rng: np.random.Generator) -> Floats:
    """Medians of RESAMPLES draws, float64 [RESAMPLES]."""
    groups: dict[int, list[float]] = {}
    for process, value in rounds:
        groups.setdefault(process, []).append(value)
    width = max(map(len, groups.values()))
    choices = list(groups.values())
    counts = np.array([len(group) for group in choices])
    table = np.full((len(choices), width), np.nan)
    for row, group in zip(table, choices, strict=True):
        row[: len(group)] = group
    which = rng.integers(0, len(choices), (RESAMPLES, len(choices)))
    at = (rng.random((RESAMPLES, len(choices), width)) * counts[which][..., None]).astype(np.intp)
    drawn = table[which[..., None], at].reshape(RESAMPLES, -1)
    if (counts == width).all():
        return np.asarray(np.median(drawn, axis=1), np.float64)
    drawn[(np.arange(width) >= counts[which][..., None]).reshape(RESAMPLES, -1)] = np.nan
    return np.asarray(np.nanmedian(drawn, axis=1), np.float64)


def _difference(old: CaseRecord, new: CaseRecord) -> CaseDifference:
    try:
        from scipy.stats import mannwhitneyu  # noqa: PLC0415 - only where results are compared
    except ImportError as error:
        raise MissingPackageError(
            f"scipy is not installed, results cannot be compared: {how_to_install('bench')}"
        ) from error
    rounds = round_medians(old), round_medians(new)
    a, b = (np.array([value for _, value in side]) for side in rounds)
    u, p = mannwhitneyu(b, a, alternative="two-sided")
    low, high = ratio_interval(*rounds)
    before, after = float(np.median(a)), float(np.median(b))
    return CaseDifference(
        name=new.name,
        unit=new.workload.unit,
        old_us=before,
        new_us=after,
        ratio=after / before,
        low=low,
        high=high,
        p=float(p),
        delta=float(2 * u / (len(a) * len(b)) - 1),
        shift_us=float(np.median(b[:, None] - a[None, :])),
        real=False,
        enough=min(len(a), len(b)) >= LEAST_ROUNDS,
    )


def _judged(one: CaseDifference, p: float) -> CaseDifference:
    excludes = one.low > 1 or one.high < 1
    return replace(one, p=p, real=one.enough and p < SIGNIFICANT and excludes)


def _objections(old: Run, new: Run) -> list[str]:
    found = [
        f"{key} differs ({_shown(old.device.get(key))}, {_shown(new.device.get(key))})"
        for key in MUST_AGREE
        if old.device.get(key) != new.device.get(key)
    ]
    ours: Mapping[str, Any] = old.device.get("packages", {})
    theirs: Mapping[str, Any] = new.device.get("packages", {})
    found += [
        f"{name} differs ({_shown(ours.get(name))}, {_shown(theirs.get(name))})"
        for name in sorted({*ours, *theirs})
        if ours.get(name) != theirs.get(name)
    ]
    before, after = _usable(old), _usable(new)
    changed = [
        name for name in before if name in after and before[name].facts.get("sha256") != after[name].facts.get("sha256")
    ]
    return found + ([f"another model in {', '.join(changed)}"] if changed else [])


def _unsound(run: Run, name: str) -> list[str]:
    return [f"{name} is invalid: {reason}" for reason in run.invalid]


def _busy(run: Run) -> list[str]:
    partial = ["stopped before the end"] if run.partial else []
    return partial + [note for note in run.notes if "cores on average" in note]


def _usable(run: Run) -> dict[str, CaseRecord]:
    """Cases with rounds: of a run that was stopped, those that came far enough to be judged by their rounds."""
    return {case.name: case for case in run.cases if case.rounds and case.status != "failed"}


def _shown(value: object) -> str:
    return "none" if value is None else str(value)
