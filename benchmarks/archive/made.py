"""Archives to count: real or virtual fields under as many names as are wanted, in folders that are samples; hard ones too."""

from __future__ import annotations

import os
import shutil
import struct
import zlib
from collections.abc import Sequence
from itertools import cycle, islice
from pathlib import Path

import cv2

from benchmarks.errors import NoInputError
from benchmarks.fields import virtual_folder
from edge.sources.listing import IMAGE_SUFFIXES

LARGE = (3000, 4000)
"""Height and width in pixels of the 12-megapixel field."""

_BOMB_SIDE = 20_000  # pixels: 1.2 GB when it is unpacked, 1 MB as a file
_CELLS = 110  # of a virtual field


def pictures_of(folder: Path | None) -> list[Path]:
    """The pictures that are to be counted; None: virtual fields. Raises NoInputError."""
    folder = folder or virtual_folder("1280x960", _CELLS)
    found = sorted(path for path in folder.rglob("*") if path.suffix.lower() in IMAGE_SUFFIXES)
    if not found:
        raise NoInputError(f"{folder}: no images in it")
    return found


def make_archive(pictures: Sequence[Path], folder: Path, fields: int, per_sample: int) -> Path:
    """Link pictures into an archive (copy them where that cannot be).

    Args:
        pictures: taken in turn.
        folder: of the archive; made.
        fields: of the archive.
        per_sample: fields of a sample.
    """
    for number, picture in enumerate(islice(cycle(pictures), fields)):
        sample = folder / f"sample-{number // per_sample:05d}"
        sample.mkdir(parents=True, exist_ok=True)
        name = sample / f"{number % per_sample:04d}{picture.suffix.lower()}"
        try:
            os.link(picture, name)
        except OSError:
            shutil.copyfile(picture, name)
    return folder


def add_hard_fields(archive: Path, picture: Path) -> None:
    """Add a sample with a field of 12 megapixels, a decompression bomb and half a file."""
    sample = archive / "hard"
    sample.mkdir()
    field = cv2.imread(str(picture))
    if field is None:
        raise NoInputError(f"{picture}: cannot be read")
    large = cv2.resize(field, LARGE[::-1], interpolation=cv2.INTER_CUBIC)
    for number in range(3):
        cv2.imwrite(str(sample / f"large-{number}.png"), large)
    data = picture.read_bytes()
    (sample / f"half{picture.suffix.lower()}").write_bytes(data[: len(data) // 2])
    (sample / "bomb.png").write_bytes(bomb(_BOMB_SIDE))


def bomb(side: int) -> bytes:
    """A valid PNG of one colour, RGB, that is a thousand times larger unpacked."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    packer = zlib.compressobj(9)
    row = bytes(1 + 3 * side)
    packed = b"".join([*(packer.compress(row) for _ in range(side)), packer.flush()])
    header = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", packed) + chunk(b"IEND", b"")
