"""Pictures of fields that were counted before: what the book keeps, and the pixels themselves.

Pixels come from the file the field was read from, while its content is the same, or from the folder beside the book.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from edge.book.book import Book
from edge.book.folder import folder_of
from edge.book.records import SampleRow
from edge.errors import UnreadableFieldError
from edge.events import FieldEvent
from edge.report.from_book import BookPictures
from edge.report.pictures import FieldPictures
from edge.sources.decode import ReadOptions, decode_image
from edge.sources.originals import original_pixels
from edge.types import FieldIdentity, UInt8Array


class EarlierPictures:
    """Reads the pictures of fields that are in the book.

    Args:
        book: that they are in.
        path: of its file; None: it has none, and so no pictures beside it.
        rows: the samples that are asked for.
        reading: what the user said of the pictures.
    """

    def __init__(self, book: Book, path: Path | None, rows: Sequence[SampleRow], reading: ReadOptions) -> None:
        self._book = book
        self._folder = None if path is None else folder_of(path)
        self._ids = {row.name: row.id for row in rows}
        self._reading = reading
        self._kept: dict[str, dict[int, str]] = {}
        self._small = BookPictures(book, rows)

    def shown(self, event: FieldEvent) -> FieldPictures:
        """What the book keeps of a field to look at; read sample by sample."""
        return self._small.shown(event)

    def pixels(self, event: FieldEvent) -> UInt8Array | None:
        """The pixels of a field; see ``pixels_of``."""
        return self.pixels_of(event.sample, event.index, event.identity)

    def pixels_of(self, sample: str, index: int, identity: FieldIdentity | None) -> UInt8Array | None:
        """The field's pixels, uint8 [H, W, 3] RGB; None where they are gone or are others by now."""
        try:
            return self._kept_picture(sample, index) if identity is None else original_pixels(identity, self._reading)
        except (OSError, UnreadableFieldError):
            return None

    def _kept_picture(self, sample: str, index: int) -> UInt8Array | None:
        if sample not in self._kept:
            there = self._book.pictures(self._ids[sample]) if sample in self._ids else []
            self._kept[sample] = {one.field: one.file for one in there}
        name = self._kept[sample].get(index)
        if name is None or self._folder is None:
            return None
        return decode_image(self._folder / Path(name).name)
