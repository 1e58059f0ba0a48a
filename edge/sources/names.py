"""The order of file names, and the names of samples made from folders."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from edge.sources.decode import shown

_SAYS_NOTHING = frozenset(
    {"images", "image", "imgs", "img", "fields", "field", "data", "pictures", "picture", "pics", "photos", "photo"}
    | {"jpg", "jpeg", "png", "tif", "tiff", "bmp", "raw", "input"}
)


def natural_key(text: str) -> tuple[list[tuple[int, int, str]], str]:
    """Sort key that puts img2 before img10 and ignores upper case; equal keys are ordered by the text itself."""
    parts = re.split(r"([0-9]+)", text)
    return [(0, int(p), "") if i % 2 else (1, 0, p.casefold()) for i, p in enumerate(parts) if p or i % 2], text


def sample_names(folders: Sequence[Path]) -> dict[Path, str]:
    """A name per folder: its own, with as many parents before it as it takes to tell two folders apart.

    A folder called ``images`` or the like says nothing of the sample, so its parent's name stands before it too.
    """
    names: dict[Path, str] = {}
    for folder in folders:
        own = folder.parts[1:]
        parts = [shown(p) for p in own] or ["sample"]
        depth = 1
        others = [o.parts[1:] for o in folders if o != folder]
        while depth < len(parts) and (
            own[-depth].casefold() in _SAYS_NOTHING or any(o[-depth:] == own[-depth:] for o in others)
        ):
            depth += 1
        names[folder] = "-".join(parts[-depth:])
    return names
