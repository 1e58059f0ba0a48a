"""From raw samples to the figures people read. Every figure is computed here and nowhere else; nothing is rounded."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import chain

import numpy as np
from numpy.typing import NDArray

from benchmarks.record.run import CaseRecord, Round, Run

Samples = NDArray[np.float64]

PER_FIELD = ("find", "crop", "classify")
"""The stages whose sum is compared with decoding the same field."""


@dataclass(frozen=True, slots=True)
class CaseSummary:
    """One case in figures.

    Attributes:
        p50_us: median of the samples, microseconds of wall time per unit; p90_us and p99_us are the percentiles.
        units_per_s: all units over all wall time of the rounds.
        cpu_us: processor time of all threads per unit, microseconds.
        stages_us: median of the samples in each stage, microseconds per unit.
        to_decode: find + crop + classify over decode of the same fields, median of the samples' ratios; None without stages.
        whole_to_decode: all stages over decode, in the same way.
        start_ms: median over processes, from starting the process to the end of the first call.
        mj: millijoules of the whole board per unit, where a meter was given.
        rounds: number of rounds; ``samples``: number of samples.
        gmac_s: 10^9 multiply-accumulates per second at the median, where the case knows its own.
    """

    p50_us: float
    p90_us: float
    p99_us: float
    units_per_s: float
    cpu_us: float
    stages_us: Mapping[str, float]
    to_decode: float | None
    whole_to_decode: float | None
    start_ms: float | None
    mj: float | None
    rounds: int
    samples: int
    gmac_s: float | None


@dataclass(frozen=True, slots=True)
class GrowthFit:
    """Milliseconds per field = ``base`` + ``per_mpixel`` x megapixels + ``per_kcell`` x thousands of cells.

    Least squares of the relative residuals.

    Attributes:
        r2: share of the variance the fit explains.
        residuals_ms: measured minus fitted, by case.
        worst: largest residual over the measured value, 0 to 1.
    """

    base: float
    per_mpixel: float
    per_kcell: float
    r2: float
    residuals_ms: Mapping[str, float]
    worst: float


def per_unit_us(rounds: Sequence[Round]) -> Samples:
    """Microseconds per unit of every sample, float64 [samples]."""
    ns = np.fromiter(chain.from_iterable(one.ns for one in rounds), np.float64)
    return ns / np.fromiter(chain.from_iterable(one.units for one in rounds), np.float64) / 1e3


def round_medians(case: CaseRecord) -> list[tuple[int, float]]:
    """(process, median microseconds per unit) of every round, in the order measured."""
    return [(one.process, float(np.median(per_unit_us([one])))) for one in case.rounds]


def summarise(case: CaseRecord) -> CaseSummary:
    """The figures of a case that has rounds."""
    us = per_unit_us(case.rounds)
    units = sum(sum(one.units) for one in case.rounds)
    rate = units / sum(sum(one.ns) for one in case.rounds) * 1e9
    p50, p90, p99 = np.percentile(us, (50, 90, 99))
    stages = _stages(case.rounds)
    metered = [one for one in case.rounds if one.joules is not None]
    energy = sum(one.joules or 0.0 for one in metered) * 1e3
    starts = [start.process_ns + start.setup_ns + start.first_ns for start in case.starts]
    macs = case.facts.get("macs")
    return CaseSummary(
        p50_us=float(p50),
        p90_us=float(p90),
        p99_us=float(p99),
        units_per_s=rate,
        cpu_us=sum(one.cpu_ns for one in case.rounds) / units / 1e3,
        stages_us={name: float(np.median(values)) for name, values in stages.items()},
        to_decode=_to_decode(stages, PER_FIELD),
        whole_to_decode=_to_decode(stages, tuple(stages)),
        start_ms=float(np.median(starts)) / 1e6 if starts else None,
        mj=energy / sum(sum(one.units) for one in metered) if metered else None,
        rounds=len(case.rounds),
        samples=len(us),
        gmac_s=float(macs) / float(p50) / 1e3 if macs is not None else None,
    )


def _stages(rounds: Sequence[Round]) -> dict[str, Samples]:
    """Microseconds per unit of every sample in each stage."""
    names = tuple(rounds[0].stages)
    if any(tuple(one.stages) != names for one in rounds):
        return {}
    units = np.fromiter(chain.from_iterable(one.units for one in rounds), np.float64)
    return {
        name: np.fromiter(chain.from_iterable(one.stages[name] for one in rounds), np.float64) / units / 1e3
        for name in names
    }


def _to_decode(stages: Mapping[str, Samples], names: Sequence[str]) -> float | None:
    if "decode" not in stages or not all(name in stages for name in names) or not (stages["decode"] > 0).all():
        return None
    work = np.sum([stages[name] for name in names], axis=0)
    return float(np.median(work / stages["decode"]))


def growth(run: Run) -> GrowthFit | None:
    """How the time per field grows with pixels and cells; None where the run has too few sizes and densities to tell."""
    cases = [
        case
        for case in run.measured.values()
        if case.workload.parameters.get("source") == "simulate"
        and case.workload.parameters.get("workers") == 1
        and "pixels" in case.facts
        and "cells" in case.facts
    ]
    pixels = np.array([float(case.facts["pixels"]) / 1e6 for case in cases])
    cells = np.array([float(case.facts["cells"]) / 1e3 for case in cases])
    if len(cases) < 4 or len(set(pixels)) < 2:
        return None
    ms = np.array([float(np.median(per_unit_us(case.rounds))) / 1e3 for case in cases])
    terms = np.stack([np.ones_like(pixels), pixels, cells], axis=1)
    if np.linalg.matrix_rank(terms) < 3:
        return None
    # Of the relative residuals: else the largest fields alone would decide.
    coefficients = np.linalg.lstsq(terms / ms[:, None], np.ones_like(ms), rcond=None)[0]
    residuals = ms - terms @ coefficients
    spread = float(((ms - ms.mean()) ** 2).sum())
    return GrowthFit(
        base=float(coefficients[0]),
        per_mpixel=float(coefficients[1]),
        per_kcell=float(coefficients[2]),
        r2=1 - float((residuals**2).sum()) / spread if spread else 0.0,
        residuals_ms={case.name: float(r) for case, r in zip(cases, residuals, strict=True)},
        worst=float(np.max(np.abs(residuals) / ms)),
    )
