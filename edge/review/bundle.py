"""What goes to an expert elsewhere: one HTML file with the cells to look at, which carries no identity and needs no network.

Cells have random ids that mean something in the sample's book alone (``Bundle.names``). Names, times, places of fields and of cells
stay at home, and so does what cameras write beside the pixels. The page may run its one script and load nothing
(Content-Security-Policy); answers come back as a small JSON file (``edge.review.bundle_answers``).
"""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from importlib.resources import files
from typing import Any
from uuid import uuid4

from edge.review.bare import bare_jpeg
from edge.review.drawing import ShownCell
from edge.review.keys import choices_of
from edge.review.records import CellPlace, ReviewCell, ReviewPicture, ReviewPlan

FORMAT = "edge-review-bundle"
VERSION = 1  # of the data in the page

_AROUND = 6.0
"""Side of a cell's picture, as a multiple of its box's longer side: the cell and its neighbours."""

_SIDES = (160, 560)  # pixels of a cell's picture, at least and at most: about a pixel of the field each
_ID_BYTES = 6  # of a random name: 281 million millions of them
_FIELD_SIDE = 1280  # pixels of a field's longer side, at most
FIELD_BYTES = 12 * 2**20
"""Of all pictures of whole fields in one bundle: a file that still goes by mail."""

CellPictures = Callable[[CellPlace, int, float], ReviewPicture | None]
"""Gives a cell in its surroundings: place, side in pixels, side as a multiple of the box's (``ReviewDesk.cell_picture``)."""

FieldPictures = Callable[[int, int], ReviewPicture | None]
"""Gives a whole field: its place in the run, pixels of the longer side at most (``ReviewDesk.field_picture``)."""


@dataclass(frozen=True, slots=True)
class BundleFacts:
    """What an expert is told of the sample: names of facts and what they are, as text. None of them may say whose it is."""

    facts: tuple[tuple[str, str], ...]
    stages: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class BundlePictures:
    """Where pictures come from; ``sizes``: of fields, width and height in pixels, by their place in the run.

    A field that is not in ``sizes`` is not shown whole.
    """

    cell: CellPictures
    field: FieldPictures
    sizes: Mapping[int, tuple[int, int]]


class Bundle:
    """One bundle; its names are known once it is written.

    Args:
        plan: of the sample.
        about: what is said of the sample.
        pictures: where pictures come from.

    Attributes:
        uuid: of the bundle.
        names: random id to the cell it stands for, in the order shown: a cell that comes twice is the second reading the second time.
        missing: cells that were left out, because nothing is left to show of them.
        fields: whole fields that went along.
    """

    def __init__(self, plan: ReviewPlan, about: BundleFacts, pictures: BundlePictures) -> None:
        self.uuid = str(uuid4())
        self.names: dict[str, CellPlace] = {}
        self.missing = 0
        self.fields = 0
        self._plan = plan
        self._about = about
        self._pictures = pictures
        self._room = FIELD_BYTES
        self._fields: dict[str, dict[str, int]] = {}

    def parts(self, shown: Iterable[ShownCell]) -> Iterator[str]:
        """The file's text, part by part: it is some megabytes and is not put together in memory.

        Pictures go field by field, the field of the likeliest cell first: each is decoded once.

        Args:
            shown: the cells, in the order shown.
        """
        yield from _top()
        by_field: dict[int, list[tuple[int, ReviewCell]]] = {}
        for i, one in enumerate(shown):
            by_field.setdefault(one.cell.cell.field, []).append((i, one.cell))
        made: list[tuple[int, CellPlace, dict[str, Any]]] = []
        for index, cells in sorted(by_field.items(), key=lambda pair: -max(cell.score for _, cell in pair[1])):
            whole = yield from self._whole(index)
            for i, cell in cells:
                facts = yield from self._one(cell)
                if facts is not None:
                    made.append((i, cell.cell, {**facts, "field": whole}))
        made.sort(key=lambda one: one[0])
        self.names = {facts["id"]: place for _, place, facts in made}
        yield _data("bundle", self._facts([facts for _, _, facts in made]))
        yield f"<script>{_asset('bundle.js')}</script>\n</body></html>\n"

    def _one(self, cell: ReviewCell) -> Generator[str, None, dict[str, Any] | None]:
        side = min(max(round(max(cell.box[2:]) * _AROUND), _SIDES[0]), _SIDES[1])
        picture = self._pictures.cell(cell.cell, side, _AROUND)
        if picture is None or picture.box is None:
            self.missing += 1
            return None
        name = secrets.token_hex(_ID_BYTES)
        yield _picture(f"p-{name}", picture.jpeg)
        return _cell(name, cell, picture, picture.box)

    def _whole(self, index: int) -> Generator[str, None, str | None]:
        """A whole field, while there is room: its name in the page."""
        picture = self._pictures.field(index, _FIELD_SIDE) if index in self._pictures.sizes and self._room > 0 else None
        if picture is None:
            return None
        self._room -= len(picture.jpeg)
        if self._room < 0:
            return None
        name = secrets.token_hex(_ID_BYTES)
        yield _picture(f"f-{name}", picture.jpeg)
        width, height = self._pictures.sizes[index]
        self._fields[name] = {"w": width, "h": height}
        self.fields += 1
        return name

    def _facts(self, cells: list[dict[str, Any]]) -> dict[str, Any]:
        plan = self._plan
        choices = choices_of(plan.labels, plan.positive, self._about.stages)
        return {
            "format": FORMAT,
            "version": VERSION,
            "bundle": self.uuid,
            "unit": plan.unit,
            "threshold": round(plan.threshold, 4),
            "facts": [list(pair) for pair in self._about.facts],
            "choices": [asdict(choice) for choice in choices],
            "fields": self._fields,
            "cells": cells,
        }


