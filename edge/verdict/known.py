"""Infected cells whose number is known, and how many of them come out positive at any threshold: three sources.

* a slide with the infected cells marked (COCO boxes): each is matched with what the finder found, and lost ones count;
* a slide whose share of infected cells a person has read: positives beyond the false ones, against share times cells;
* the model's card: held-out parts, counted at a row of thresholds when the model was made.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from edge.boxes import iou
from edge.types import FloatArray, Int32Array
from edge.verdict.calibration import KnownSlide
from edge.verdict.choose import SlideScores, positives

_SAME = 0.5  # IoU from which on a find is the annotated cell


@dataclass(frozen=True, slots=True, eq=False)
class MarkedSlide:
    """A slide with its infected cells marked.

    Attributes:
        scores: float32 [n, k], of the cell found at each marked one; zeros where the finder lost it.
        label: int64 [n], the class each is marked as (index into the model's labels).
    """

    name: str
    scores: FloatArray
    label: np.ndarray

    def at(self, threshold: float, labels: Sequence[str], positive: Sequence[str]) -> KnownSlide:
        """Counts at a threshold: a marked cell is found when it comes out as its own class."""
        places = [list(labels).index(name) for name in positive]
        found, infected = {}, {}
        for i, (name, place) in enumerate(zip(positive, places, strict=True)):
            mine = self.label == place
            infected[name] = int(mine.sum())
            found[name] = int(positives(self.scores[mine], places, threshold)[i])
        return KnownSlide(self.name, found, infected)


@dataclass(frozen=True, slots=True, eq=False)
class ReadSlide:
    """A slide of which a person has read the share of infected cells: ``read_of`` cells looked at, None: taken as exact."""

    slide: SlideScores
    share: float
    read_of: int | None

    def at(self, threshold: float, labels: Sequence[str], positive: str, false: float) -> KnownSlide:
        """Counts at a threshold, for a model with one positive class.

        Positives beyond the expected false ones, as a share of the infected cells that should be there. The share counts as
        worth no more cells than the reader saw infected ones.
        """
        place = list(labels).index(positive)
        cells = len(self.slide.scores)
        should = self.share * cells
        beyond = float(positives(self.slide.scores, [place], threshold)[0]) - false * (cells - should)
        worth = should if self.read_of is None else min(should, self.share * self.read_of)
        infected = max(round(worth), 1)
        return KnownSlide(
            self.slide.name, {positive: round(infected * min(max(beyond / should, 0), 1))}, {positive: infected}
        )


def match(name: str, truth: Int32Array, label: np.ndarray, found: Int32Array, scores: FloatArray) -> MarkedSlide:
    """Marked cells of one field with what was found there: pairs overlapping by half or more, best overlap first.

    Args:
        name: of the slide.
        truth: int32 [n, 4], boxes of the marked cells.
        label: int64 [n], what they are.
        found: int32 [m, 4], boxes of the counted cells.
        scores: float32 [m, k], of the counted cells.
    """
    out = np.zeros((len(truth), scores.shape[1]), np.float32)
    overlap = iou(truth, found) if len(truth) and len(found) else np.zeros((len(truth), 0), np.float32)
    while overlap.size and overlap.max() >= _SAME:
        i, j = np.unravel_index(int(overlap.argmax()), overlap.shape)
        out[i] = scores[j]
        overlap[i, :] = overlap[:, j] = 0
    return MarkedSlide(name, out, label)


def joined(name: str, parts: Sequence[MarkedSlide]) -> MarkedSlide:
    """The marked cells of all fields of a slide in one record."""
    return MarkedSlide(name, np.concatenate([p.scores for p in parts]), np.concatenate([p.label for p in parts]))


@dataclass(frozen=True, slots=True)
class HeldOutTable:
    """What a card says: ``found[i][j]`` of ``infected[j]`` cells of part j come out positive at ``thresholds[i]``, end to end."""

    what: str
    thresholds: tuple[float, ...]
    infected: tuple[int, ...]
    found: tuple[tuple[int, ...], ...]

    def at(self, threshold: float, positive: Sequence[str]) -> tuple[KnownSlide, ...] | None:
        """Counts at the table's next threshold that is not lower, which does not overstate the sensitivity; None above its end."""
        place = int(np.searchsorted(self.thresholds, threshold - 1e-9))
        if place == len(self.thresholds):
            return None
        pairs = enumerate(zip(self.found[place], self.infected, strict=True))
        return tuple(
            KnownSlide(f"part {i}", dict.fromkeys(positive, k), dict.fromkeys(positive, n)) for i, (k, n) in pairs if n
        )


def held_out(accuracy: Mapping[str, Any]) -> HeldOutTable | None:
    """From a card's ``accuracy``, key ``end_to_end``; None where it is missing or makes no sense (a card is free form there)."""
    try:
        raw = accuracy["end_to_end"]
        thresholds = tuple(float(t) for t in raw["thresholds"])
        infected = tuple(int(n) for n in raw["infected"])
        found = tuple(tuple(int(k) for k in row) for row in raw["found"])
        what = str(raw["set"])
    except (KeyError, TypeError, ValueError, OverflowError):
        return None
    fits = len(found) == len(thresholds) and all(len(row) == len(infected) for row in found)
    counts = all(0 <= k <= n for row in found for k, n in zip(row, infected, strict=False))
    if not (fits and counts and thresholds and list(thresholds) == sorted(thresholds) and what.isprintable()):
        return None
    return HeldOutTable(what, thresholds, infected, found)
