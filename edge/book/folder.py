"""The folder of whole pictures beside a book, and the room on the disk.

Pictures are kept of fields that no file holds: of a camera, a video, a virtual slide. They are lossless, so that another model can
count them later. When they take more than their room, or the disk is nearly full, the oldest without suspects leave first, then the
oldest. When that is not enough the run is stopped while everything counted can still be closed properly.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import cv2

from edge import near
from edge.book.book import Book
from edge.errors import OutputError
from edge.events import FieldEvent
from edge.modelfile import Card
from edge.safe_file import write_bytes

RESERVE = 64 * 10**6
"""Bytes that stay free on the disk."""

_QUICK = 1  # of PNG's levels of compression: 9 takes five times as long and saves a twentieth


def folder_of(book: Path) -> Path:
    """The folder of a book's pictures: ``book.sqlite`` has ``book.pictures``."""
    return book.with_suffix(".pictures")


class PictureFolder:
    """Keeps the pictures of a run.

    Args:
        book: knows the pictures there are.
        path: of the book.
        card: the classifier's, at the threshold of this run.
        run: a name for the run that no other has; a resumed run has that of the first.
        keep: ``none``, ``suspects``, ``kept`` or ``all`` fields.
        limit: bytes that pictures may take.

    Attributes:
        settle: puts fields that wait for the book into it: only then are their pictures known there.
    """

    def __init__(self, book: Book, path: Path, card: Card, *, run: str, keep: str, limit: int) -> None:
        self._book = book
        self._folder = folder_of(path)
        self._disk = path.absolute().parent
        self._card = card
        self._run = run
        self._keep = keep
        self._limit = limit
        self._bytes = sum(one.size for one in book.pictures())
        self.settle: Callable[[], None] = lambda: None

    def keep(self, event: FieldEvent) -> tuple[str, int, bool] | None:
        """Write the field's picture if it is to be kept: name, bytes, whether it is suspicious. Raises OutputError."""
        self._make_room()
        suspicious = self._suspicious(event)
        if event.rgb is None or not self._wanted(event, suspicious=suspicious):
            return None
        done, data = cv2.imencode(".png", event.rgb[..., ::-1], [cv2.IMWRITE_PNG_COMPRESSION, _QUICK])
        if not done or len(data) > self._limit:
            return None
        while self._bytes + len(data) > self._limit and self._remove_one():
            pass
        name = f"{self._run}-{event.index:06d}.png"
        try:
            self._folder.mkdir(exist_ok=True)
        except OSError as error:
            raise OutputError(f"{self._folder}: cannot be made: {error.strerror}") from error
        write_bytes(self._folder / name, data.tobytes())
        self._bytes += len(data)
        return name, len(data), suspicious

    def _wanted(self, event: FieldEvent, *, suspicious: bool) -> bool:
        if event.result is None or event.identity is not None or self._keep == "none":
            return False
        return self._keep == "all" or (event.kept and (self._keep == "kept" or suspicious))

    def _suspicious(self, event: FieldEvent) -> bool:
        """Whether the field counts and holds a cell called positive."""
        if event.result is None or not event.kept:
            return False
        return bool(near.counted_positive(event.result.classes, self._card.positive_mask).any())

    def _make_room(self) -> None:
        while (free := _free(self._disk)) is not None and free < RESERVE:
            if not self._remove_one():
                raise OutputError(
                    f"{self._disk}: only {free / 1e6:.0f} MB are free: stopped before the disk is full, nothing counted is lost. "
                    "Make room, then go on with --resume"
                )

    def _remove_one(self) -> bool:
        """Remove the oldest picture without suspects, else the oldest; False where there is none."""
        self.settle()
        there = self._book.pictures()
        if not there:
            return False
        gone = next((one for one in there if not one.suspicious), there[0])
        self._book.forget_pictures([gone])
        with suppress(OSError):
            (self._folder / Path(gone.file).name).unlink()
        self._bytes = sum(one.size for one in there) - gone.size
        return True


def _free(folder: Path) -> int | None:
    try:
        disk = os.statvfs(folder)
    except OSError:
        return None
    return disk.f_bavail * disk.f_frsize
