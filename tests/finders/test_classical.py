"""The classical finder on drawn fields: what it must find, part, set aside and survive."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from convert.measure.matching import assign
from edge.finders.classical import MARGIN, ClassicalFinder
from edge.finders.kinds import KINDS
from edge.types import CELL, Cells, UInt8Array
from tests.finders.drawing import NUCLEUS, PARASITE, add_cell, field_of, ground, spread

R = 20.0


def cell_boxes(cells: Cells) -> np.ndarray:
    return np.asarray(cells.boxes[cells.kind == 0])


def true_boxes(centres: list[tuple[float, float]], radius: float = R) -> np.ndarray:
    side = 2 * radius * MARGIN
    return np.array([[x - side / 2, y - side / 2, side, side] for x, y in centres]).round().astype(np.int32)


def lost_and_spurious(field: UInt8Array, centres: list[tuple[float, float]], radius: float = R) -> tuple[int, int]:
    found, truth = cell_boxes(ClassicalFinder().find(field)), true_boxes(centres, radius)
    match = assign(found, truth, (field.shape[0], field.shape[1]), least=0.6).match(np.zeros(len(truth), bool))
    return match.lost, match.spurious


@pytest.mark.parametrize("radius", [9, 14, 20, 33, 50])
def test_every_cell_that_stands_alone_is_found_once_whatever_its_size(radius: float) -> None:
    centres = spread(25, radius)
    assert lost_and_spurious(field_of(centres, radius), centres, radius) == (0, 0)


def test_boxes_carry_the_documented_margin() -> None:
    cells = ClassicalFinder().find(field_of(spread(30, R), R))
    assert np.median(cells.boxes[:, 2:]) == pytest.approx(2 * R * MARGIN, rel=0.08)


def test_cells_that_touch_are_parted() -> None:
    centres = [(x + dx, float(y)) for y in range(60, 440, 90) for x in range(70, 560, 140) for dx in (0.0, 2 * R)]
    assert lost_and_spurious(field_of(centres, R), centres) == (0, 0)


@pytest.mark.parametrize("apart", [1.2, 1.5, 1.8])
def test_cells_that_overlap_are_parted(apart: float) -> None:
    centres = [(x + dx, float(y)) for y in range(60, 440, 90) for x in range(70, 560, 140) for dx in (0.0, apart * R)]
    assert lost_and_spurious(field_of(centres, R), centres) == (0, 0)


def test_a_dense_clump_is_counted_to_a_few_per_cent() -> None:
    centres = [(x + 17 * (row % 2), y) for row, y in enumerate(range(50, 430, 32)) for x in range(50, 580, 36)]
    lost, spurious = lost_and_spurious(field_of(centres, R), [(float(x), float(y)) for x, y in centres])
    assert lost <= 0.05 * len(centres)
    assert spurious <= 0.05 * len(centres)


def test_pale_middles_do_not_part_a_cell() -> None:
    centres = spread(30, R)
    field = field_of(centres, R)
    for x, y in centres:
        cv2.circle(field, (round(x), round(y)), 9, (208, 222, 203), -1, cv2.LINE_AA)
    assert lost_and_spurious(field, centres) == (0, 0)


def test_a_cell_cut_by_the_border_keeps_its_size_and_overruns_it() -> None:
    field = field_of([*spread(20, R, seed=3), (4.0, 240.0)], R)
    boxes = cell_boxes(ClassicalFinder().find(field))
    cut = boxes[(boxes[:, 0] < 0) & (abs(boxes[:, 1] + boxes[:, 3] / 2 - 240) < 8)]
    assert len(cut) == 1
    assert cut[0, 0] + cut[0, 2] > 4 + 0.7 * R


def test_an_infected_cell_is_kept_and_stays_a_cell() -> None:
    centres = spread(30, R)
    field = field_of(centres, R)
    rng = np.random.default_rng(4)
    for x, y in centres[:10]:
        dx, dy = rng.uniform(-8, 8, 2)
        cv2.circle(field, (round(x + dx), round(y + dy)), 5, PARASITE, -1, cv2.LINE_AA)
    assert lost_and_spurious(field, centres) == (0, 0)


def test_a_cell_filled_by_the_parasite_is_kept() -> None:
    centres = spread(30, R)
    field = field_of(centres[3:], R)
    for x, y in centres[:3]:
        add_cell(field, x, y, R, (160, 70, 130))
    assert lost_and_spurious(field, centres) == (0, 0)


def test_a_white_cell_is_set_aside_and_its_neighbours_are_kept() -> None:
    centres = [(x, y) for x, y in spread(40, R) if np.hypot(x - 320, y - 240) > 4 * R]
    field = field_of(centres, R)
    add_cell(field, 320, 240, 1.7 * R, (205, 200, 200))
    add_cell(field, 320, 240, 1.25 * R, NUCLEUS)
    cells = ClassicalFinder().find(field)
    white = cells.boxes[cells.kind == KINDS.index("not-white-cell")]
    assert len(white) == 1
    assert white[0, 0] < 320 < white[0, 0] + white[0, 2]
    assert lost_and_spurious(field, centres) == (0, 0)


def test_platelets_and_specks_are_no_cells() -> None:
    centres = spread(25, R)
    field = field_of(centres, R)
    free = [(x, y) for x, y in spread(60, R, seed=9) if all(np.hypot(x - a, y - b) > 1.7 * R for a, b in centres)]
    for x, y in free:
        add_cell(field, x, y, 6, NUCLEUS)
    assert free
    cells = ClassicalFinder().find(field)
    assert (cells.kind == KINDS.index("not-platelet")).sum() == len(free)
    assert lost_and_spurious(field, centres) == (0, 0)


def test_a_scale_bar_is_no_cell() -> None:
    centres = [(x, y) for x, y in spread(30, R) if y < 380]
    field = field_of(centres, R)
    cv2.line(field, (500, 430), (600, 430), (0, 0, 0), 3)
    cv2.putText(field, "50um", (510, 460), cv2.FONT_HERSHEY_SIMPLEX, 0.7, (0, 0, 0), 2)
    assert lost_and_spurious(field, centres) == (0, 0)


def test_uneven_light_and_a_coloured_lamp_change_nothing() -> None:
    centres = spread(30, R)
    y, x = np.mgrid[-1:1:480j, -1:1:640j]
    light = (1 - 0.35 * (x**2 + y**2) / 2)[..., None] * np.array([0.6, 0.8, 1.0])
    field = (field_of(centres, R) * light).astype(np.uint8)
    assert lost_and_spurious(field, centres) == (0, 0)


def test_a_grey_field_is_searched_too() -> None:
    centres = spread(30, R)
    grey = cv2.cvtColor(field_of(centres, R), cv2.COLOR_RGB2GRAY)
    assert lost_and_spurious(np.repeat(grey[..., None], 3, axis=2), centres) == (0, 0)


def test_cells_on_a_saturated_ground_are_found() -> None:
    centres = spread(30, R)
    field = np.clip(field_of(centres, R).astype(np.int32) + 60, 0, 255).astype(np.uint8)
    assert lost_and_spurious(field, centres) == (0, 0)


@pytest.mark.parametrize("value", [0, 128, 255])
def test_a_blank_field_holds_nothing(value: int) -> None:
    cells = ClassicalFinder().find(np.full((480, 640, 3), value, np.uint8))
    assert len(cells) == 0
    assert cells.boxes.shape == (0, 4)


@pytest.mark.parametrize("noise", [2, 10, 40])
def test_noise_holds_nothing(noise: float) -> None:
    assert len(ClassicalFinder().find(ground(noise=noise))) == 0


@pytest.mark.parametrize("shape", [(1, 1), (10, 10), (10, 640), (33, 17)])
def test_a_tiny_field_is_no_error(shape: tuple[int, int]) -> None:
    rng = np.random.default_rng(0)
    ClassicalFinder().find(rng.integers(0, 255, (*shape, 3), np.uint8))


def test_one_cell_alone_is_found() -> None:
    assert lost_and_spurious(field_of([(300.0, 200.0)], 30.0), [(300.0, 200.0)], 30.0) == (0, 0)


def test_the_record_is_what_the_next_room_expects() -> None:
    field = field_of(spread(30, R), R)
    cells = ClassicalFinder().find(field)
    assert cells.kinds == KINDS
    assert cells.kinds[0] == CELL
    assert all(kind.startswith("not-") for kind in cells.kinds[1:])
    assert cells.boxes.dtype == cells.kind.dtype == np.int32
    assert cells.confidence.dtype == np.float32
    assert len(cells.boxes) == len(cells.confidence) == len(cells.kind)
    assert cells.confidence.min() >= 0
    assert cells.confidence.max() <= 1
    assert (cells.boxes[:, 2:] > 0).all()


def test_the_same_field_gives_the_same_cells_and_stays_as_it_was() -> None:
    field = field_of(spread(30, R), R)
    before = field.copy()
    finder = ClassicalFinder()
    first, second = finder.find(field), finder.find(field)
    assert np.array_equal(first.boxes, second.boxes)
    assert np.array_equal(first.confidence, second.confidence)
    assert np.array_equal(field, before)
