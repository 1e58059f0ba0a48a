"""A small set of NIH cells, for the tests of the founding nets."""

from __future__ import annotations

import csv
from pathlib import Path

import cv2
import numpy as np
import pytest

from tests.convert import cell_folders


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A small folder of NIH cells of ten slides, and a place to work in; gives the latter."""
    place = tmp_path / "data" / "nih_cells"
    rng = np.random.default_rng(5)
    rows = []
    for number in range(40):
        kind = ("Parasitized", "Uninfected")[number % 2]
        name = f"{kind}/C{number // 4}P_cell_{number}.png"
        (place / kind).mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(place / name), cell_folders.draw(rng, dotted=number % 2 == 0))
        second = {0: "uninfected", 1: "uninfected", 22: "parasitized"}.get(number, "")
        rows.append({"file": name, "label": kind.lower(), "slide": f"C{number // 4}", "second_label": second})
    with (place / "cells.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, ("file", "label", "slide", "second_label"))
        writer.writeheader()
        writer.writerows(rows)
    monkeypatch.setenv("EDGE_DATA", str(tmp_path / "data"))
    return tmp_path / "work"
