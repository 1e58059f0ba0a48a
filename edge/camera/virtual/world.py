"""A slide without end, made of tiles by its seed: whatever view is cut from it, overlapping views agree pixel for pixel.

Each tile has its own cells, laid out and drawn by ``edge.virtual_slide`` on a canvas with a margin, since cells overrun the border.
A view multiplies the canvases that reach into it: light that passes two things is darkened by both (Beer-Lambert). Cells that
lie too deep over those of a neighbour tile are left out, by a rule that each tile works out from the neighbours' layouts alone.
"""

from __future__ import annotations

from collections import Counter, OrderedDict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Final, NamedTuple

import cv2
import numpy as np

from edge.types import Int32Array, UInt8Array
from edge.virtual_slide.layout import RED_CELL_UM, FieldLayout, lay_out
from edge.virtual_slide.placing import BoolArray
from edge.virtual_slide.render import film
from edge.virtual_slide.spec import PLATELET, TYPES, SlideSpec
from edge.virtual_slide.sprites import CLEAR

REFERENCE_WIDTH: Final = 1280
"""Pixels across a view in which a red cell is ``SlideSpec.cell_px`` wide; smaller sensors see the same view with fewer pixels."""

_TILE: Final = 8  # red cells across a tile
_MARGIN: Final = 1.5  # red cells: the largest white cell reaches no further than this from its middle
_APART: Final = 0.8  # distance over sum of radii below which a cell gives way to a neighbour tile's
_KEPT_BYTES: Final = 64_000_000
"""Bytes of drawn tiles that are kept; a view of 1280 x 960 needs half of that."""

_MORE: Final = 1.3  # cells laid out against those wanted: those in the margin are dropped, some give way
_KEPT_LAYOUTS: Final = 256  # layouts are small: positions and outlines of some 25 cells
_SCALE: Final = (1 + 2e-6) / CLEAR
"""What two transmittances are multiplied with: a little more than 1 / ``CLEAR``, because OpenCV rounds halves up or down by where in
a row they are, and a view must not depend on where it begins."""

_LAYERS: Final = 3  # of cells over each other in a thick place
_BLOCK: Final = 8  # tiles along a block of the slide, which may hold one thick or one empty place
_PLACES: Final = 0.35  # share of blocks that hold one
_RADIUS_UM: Final = (90.0, 160.0)  # of such a place
_PLACE_STREAM: Final = 40  # beside ``Stream``: where the places are


class OddPlace(NamedTuple):
    """A round place that is unlike the rest of the slide: middle and radius in pixels, thick (else empty)."""

    x: float
    y: float
    radius: float
    thick: bool


@dataclass(frozen=True, eq=False)
class Tile:
    """One drawn tile: ``light`` is its canvas, uint8 [side, side, 3], transmittance in units of ``CLEAR``; ``kinds`` int32 [n] and
    ``centres`` int32 [n, 2] (pixels from the tile's corner) are its things.
    """

    light: UInt8Array
    kinds: Int32Array
    centres: Int32Array


def slide_for(seed: int, width: int, height: int) -> SlideSpec:
    """The slide of a seed as a sensor of ``width`` by ``height`` pixels sees it; without defects, since the device makes those."""
    shape = height / width / 0.75  # of the view, against the usual one
    return SlideSpec(
        seed=seed,
        width=width,
        height=height,
        cell_px=66.0 * width / REFERENCE_WIDTH,
        cells_per_field=110.0 * shape,
        bad_fields=0.0,
    )


