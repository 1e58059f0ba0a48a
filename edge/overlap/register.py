"""Fields of one sample, registered against all earlier ones, so that nothing is counted twice because fields overlap.

Three steps for each field, in field order: its constellations vote for earlier fields (``constellations``, ``index``), the few
with most votes are tried by counting the cells that stand where they should (``fit``, ``candidates``), and what stands where
an earlier field found something gets the kind ``not-new``.

**What was judged stays judged.** A thing seen whole in an earlier field was judged there, counted or set aside, and is not
judged again: were it, more looks would make more cells. A cell that an earlier field's border cut, or that was missed there,
is counted now.

**Memory travels along.** A field remembers, beside what it found, what earlier fields found in the part they share. So it is
enough to register a creeping stage against its latest field: what that one missed is still known.

**The same in every field.** Dust on the sensor and burnt-in text stand at the same pixel whatever the stage does. Places where
something stood in most of the views so far are left out of voting and counting (``statics``).
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from edge.boxes import median
from edge.overlap.candidates import OverlapLimits, Placement, laid_on, most_voted
from edge.overlap.constellations import keys_of
from edge.overlap.fit import Landmarks, Raster, common, one_to_one
from edge.overlap.index import LAST_FIELD, KeyIndex
from edge.overlap.statics import Statics
from edge.types import NOT_NEW, NOT_WHOLE, Cells, FieldResult, Overlap

FEWEST = 6
"""Fewest whole things in a field that is registered: fewer are no evidence."""

_BEYOND = 0.5  # typical cells beyond the border that a field remembers: a cell on it is whole now and then
_THINGS = 500_000  # remembered of all fields of a group together; then the oldest fields are forgotten
_FIELDS = (
    2_500  # the same: of thin fields half a million things would be tens of thousands, and memory would grow all day
)


@dataclass(frozen=True, slots=True, eq=False)
class _Known:
    """An earlier field.

    Attributes:
        index: its place in the run.
        landmarks: what registers: seen whole, not the same in every field.
        judged: what was judged there, and what earlier fields judged in its part of the slide.
        another_view: whether ``Statics`` counts it.
    """

    index: int
    landmarks: Landmarks
    judged: Landmarks
    another_view: bool


class _Group:
    """The fields of a sample that have one size in pixels; a sample has one such group unless the camera is changed.

    Args:
        shape: (H, W) in pixels.
        cell_px: side of a typical cell in pixels, of the first field.
    """

    def __init__(self, shape: tuple[int, int], cell_px: float) -> None:
        self.cell_px = cell_px
        self.extent = (shape[1] / cell_px, shape[0] / cell_px)
        self.index = KeyIndex(self.extent)
        self.statics = Statics(self.extent)
        self.known: dict[int, _Known] = {}
        self._order: deque[int] = deque()
        self._things = 0
        self.number = 0

    def remember(self, known: _Known) -> None:
        """Keep a field under the next number; forget the oldest ones where there are too many."""
        self.known[self.number] = known
        self._order.append(self.number)
        self._things += len(known.landmarks) + len(known.judged)
        self.number += 1
        while self._things > _THINGS or len(self._order) > _FIELDS:
            oldest = self.known.pop(self._order.popleft())
            self._things -= len(oldest.landmarks) + len(oldest.judged)


class Register:
    """Registers the kept fields of one sample. The same fields in the same order give the same answers.

    Args:
        limits: where an overlap is believed.
    """

    def __init__(self, limits: OverlapLimits | None = None) -> None:
        self._limits = limits or OverlapLimits()
        self._groups: dict[tuple[int, int], _Group] = {}

    def place(self, result: FieldResult) -> tuple[FieldResult, tuple[Overlap, ...]]:
        """Register a kept field; call in field order.

        Args:
            result: the field.

        Returns:
            The field with what is not new set aside as ``NOT_NEW`` (classes -1, scores 0), and the earlier fields it overlaps,
            with how many of its cells were seen there. The kind is in the list of kinds, found or not.
        """
        cells = result.cells
        kinds = cells.kinds if NOT_NEW in cells.kinds else (*cells.kinds, NOT_NEW)
        result = replace(result, cells=replace(cells, kinds=kinds))
        cut = kinds.index(NOT_WHOLE) if NOT_WHOLE in kinds else -1
        whole = np.flatnonzero(cells.kind != cut)
        if len(whole) < FEWEST:
            return result, ()
        group = self._groups.get(result.shape)
        if group is None:
            group = _Group(result.shape, median(cells.boxes[whole, 2:]))
            if group.cell_px < 1:
                return result, ()
            self._groups[result.shape] = group
        things = _things(cells, whole, group.cell_px)
        landmarks = group.statics.moving(things)
        keys = keys_of(landmarks.places)
        hits = group.index.find(keys.asked)
        anchors = keys.asked_anchors[hits.asked]
        shifts = group.number * group.extent[0] * group.extent[1]
        voted = most_voted(hits, anchors, landmarks.places[anchors], shifts, self._limits)
        then = {number: group.known[number].landmarks for number, *_ in voted if number in group.known}
        laid = laid_on(landmarks, then, voted, group.extent, self._limits)
        if group.number < LAST_FIELD:
            group.index.add(keys.keys, landmarks.places[keys.anchors], group.number)
        if not laid:
            group.statics.add(things.places)
            group.remember(_Known(result.index, landmarks, things, another_view=True))
            return result, ()
        of, carried = _judged_before(things, [(each, group.known[each.number].judged) for each in laid], group.extent)
        still = any(group.known[each.number].another_view and each.pose.still for each in laid)
        if not still:
            group.statics.add(things.places)
        counted = cells.kind[whole] == 0
        overlaps = tuple(_told(group, each, int((counted & (of == i)).sum())) for i, each in enumerate(laid))
        group.remember(
            _Known(result.index, landmarks, things.and_(carried), another_view=not still)
        )  # may forget what it lies on
        return _set_aside(result, whole[of >= 0]), overlaps


def _things(cells: Cells, chosen: NDArray[np.int64], cell_px: float) -> Landmarks:
    boxes = cells.boxes[chosen].astype(np.float32) / np.float32(cell_px)
    places = boxes[:, :2] + boxes[:, 2:] * np.float32(0.5)
    return Landmarks(places.astype(np.float32), boxes[:, 2:])


def _judged_before(
    things: Landmarks, laid: list[tuple[Placement, Landmarks]], extent: tuple[float, float]
) -> tuple[NDArray[np.int64], Landmarks]:
    """Which of the overlaps shows each thing, int64 [n], -1 for what is new; and what else was judged in this field's view."""
    of = np.full(len(things), -1, np.int64)
    raster = Raster(things.places, extent)
    carried = things.at(np.empty(0, np.int64))
    for i, (each, judged) in enumerate(laid):
        then, now = one_to_one(each.pose(judged.places), judged.sizes, raster)
        of[now[of[now] < 0]] = i
        left = np.ones(len(judged), np.bool_)
        left[then] = False
        left &= common(judged, each.pose, extent, room=-_BEYOND)
        more = Landmarks(each.pose(judged.places[left]), judged.sizes[left])
        known = Raster(carried.places, extent).nearest(more.places)[1] < 0.5
        carried = carried.and_(more.at(~known))
    return of, carried


def _told(group: _Group, laid: Placement, cells: int) -> Overlap:
    middle = np.array([group.extent], np.float32) * np.float32(0.5)
    x, y = ((laid.pose.back()(middle) - middle)[0] * group.cell_px).tolist()
    return Overlap(group.known[laid.number].index, cells, (round(x), round(y)))


def _set_aside(result: FieldResult, chosen: NDArray[np.int64]) -> FieldResult:
    kind, classes, scores = result.cells.kind.copy(), result.classes.copy(), result.scores.copy()
    kind[chosen] = result.cells.kinds.index(NOT_NEW)
    classes[chosen] = -1
    scores[chosen] = 0
    return replace(result, cells=replace(result.cells, kind=kind), classes=classes, scores=scores)
