"""The one preprocessing of cells: (field, boxes) to the uint8 batch a classifier sees. Used everywhere: training to device.

Every cell is cut as a square around its box's centre (aspect kept, context kept), resampled to the same size, and its
colour brought to a common reference as the model's card says. One remap per field: the field is first halved until
cells are less than twice the crop's size (so that bilinear sampling hardly aliases), then all
crops are sampled at once with OpenCV's fixed-point bilinear remap, which gives the same bytes on every processor.
"""

from __future__ import annotations

from math import gcd

import cv2
import numpy as np

from edge.boxes import median
from edge.errors import ModelError
from edge.modelfile import CropSpec
from edge.pixels import Image, pyramid
from edge.types import FloatArray, Int32Array, UInt8Array

_PIXELS_PER_BLOCK = 1 << 17  # what is at work at one time stays in the processor's cache
_PIXELS_PER_ROW = 1024  # cv2.remap sets up every row anew: long ones are a fifth quicker than rows of one crop
_CENTRE = 0.5  # the share of the crop's side that is taken for the cell's own colour


def crop_cells(image: Image, boxes: Int32Array, spec: CropSpec, masks: UInt8Array | None = None) -> UInt8Array:
    """Cut cells out of a field.

    Args:
        image: uint8 [H, W, 3], or that with its halves.
        boxes: int32 [n, 4], x, y, w, h in pixels of ``image``; may overrun the border (its pixels are repeated).
        spec: size, margin, mask and colour reference, from the model's card.
        masks: uint8 [n, size, size], needed where ``spec.mask`` is ``black``.

    Returns:
        uint8 [n, size, size, 3].

    Raises:
        ModelError: ``spec`` asks for masks and none were given.
    """
    size = spec.size
    if len(boxes) == 0:
        return np.empty((0, size, size, 3), np.uint8)
    sides = np.maximum(boxes[:, 2:].max(axis=1), 1) * np.float32(spec.margin)
    levels = pyramid(image)
    halvings = 0
    while median(sides) >= 2 ** (halvings + 1) * size and min(levels.level(halvings).shape[:2]) > 1:
        halvings += 1  # boxes may be larger than the field: a single pixel is not halved
    factor = 2**halvings
    centres = (boxes[:, :2] + boxes[:, 2:] * np.float32(0.5)) / np.float32(factor)
    view, centres, sides = levels.level(halvings), centres.astype(np.float32), (sides / factor).astype(np.float32)
    batch = np.empty((len(boxes), size, size, 3), np.uint8)
    count = max(1, _PIXELS_PER_BLOCK // size**2)
    parts = [slice(first, first + count) for first in range(0, len(boxes), count)]
    for part in parts:
        batch[part] = _sample(view, centres[part], sides[part], size)
    if spec.normalise != "none":
        own = np.concatenate([centre_colours(batch[part]) for part in parts])
        gains = np.float32(spec.target) / references(own, spec)
        for part in parts:
            batch[part] = _scaled(batch[part], gains[part])
    if spec.mask == "black":
        if masks is None:
            raise ModelError("this model wants masked crops and the finder gives no masks: choose another of the two")
        batch[masks == 0] = 0
    return batch


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


def _sample(image: UInt8Array, centres: np.ndarray, sides: np.ndarray, size: int) -> UInt8Array:
    grid = (np.arange(size, dtype=np.float32) + np.float32(0.5)) / np.float32(size) - np.float32(0.5)
    # Clipped here, where it is cheap, the places never leave the image: what lies beyond repeats its border.
    height, width = image.shape[:2]
    xs = np.clip(centres[:, :1] + sides[:, None] * grid - np.float32(0.5), 0, width - 1)
    ys = np.clip(centres[:, 1:] + sides[:, None] * grid - np.float32(0.5), 0, height - 1)
    row = size * gcd(size, max(1, _PIXELS_PER_ROW // size))
    shape = (len(centres), size, size)
    map_x = np.broadcast_to(xs[:, None, :], shape).reshape(-1, row)
    map_y = np.broadcast_to(ys[:, :, None], shape).reshape(-1, row)
    fixed = cv2.convertMaps(map_x, map_y, cv2.CV_16SC2)  # faster than leaving it to remap
    return np.asarray(cv2.remap(image, *fixed, cv2.INTER_LINEAR), np.uint8).reshape(*shape, 3)


def to_reference(batch: UInt8Array, spec: CropSpec, field: FloatArray | None = None) -> UInt8Array:
    """Bring crops that were cut without normalising to the colours ``spec`` asks for, as ``crop_cells`` does.

    Args:
        batch: uint8 [n, s, s, 3].
        spec: the same as for ``crop_cells``.
        field: float32 [n, 3], the median cell's colour in the field of each crop; None: all crops are of one field.

    Returns:
        uint8 [n, s, s, 3].
    """
    if spec.normalise == "none" or len(batch) == 0:
        return batch
    return _scaled(batch, np.float32(spec.target) / references(centre_colours(batch), spec, field))


def references(own: FloatArray, spec: CropSpec, field: FloatArray | None = None) -> FloatArray:
    """The colour that becomes ``spec.target``, for each of n crops.

    Args:
        own: float32 [n, 3], see ``centre_colours``.
        spec: says which.
        field: float32 [n, 3] or [3], the median cell's colour; None: the median of ``own``.

    Returns:
        float32 [n, 3], at least 8.
    """
    if spec.normalise == "bounded":
        middle = np.array([median(channel) for channel in own.T], np.float32) if field is None else field
        reach = np.float32(spec.reach)
        own = np.minimum(np.maximum(own, middle * (np.float32(1) - reach)), middle * (np.float32(1) + reach))
    return np.asarray(np.maximum(own, np.float32(8)), np.float32)


def centre_colours(batch: UInt8Array) -> FloatArray:
    """Mean colour of the middle of each crop: uint8 [n, s, s, 3] to float32 [n, 3], the same on every processor."""
    size = batch.shape[1]
    edge = round(size * (1 - _CENTRE) / 2)
    # Whole rows at a time: NumPy is slow where the innermost axis has three entries. Sums of bytes are exact in float32
    # and every other step is rounded once, so that every processor gives the same bytes.
    width = size - 2 * edge
    centre = batch.reshape(len(batch), size, -1)[:, edge : size - edge, 3 * edge : 3 * (size - edge)]
    rows = np.ascontiguousarray(centre.transpose(1, 0, 2)).reshape(width, -1)  # one row of every crop
    sums = cv2.reduce(rows, 0, cv2.REDUCE_SUM, dtype=cv2.CV_32F).reshape(len(batch), width, 3)
    return np.asarray(sums.sum(axis=1) / np.float32(width * width), np.float32)


def _scaled(batch: UInt8Array, gains: FloatArray) -> UInt8Array:
    size = batch.shape[1]
    scaled = batch.reshape(len(batch) * size, -1).astype(np.float32)
    scaled *= np.repeat(np.tile(gains, size), size, axis=0)
    return np.asarray(cv2.convertScaleAbs(scaled), np.uint8).reshape(batch.shape)  # rounds and saturates in one pass
