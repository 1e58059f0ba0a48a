"""What cells, classes and files are called in files of other programs, so that they are known again when they come back."""

from __future__ import annotations

import re
from pathlib import Path, PurePosixPath

from edge import words
from edge.exchange.records import ExchangeCell, ExchangeField, ExchangeSample
from edge.outputs.files import safe_name

NO_CELL = "no cell"
"""The class that says: nothing that should have been counted."""

UNSURE = "unsure"
"""The class that says: it cannot be told."""

_CELL = re.compile(r"cell ([0-9]{1,9}-[0-9]{1,9})(?: (.*))?", re.ASCII | re.DOTALL)
_BARE = re.compile(r"[0-9]{1,9}-[0-9]{1,9}", re.ASCII)
_STEM = re.compile(r"(?:^|-)edge-([0-9]{5,9})(?=[-.]|$)", re.ASCII)


def category_of(cell: ExchangeCell) -> str:
    """The class that a thing goes out as: what people say of it, else the machine's; what is set aside says so in its name."""
    if cell.reviewed and cell.reviewed != UNSURE:
        return cell.reviewed
    return cell.label if cell.counted or not cell.cell else words.category(cell.label)


def choices_of(sample: ExchangeSample) -> tuple[str, ...]:
    """The classes that a reader chooses from: the model's, then ``no cell`` and ``unsure``."""
    return tuple(dict.fromkeys((*sample.labels, NO_CELL, UNSURE)))


def name_of(cell: ExchangeCell) -> str:
    """``cell 12-7``; ``added`` for one that a reader added. Fiji names its own regions ``0012-0007``: hence the word before."""
    return f"cell {cell.cell}" if cell.cell else "added"


def split_name(text: str) -> tuple[str, str]:
    """A cell's id and what follows it in a name (``cell 12-7 parasitized``); the id is empty in any other name."""
    found = _CELL.fullmatch(text)
    return ("", text) if found is None else (found[1], found[2] or "")


def id_of(text: str) -> str:
    """A cell's id from ``12-7`` or ``cell 12-7``; empty: it is none."""
    return text if _BARE.fullmatch(text) else split_name(text)[0]


def stem_of(field: ExchangeField) -> str:
    """A field's file name without its ending: ``edge-00012``, and its own name after it where it has one that says more."""
    own = "" if field.name == f"field-{field.index:04d}" else safe_name(Path(field.name).stem)
    return f"edge-{field.index:05d}{own and '-'}{own}"


def index_of(name: str) -> int | None:
    """The field's place in the run from a file name made by ``stem_of``, also with something put before it; None: it is another's."""
    found = _STEM.search(last_part(name))
    return None if found is None else int(found[1])


def last_part(name: str) -> str:
    """A path's last part, whichever system wrote it: a name from a file never leads anywhere."""
    return PurePosixPath(name.replace("\\", "/")).name


def colour_of(category: str, sample: ExchangeSample) -> tuple[int, int, int]:
    """RGB of a class: positive ones warm, other classes cool, what is not counted grey."""
    if category in sample.positive:
        return _WARM[sample.positive.index(category) % len(_WARM)]
    others = [label for label in sample.labels if label not in sample.positive]
    return _COOL[others.index(category) % len(_COOL)] if category in others else _GREY


_WARM = ((220, 20, 30), (255, 120, 0), (200, 0, 170))  # RGB
_COOL = ((0, 125, 70), (0, 100, 210), (130, 90, 0), (0, 140, 150), (90, 60, 200))  # RGB
_GREY = (110, 110, 110)  # RGB
