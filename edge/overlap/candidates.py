"""Finds the earlier fields that a field overlaps: constellations vote for candidates, each is tested for evidence."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import log

import numpy as np
from numpy.typing import NDArray

from edge.overlap.fit import Landmarks, Pose, Raster, common, fitted, log_chance, refined
from edge.overlap.index import Hits
from edge.types import FloatArray

_NEAR = 0.6  # typical cells: votes for one shift lie within that, small rotations included
_ANCHORS = 1 << 12  # cells told apart when votes are counted
_SPAN = 1 << 12  # more than the steps that two fields can be apart
_STEPS = np.array([_SPAN, 1], np.float64)
_CLUSTERED = 100  # votes of one field looked at
_NOISE = 0.1  # of shifts that have enough votes by chance, expected in a field
_ROUGHLY = 0.35  # typical cells, before the pose is refined
_HALFWAY = 0.7  # of the share that must be matched in the end
_MATCHED = 0.25  # typical cells


@dataclass(frozen=True, slots=True)
class OverlapLimits:
    """Thresholds from which an overlap is accepted; chosen on part of the sets and reported on the others (docs/overlap.md).

    Attributes:
        chance: expected number of such overlaps per pair of different fields, by the bound of ``edge.overlap.fit``.
        share: share of the cells in the common part that must be matched, in the field that has fewer there.
        tries: earlier fields tried at most.
        failures: the search ends after this many failed tries in a row.
        gain: an earlier field is tried only if at least this many of its cells lie outside the overlaps already found.
    """

    chance: float = 1e-6
    share: float = 0.5
    tries: int = 8
    failures: int = 3
    gain: int = 1


@dataclass(frozen=True, slots=True, eq=False)
class Placement:
    """The number of an earlier field that this one overlaps; ``pose`` maps that field's positions into this one."""

    number: int
    pose: Pose


Votes = tuple[int, FloatArray, FloatArray]
"""An earlier field's number, and the positions its votes match: in this field and in that one, float32 [m, 2] each."""


def most_voted(
    hits: Hits, anchors: NDArray[np.int64], places: FloatArray, shifts_in_all: float, limits: OverlapLimits
) -> list[Votes]:
    """The earlier fields that most cells vote for with one shift, the best first.

    Args:
        hits: what the index remembers.
        anchors: int64 [m], the cell in this field whose constellation made the hit. A cell has one vote for a shift: five cells
            that stand alike by chance make several constellations.
        places: float32 [m, 2], where it stands.
        shifts_in_all: how many shifts, of all earlier fields together, chance can vote for.
        limits: how many fields are wanted.
    """
    if len(places) < 2:
        return []
    needed = votes_needed(len(places) - int(np.bincount(hits.field).max()), max(shifts_in_all, 1.0))
    steps = np.rint(places - hits.place) @ _STEPS
    votes = (hits.field * _SPAN**2 + steps.astype(np.int64)) * _ANCHORS + (anchors & (_ANCHORS - 1))
    votes.sort()
    shifts = votes[np.flatnonzero(np.diff(votes, prepend=votes[0] - 1))] // _ANCHORS
    starts = np.flatnonzero(np.diff(shifts, prepend=shifts[0] - 1))
    counts = np.diff(starts, append=len(shifts))
    enough = np.flatnonzero(counts >= needed)
    if not len(enough):
        return []
    # The newest of those with many votes comes first: it remembers what the others found, they do not what it found.
    rank = np.minimum(counts[enough], counts[enough].max() // 2)
    ranked = enough[np.lexsort((-enough, -rank))][: 4 * limits.tries]
    field = (shifts[starts[ranked]] + (_SPAN // 2) * (_SPAN + 1)) // _SPAN**2
    numbers = list(dict.fromkeys(field.tolist()))[: limits.tries]
    return [(number, places[on], hits.place[on]) for number in numbers for on in (hits.field == number,)]


def votes_needed(hits: int, shifts: float) -> int:
    """Votes that a shift needs: three where chance would give two votes to one of ``shifts`` shifts (Poisson), else two."""
    return 2 if shifts * (hits / shifts) ** 2 / 2 <= _NOISE else 3


def laid_on(
    now: Landmarks,
    then: Mapping[int, Landmarks],
    voted: Sequence[Votes],
    extent: tuple[float, float],
    limits: OverlapLimits,
) -> list[Placement]:
    """The earlier fields whose overlap is accepted.

    Args:
        now: landmarks of this field.
        then: of the earlier ones by their number; what is not there is forgotten.
        voted: the best first.
        extent: of fields, in typical cells.
        limits: where an overlap is believed.
    """
    out: list[Placement] = []
    if not voted:
        return out
    raster = Raster(now.places, extent)
    covered = np.zeros(len(now) + 1, np.bool_)
    failed = 0
    for number, places, others in voted:
        if number not in then or failed == limits.failures:
            continue
        agreed = _agreed(places - others)
        start = fitted(others[agreed], places[agreed])
        if not start.likely:
            continue
        earlier = then[number]
        who, far = raster.nearest(start(earlier.places[common(earlier, start, extent)]))
        near = far < _ROUGHLY
        if (~covered[who[near]]).sum() < limits.gain:
            continue
        failed += 1
        if near.sum() < _HALFWAY * limits.share * len(near):
            continue
        found = believed(start, (now, earlier), raster, extent, limits)
        if found is not None:
            out.append(Placement(number, found))
            covered[:-1] |= common(now, found.back(), extent)
            failed = 0
    return out


def believed(
    start: Pose, both: tuple[Landmarks, Landmarks], raster: Raster, extent: tuple[float, float], limits: OverlapLimits
) -> Pose | None:
    """The pose that ``start`` leads to; None where the evidence does not suffice.

    Args:
        start: brings the second of the fields into the first, nearly.
        both: landmarks of the two fields.
        raster: finds those of the first.
        extent: of fields, in typical cells.
        limits: where an overlap is believed.
    """
    now, then = both
    pose = refined(start, then, now, raster)
    if pose is None:
        return None
    back = pose.back()
    mine, theirs = now.places[common(now, back, extent)], then.places[common(then, pose, extent)]
    area = max(1.0, (extent[0] - 1 - abs(pose.x)) * (extent[1] - 1 - abs(pose.y)))
    there = Raster(then.places, extent).nearest(back(mine))[1]
    here = raster.nearest(pose(theirs))[1]
    # Twice as much by chance, for there is a choice of two.
    found = min(log_chance(there, len(here) / area, extent), log_chance(here, len(there) / area, extent)) + log(2)
    fewer = there if len(there) <= len(here) else here
    if found > log(limits.chance) or (fewer < _MATCHED).sum() < limits.share * len(fewer):
        return None
    return pose


def _agreed(shifts: FloatArray) -> NDArray[np.bool_]:
    """Which votes agree with the most frequent shift, bool [m]; shifts: float32 [m, 2]."""
    x, y = shifts[:: len(shifts) // _CLUSTERED + 1].T
    near = np.square(x[:, None] - x) + np.square(y[:, None] - y) < _NEAR**2
    chosen = near[near.sum(axis=1).argmax()]
    far = shifts - (x[chosen].mean(), y[chosen].mean())
    return np.asarray(far[:, 0] ** 2 + far[:, 1] ** 2 < _NEAR**2)