def content_policy() -> str:
    """The page's Content-Security-Policy: its one script and its one style are named by their hashes, and nothing is loaded."""
    style, script = (_digest(_asset(name)) for name in ("bundle.css", "bundle.js"))
    return (
        f"default-src 'none'; img-src data:; style-src '{style}'; script-src '{script}'; "
        "base-uri 'none'; form-action 'none'"
    )


def _cell(
    name: str, cell: ReviewCell, picture: ReviewPicture, box: tuple[float, float, float, float]
) -> dict[str, Any]:
    """A cell's facts; its picture covers ``w * scale`` by ``h * scale`` field pixels from ``x``, ``y``."""
    x, y, w, h = box
    scale = max(cell.box[2], cell.box[3]) / max(w, h)
    return {
        "id": name,
        "w": picture.width,
        "h": picture.height,
        "x": round(cell.box[0] - x * scale, 2),
        "y": round(cell.box[1] - y * scale, 2),
        "scale": round(scale, 5),
        "box": list(cell.box),
        "label": cell.label,
        "score": round(cell.score, 4),
    }


def _top() -> Iterator[str]:
    yield '<!DOCTYPE html>\n<html lang="en"><head>\n<meta charset="utf-8">\n'
    yield f'<meta http-equiv="Content-Security-Policy" content="{content_policy()}">\n'
    yield '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
    yield '<meta name="referrer" content="no-referrer">\n<meta name="color-scheme" content="light dark">\n'
    yield f"<title>Cells to look at</title>\n<style>{_asset('bundle.css')}</style>\n</head><body>\n"
    yield _asset("bundle.html")


def _picture(name: str, jpeg: bytes) -> str:
    return f'<script type="text/plain" id="{name}">{base64.b64encode(bare_jpeg(jpeg)).decode()}</script>\n'


def _data(name: str, value: object) -> str:
    """ASCII, and without a character that HTML could take for the end of the element or for a comment."""
    words = json.dumps(value, allow_nan=False, separators=(",", ":"))
    for character in "<>&":
        words = words.replace(character, f"\\u{ord(character):04x}")
    return f'<script type="application/json" id="{name}">{words}</script>\n'


def _asset(name: str) -> str:
    return files(__package__).joinpath("bundle_page", name).read_text(encoding="utf-8")


def _digest(text: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"
