"""A book of a virtual slide whose fields lie beside it as files: pictures of cells are cut from them, as on a user's disk."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np

from edge.events import AnalysedField
from edge.types import CELL, Cells, FieldIdentity
from tests.book.made import a_book, begun, field_of, write
from tests.serve.fake_desk import slide_cells, slide_field


def slide_book(folder: Path, fields: int = 6, sample: str = "S-0001") -> Path:
    """Write it; returns the book's path."""
    path = folder / "book.sqlite"
    with a_book(path) as book:
        write(begun(book), [analysed(folder, index, sample) for index in range(fields)])
    return path


def analysed(folder: Path, index: int, sample: str) -> AnalysedField:
    """A field of the slide as a machine with some errors sees it, written as a file."""
    rgb, _, _ = slide_field(index)
    name = f"field-{index}.png"
    _, png = cv2.imencode(".png", cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR))
    (folder / name).write_bytes(png.tobytes())
    digest = hashlib.sha256(png.tobytes()).hexdigest()
    cells = list(slide_cells(index))
    scores = np.array([(1 - score, score) for *_, score in cells], np.float32).reshape(-1, 2)
    found = Cells(
        np.array([box for _, box, _ in cells], np.int32).reshape(-1, 4),
        np.ones(len(cells), np.float32),
        np.zeros(len(cells), np.int32),
        (CELL,),
    )
    made = field_of(index, sample, name=name, cells=1)
    result = replace(
        made.result,
        shape=rgb.shape[:2],
        cells=found,
        scores=scores,
        classes=(scores[:, 1] >= 0.5).astype(np.int32),
        region=None,
        identity=FieldIdentity(str(folder / name), len(png), digest),
    )
    return AnalysedField(result, seconds=1.0)
