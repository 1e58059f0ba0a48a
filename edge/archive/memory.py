"""How much memory a worker of this machine may hold, so that one field cannot take the machine down.

A worker holds nothing but the field in work and its nets: about 250 MB. A field may be as large as ``EDGE_MAX_MEGAPIXELS`` allows;
what is larger is refused by its header, before it is decoded. So the limit is for what nobody has thought of: a worker that goes
beyond it is ended by Dask, and the field that three workers died of is named (see ``edge.archive.poison``).
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Final

from edge.opencv_limits import BYTES_PER_PIXEL, DEFAULT_MAX_MEGAPIXELS, MAX_MEGAPIXELS_VARIABLE

_IDLE: Final = 400_000_000
"""Bytes of a worker without a field: Python, OpenCV, nets, Dask, pyarrow, and tables before they are written; with room to spare."""

_COPIES: Final = 12
"""Bytes that are held per pixel besides the decoded file: RGB twice, grey pictures, masks and half-sized floats of the finders."""

_SHARE: Final = 0.9  # of this machine's memory that all workers together may hold

MEMORY_SETTINGS: Final[Mapping[str, object]] = {
    "distributed.worker.memory.target": False,
    "distributed.worker.memory.spill": False,
    "distributed.worker.memory.pause": False,
    "distributed.worker.memory.terminate": 0.95,
}
"""Dask's settings for workers of this machine. Nothing is kept on a worker that could be spilled, and freed memory is held back for
the next field, so a worker that paused until its memory falls would wait for ever: it is ended at the limit, and that is all."""


def worker_limit(workers: int, total: int | None = None) -> int:
    """Bytes that a worker may hold.

    Args:
        workers: processes of this machine.
        total: memory of the machine in bytes; None: ask it.
    """
    total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") if total is None else total
    return min(_IDLE + int(_megapixels() * 1e6 * (BYTES_PER_PIXEL + _COPIES)), int(total * _SHARE / workers))


def _megapixels() -> float:
    try:
        return float(os.environ.get(MAX_MEGAPIXELS_VARIABLE) or DEFAULT_MAX_MEGAPIXELS)
    except ValueError:  # said where the first field is read
        return DEFAULT_MAX_MEGAPIXELS
