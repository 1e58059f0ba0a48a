"""Where long work is kept between runs."""

from __future__ import annotations

import os
from pathlib import Path


def default_work(name: str) -> Path:
    """A folder of that name in the user's cache; ``$XDG_CACHE_HOME`` says where that is."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "edge-microscopy" / name
