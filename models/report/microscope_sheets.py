"""Contact sheets of what is still wrong on a microscope: finds called infected, infected cells missed or lost, white cells counted.

They show real cells: they are written outside the repository, never into it.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from edge.crops import crop_cells
from edge.types import Int32Array, UInt8Array
from models.data.fields import read_rgb
from models.judge.device_fields import FieldBoxes, JudgedField, JudgedFields
from models.judge.microscopes import MicroscopeRow
from models.report.sheets import COUNT, SHOW, make_outside, save, worst

Entry = tuple[Path, Int32Array, str]
"""Image, box int32 [4], and words below."""


def write_sheets(folder: Path, rows: Sequence[MicroscopeRow]) -> list[Path]:
    """PNG files of the rows that are whole fields with boxes, a sheet for each kind of mistake that there is; raises OutputError."""
    make_outside(folder)
    written = []
    for row in rows:
        for kind, entries in mistakes(row.judged).items() if row.judged is not None else ():
            name = "-".join(row.name.replace(",", "").split())
            written.append(save(folder / f"{name}-{kind}.png", _tiles(entries), [words for _, _, words in entries]))
    return written


def mistakes(judged: JudgedFields) -> dict[str, list[Entry]]:
    """The worst of each kind of mistake that there is."""
    fields = [(one, one.boxes) for one in judged.fields if one.boxes is not None]
    if not fields:
        return {}
    infected, suspicion = (
        np.concatenate([getattr(one, name) for one, _ in fields]) for name in ("infected", "suspicion")
    )
    places = [place for one in fields for place in _finds(*one)]
    high, low = worst(suspicion, infected)
    found = {
        "others-highest": [places[i] for i in high],
        "infected-lowest": [places[i] for i in low],
        "infected-lost": [(at.path, box, at.path.stem[-12:]) for _, at in fields for box in at.lost][:COUNT],
        "white-counted": [(at.path, box, at.path.stem[-12:]) for _, at in fields for box in at.white][:COUNT],
    }
    return {kind: entries for kind, entries in found.items() if entries}


def _finds(one: JudgedField, at: FieldBoxes) -> Iterator[Entry]:
    for score, box in zip(one.suspicion.tolist(), at.finds, strict=True):
        yield at.path, box, f"{score:.4f} {at.path.stem[-8:]}"


def _tiles(entries: Sequence[Entry]) -> list[UInt8Array]:
    """The cells with their surroundings, each image read once."""
    images = {path: read_rgb(path) for path, _, _ in entries}
    return [crop_cells(images[path], box[None], SHOW)[0] for path, box, _ in entries]
