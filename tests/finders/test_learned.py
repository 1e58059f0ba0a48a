"""The learned finder from the shelf: on virtual slides whose every cell is known, and on what holds no cells."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import cv2
import numpy as np
import pytest

from convert.measure.matching import FinderSummary, match_boxes, summarise
from edge import shelf
from edge.errors import ModelError
from edge.finders.learned import GUESS_PX, WHITE, LearnedFinder, decode_boxes, prepare, whiten, within
from edge.modelfile import Card, FinderSpec
from edge.pixels import pyramid
from edge.types import Cells, FloatArray
from edge.virtual_slide import SlideSpec, render_field
from models.report.virtual_slides import grown

if not shelf.has(shelf.FINDER):
    pytest.skip("the shelf holds no finder yet", allow_module_level=True)
MODEL = shelf.load(shelf.FINDER)


def f32(values: list[Any]) -> FloatArray:
    return np.array(values, np.float32)


@pytest.fixture(scope="module")
def finder() -> LearnedFinder:
    return LearnedFinder(MODEL)


def score(finder: LearnedFinder, spec: SlideSpec, fields: int = 4) -> FinderSummary:
    matches = []
    for index in range(fields):
        rgb, truth = render_field(spec, index)
        red = np.array([t not in {"white cell", "platelet", "speck"} for t in truth.types], bool)
        cells = finder.find(rgb)
        infected = np.array([t != "red blood cell" for t in truth.types], bool)[red]
        matches.append(
            match_boxes(cells.boxes[cells.kind == 0], grown(truth.boxes[red]), infected, (spec.height, spec.width))
        )
    return summarise(matches)


SLIDE = SlideSpec(seed=77, bad_fields=0.0, parasitaemia=0.1)


def test_it_finds_the_cells_of_a_slide_it_has_not_seen(finder: LearnedFinder) -> None:
    summary = score(finder, SLIDE)
    assert summary.f1 > 0.92
    assert summary.infected_kept > 0.9


@pytest.mark.parametrize(
    ("width", "height", "cell_px", "cells"),
    [(640, 480, 36.0, 90), (1280, 960, 40.0, 250), (2028, 1520, 120.0, 90), (4056, 3040, 110.0, 600)],
)
def test_it_needs_no_options_for_other_cameras(
    finder: LearnedFinder, width: int, height: int, cell_px: float, cells: int
) -> None:
    spec = replace(SLIDE, width=width, height=height, cell_px=cell_px, cells_per_field=cells)
    assert score(finder, spec, 1).f1 > 0.9


@pytest.mark.parametrize("shade", [0, 128, 255])
def test_an_even_field_holds_no_cells(finder: LearnedFinder, shade: int) -> None:
    assert len(finder.find(np.full((480, 640, 3), shade, np.uint8))) == 0


def test_a_tiny_field_is_no_trouble(finder: LearnedFinder) -> None:
    assert len(finder.find(np.full((9, 7, 3), 200, np.uint8))) == 0


def test_the_same_field_gives_the_same_cells_whatever_came_before(finder: LearnedFinder) -> None:
    rgb, _ = render_field(SLIDE, 0)
    first = finder.find(rgb)
    finder.find(render_field(replace(SLIDE, width=900, height=700), 1)[0])
    again = finder.find(rgb)
    assert (first.boxes == again.boxes).all()
    assert (first.confidence == again.confidence).all()


def test_cells_are_named_first_and_what_is_set_aside_after(finder: LearnedFinder) -> None:
    assert finder.kinds[0] == "cell"
    assert all(kind.startswith("not-") for kind in finder.kinds[1:])
    assert "suspect" not in finder.kinds


def test_no_cell_is_found_twice(finder: LearnedFinder) -> None:
    from edge.boxes import iou

    overlap = iou(*[finder.find(render_field(SLIDE, 2)[0]).boxes] * 2)
    np.fill_diagonal(overlap, 0)
    assert overlap.max() <= finder.spec.overlap


def test_the_background_is_brought_to_white_under_any_lamp() -> None:
    rgb, _ = render_field(SLIDE, 0)
    for lamp in ([1.0, 1.0, 1.0], [0.9, 0.7, 0.5]):
        white = whiten(np.asarray(rgb * np.array(lamp), np.uint8))
        assert np.abs(np.percentile(white.reshape(-1, 3), 92, axis=0) - WHITE).max() <= 4


def test_the_nets_input_is_padded_to_whole_steps() -> None:
    assert prepare(np.full((481, 641, 3), 99, np.uint8), 0.5).shape == (240, 320, 3)
    assert prepare(np.full((490, 650, 3), 99, np.uint8), 0.5).shape == (248, 328, 3)


def test_a_box_is_read_from_its_place_in_the_grid() -> None:
    spec = FinderSpec(cell_px=20, stride=4)
    reg = f32([[0.25, -0.25, 1.0, 1.5]])
    box = decode_boxes(reg, np.array([10]), np.array([5]), spec, 0.25)
    assert box.tolist() == [[52, 104, 80, 120]]


def test_a_classifier_is_refused_as_a_finder() -> None:
    with pytest.raises(ModelError, match="not a finder"):
        LearnedFinder(replace(MODEL, card=Card("x", "classify", ("a", "b"))))


def test_a_card_with_other_kinds_than_the_net_is_refused() -> None:
    assert MODEL.card is not None
    wrong = replace(MODEL.card, finder=FinderSpec(("cell", "not-dust"), (0.4, 0.4)))
    with pytest.raises(ModelError, match="do not match its card"):
        LearnedFinder(replace(MODEL, card=wrong))


def test_a_turned_field_holds_as_many_cells(finder: LearnedFinder) -> None:
    rgb, _ = render_field(SLIDE, 3)
    upright, turned = finder.find(rgb), finder.find(np.asarray(cv2.rotate(rgb, cv2.ROTATE_90_CLOCKWISE), np.uint8))
    assert abs(len(upright) - len(turned)) <= 0.05 * len(upright)


def test_a_heat_of_one_kind_is_read_as_one_of_many() -> None:
    finder = LearnedFinder(MODEL)
    finder.kinds, finder._kind_of = ("cell",), np.zeros(1, np.int32)
    finder.set_thresholds((0.4,))
    heat, reg = np.zeros((6, 8, 1), np.float32), np.ones((6, 8, 4), np.float32)
    heat[2, 3, 0] = 0.9
    assert finder._decode(heat, reg, 1.0).confidence.tolist() == pytest.approx([0.9])


@pytest.mark.parametrize(("cell_px", "kept"), [(24.0, True), (4.0, False)])
def test_the_interpreter_of_second_looks_stays_unless_it_is_large(
    monkeypatch: pytest.MonkeyPatch, cell_px: float, kept: bool
) -> None:
    monkeypatch.setattr("edge.finders.learned.estimate_cell_px", lambda _image: cell_px)
    mine = LearnedFinder(shelf.load(shelf.FINDER))
    mine.find(np.random.default_rng(0).integers(0, 255, (480, 640, 3), dtype=np.uint8))
    assert ("nearer" in vars(mine)) == kept


WITHIN = {
    "a lobe of its nucleus": ([60, 60, 40, 40], True),
    "a platelet on it": ([90, 80, 10, 10], True),
    "a red cell that touches it": ([140, 40, 50, 50], False),
    "a red cell at a corner of its box": ([25, 25, 50, 50], False),
    "itself": ([40, 40, 100, 100], False),
    "a clump that holds it": ([20, 20, 140, 140], False),
}


@pytest.mark.parametrize("name", WITHIN)
def test_what_lies_in_the_body_of_a_white_cell_is_part_of_it(name: str) -> None:
    box, part = WITHIN[name]
    body, sure = np.array([[40, 40, 100, 100]], np.int32), f32([0.6])
    assert within(np.array([box], np.int32), f32([0.5]), body, sure).tolist() == [part]
    assert not within(
        np.array([box], np.int32), f32([0.7]), body, sure
    ).any()  # a parasite that looks a little like one


def test_where_no_white_cell_is_everything_stays() -> None:
    nowhere = np.zeros((0, 4), np.int32)
    assert within(np.array([[1, 2, 3, 4]], np.int32), f32([0.5]), nowhere, f32([])).tolist() == [False]


def test_a_nucleus_with_lobes_is_one_white_cell_and_no_red_one() -> None:
    finder = LearnedFinder(MODEL)
    heat, reg = np.zeros((24, 24, len(finder.spec.kinds)), np.float32), np.ones((24, 24, 4), np.float32)
    heat[12, 12, finder.spec.kinds.index("not-white-cell")] = 0.9
    reg[12, 12, 2:] = 2.5
    for row, column in ((10, 11), (14, 13), (12, 15)):
        heat[row, column, :2] = 0.7
    heat[3, 3, 0] = 0.9
    cells = finder._decode(heat, reg, 1.0)
    assert sorted(finder.kinds[kind] for kind in cells.kind) == ["cell", "not-white-cell"]


def test_a_look_that_knows_a_white_cell_is_worth_more_than_one_that_takes_it_for_a_red_one(
    finder: LearnedFinder, monkeypatch: pytest.MonkeyPatch
) -> None:
    field = pyramid(np.random.default_rng(0).integers(0, 255, (240, 320, 3), dtype=np.uint8))

    def worth(boxes: list[list[int]], kind: list[int], sure: list[float], cell_px: int) -> float:
        cells = Cells(np.array(boxes, np.int32), f32(sure), np.array(kind, np.int32), finder.kinds)
        monkeypatch.setattr(finder, "_decode", lambda *_: cells)
        return finder._look(field, finder.spec.cell_px / cell_px, finder.net).worth

    red = [[0, 0, 60, 60], [80, 0, 60, 60], [160, 0, 60, 60], [0, 80, 60, 60]]
    white = finder.kinds.index("not-white-cell")
    right = worth([*red, [100, 100, 110, 110]], [0, 0, 0, 0, white], [0.55] * 5, 60)
    clumped = worth([[0, 0, 110, 110], [100, 100, 110, 110]], [0, 0], [0.45] * 2, 110)
    assert right > clumped
    assert worth(red, [0] * 4, [0.55] * 4, 60) < clumped


@pytest.mark.parametrize("across", [4, 8, 16, 40])
def test_the_scale_is_found_whatever_share_of_the_field_a_cell_takes(finder: LearnedFinder, across: int) -> None:
    """The first look suits fields of 16 cells across; of the others it is not sure and looks again."""
    cell_px = 800 / across / 1.2
    spec = replace(
        SLIDE, width=800, height=600, cell_px=cell_px, cells_per_field=0.35 * across**2 * 1.44 * 0.75, parasitaemia=0.0
    )
    rgb, truth = render_field(replace(spec, white_per_field=0.0), 1)
    cells = finder.find(rgb)
    red = np.array([kind == "red blood cell" for kind in truth.types])
    own, known = (np.median(boxes[:, 2:]) for boxes in (cells.boxes[cells.kind == 0], truth.boxes[red] * 1.2))
    assert own / known == pytest.approx(1, abs=0.15)
    assert 16 * finder.spec.cell_px == GUESS_PX
