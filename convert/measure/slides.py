"""Which slide an image is from: what ``--group-by`` finds in its name, or what names of the public NIH set say."""

from __future__ import annotations

import re

from convert.errors import CellsError

_NIH = re.compile(r"(C[0-9]+).*_IMG_[0-9]+_[0-9]+[a-z]?_cell_[0-9]+", re.IGNORECASE)
"""``C39P4thinF_original_IMG_20150622_105554_cell_10`` is a cell of slide ``C39``."""


def compiled(text: str | None) -> re.Pattern[str] | None:
    """The pattern of ``--group-by``; raises CellsError where it is none."""
    if text is None:
        return None
    try:
        return re.compile(text)
    except re.error as error:
        raise CellsError(f"--group-by {text!r} is no regular expression: {error}") from error


def group_name(name: str, pattern: re.Pattern[str] | None) -> str | None:
    """What groups a file of that name: the pattern's first group, or all it finds; None where it finds nothing."""
    if pattern is None:
        return name
    found = pattern.search(name)
    if found is None:
        return None
    return next((part for part in found.groups() if part), found.group(0))


def slide_of_public_name(stem: str) -> str | None:
    """The slide that a file's name (without its ending) tells where it is of the public NIH form; None: it is not."""
    found = _NIH.fullmatch(stem)
    return found.group(1).upper() if found else None
