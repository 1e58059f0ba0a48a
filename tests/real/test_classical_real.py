"""The classical finder and the cell-size estimate on real fields; floors lie a little below what was measured."""

from __future__ import annotations

import numpy as np
import pytest

from convert.measure.matching import match_boxes, match_points, summarise
from edge.finders.classical import ClassicalFinder
from edge.finders.scale import estimate_cell_px
from models.data.fields import data_dir, load_chula, load_iml

pytestmark = [
    pytest.mark.real,
    pytest.mark.skipif(not (data_dir() / "iml_fields").is_dir(), reason=f"no real images in {data_dir()}"),
]

BOX_PER_CELL = 1.2


def test_iml_fields_are_counted() -> None:
    finder = ClassicalFinder()
    matches = []
    for annotated in load_iml()[5::10]:
        rgb = annotated.read()
        cells = finder.find(rgb)
        matches.append(
            match_boxes(cells.boxes[cells.kind == 0], annotated.boxes, annotated.infected, (rgb.shape[0], rgb.shape[1]))
        )
    figures = summarise(matches)
    assert figures.fields == 24
    assert figures.f1 >= 0.91
    assert figures.infected_kept >= 0.9
    assert abs(figures.count_bias) <= 0.05
    assert figures.count_error <= 0.05


def test_another_scope_is_counted_with_the_same_settings() -> None:
    finder = ClassicalFinder()
    matches = []
    for pointed in load_chula()[1::3]:
        rgb = pointed.read()
        cells = finder.find(rgb)
        matches.append(match_points(cells.boxes[cells.kind == 0], pointed.points, (rgb.shape[0], rgb.shape[1])))
    assert summarise(matches).f1 >= 0.92


def test_the_cell_size_is_right_in_every_field() -> None:
    for annotated in load_iml()[5::10]:
        width = float(np.median(annotated.boxes[:, 2:])) / BOX_PER_CELL
        assert estimate_cell_px(annotated.read()) == pytest.approx(width, rel=0.15), annotated.path.name
