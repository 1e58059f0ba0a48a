"""Fields on their way out: counted, their pictures made, whole files and folders written."""

from __future__ import annotations

import os
import shutil
import tempfile
import zipfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import cv2

from edge.errors import OutputError
from edge.exchange.records import ExchangeField
from edge.safe_file import plain_errors, sync_file, sync_folder, whole_path
from edge.types import UInt8Array

_WHEN = (1980, 1, 1, 0, 0, 0)
"""The time of all files of an archive: the same sample gives the same bytes, and no time goes out."""


@dataclass(frozen=True, slots=True)
class Written:
    """What was written: ``fields``, ``cells`` of them, and how many fields went ``without_picture`` because theirs is gone."""

    fields: int
    cells: int
    without_picture: int = 0


class Outgoing:
    """Hands on fields in order, and counts.

    Args:
        fields: in field order; gone through once.
    """

    def __init__(self, fields: Iterable[ExchangeField]) -> None:
        self._fields = fields
        self._n = self._cells = self._without = 0

    def __iter__(self) -> Iterator[ExchangeField]:
        for field in self._fields:
            self._n += 1
            self._cells += len(field.cells)
            yield field

    def pixels(self, field: ExchangeField) -> UInt8Array | None:
        """A field's pixels, uint8 [H, W, 3] RGB; None, counted, where they are gone."""
        rgb = field.pixels()
        self._without += rgb is None
        return rgb

    def png(self, field: ExchangeField) -> bytes | None:
        """The same as a PNG file."""
        rgb = self.pixels(field)
        return None if rgb is None else png(rgb)

    def written(self) -> Written:
        """What has gone out."""
        return Written(self._n, self._cells, self._without)


def png(rgb: UInt8Array) -> bytes:
    """A PNG file of uint8 [H, W, 3] RGB."""
    done, data = cv2.imencode(".png", rgb[..., ::-1], [cv2.IMWRITE_PNG_COMPRESSION, 1])
    if not done:
        raise OutputError("a picture could not be encoded")
    return data.tobytes()


@contextmanager
def whole_folder(path: Path) -> Iterator[Path]:
    """A temporary folder that becomes ``path`` when all went well, and is removed when not.

    Raises:
        OutputError: ``path`` holds something already, or it cannot be written.
    """
    with plain_errors(path):
        if path.exists() and (not path.is_dir() or any(path.iterdir())):
            raise OutputError(f"{path}: cannot be written: it is there already. Name a new folder")
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = Path(tempfile.mkdtemp(dir=path.parent, prefix=f".{path.name}.", suffix=".part"))
    try:
        with plain_errors(path):
            yield temporary
            for file in temporary.rglob("*"):
                sync_file(file)
            mask = os.umask(0)
            os.umask(mask)
            temporary.chmod(0o777 & ~mask)
            temporary.replace(path)
        sync_folder(path.parent)
    except BaseException:
        shutil.rmtree(temporary, ignore_errors=True)
        raise


@contextmanager
def whole_archive(path: Path) -> Iterator[zipfile.ZipFile]:
    """A ZIP that takes its name when all went well; raises OutputError."""
    with whole_path(path) as temporary, zipfile.ZipFile(temporary, "w", zipfile.ZIP_STORED) as archive:
        yield archive


def put(archive: zipfile.ZipFile, name: str, data: bytes | str, *, packed: bool = False) -> None:
    """A file of an archive; ``packed``: make it smaller (pictures are small already)."""
    entry = zipfile.ZipInfo(name, _WHEN)
    entry.external_attr = 0o644 << 16
    archive.writestr(entry, data, zipfile.ZIP_DEFLATED if packed else zipfile.ZIP_STORED)
