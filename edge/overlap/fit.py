"""How one field overlaps another, and how likely that is by chance.

A stage moves, so a shift explains two views of one place, with a little rotation and scale for stages and cameras that are no
ideal ones (``Pose``). The evidence is the number of cells that stand where the pose says. Were the fields different ones,
each of the n cells in the common part would find a cell within t of its place with the chance ``p = density * pi * t^2``, so
by Chernoff's bound k of n do with a chance of at most::

    exp(-n * KL(k / n || p)),   KL(q || p) = q ln(q / p) + (1 - q) ln((1 - q) / (1 - p))

and with the number of poses that were open to choice times that, k of n come about in one pair of different fields
(a contrario detection: Desolneux, Moisan, Morel 2000).
"""

from __future__ import annotations

from dataclasses import dataclass
from math import hypot, log, pi

import numpy as np
from numpy.typing import NDArray

from edge.types import FloatArray

REACH = 0.5
"""Typical cells within which a raster finds what stands near a place."""

SAME = 0.45
"""Distance as a share of a thing's size: a thing nearer than that to one judged in an earlier field is the same thing."""

CLOSE = (0.05, 0.1, 0.16, 0.25)
"""Distances t, in typical cells, at which cells stand in the same place: sharp fields show it at the first, soft ones later."""

_TURN, _STRETCH = 0.035, 0.03  # radians, and share: twice what stages and cameras do
_ROUNDS = (0.4, 0.25)  # distances within which matches are taken, one fit after the other
_STILL = 0.75  # typical cells
_FAR_AWAY = np.full((1, 2), 1e6, np.float32)
_RIM = 0.1  # of a cell, beyond its own border: near the field's border a finder may have cut it


@dataclass(frozen=True, slots=True, eq=False)
class Landmarks:
    """What stands in a field, in typical cells.

    Attributes:
        places: float32 [n, 2], x, y of the middles.
        sizes: float32 [n, 2], width, height.
    """

    places: FloatArray
    sizes: FloatArray

    def __len__(self) -> int:
        return len(self.places)

    def at(self, chosen: NDArray[np.bool_] | NDArray[np.int64]) -> Landmarks:
        """The chosen ones."""
        return Landmarks(self.places[chosen], self.sizes[chosen])

    def and_(self, more: Landmarks) -> Landmarks:
        """These followed by ``more``."""
        return Landmarks(np.concatenate([self.places, more.places]), np.concatenate([self.sizes, more.sizes]))


@dataclass(frozen=True, slots=True)
class Pose:
    """Places of a field in another field's: ``turn @ place + move``, turn = [[a, -b], [b, a]]; in typical cells."""

    a: float
    b: float
    x: float
    y: float

    def __call__(self, places: FloatArray) -> FloatArray:
        """Map positions: float32 [n, 2] to float32 [n, 2]."""
        x, y = places.T
        out = np.empty_like(places)
        out[:, 0] = self.a * x - self.b * y + self.x
        out[:, 1] = self.b * x + self.a * y + self.y
        return out

    def back(self) -> Pose:
        """The inverse pose."""
        length = self.a**2 + self.b**2
        a, b = self.a / length, -self.b / length
        return Pose(a, b, -(a * self.x - b * self.y), -(b * self.x + a * self.y))

    @property
    def likely(self) -> bool:
        """Whether a stage and a camera can cause this pose: hardly any rotation and change of scale."""
        return abs(self.b) <= _TURN and abs(self.a - 1) <= _STRETCH

    @property
    def still(self) -> bool:
        """Whether the stage has hardly moved: then dust on the sensor cannot be distinguished from things on the slide."""
        return hypot(self.x, self.y) < _STILL


class Raster:
    """Finds things near a position in constant time.

    Args:
        places: float32 [n, 2] in typical cells, within the extent.
        extent: width and height in typical cells.
    """

    def __init__(self, places: FloatArray, extent: tuple[float, float]) -> None:
        nobody = len(places)
        self._x, self._y = np.concatenate([places, _FAR_AWAY]).T.copy()
        columns, rows = (int(side / REACH) + 4 for side in extent)
        self._last = np.array([columns - 2, rows - 2], np.int64)
        self._columns = columns
        bins = self._bins(places)
        layer = np.full(rows * columns, nobody, np.int32)
        who = np.arange(nobody, dtype=np.int32)
        layer[bins] = who
        around = np.array([[dy * columns + dx for dx in (-1, 0, 1)] for dy in (-1, 0, 1)]).ravel()
        left = layer[bins] != who
        if left.any():  # two things may share a bin
            second = np.full(rows * columns, nobody, np.int32)
            second[bins[left]] = who[left]
            layer = np.concatenate([layer, second])
            around = np.concatenate([around, around + len(second)])
        self._layer, self._around = layer, around

    def _bins(self, places: FloatArray) -> NDArray[np.int64]:
        steps = (places * np.float32(1 / REACH)).astype(np.int64) + 1
        np.minimum(np.maximum(steps, 1, out=steps), self._last, out=steps)
        return np.asarray(steps[:, 1] * self._columns + steps[:, 0])

    def near(self, places: FloatArray) -> tuple[NDArray[np.int32], FloatArray]:
        """The things that may lie within ``REACH`` of each position.

        Args:
            places: float32 [m, 2].

        Returns:
            Indices, int32 [m, k], and squares of distances, float32 [m, k]; far away where there is nobody.
        """
        who = self._layer.take(self._bins(places)[:, None] + self._around)
        x, y = self._x.take(who) - places[:, :1], self._y.take(who) - places[:, 1:]
        return who, x * x + y * y

    def nearest(self, places: FloatArray) -> tuple[NDArray[np.int32], FloatArray]:
        """The nearest thing to each place and its distance, int32 [m], float32 [m]; right up to ``REACH``."""
        who, far = self.near(places)
        best = np.arange(len(places)) * who.shape[1] + far.argmin(axis=1)
        return who.take(best), np.sqrt(far.take(best))


