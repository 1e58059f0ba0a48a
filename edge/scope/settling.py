"""A microscope is settled on fields of any sample: nearly all of their cells are healthy, so that they tell what it shows of one.

A field with fewer than ``edge.typical.FEWEST`` finds cannot tell that by itself; what was settled stands in (``edge.analysis``).
Later fields are held against it, so that another lamp, stain or objective is noticed. Nothing else follows from it: no threshold
moves (docs/tried.md says why).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import exp, log
from typing import NamedTuple

import numpy as np

from edge.appearance import Appearances
from edge.errors import SettlingError
from edge.types import FieldResult, FieldTypical
from edge.typical import FEWEST, TypicalCells, density_over_paper
from edge.verdict.fitness import LOG_SLACK, range_of

FEW_FIELDS = 5
"""With fewer fields what they differ by is hardly known."""

_OF_PAPER = {"light": ("the paper is", "brighter", "darker"), "warm": ("the paper has", "more red", "less red"),
             "cool": ("the paper has", "more blue", "less blue")}  # fmt: skip
_OF_CELLS = {"density": ("the cells are", "denser", "paler"), "red": ("the stain has", "more red", "less red"),
             "blue": ("the stain has", "more blue", "less blue"), "size": ("the cells are", "wider", "narrower")}  # fmt: skip
_SAID = {**_OF_PAPER, **_OF_CELLS}
"""Measures of ``edge.appearance`` that later fields are held against: of what, more, and less."""

MEASURES = tuple(_SAID)
"""Their names."""


class LookRange(NamedTuple):
    """The median of a measure over the fields, and the lowest and highest value of a field that still fits."""

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class SettledWith:
    """What a microscope was settled with: the finder's name and what tells finders of one name apart, and the crops' fingerprint."""

    finder: str
    finder_id: str
    crops: str

    @property
    def finder_in_words(self) -> str:
        """``finder-thin f1e2d3c4b5a6``, or ``classical``, which has no files that differ."""
        return f"{self.finder} {self.finder_id}".strip()


@dataclass(frozen=True, slots=True, eq=False)
class SettledScope:
    """A settled microscope.

    Attributes:
        used: what it was settled with.
        typical: its typical cell and its paper: of one field.
        fields: how many fields it rests on; ``cells``: how many finds.
        looks: by measure, what fields of it look like.
        scope: the microscope's name; empty: not named.
        made: when and by which version.
    """

    used: SettledWith
    typical: TypicalCells
    fields: int
    cells: int
    looks: Mapping[str, LookRange]
    scope: str = ""
    made: Mapping[str, str] = field(default_factory=dict)

    @property
    def density(self) -> tuple[float, float, float]:
        """Optical density of the typical cell's middle over the paper: red, green, blue."""
        return density_over_paper(self.typical)

    def refuse_other(self, used: SettledWith, scope: str) -> None:
        """Raise SettlingError where a run finds or cuts cells otherwise, or names another microscope."""
        if self.scope and scope and self.scope != scope:
            raise SettlingError(f"{self.scope} was settled, and this microscope is {scope}: {REMEDY}")
        for what, had, has in (
            ("finder", self.used.finder_in_words, used.finder_in_words),
            ("way of cropping", self.used.crops, used.crops),
        ):
            if had != has:
                raise SettlingError(f"this microscope was settled with another {what} ({had}, here {has}): {REMEDY}")

    def misfits(self, result: FieldResult) -> dict[str, float]:
        """By measure, by what factor a field lies beyond what was settled; of few finds only the paper is looked at."""
        seen = look_of(result)
        enough = result.typical is not None and result.typical.finds >= FEWEST
        names = [name for name in self.looks if name in seen and (enough or name in _OF_PAPER)]
        return {
            name: _factor(name, seen[name], self.looks[name].value)
            for name in names
            if not self.looks[name].low <= seen[name] <= self.looks[name].high
        }


class SettledField(NamedTuple):
    """What one field says: its typical cell and its looks."""

    typical: FieldTypical
    look: Mapping[str, float]


REMEDY = "settle it anew: edge scope settle --fields DIR -o FILE"


def look_of(result: FieldResult) -> Mapping[str, float]:
    """A field's measures of ``edge.appearance``; without finds those of the paper."""
    if result.appearance is None:
        return {}
    one = Appearances()
    one.add(result.appearance, result.quality.sharpness)
    return one.sample().values


def field_for_settling(result: FieldResult) -> SettledField | None:
    """What a field says of its microscope; None where it has too few finds."""
    if result.typical is None or result.typical.finds < FEWEST:
        return None
    return SettledField(result.typical, look_of(result))


def settle(
    seen: Sequence[SettledField], used: SettledWith, scope: str = "", made: Mapping[str, str] | None = None
) -> SettledScope:
    """The microscope that these fields are of: medians over the fields. Raises SettlingError without a field."""
    if not seen:
        raise SettlingError(
            f"no field that counts holds {FEWEST} cells or more, from which a typical cell could be told: "
            "give fields in which cells lie side by side"
        )
    papers, cells = (np.stack([getattr(one.typical, name) for one in seen]) for name in ("paper", "cell"))
    middle = TypicalCells(*(np.sort(part, axis=0)[len(seen) // 2][None] for part in (papers, cells)))
    looks = {}
    for name in MEASURES:
        values = [one.look[name] for one in seen]
        low, high = range_of(name, values)
        looks[name] = LookRange(float(np.median(values)), float(low or 0.0), float(high or 0.0))
    finds = sum(one.typical.finds for one in seen)
    return SettledScope(used, middle, len(seen), finds, looks, scope, made or {})


def misfit_in_words(name: str, factor: float) -> str:
    """``the paper is 18 % darker``."""
    what, more, less = _SAID[name]
    return f"{what} {abs(factor - 1) * 100:.0f} % {more if factor > 1 else less}"


def _factor(name: str, value: float, settled: float) -> float:
    return exp(log(max(value, 1e-3)) - log(max(settled, 1e-3))) if name in LOG_SLACK else exp(value - settled)
