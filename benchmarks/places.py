"""Where things are: this checkout, the real images, and what is kept between runs."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

REPOSITORY: Final = Path(__file__).resolve().parents[1]
"""The checkout (of an installed package: the folder it is installed in)."""

SHARED: Final = REPOSITORY.parent / "shared"
"""Beside the checkout: real images and other people's models, where there are any."""

CACHE_VARIABLE: Final = "EDGE_BENCH_CACHE"


def real_images() -> Path:
    """The folder of the sets of real images: ``$EDGE_DATA``, else ``../shared/data`` beside this checkout."""
    return Path(os.environ.get("EDGE_DATA") or SHARED / "data")


def cache() -> Path:
    """Where rendered fields, crops and converted nets are kept: ``$EDGE_BENCH_CACHE``, else the user's cache folder."""
    if own := os.environ.get(CACHE_VARIABLE):
        return Path(own)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "edge-bench"
