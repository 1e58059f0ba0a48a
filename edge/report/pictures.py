"""Pixels for a page: cells with their surroundings and whole fields scaled down, as JPEG.

They are made from a field's pixels while it is at work (``LivePictures``), or were made then and kept (``KeptPictures``).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cache
from typing import Protocol

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

_MISSING = (160, 120)  # width and height of what stands for a field that is missing
_GREY = 200  # of 255

_CELL_QUALITY, _FIELD_QUALITY = 88, 80  # of the JPEGs


Jpeg = tuple[int, int, bytes]
"""Width and height in pixels, and the file."""


class FieldPictures(Protocol):
    """The pictures of one field, made when they are asked for."""

    @property
    def kept(self) -> frozenset[int] | None:
        """The cells there are pictures of, by their place in the field; None: any can be made."""
        ...

    def cells(self, chosen: Sequence[int]) -> list[bytes]:
        """JPEGs of these cells with their surroundings, ``SIDE`` pixels square."""
        ...

    def boxed(self) -> Jpeg:
        """The field with its boxes, scaled down."""
        ...

    def plain(self) -> Jpeg:
        """The field without boxes, scaled down."""
        ...


class LivePictures:
    """Pictures from a field's pixels; none is made twice.

    Args:
        result: the field.
        rgb: its pixels, uint8 [H, W, 3].
        card: the classifier's, at the threshold of this run.
    """

    kept: frozenset[int] | None = None

    def __init__(self, result: FieldResult, rgb: UInt8Array, card: Card) -> None:
        self._result = result
        self._image = pyramid(rgb)
        self._card = card
        self._made: dict[int, bytes] = {}

    def cells(self, chosen: Sequence[int]) -> list[bytes]:
        """See ``FieldPictures``."""
        new = [n for n in chosen if n not in self._made]
        boxes = self._result.cells.boxes[new]
        self._made.update(zip(new, cell_pictures(self._image, boxes), strict=True))
        return [self._made[n] for n in chosen]

    def boxed(self) -> Jpeg:
        """See ``FieldPictures``."""
        return field_jpeg(small_boxed(self._image.rgb, self._result, self._card))

    def plain(self) -> Jpeg:
        """See ``FieldPictures``."""
        return field_jpeg(small_field(self._image.rgb))


class KeptPictures:
    """Pictures that were kept of one field; where one is missing a grey one stands for it.

    Args:
        index: the field's place in the run.
        crops: JPEGs by the field's place in the run and the cell's in the field.
        views: whole fields by their place in the run.
    """

    def __init__(self, index: int, crops: Mapping[tuple[int, int], bytes], views: Mapping[int, Jpeg]) -> None:
        self._index = index
        self._crops = crops
        self._views = views
        self.kept: frozenset[int] | None = frozenset(n for field, n in crops if field == index)

    def cells(self, chosen: Sequence[int]) -> list[bytes]:
        """See ``FieldPictures``."""
        return [self._crops.get((self._index, n)) or missing(SIDE, SIDE) for n in chosen]

    def boxed(self) -> Jpeg:
        """See ``FieldPictures``."""
        return self._views.get(self._index) or (*_MISSING, missing(*_MISSING))

    plain = boxed


@cache
def missing(width: int, height: int) -> bytes:
    """A grey JPEG for a picture that is not there."""
    return _jpeg(np.full((height, width, 3), _GREY, np.uint8), _FIELD_QUALITY)


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


def field_jpeg(rgb: UInt8Array) -> Jpeg:
    """A field as a file."""
    return rgb.shape[1], rgb.shape[0], _jpeg(rgb, _FIELD_QUALITY)


def _jpeg(rgb: UInt8Array, quality: int) -> bytes:
    done, data = cv2.imencode(".jpg", np.ascontiguousarray(rgb[..., ::-1]), [cv2.IMWRITE_JPEG_QUALITY, quality])
    if not done:
        raise OutputError("a picture for the report could not be encoded")
    return data.tobytes()
