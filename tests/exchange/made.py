"""A sample as it goes out, made up: two fields with cells, an empty one between them."""

from __future__ import annotations

import numpy as np

from edge.exchange.naming import category_of
from edge.exchange.records import (
    CorrectedField,
    Corrections,
    ExchangeBox,
    ExchangeCell,
    ExchangeField,
    ExchangeSample,
)
from edge.types import UInt8Array

MODEL = "ab" * 32
SAMPLE = ExchangeSample(
    "S-0042",
    MODEL,
    "malaria-thin-32",
    ("uninfected", "parasitized"),
    ("parasitized",),
    0.97,
    ("ring", "trophozoite"),
    "bench-3",
)


def pixels(width: int = 64, height: int = 48) -> UInt8Array:
    """Noise that no lossy format leaves as it is."""
    return np.random.default_rng(width).integers(0, 255, (height, width, 3), np.uint8)


def cell(name: str, box: ExchangeBox, label: str = "uninfected", said: str = "", stage: str = "") -> ExchangeCell:
    counted = not label.startswith("not-")
    return ExchangeCell(name, box, label, 0.4 if counted else None, counted, label == "parasitized", said, stage)


def field(index: int, *cells: ExchangeCell, name: str = "", pictured: bool = True) -> ExchangeField:
    shown = pixels() if pictured else None
    return ExchangeField(index, name or f"f{index}.png", 64, 48, 0.125, lambda: shown, cells, "2026-11-30T03:00:00Z")


FIELDS = (
    field(
        0,
        cell("0-0", (3, 4, 20, 21)),
        cell("0-1", (30, 4, 20, 21), "parasitized"),
        cell("0-2", (-2, 30, 19, 20), "not-whole"),
    ),
    field(1),
    field(
        12,
        cell("12-0", (5, 5, 11, 12), said="parasitized", stage="ring"),
        cell("12-1", (20, 5, 11, 12), "parasitized", "no cell"),
        cell("12-7", (40, 30, 13, 9), "parasitized", "unsure"),
        cell("", (7.5, 20.25, 9, 10.25), "parasitized", "parasitized"),
        name="Ä <b>field</b>, with=it.png",
    ),
)


def as_corrected(fields: tuple[ExchangeField, ...], *, stages: bool = True) -> list[tuple[object, ...]]:
    """What a reader that changes nothing gives back: field, size, cells in their order."""
    return [
        (f.index, f.width, f.height, [(c.cell, c.box, category_of(c), c.stage if stages else "") for c in f.cells])
        for f in fields
    ]


def as_read(corrections: Corrections) -> list[tuple[object, ...]]:
    return [_as_read(field) for field in corrections.fields]


def _as_read(field: CorrectedField) -> tuple[object, ...]:
    return (field.index, field.width, field.height, [(c.cell, c.box, c.label, c.stage) for c in field.cells])
