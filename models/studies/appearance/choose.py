"""Choose ranges on known microscopes, each left out in turn.

A bound is the most extreme value that samples of the known microscopes show, moved outwards by ``w`` standard deviations between
microscopes. ``w`` is, measure by measure, the smallest with which a microscope that is left out has at most
``FALSE_ALARMS / len(BOUNDS)`` of its samples outside, so that all measures together keep to ``FALSE_ALARMS``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from edge.appearance import Appearances
from edge.types import SampleAppearance
from edge.verdict.fitness import FEWEST, Fitness, Range, ReferenceRanges
from models.studies.appearance.material import FieldLook

FALSE_ALARMS = 0.01
"""The most samples of a microscope that was left out that may be outside, by all measures together."""

DRAWS = 200
"""Samples drawn of each set."""

SIZES = (1, 3, 10, 30)
"""Fields of a sample."""

BOUNDS = {"colour": "low", "blue": "high", "confidence": "low"}
"""The side of each measure on which foreign fields lie; the other side has no bound."""

FINDERS = frozenset({"confidence"})
"""Measures that are the finder's; the others hold for both kinds of model."""

_LOGS = frozenset({"colour"})  # measures whose logarithm is used
_STEPS = np.arange(0, 6.01, 0.1)  # values of ``w`` that are tried, in standard deviations
_EXTREME = 0.01  # the extreme of a microscope's samples is this quantile
_Drawn = Mapping[str, Sequence[SampleAppearance]]


@dataclass(frozen=True, slots=True)
class RangeChoice:
    """The ranges, ``w`` of each, and the share of each left-out microscope's samples outside."""

    ranges: Mapping[str, Range]
    widths: Mapping[str, float]
    left_out: Mapping[str, float]


def samples(seen: Sequence[FieldLook], size: int, draws: int = DRAWS, seed: int = 0) -> list[SampleAppearance]:
    """Samples of ``size`` fields, drawn within slides; from slides with fewer fields all of them are taken."""
    rng = np.random.default_rng(seed)
    slides: dict[str, list[FieldLook]] = {}
    for one in seen:
        slides.setdefault(one.slide, []).append(one)
    out = []
    for _ in range(draws):
        fields = list(slides.values())[int(rng.integers(len(slides)))]
        some = rng.permutation(len(fields))[:size]
        total = Appearances()
        for i in some:
            total.add(fields[i].look, fields[i].sharpness)
        out.append(total.sample())
    return out


def _value(name: str, sample: SampleAppearance) -> float | None:
    if sample.cells < FEWEST or name not in sample.values:
        return None
    value = sample.values[name]
    if name == "confidence" and sample.confidence:
        value = sample.confidence[1]  # only what is surely low is held against a sample
    return float(np.log(max(value, 1e-3))) if name in _LOGS else value


def _outermost(name: str, drawn: Sequence[SampleAppearance]) -> tuple[float, float]:
    """The extreme and the median of one microscope's samples, towards the bound."""
    values = np.array([v for sample in drawn if (v := _value(name, sample)) is not None])
    share = _EXTREME if BOUNDS[name] == "low" else 1 - _EXTREME
    return float(np.quantile(values, share)), float(np.median(values))


def _range(name: str, microscopes: _Drawn, w: float) -> Range:
    """The range of one measure that these microscopes' samples give at ``w``."""
    ends = np.array([_outermost(name, drawn) for drawn in microscopes.values()])
    spread = float(ends[:, 1].std(ddof=1))
    low = BOUNDS[name] == "low"
    bound = ends[:, 0].min() - w * spread if low else ends[:, 0].max() + w * spread
    value = round(float(np.exp(bound) if name in _LOGS else bound), 3)
    return (value, None) if low else (None, value)


def large_enough(drawn: Sequence[SampleAppearance]) -> list[SampleAppearance]:
    """The samples with enough cells to tell what they are."""
    return [sample for sample in drawn if sample.cells >= FEWEST]


def outside(ranges: Mapping[str, Range], drawn: Sequence[SampleAppearance]) -> float:
    """The share of samples that cannot be judged."""
    fits = Fitness((ReferenceRanges("the model", ranges),))
    return float(np.mean([bool(fits(sample)) for sample in drawn]))


def choose(microscopes: Mapping[str, Sequence[SampleAppearance]]) -> RangeChoice:
    """The narrowest ranges that hold for each microscope when it is left out, measure by measure."""
    widths: dict[str, float] = {}
    for name in BOUNDS:
        for w in _STEPS:
            widths[name] = float(w)
            alarms = [
                outside({name: _range(name, _others(microscopes, left), float(w))}, large_enough(drawn))
                for left, drawn in microscopes.items()
            ]
            if max(alarms) <= FALSE_ALARMS / len(BOUNDS):
                break
    left_out = {
        left: outside(
            {name: _range(name, _others(microscopes, left), w) for name, w in widths.items()}, large_enough(drawn)
        )
        for left, drawn in microscopes.items()
    }
    return RangeChoice({name: _range(name, microscopes, w) for name, w in widths.items()}, widths, left_out)


def _others(microscopes: _Drawn, left: str) -> _Drawn:
    return {name: drawn for name, drawn in microscopes.items() if name != left}
