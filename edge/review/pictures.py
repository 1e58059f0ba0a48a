"""Pictures of a sample to look at: from its fields' pixels where they are still there, else from what the book keeps."""

from __future__ import annotations

import tomllib
from collections import OrderedDict
from pathlib import Path
from threading import Lock

import cv2
import numpy as np

from edge.book.book import Book
from edge.book.folder import folder_of
from edge.crops import crop_cells
from edge.errors import OutputError, UnreadableFieldError
from edge.modelfile import CropSpec
from edge.pixels import rescale
from edge.review.records import CellPlace, ReviewPicture
from edge.sources.decode import AS_IT_IS, ReadOptions, decode_image
from edge.sources.originals import original_pixels
from edge.types import FieldIdentity, UInt8Array

KEPT_AROUND = 1.5
"""Side of what a kept picture of a cell shows, as a multiple of its box's longer side."""

_QUALITY = 90  # of the JPEGs
_BEYOND = 128  # grey of what lies outside a field
_MEMORY = 64 * 2**20  # bytes of fields that are kept decoded: a person stays in one field for several cells
_LARGEST, _WIDEST = 4096, 1000.0  # pixels of a picture, multiples of a box: more is a mistake
_BOX = "SELECT x, y, w, h FROM field JOIN cell ON field_id = field.id WHERE sample_id = ? AND number = ? AND n = ?"
_FIELD = "SELECT path, size, sha256, width, height FROM field WHERE sample_id = ? AND number = ? AND readable"
_CROP = "SELECT jpeg FROM crop JOIN field ON field.id = field_id WHERE sample_id = ? AND number = ? AND n = ?"
_KEPT = "SELECT file FROM picture JOIN field ON field.id = field_id WHERE sample_id = ? AND number = ?"


class ReviewPictures:
    """Makes pictures; the fields that were decoded last stay in memory. Any thread may call it.

    A field that was counted through the profile of a microscope is shown as its file has it.

    Args:
        path: of the book.
    """

    def __init__(self, path: Path) -> None:
        self._folder = folder_of(path)
        self._lock = Lock()  # one field at a time: each may be 150 MB, and the others wait for it, not decode it again
        self._fields: OrderedDict[tuple[str, int], UInt8Array] = OrderedDict()

    def cell(self, book: Book, sample_id: int, cell: CellPlace, side: int, around: float) -> ReviewPicture | None:
        """See ``ReviewDesk.cell_picture``. Raises BookError."""
        box = book.store.row(_BOX, sample_id, cell.field, cell.n)
        if box is None:
            return None
        x, y, w, h = box
        side, around = min(max(int(side), 1), _LARGEST), min(max(around, 1.0), _WIDEST)
        rgb = self._pixels(book, sample_id, cell.field)
        if rgb is None:
            kept = book.store.row(_CROP, sample_id, cell.field, cell.n)
            return None if kept is None else _of_kept(kept["jpeg"], w, h)
        crop = crop_cells(rgb, np.array([(x, y, w, h)], np.int32), CropSpec(size=side, margin=around))[0]
        placed = _centred(side, around, w, h)
        return ReviewPicture(side, side, _jpeg(_bounded(crop, rgb, (x, y, w, h), placed)), placed)

    def field(self, book: Book, sample_id: int, field: int, longest: int) -> ReviewPicture | None:
        """See ``ReviewDesk.field_picture``. Raises BookError."""
        rgb = self._pixels(book, sample_id, field)
        if rgb is None:
            return None
        small = rescale(rgb, min(1.0, min(max(int(longest), 1), _LARGEST) / max(rgb.shape[:2])))
        return ReviewPicture(small.shape[1], small.shape[0], _jpeg(small))

    def _pixels(self, book: Book, sample_id: int, field: int) -> UInt8Array | None:
        with self._lock:
            key = (book.row(sample_id).uuid, field)
            if key in self._fields:
                self._fields.move_to_end(key)
                return self._fields[key]
            rgb = self._read(book, sample_id, field)
            if rgb is not None:
                self._fields[key] = rgb
                while len(self._fields) > 1 and sum(one.nbytes for one in self._fields.values()) > _MEMORY:
                    self._fields.popitem(last=False)
            return rgb

    def _read(self, book: Book, sample_id: int, field: int) -> UInt8Array | None:
        row = book.store.row(_FIELD, sample_id, field)
        if row is None:
            return None
        try:
            if row["sha256"] is not None:
                identity = FieldIdentity(row["path"], row["size"], row["sha256"].hex())
                rgb = original_pixels(identity, _reading(book, sample_id))
            else:
                kept = book.store.row(_KEPT, sample_id, field)
                rgb = None if kept is None else decode_image(self._folder / Path(kept["file"]).name)
        except (OSError, UnreadableFieldError):
            return None
        return rgb if rgb is not None and rgb.shape[:2] == (row["height"], row["width"]) else None


def _reading(book: Book, sample_id: int) -> ReadOptions:
    """How the pictures were read when they were counted, from the settings of the run."""
    try:
        config = tomllib.loads(book.about(book.run_of(sample_id)).config)
        z, depth = (config.get(key) for key in ("z", "depth"))
    except (ValueError, RecursionError):
        return AS_IT_IS
    return ReadOptions(z if isinstance(z, int) else None, depth if isinstance(depth, int) else None)


def _of_kept(jpeg: bytes, w: int, h: int) -> ReviewPicture | None:
    """A picture that the book keeps, square and as wide as it was made."""
    pixels = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR)
    if pixels is None:
        return None
    side = int(pixels.shape[1])
    return ReviewPicture(side, int(pixels.shape[0]), jpeg, _centred(side, KEPT_AROUND, w, h))


def _bounded(
    crop: UInt8Array, rgb: UInt8Array, box: tuple[int, int, int, int], placed: tuple[float, float, float, float]
) -> UInt8Array:
    """The crop with flat grey beyond the field: pixels of the border drawn out would look like something."""
    (x, y, w, _), (left, up, wide, _) = box, placed
    scale = wide / max(w, 1)
    at_left, at_top = left - x * scale, up - y * scale
    made = crop.copy()
    made[:, : max(0, round(at_left))] = _BEYOND
    made[: max(0, round(at_top))] = _BEYOND
    made[:, max(0, round(at_left + rgb.shape[1] * scale)) :] = _BEYOND
    made[max(0, round(at_top + rgb.shape[0] * scale)) :] = _BEYOND
    return made


def _centred(side: int, around: float, w: int, h: int) -> tuple[float, float, float, float]:
    """A box of w by h field pixels, drawn in the middle of a square that shows ``around`` times its longer side."""
    scale = side / (max(w, h, 1) * around)
    return ((side - w * scale) / 2, (side - h * scale) / 2, w * scale, h * scale)


def _jpeg(rgb: UInt8Array) -> bytes:
    done, data = cv2.imencode(".jpg", np.ascontiguousarray(rgb[..., ::-1]), [cv2.IMWRITE_JPEG_QUALITY, _QUALITY])
    if not done:
        raise OutputError("a picture could not be encoded")
    return data.tobytes()