class EndlessSlide:
    """The slide of ``slide``'s seed. Positions are pixels of a view, x to the right and y down, from the slide's origin.

    Attributes:
        um_per_px: µm per pixel.
        kept_bytes: bytes of drawn tiles that are kept at most.
    """

    def __init__(self, slide: SlideSpec, kept_bytes: int = _KEPT_BYTES) -> None:
        self.um_per_px = RED_CELL_UM / slide.cell_px
        self.kept_bytes = kept_bytes
        self._side = round(_TILE * slide.cell_px)
        self._margin = int(np.ceil(_MARGIN * slide.cell_px))
        share = self._side**2 / (slide.width * slide.height)
        self._spec = replace(
            slide,
            width=self._side,
            height=self._side,
            cells_per_field=slide.cells_per_field * share * _MORE,
            white_per_field=slide.white_per_field * share,
            platelets_per_field=slide.platelets_per_field * share,
            specks_per_field=slide.specks_per_field * share,
        )
        self._tiles: OrderedDict[tuple[int, int], Tile] = OrderedDict()
        self._layouts: OrderedDict[tuple[int, int, int], FieldLayout] = OrderedDict()

    def cut(self, left: int, top: int, width: int, height: int) -> UInt8Array:
        """The transmittance of a part of the slide, uint8 [height, width, 3] in units of ``CLEAR``."""
        out = np.full((height, width, 3), CLEAR, np.uint8)
        for (column, row), tile in self._reaching(left, top, width, height):
            x, y = column * self._side - self._margin - left, row * self._side - self._margin - top
            side = len(tile.light)
            x0, y0, x1, y1 = max(0, x), max(0, y), min(width, x + side), min(height, y + side)
            if x0 < x1 and y0 < y1:
                part = out[y0:y1, x0:x1]
                cv2.multiply(part, tile.light[y0 - y : y1 - y, x0 - x : x1 - x], dst=part, scale=_SCALE)
        return out

    def truth(self, left: int, top: int, width: int, height: int) -> Mapping[str, int]:
        """How many things of each of ``TYPES`` have their middle in that part; none is left out."""
        found: Counter[str] = Counter()
        for (column, row), tile in self._reaching(left, top, width, height):
            at = tile.centres + np.asarray([column * self._side - left, row * self._side - top])
            inside = ((at >= 0) & (at < [width, height])).all(1)
            found.update(TYPES[kind] for kind in tile.kinds[inside].tolist())
        return dict(sorted(found.items()))

    def prepare(self, left: int, top: int, width: int, height: int) -> bool:
        """Draw one tile that this part will need; False: all of them are there."""
        for at in self._needed(left, top, width, height):
            if at not in self._tiles:
                self._tile(at)
                return True
        return False

    def _needed(self, left: int, top: int, width: int, height: int) -> Iterator[tuple[int, int]]:
        side, margin = self._side, self._margin
        for row in range((top - margin) // side, (top + height + margin) // side + 1):
            for column in range((left - margin) // side, (left + width + margin) // side + 1):
                yield column, row

    def _reaching(self, left: int, top: int, width: int, height: int) -> Iterator[tuple[tuple[int, int], Tile]]:
        for at in self._needed(left, top, width, height):
            yield at, self._tile(at)

    def _tile(self, at: tuple[int, int]) -> Tile:
        known = self._tiles.get(at)
        if known is not None:
            self._tiles.move_to_end(at)
            return known
        layers = [self._layer(at, layer) for layer in range(_LAYERS if self._is_thick(at) else 1)]
        canvas = layers[0][0]
        for more, _ in layers[1:]:
            cv2.multiply(canvas, more, dst=canvas, scale=_SCALE)
        layouts = [layout for _, layout in layers]
        kinds = np.concatenate([layout.kinds for layout in layouts])
        tile = Tile(canvas, kinds, np.concatenate([layout.centres for layout in layouts]))
        self._tiles[at] = tile
        while len(self._tiles) > 1 and len(self._tiles) * tile.light.nbytes > self.kept_bytes:
            self._tiles.popitem(last=False)
        return tile

    def _layer(self, at: tuple[int, int], layer: int) -> tuple[UInt8Array, FieldLayout]:
        layout = self._settled(at, layer)
        side = self._side + 2 * self._margin
        clear = np.full((side, side, 3), CLEAR, np.uint8)
        moved = replace(layout, centres=layout.centres + np.int32(self._margin))
        return film(self._spec, moved, index_of(at, layer), clear), layout

    def _settled(self, at: tuple[int, int], layer: int) -> FieldLayout:
        """The layout of a tile without the cells that give way to a neighbour's, and without those where no cells are."""
        own = self._raw(at, layer)
        keep: BoolArray = np.ones(len(own.kinds), np.bool_)
        radii = own.outlines.mean(1)
        cells = own.kinds < PLATELET
        for dx, dy in _AROUND:
            there = (at[0] + dx, at[1] + dy)
            if _rank(there) >= _rank(at):
                continue
            other = self._raw(there, layer)
            solid = other.kinds < PLATELET
            if solid.any():
                middles = other.centres[solid] + np.asarray([dx, dy]) * self._side
                away = np.hypot(*(own.centres[:, None] - middles[None]).astype(np.float32).transpose(2, 0, 1))
                close = away < _APART * (radii[:, None] + other.outlines[solid].mean(1)[None])
                keep &= ~(cells & close.any(1))
        for place in self._places(at):
            middle = own.centres + np.asarray(at) * self._side - np.asarray([place.x, place.y])
            inside = np.hypot(middle[:, 0], middle[:, 1]) < place.radius
            if not place.thick:
                keep &= ~inside
            elif layer:
                keep &= inside
        return _picked(own, keep)

    def _raw(self, at: tuple[int, int], layer: int) -> FieldLayout:
        """The layout of a tile as it is drawn by chance, of those things whose middle lies in it."""
        key = (*at, layer)
        known = self._layouts.get(key)
        if known is None:
            layout = lay_out(self._spec, index_of(at, layer))
            own = np.asarray(((layout.centres >= 0) & (layout.centres < self._side)).all(1), np.bool_)
            known = _picked(layout, own)
            self._layouts[key] = known
            if len(self._layouts) > _KEPT_LAYOUTS:
                self._layouts.popitem(last=False)
        return known

    def _is_thick(self, at: tuple[int, int]) -> bool:
        return any(place.thick for place in self._places(at))

    def _places(self, at: tuple[int, int]) -> list[OddPlace]:
        """Thick and empty places that reach into a tile."""
        block = (at[0] // _BLOCK, at[1] // _BLOCK)
        # A run begins at the origin: it shall find cells there.
        if block in ((0, 0), (-1, 0), (0, -1), (-1, -1)):
            return []
        rng = np.random.default_rng([self._spec.seed, index_of(block, 0), _PLACE_STREAM])
        if rng.random() >= _PLACES:
            return []
        radius = float(rng.uniform(*_RADIUS_UM)) / self.um_per_px
        across = _BLOCK * self._side
        # It stays within its block, so that no other block need be asked.
        x, y = (np.asarray(block) * across + rng.uniform(radius, across - radius, 2)).tolist()
        place = OddPlace(x, y, radius, bool(rng.random() < 0.5))
        low = np.asarray(at) * self._side
        nearest = np.clip([x, y], low, low + self._side)
        return [place] if np.hypot(nearest[0] - x, nearest[1] - y) < radius else []


_AROUND: Final = tuple((dx, dy) for dy in (-1, 0, 1) for dx in (-1, 0, 1) if dx or dy)
"""Steps to the eight tiles around one."""


def _rank(at: tuple[int, int]) -> int:
    """Who gives way to whom: no two tiles beside each other have the same rank."""
    return (at[0] & 1) | (at[1] & 1) << 1


def index_of(at: tuple[int, int], layer: int) -> int:
    """One number, not negative, for a place on a grid that runs to all sides (Szudzik's pairing)."""
    x, y = (2 * n if n >= 0 else -2 * n - 1 for n in at)
    paired = x * x + x + y if x >= y else y * y + x
    return _LAYERS * paired + layer


def _picked(layout: FieldLayout, keep: BoolArray) -> FieldLayout:
    return replace(
        layout,
        kinds=layout.kinds[keep],
        centres=layout.centres[keep],
        outlines=layout.outlines[keep],
        pressed=layout.pressed[keep],
    )