def fitted(now: FloatArray, then: FloatArray) -> Pose:
    """The pose that brings ``now`` onto ``then``, both float32 [m, 2], by least squares; one or two pairs give a shift only."""
    middle_now, middle_then = now.sum(axis=0) / len(now), then.sum(axis=0) / len(now)
    a, b = 1.0, 0.0
    if len(now) > 2:
        x, y = (now - middle_now).T
        u, v = (then - middle_then).T
        spread = float(x @ x + y @ y)
        if spread > len(now):  # as little apart as a cell says nothing of rotation
            a, b = float(x @ u + y @ v) / spread, float(x @ v - y @ u) / spread
    mx, my, tx, ty = (float(value) for value in (*middle_now, *middle_then))
    return Pose(a, b, tx - (a * mx - b * my), ty - (b * mx + a * my))


def refined(pose: Pose, now: Landmarks, then: Landmarks, raster: Raster) -> Pose | None:
    """The pose refitted to all cells that agree with it; None where the result is no pose that a stage can cause."""
    for within in _ROUNDS:
        who, far = raster.nearest(pose(now.places))
        close = far < within
        if close.sum() < 3:
            return None
        pose = fitted(now.places[close], then.places[who[close]])
        if not pose.likely:
            return None
    return pose


def one_to_one(places: FloatArray, sizes: FloatArray, raster: Raster) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Pairs of things that are the same: nearest first, each used once.

    Args:
        places: float32 [n, 2], brought into the raster's field.
        sizes: float32 [n, 2]; the middles of the same thing are less than ``SAME`` of its size apart.
        raster: of the other field's things.

    Returns:
        Indices of the pairs, int64 [m] into ``places`` and int64 [m] into the raster's.
    """
    who, far = raster.near(places)
    now, choice = np.nonzero(far < np.minimum(SAME**2 * sizes[:, 0] * sizes[:, 1], REACH**2)[:, None])
    then, apart = who[now, choice], far[now, choice]
    mine: dict[int, int] = {}
    taken: set[int] = set()
    for i in np.argsort(apart, kind="stable").tolist():
        one, other = int(now[i]), int(then[i])
        if one not in mine and other not in taken:
            mine[one] = other
            taken.add(other)
    return np.array(list(mine), np.int64), np.array(list(mine.values()), np.int64)


def common(things: Landmarks, pose: Pose, extent: tuple[float, float], room: float | None = None) -> NDArray[np.bool_]:
    """Which things lie whole in the other field, bool [n].

    Args:
        things: of a field.
        pose: brings them into the other one.
        extent: its width and height.
        room: how far inside its border their middles must be; None: as far as a whole cell's.
    """
    places = pose(things.places)
    margin = things.sizes * np.float32(0.4) + np.float32(_RIM) if room is None else np.float32(room)
    return np.asarray(((places >= margin) & (places <= np.array(extent, np.float32) - margin)).all(axis=1))


def log_chance(distances: FloatArray, density: float, extent: tuple[float, float]) -> float:
    """Logarithm of the expected number of poses with as much evidence in a pair of different fields; 0 without evidence.

    Args:
        distances: float32 [n], of each cell in the common part to the nearest one in the other field.
        density: of the other field's cells there, per square of a typical cell.
        extent: of the fields, in typical cells.

    Returns:
        The strongest evidence over the distances ``CLOSE``.
    """
    n, best = len(distances), 0.0
    for t in CLOSE:
        p, q = density * pi * t * t, int((distances < t).sum()) / n if n else 0.0
        if q > p:
            # Poses that differ by t at the field's rim.
            poses = (2 * extent[0] / t) * (2 * extent[1] / t) * (1 + _TURN * max(extent) / t) ** 2
            best = min(best, log(len(CLOSE) * poses) - n * divergence(q, p))
    return best


def divergence(q: float, p: float) -> float:
    """Kullback-Leibler divergence of two Bernoulli distributions, in nats."""
    p = min(max(p, 1e-12), 1 - 1e-12)
    return (q * log(q / p) if q > 0 else 0.0) + ((1 - q) * log((1 - q) / (1 - p)) if q < 1 else 0.0)
