"""What fields look like: measured on drawn cells whose colours are known."""

from __future__ import annotations

import numpy as np
import pytest

from edge.appearance import BINS, Appearances, appearance_of
from edge.pixels import Pyramid
from edge.types import Cells, UInt8Array

PAPER = (220, 210, 200)


def drawn(cell: tuple[int, int, int], paper: tuple[int, int, int] = PAPER) -> tuple[UInt8Array, Cells]:
    rgb = np.full((240, 320, 3), paper, np.uint8)
    boxes = [(x, y, 24, 24) for y in range(10, 210, 50) for x in range(10, 290, 50)]
    for x, y, w, h in boxes:
        rgb[y : y + h, x : x + w] = cell
    n = len(boxes)
    return rgb, Cells(np.array(boxes, np.int32), np.full(n, 0.7, np.float32), np.zeros(n, np.int32), ("cell",))


def sample(*fields: tuple[UInt8Array, Cells]) -> dict[str, float]:
    total = Appearances()
    for rgb, cells in fields:
        total.add(appearance_of(Pyramid(rgb), cells), 0.5)
    return dict(total.sample().values)


@pytest.mark.parametrize(
    ("name", "cell", "measure", "low", "high"),
    [
        ("eosin takes away most in green", (190, 120, 150), "blue", -1.5, -0.3),
        ("haemoglobin without stain takes away most in blue", (215, 195, 140), "blue", 1.0, 2.5),
        ("a grey cell on tinted paper has no hue", (110, 105, 100), "colour", 0, 0.05),
        ("a stained cell has", (190, 120, 150), "colour", 0.3, 3),
        ("half the light is a density of log 2", (110, 105, 100), "density", 0.67, 0.71),
        ("cells are as wide as they are", (190, 120, 150), "size", 24, 24),
        ("the paper's light is the paper's", (190, 120, 150), "light", 211, 213),
        ("the finder's confidence is the cells'", (190, 120, 150), "confidence", 0.69, 0.73),
    ],
)
def test_measures_are_those_of_what_was_drawn(
    name: str, cell: tuple[int, int, int], measure: str, low: float, high: float
) -> None:
    assert low <= sample(drawn(cell))[measure] <= high, name


def test_a_field_without_cells_has_a_paper_and_no_stain() -> None:
    rgb, cells = drawn((190, 120, 150))
    none = Cells(cells.boxes[:0], cells.confidence[:0], cells.kind[:0], cells.kinds)
    assert set(sample((rgb, none))) == {"colour", "light", "warm", "cool", "sharpness"}


def test_a_pale_field_hardly_moves_the_stain_of_a_sample() -> None:
    strong = sample(drawn((190, 120, 150)))["blue"]
    assert sample(drawn((190, 120, 150)), drawn((219, 209, 198)))["blue"] == pytest.approx(strong, abs=0.1)


def test_the_bounds_of_the_median_confidence_narrow_with_cells() -> None:
    rng = np.random.default_rng(0)
    widths = []
    for n in (10, 1000):
        field = appearance_of(Pyramid(drawn((190, 120, 150))[0]), drawn((190, 120, 150))[1])
        total = Appearances()
        histogram = np.bincount((rng.uniform(0.3, 0.9, n) * BINS).astype(int), minlength=BINS).astype(np.int32)
        total.add(field._replace(cells=n, confidence=histogram), 0.5)
        low, high = total.sample().confidence or (0.0, 0.0)
        assert low < 0.6 < high
        widths.append(high - low)
    assert widths[1] < widths[0] / 2
