"""The one preprocessing of cells: (field, boxes) to the uint8 batch a classifier sees. Used everywhere: training to device.

Every cell is cut as a square around its box's centre (aspect kept, context kept), or its box is stretched to a square where the
model's card says so. It is resampled to the same size, and put beside the typical cell of its field, if the card says that
(``edge.typical``). One remap per field: the field is first halved until cells are less than twice the crop's size (so that
bilinear sampling hardly aliases), then all crops are sampled at once with OpenCV's fixed-point bilinear remap, which gives the same
bytes on every processor.
"""

from __future__ import annotations

from math import gcd

import cv2
import numpy as np

from edge.boxes import median
from edge.card import Card, CropSpec
from edge.errors import ModelError
from edge.pixels import Image, pyramid
from edge.types import Int32Array, UInt8Array
from edge.typical import COMPARED, TypicalCells, beside_typical, typical_cell

_PIXELS_PER_BLOCK = 1 << 17  # what is at work at one time stays in the processor's cache
_PIXELS_PER_ROW = 1024  # cv2.remap sets up every row anew: long ones are a fifth quicker than rows of one crop


def crop_cells(
    image: Image,
    boxes: Int32Array,
    spec: CropSpec,
    masks: UInt8Array | None = None,
    typical: TypicalCells | None = None,
) -> UInt8Array:
    """Cut cells out of a field.

    Args:
        image: uint8 [H, W, 3], or that with its halves.
        boxes: int32 [n, 4], x, y, w, h in pixels of ``image``; may overrun the border (its pixels are repeated).
        spec: size, margin, shape, mask and what a cell is compared with, from the model's card.
        masks: uint8 [n, size, size], needed where ``spec.mask`` is ``black``.
        typical: typical cell of the field, where it is known; None: that of these cells.

    Returns:
        uint8 [n, size, size, 3]; [n, size, size, 4] where cells are put beside the typical one.

    Raises:
        ModelError: ``spec`` asks for masks and none were given.
    """
    size = spec.size
    if len(boxes) == 0:
        return np.empty((0, size, size, crop_channels(spec)), np.uint8)
    sides = np.maximum(boxes[:, 2:], 1) * np.float32(spec.margin)
    longest = sides.max(axis=1)
    if spec.shape == "square":
        sides = np.repeat(longest[:, None], 2, axis=1)
    levels = pyramid(image)
    halvings = 0
    while median(longest) >= 2 ** (halvings + 1) * size and min(levels.level(halvings).shape[:2]) > 1:
        halvings += 1  # boxes may be larger than the field: a single pixel is not halved
    factor = 2**halvings
    centres = (boxes[:, :2] + boxes[:, 2:] * np.float32(0.5)) / np.float32(factor)
    view, centres, sides = levels.level(halvings), centres.astype(np.float32), (sides / factor).astype(np.float32)
    batch = np.empty((len(boxes), size, size, 3), np.uint8)
    count = max(1, _PIXELS_PER_BLOCK // size**2)
    for first in range(0, len(boxes), count):
        part = slice(first, first + count)
        batch[part] = _sample(view, centres[part], sides[part], size)
    if spec.mask == "black":
        if masks is None:
            raise ModelError("this model wants masked crops and the finder gives no masks: choose another of the two")
        batch[masks == 0] = 0
    return compared(batch, spec, typical)


def compared(
    batch: UInt8Array, spec: CropSpec, typical: TypicalCells | None = None, of: Int32Array | None = None
) -> UInt8Array:
    """Crops that were cut without comparing, as ``spec`` wants them.

    Args:
        batch: uint8 [n, s, s, 3].
        spec: the same as for ``crop_cells``.
        typical: of t fields; None: all crops are of one field, and it is theirs.
        of: int32 [n], the field of each crop; None: the first.

    Returns:
        uint8 [n, s, s, 3]; [n, s, s, 4] where cells are put beside the typical one.
    """
    if spec.normalise != "typical":
        return batch
    if typical is None:
        if not len(batch):
            return np.empty((*batch.shape[:3], COMPARED), np.uint8)
        typical = typical_cell(batch)
    return beside_typical(batch, typical, of)


def to_colour(batch: UInt8Array, colour: str) -> UInt8Array:
    """Crops in the colour a net was trained on, by OpenCV's 8-bit arithmetic as the training code had it.

    Args:
        batch: uint8 [n, s, s, 3], RGB.
        colour: one of ``edge.card.COLOURS``.

    Returns:
        uint8 [n, s, s, 3]; [n, s, s, 1] for ``grey``. Hue runs from 0 to 179.
    """
    if colour == "rgb":
        return batch
    count, height, width = batch.shape[:3]
    code = {"bgr": cv2.COLOR_RGB2BGR, "hsv": cv2.COLOR_RGB2HSV, "grey": cv2.COLOR_RGB2GRAY}[colour]
    if not count:
        return np.empty((0, height, width, channels_of(colour)), np.uint8)
    tall = np.ascontiguousarray(batch).reshape(count * height, width, 3)  # one picture: colour knows no neighbours
    return np.asarray(cv2.cvtColor(tall, code), np.uint8).reshape(count, height, width, -1)


def channels_of(colour: str) -> int:
    """Channels of a crop in that colour."""
    return 1 if colour == "grey" else 3


def crop_channels(spec: CropSpec) -> int:
    """Channels of the crops that ``spec`` gives."""
    return COMPARED if spec.normalise == "typical" else 3


def net_channels(card: Card) -> int:
    """Channels of what a card's net takes."""
    return COMPARED if card.crop.normalise == "typical" else channels_of(card.colour)


def _sample(image: UInt8Array, centres: np.ndarray, sides: np.ndarray, size: int) -> UInt8Array:
    grid = (np.arange(size, dtype=np.float32) + np.float32(0.5)) / np.float32(size) - np.float32(0.5)
    # Clipped here, where it is cheap, the places never leave the image: what lies beyond repeats its border.
    height, width = image.shape[:2]
    xs = np.clip(centres[:, :1] + sides[:, :1] * grid - np.float32(0.5), 0, width - 1)
    ys = np.clip(centres[:, 1:] + sides[:, 1:] * grid - np.float32(0.5), 0, height - 1)
    row = size * gcd(size, max(1, _PIXELS_PER_ROW // size))
    shape = (len(centres), size, size)
    map_x = np.broadcast_to(xs[:, None, :], shape).reshape(-1, row)
    map_y = np.broadcast_to(ys[:, :, None], shape).reshape(-1, row)
    fixed = cv2.convertMaps(map_x, map_y, cv2.CV_16SC2)  # faster than leaving it to remap
    return np.asarray(cv2.remap(image, *fixed, cv2.INTER_LINEAR), np.uint8).reshape(*shape, 3)
