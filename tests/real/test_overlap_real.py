"""Real fields that overlap, and some that do not."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from benchmarks.overlap.fields import found, read
from edge.overlap import Register

DATA = Path(os.environ.get("EDGE_DATA") or Path(__file__).resolve().parents[3] / "shared" / "data")

pytestmark = [
    pytest.mark.real,
    pytest.mark.skipif(not (DATA / "iml_fields").is_dir(), reason=f"no real fields in {DATA}"),
]


@pytest.mark.parametrize(
    ("folder", "earlier", "field", "shift", "cells"),
    [
        ("iml_fields", "PA171908.JPG", "PA171909.JPG", (-455, -8), 69),
        ("iml_fields", "PA171832.JPG", "PA171833.JPG", (-4, 33), 122),  # nearly the same view
        ("chula_fields", "30.jpg", "31.jpg", (-344, -134), 30),
        ("bbbc_fields", "1a27ebe9-93a1-4898-af69-f276057d4012.jpg", "2b369d75-9c55-43e0-b352-d981aea544e3.jpg", (-467, 791), 16),
    ],
)  # fmt: skip
def test_fields_that_overlap(folder: str, earlier: str, field: str, shift: tuple[int, int], cells: int) -> None:
    register = Register()
    for i, name in enumerate((earlier, field)):
        placed, overlaps = register.place(found(read(DATA / folder / "images" / name), i, name))
    (overlap,) = overlaps
    assert max(abs(a - b) for a, b in zip(overlap.shift, shift, strict=True)) <= 4
    assert overlap.cells == pytest.approx(cells, abs=4)
    assert (placed.cells.kind == placed.cells.kinds.index("not-new")).sum() >= overlap.cells


def test_fields_of_other_places_do_not_overlap() -> None:
    register = Register()
    for i, path in enumerate(sorted((DATA / "chula_fields" / "images").iterdir())[:25]):
        before = found(read(path), i, path.name)
        placed, overlaps = register.place(before)
        assert overlaps == ()
        assert (placed.classes == before.classes).all()
