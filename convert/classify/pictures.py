"""Pictures for a student to learn from, each as the trained net takes it and as the device cuts it; no classes are needed.

Few cells do not show a student all that its teacher knows. So the given cells are turned, moved, scaled and stained anew, a patch
of one is put into another (Yun et al. 2019, "CutMix"), and cells of virtual slides in the given cells' colours are added: whatever
the picture shows, the teacher says what it makes of it.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from convert.measure.cells import CellSet
from convert.net.rewrite import SIZE
from edge.crops import crop_cells
from edge.modelfile import CropSpec
from edge.types import Int32Array, UInt8Array

VERSION = 1
"""Of how pictures are drawn: the same seed gives the same pictures only in the same version."""

_KINDS = ("turned", "moved", "patched", "virtual")
_SHARES = (0.45, 0.30, 0.13, 0.12)  # of each kind, beyond the first round, which shows each cell as it is
_STAINED = 0.6  # share of the pictures whose stain is changed
_STAIN, _LAMP = 0.12, 0.07  # spread of the optical density's factor (its logarithm), of the brightness's, per channel
_SCALE, _SHIFT = 0.1, 0.06  # a moved cell: by how much at most, of its size and of the picture's side
_PATCH = (0.25, 0.6)  # side of a patch, of the picture's side
_DENSITIES = (0.3, 3.0)  # factors by which a virtual cell is stained at most
_STREAM = 29  # random stream of a seed: the pictures


@dataclass(frozen=True, slots=True, eq=False)
class Pictures:
    """Pictures of the same things at two sizes.

    Attributes:
        native: RGB uint8 [n, s, s, 3], as the trained net takes them.
        small: RGB uint8 [n, 32, 32, 3], as the device cuts them.
        cells: int32 [n, 2]: which cells they show; -1: a virtual one, or no second.
    """

    native: UInt8Array
    small: UInt8Array
    cells: Int32Array


def draw(native: CellSet, small: CellSet, virtual: UInt8Array, count: int, seed: int) -> Pictures:
    """Draw pictures.

    Args:
        native: cells at the trained net's size s.
        small: the same cells as the device cuts them.
        virtual: cells of virtual slides, RGB uint8 [m, s, s, 3].
        count: how many; where fewer than cells, so many cells as they are.
        seed: random seed.
    """
    rng = np.random.default_rng([seed, _STREAM])
    order = rng.permutation(len(native))
    plain = order[:count]
    size = native.images.shape[1]
    found = Pictures(
        np.empty((count, size, size, 3), np.uint8),
        np.empty((count, SIZE, SIZE, 3), np.uint8),
        np.full((count, 2), -1, np.int32),
    )
    found.native[: len(plain)], found.small[: len(plain)] = native.images[plain], small.images[plain]
    found.cells[: len(plain), 0] = plain
    black = native.on_black > len(native) / 2
    for place in range(len(plain), count):
        row = int(order[place % len(order)])
        kind = _KINDS[int(rng.choice(len(_KINDS), p=_SHARES))]
        if kind == "virtual" and len(virtual):
            image = _coloured(virtual[rng.integers(len(virtual))], native.images[row], black=black)
            pair = _shrunk(_moved(image, rng, black=black))
        elif kind == "patched":
            other = int(rng.integers(len(native)))
            pair = _shrunk(
                _patched(native.images[row], turned(native.images[other][None], int(rng.integers(8)))[0], rng)
            )
            found.cells[place] = row, other
        elif kind == "moved":
            pair = _shrunk(_moved(native.images[row], rng, black=black))
            found.cells[place, 0] = row
        else:
            turn = int(rng.integers(8))
            pair = (turned(native.images[row][None], turn)[0], turned(small.images[row][None], turn)[0])
            found.cells[place, 0] = row
        if rng.random() < _STAINED:
            table = _table(np.exp(rng.normal(0, _STAIN, 3)), rng.uniform(1 - _LAMP, 1 + _LAMP, 3))
            pair = (_looked_up(pair[0], table), _looked_up(pair[1], table))
        found.native[place], found.small[place] = pair
    return found


def turned(images: UInt8Array, turn: int) -> UInt8Array:
    """One of the eight turns and mirrorings of a square: uint8 [n, s, s, c], same shape out."""
    if turn & 4:
        images = images[:, :, ::-1]
    return np.ascontiguousarray(np.rot90(images, turn & 3, axes=(1, 2)))


def _shrunk(native: UInt8Array) -> tuple[UInt8Array, UInt8Array]:
    """A picture and what the device makes of it."""
    side = native.shape[0]
    whole = np.array([[0, 0, side, side]], np.int32)
    return native, np.asarray(crop_cells(native, whole, CropSpec(size=SIZE))[0], np.uint8)


def _moved(image: UInt8Array, rng: np.random.Generator, *, black: bool) -> UInt8Array:
    """Turned by any angle, mirrored or not, a little larger or smaller, off the middle; black comes in, or the border goes on."""
    side = image.shape[0]
    middle = (side - 1) / 2
    matrix = cv2.getRotationMatrix2D((middle, middle), rng.uniform(0, 360), rng.uniform(1 - _SCALE, 1 + _SCALE))
    matrix[:, 2] += rng.uniform(-_SHIFT, _SHIFT, 2) * side
    image = image[:, ::-1] if rng.random() < 0.5 else image
    border = cv2.BORDER_CONSTANT if black else cv2.BORDER_REPLICATE
    there = cv2.warpAffine(np.ascontiguousarray(image), matrix, (side, side), flags=cv2.INTER_LINEAR, borderMode=border)
    return np.asarray(there, np.uint8)


def _patched(image: UInt8Array, other: UInt8Array, rng: np.random.Generator) -> UInt8Array:
    """A square of another cell at a random place."""
    side = image.shape[0]
    patch = int(side * rng.uniform(*_PATCH))
    top, left = rng.integers(0, side - patch + 1, 2)
    image = image.copy()
    image[top : top + patch, left : left + patch] = other[top : top + patch, left : left + patch]
    return image


def _table(density: np.ndarray, lamp: np.ndarray) -> UInt8Array:
    """What each byte becomes, uint8 [1, 256, 3], where optical density and brightness are multiplied per channel."""
    share = np.linspace(0, 1, 256)[:, None]
    return np.asarray(np.clip(255 * share**density * lamp + 0.5, 0, 255), np.uint8)[None]


def _looked_up(image: UInt8Array, table: UInt8Array) -> UInt8Array:
    return np.asarray(cv2.LUT(image, table), np.uint8)


def _coloured(virtual: UInt8Array, like: UInt8Array, *, black: bool) -> UInt8Array:
    """A virtual cell with the mean optical density of a given one, cut out on black where the given ones are."""
    side = virtual.shape[0]
    part = slice(side // 4, side - side // 4)
    mine, theirs = (-np.log((one[part, part].reshape(-1, 3).mean(axis=0) + 1) / 256) + 1e-3 for one in (virtual, like))
    image = _looked_up(virtual, _table(np.clip(theirs / mine, *_DENSITIES), np.ones(3)))
    if black:
        far = np.hypot(*(np.mgrid[:side, :side] - (side - 1) / 2)) > side / 2
        image[far] = 0
    return image
