"""Damaged copies of picture files, and how many of them are noticed.

Each picture is encoded anew in every format and damaged at random: cut (with the end mark put back, where there is one), bytes
set to zero, bits flipped. A damaged file counts as noticed when it is refused. What decodes all the same is held against the
undamaged picture: a change in less than one pixel of a thousand is harmless. PeerRatio it stands what OpenCV alone says.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from time import perf_counter
from typing import Any

from edge.sources.decode import decode_image

# isort: split
import cv2
import numpy as np

from edge.door import quiet_native_stderr
from edge.errors import NoInputError, UnreadableFieldError
from edge.headers import JPEG
from edge.jpeg import by_opencv, decode_jpeg
from edge.types import UInt8Array

Damage = Callable[[bytes, np.random.Generator], bytes]
_HARMLESS = 1e-3
"""Share of visibly changed pixels up to which damage did no harm."""

_VISIBLE = 8  # levels
_LZW, _DEFLATE, _NONE = 5, 8, 1  # values of Compression, TIFF 6.0
FORMATS: dict[str, tuple[str, list[int]]] = {
    "JPEG": (".jpg", [cv2.IMWRITE_JPEG_QUALITY, 92]),
    "JPEG, restart marks": (".jpg", [cv2.IMWRITE_JPEG_QUALITY, 92, cv2.IMWRITE_JPEG_RST_INTERVAL, 16]),
    "JPEG, progressive": (".jpg", [cv2.IMWRITE_JPEG_QUALITY, 92, cv2.IMWRITE_JPEG_PROGRESSIVE, 1]),
    "PNG": (".png", [cv2.IMWRITE_PNG_COMPRESSION, 3]),
    "TIFF": (".tif", [cv2.IMWRITE_TIFF_COMPRESSION, _NONE]),
    "TIFF, LZW": (".tif", [cv2.IMWRITE_TIFF_COMPRESSION, _LZW]),
    "TIFF, Deflate": (".tif", [cv2.IMWRITE_TIFF_COMPRESSION, _DEFLATE]),
    "BMP": (".bmp", []),
}
"""Formats by name: file ending and OpenCV's options for writing."""


def cut(data: bytes, rng: np.random.Generator) -> bytes:
    """The file ends early; a JPEG's end mark stands at its end all the same."""
    kept = data[: int(len(data) * rng.uniform(0.05, 0.99))]
    return kept + b"\xff\xd9" if data.startswith(JPEG) else kept


def zeroed(data: bytes, rng: np.random.Generator) -> bytes:
    """A block of up to a third of the file is zero, as after a card was pulled out."""
    length = int(rng.uniform(0.002, 0.33) * len(data))
    at = int(rng.integers(1024, len(data) - length))
    return data[:at] + bytes(length) + data[at + length :]


def flipped(data: bytes, rng: np.random.Generator) -> bytes:
    """One to twenty bits are flipped."""
    out = bytearray(data)
    for at in rng.integers(1024, len(data), rng.integers(1, 21)):
        out[at] ^= 1 << int(rng.integers(8))
    return bytes(out)


DAMAGES: dict[str, Damage] = {"cut": cut, "zeroed": zeroed, "bits flipped": flipped}


def harm(rgb: UInt8Array, truth: UInt8Array) -> float:
    """Share of pixels that are visibly not what they were."""
    if rgb.shape != truth.shape:
        return 1.0
    return float((np.abs(rgb.astype(np.int16) - truth).max(axis=2) > _VISIBLE).mean())


def opencv_alone(path: Path) -> UInt8Array | None:
    """What ``cv2.imread`` makes of it, RGB."""
    bgr: Any = cv2.imread(str(path))
    return None if bgr is None else np.asarray(bgr[..., ::-1])


def ours(path: Path) -> UInt8Array | None:
    """What this project makes of it."""
    try:
        return decode_image(path)
    except UnreadableFieldError:
        return None


def said_by(decode: Callable[[], object]) -> bool:
    """Whether native code wrote anything to stderr meanwhile."""
    with tempfile.TemporaryFile() as file:
        kept = os.dup(2)
        try:
            os.dup2(file.fileno(), 2)
            decode()
        finally:
            os.dup2(kept, 2)
            os.close(kept)
        return file.tell() > 0


def pictures(folder: Path) -> list[Path]:
    """The JPEG and PNG files of a folder by name; raises NoInputError where there is none."""
    found = sorted(path for path in folder.glob("*") if path.suffix.lower() in (".jpg", ".jpeg", ".png"))
    if not found:
        raise NoInputError(f"{folder}: no JPEG or PNG image in it")
    return found


def table(fields: list[Path], each: int, seed: int) -> Iterator[str]:
    """Lines of the table; ``each`` damaged files per format and kind of damage."""
    yield f"{'':32}{'files':>7}{'decoded in silence, with visible harm':>42}{'stderr'}"
    yield f"{'':32}{'':>7}{'OpenCV alone':>21}{'edge':>21}{'edge':>9}"
    rng = np.random.default_rng(seed)
    with tempfile.TemporaryDirectory(prefix="edge-damage-") as folder:
        for name, (suffix, options) in FORMATS.items():
            for damage, spoil in DAMAGES.items():
                counts = np.zeros(3, int)
                for i in range(each):
                    picture: Any = cv2.imread(str(fields[i % len(fields)]))
                    data = cv2.imencode(suffix, picture, options)[1].tobytes()
                    path = Path(folder) / f"damaged{suffix}"
                    path.write_bytes(data)
                    truth = decode_image(path)
                    path.write_bytes(spoil(data, rng))
                    with quiet_native_stderr():
                        alone = opencv_alone(path)
                    got: list[UInt8Array | None] = []
                    counts[2] += said_by(lambda: got.append(ours(path)))  # noqa: B023 - called at once
                    for column, rgb in enumerate((alone, got[0])):
                        counts[column] += rgb is not None and harm(rgb, truth) > _HARMLESS
                yield f"{name + ', ' + damage:32}{each:7}{counts[0]:21}{counts[1]:21}{counts[2]:9}"


def speed(fields: list[Path], rounds: int = 5) -> str:
    """Strict decoding against OpenCV's, in turns on the same files: the ratio of the shortest times."""
    files = [path.read_bytes() for path in fields if path.suffix.lower() in (".jpg", ".jpeg")]
    best = {"strict": np.full(len(files), np.inf), "opencv": np.full(len(files), np.inf)}
    for _ in range(rounds):
        for i, data in enumerate(files):
            for name, decode in (("strict", lambda d: decode_jpeg(d, 3)), ("opencv", by_opencv)):
                start = perf_counter()
                decode(data)
                best[name][i] = min(best[name][i], perf_counter() - start)
    if not files:
        return "no JPEGs in this folder"
    return f"JPEG, strict against OpenCV: {best['strict'].sum() / best['opencv'].sum():.2f} of the time ({len(files)} files)"
