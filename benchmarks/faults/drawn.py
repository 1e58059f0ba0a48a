"""The folder of fields that all faults are tried on: drawn once, small, and of every kind that a sample holds."""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path

import cv2
import numpy as np

from benchmarks.places import cache
from edge.types import UInt8Array
from edge.virtual_slide import SlideSpec, render_field

WIDTH, HEIGHT = 480, 360
"""Of a field in pixels."""

_STEP = 300  # px from one view of the wide picture to the next: they overlap by WIDTH - _STEP
_SMALL = SlideSpec(8, 192, 144, cell_px=24.0, cells_per_field=10.0, parasitaemia=0.05, bad_fields=0.0)
_VERSION = 2  # to be raised when what is drawn here changes


def field_folder() -> Path:
    """Eight fields: two good ones, two that overlap, one out of focus, one black, a copy of another, one cut short."""
    return _folder("faults", _spec(WIDTH), _pictures)


def small_folder() -> Path:
    """Sixteen good fields of the smallest size, for runs over very many."""
    return _folder(
        "faults-small", _SMALL, lambda: {f"{n:02d}.png": _png(render_field(_SMALL, n)[0]) for n in range(16)}
    )


def many(folder: Path, of: Path, count: int) -> None:
    """Fill a folder with ``count`` names of another folder's pictures, in turn: hard links to copies beside it."""
    copies = folder.with_name(f"{folder.name}.drawn")
    shutil.copytree(of, copies)
    files = sorted(copies.iterdir())
    for index in range(count):
        os.link(files[index % len(files)], folder / f"{index:06d}.png")


def _folder(name: str, spec: SlideSpec, pictures: Callable[[], Mapping[str, bytes]]) -> Path:
    """The folder in the cache; drawn now if it is not there."""
    folder = cache() / f"{name}-{_VERSION}-{hashlib.sha256(repr(spec).encode()).hexdigest()[:8]}"
    if folder.is_dir():
        return folder
    folder.parent.mkdir(parents=True, exist_ok=True)
    part = Path(tempfile.mkdtemp(dir=folder.parent))
    for file, data in pictures().items():
        (part / file).write_bytes(data)
    try:
        part.rename(folder)
    except OSError:  # another process was quicker
        if not folder.is_dir():
            raise
    return folder


def _spec(width: int) -> SlideSpec:
    return SlideSpec(
        7, width, HEIGHT, cell_px=30.0, cells_per_field=22.0 * width / WIDTH, parasitaemia=0.08, bad_fields=0.0
    )


def _pictures() -> dict[str, bytes]:
    good = [render_field(_spec(WIDTH), index)[0] for index in range(2)]
    wide = render_field(_spec(WIDTH + _STEP), 0)[0]
    fields: dict[str, UInt8Array] = {f"0{index}-good.png": rgb for index, rgb in enumerate(good)}
    fields["02-left.png"] = wide[:, :WIDTH]
    fields["03-right.png"] = wide[:, _STEP:]
    fields["04-blurred.png"] = np.asarray(cv2.GaussianBlur(good[1], (0, 0), 6.0), np.uint8)
    fields["05-black.png"] = np.zeros_like(good[0])
    found = {name: _png(rgb) for name, rgb in fields.items()}
    found["06-copy.png"] = found["00-good.png"]
    found["07-cut.png"] = found["01-good.png"][:5000]
    return found


def _png(rgb: UInt8Array) -> bytes:
    _, data = cv2.imencode(".png", np.ascontiguousarray(rgb[..., ::-1]))
    return bytes(data.tobytes())
