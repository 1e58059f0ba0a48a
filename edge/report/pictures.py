"""Pixels for a page: cells with their surroundings and whole fields scaled down, as JPEG."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np

from edge.crops import crop_cells
from edge.errors import OutputError
from edge.modelfile import Card, CropSpec
from edge.outputs.annotate import boxed, near_misses
from edge.pixels import Image, pyramid, rescale
from edge.types import FieldResult, Int32Array, UInt8Array

SIDE = 96
"""Pixels of a gallery's picture."""

AROUND = 1.5
"""Side of what it shows, as a multiple of the box's longer side."""

_SPEC = CropSpec(size=SIDE, margin=AROUND)
FIELD_SIDE = 960
"""Pixels of a field's longer side, at most."""

_CELL_QUALITY, _FIELD_QUALITY = 88, 80  # of the JPEGs


def cell_pictures(image: Image, boxes: Int32Array) -> list[bytes]:
    """Cells of one field with their surroundings: uint8 [H, W, 3] and int32 [n, 4] to n JPEGs, SIDE pixels square."""
    # One at a time: cells of one call are read at a resolution that fits the middle one of them.
    levels = pyramid(image)
    return [_jpeg(crop_cells(levels, box[None], _SPEC)[0], _CELL_QUALITY) for box in boxes]


def small_field(rgb: UInt8Array) -> UInt8Array:
    """A field, FIELD_SIDE pixels on its longer side or less: uint8 [H, W, 3] to uint8 [h, w, 3]."""
    return rescale(rgb, min(1.0, FIELD_SIDE / max(rgb.shape[:2])))


def small_boxed(rgb: UInt8Array, result: FieldResult, card: Card) -> UInt8Array:
    """The same with boxes, which are drawn last so that their lines stay sharp; ``card``: at the threshold of this run."""
    small = small_field(rgb)
    shape = (small.shape[0], small.shape[1])
    scale = np.array([shape[1] / rgb.shape[1], shape[0] / rgb.shape[0]] * 2)
    boxes = np.rint(result.cells.boxes * scale).astype(np.int32)
    region = result.region and replace(result.region, outline=(result.region.outline * scale[:2]).astype(np.float32))
    scaled = replace(result, shape=shape, cells=replace(result.cells, boxes=boxes), region=region)
    marked = near_misses(result, card.labels, card.positive, card.threshold)
    return boxed(small, scaled, card.labels, card.positive, marked)


def field_jpeg(rgb: UInt8Array) -> bytes:
    """A field as a file."""
    return _jpeg(rgb, _FIELD_QUALITY)


def _jpeg(rgb: UInt8Array, quality: int) -> bytes:
    done, data = cv2.imencode(".jpg", np.ascontiguousarray(rgb[..., ::-1]), [cv2.IMWRITE_JPEG_QUALITY, quality])
    if not done:
        raise OutputError("a picture for the report could not be encoded")
    return data.tobytes()
