"""A cell beside the typical cell of its field: what drops out (lamp, stain, few infected cells) and what stays."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import numpy as np
import pytest

from edge.typical import CELL_STEPS, COMPARED, PAPER_BYTE, TypicalCells, beside_typical, typical_cell

SIDE = 32
MIDDLE = np.s_[12:20, 12:20]
CORNERS = np.s_[[0, 0, -1, -1], [0, -1, 0, -1]]
RNG = np.random.default_rng
Three = tuple[float, float, float]


@dataclass(frozen=True, slots=True)
class Look:
    """How a microscope shows a healthy cell.

    Attributes:
        paper: density of the bare slide, per channel.
        cell: density of a healthy cell over it.
        infected: how many times as dense an infected cell is.
    """

    paper: Three = (0.10, 0.10, 0.10)
    cell: Three = (0.20, 0.60, 0.35)
    infected: float = 2.0


USUAL = Look()


def cells(
    count: int, look: Look = USUAL, *, infected: float = 0.0, radius: float = 12, spread: float = 0.03
) -> np.ndarray:
    """Crops uint8 [n, 32, 32, 3] of round cells, that share of them infected; one count gives the same cells in any look."""
    rng = RNG(count)
    sick = rng.permutation(count) < round(infected * count)
    depth = rng.normal(1, spread, (count, 1, 1)) * np.where(sick, look.infected, 1)[:, None, None]
    rows, columns = np.mgrid[:SIDE, :SIDE] - (SIDE - 1) / 2
    shape = np.clip(radius - np.hypot(rows, columns), 0, 1) * depth + rng.normal(0, 0.01, (count, SIDE, SIDE))
    density = np.array(look.paper) + shape[..., None] * np.array(look.cell)
    return np.asarray(np.rint(255 * np.exp(-density)).clip(0, 255), np.uint8)


def seen(crops: np.ndarray) -> np.ndarray:
    return beside_typical(crops, typical_cell(crops)).astype(int)


def apart(one: np.ndarray, other: np.ndarray) -> int:
    """Largest difference of bytes."""
    return int(np.abs(one.astype(int) - other).max())


LOOKS = {  # the microscope, and how far its bytes may lie from those of the usual one: on average, and at most
    "a dimmer lamp": (Look(paper=(0.5, 0.5, 0.5)), 0.5, 3),
    "a yellow lamp: chromatic paper": (Look(paper=(0.02, 0.12, 0.6)), 0.5, 3),
    "a blue lamp": (Look(paper=(0.6, 0.2, 0.02)), 0.5, 3),
    # What stays of the stain: a faint channel is deliberately not stretched to the full span.
    "a stain twice as dense": (Look(cell=(0.4, 1.2, 0.7)), 2.5, 16),
    "a stain of two thirds": (Look(cell=(0.133, 0.4, 0.233)), 2.5, 16),
    "a stain that is denser in one channel": (Look(cell=(0.2, 0.6, 0.7)), 1.0, 11),
    "a dark yellow lamp and a dense stain": (Look((0.3, 0.4, 0.7), (0.3, 0.9, 0.5)), 2.0, 11),
}


@pytest.mark.parametrize("name", LOOKS)
def test_another_lamp_and_another_stain_drop_out(name: str) -> None:
    look, mean, most = LOOKS[name]
    usual, other = (cells(40, one, infected=0.2) for one in (USUAL, look))
    assert np.abs(seen(usual) - seen(other)).mean() <= mean
    assert apart(seen(usual), seen(other)) <= most
    assert apart(usual, other) > 2 * most  # as pictures they are far apart


@pytest.mark.parametrize("name", LOOKS)
def test_paper_and_the_middle_of_a_typical_cell_become_two_given_bytes(name: str) -> None:
    look = LOOKS[name][0]
    got = seen(cells(40, look))
    assert np.abs(got[:, *CORNERS].mean(axis=(0, 1)) - PAPER_BYTE).max() <= 1
    strong = np.array(look.cell) / (np.array(look.cell) + 0.08)  # of a channel without stain this would be 0
    middle = PAPER_BYTE + CELL_STEPS * np.tile(strong, 2)
    assert np.abs(got[:, *MIDDLE].mean(axis=(0, 1, 2)) - middle).max() <= 1.5


def test_an_infected_cell_stays_as_much_darker_than_its_neighbours_as_it_is() -> None:
    crops = cells(40, infected=0.2)
    middles = seen(crops)[:, *MIDDLE, :3].mean(axis=(1, 2)) - PAPER_BYTE
    sick = crops[:, 16, 16, 1] < 100
    assert sick.sum() == 8
    assert middles[sick].mean(axis=0) / middles[~sick].mean(axis=0) == pytest.approx([2, 2, 2], abs=0.06)


def test_three_further_channels_show_the_typical_cell_beside_each() -> None:
    crops = cells(40, infected=0.2)
    typical = typical_cell(crops)
    got = beside_typical(crops, typical)
    assert (got[..., 3:] == got[0, ..., 3:]).all()
    assert (got[0, ..., 3:] == beside_typical(typical.cells, typical)[0, ..., :3]).all()


INFECTED = {  # cells, share of them that is twice as dense as a healthy one all over
    "1 of 3": (3, 1 / 3),
    "3 of 10": (10, 0.3),
    "8 of 26": (26, 0.3),
    "8 of 27": (27, 0.3),
    "24 of 80": (80, 0.3),
    "24 of 81": (81, 0.3),
    "60 of 200": (200, 0.3),
    "9 of 20": (20, 0.45),
    "12 of 27": (27, 0.45),
    "36 of 80": (80, 0.45),
    "36 of 81": (81, 0.45),
    "90 of 200": (200, 0.45),
}


@pytest.mark.parametrize("name", INFECTED)
def test_infected_cells_do_not_move_the_typical_cell(name: str) -> None:
    count, share = INFECTED[name]
    rng = RNG(1)
    healthy, mixed = typical_cell(cells(count)), cells(count, infected=share)
    for _ in range(20):  # wherever they lie among the others
        found = typical_cell(mixed[rng.permutation(count)])
        assert np.abs(found.cells.astype(int) - healthy.cells).mean() <= 1.5
        assert apart(found.cells, healthy.cells) <= 8  # an infected cell is 50 darker
        assert apart(found.papers, healthy.papers) <= 1


@pytest.mark.parametrize("count", [26, 27, 80, 81, 200])
def test_the_typical_cell_is_the_median_of_its_pixels_however_many_there_are(count: int) -> None:
    crops = cells(count)
    exact = np.median(crops, axis=0)
    assert np.abs(typical_cell(crops).cells[0] - exact).mean() < 1.2
    assert apart(typical_cell(crops).cells[0], exact) <= 5


@pytest.mark.parametrize("count", [9, 27, 81, 200])
def test_the_order_of_crops_does_not_matter(count: int) -> None:
    crops = cells(count, infected=0.3)
    one, other = typical_cell(crops), typical_cell(crops[::-1])
    assert apart(one.cells, other.cells) <= 2  # cells of the same lightness may change places
    assert (one.papers == other.papers).all()


def test_a_cell_alone_is_its_own_typical_cell() -> None:
    crops = cells(1)
    found = typical_cell(crops)
    assert (found.cells == crops).all()
    assert np.abs(255 * np.exp(-np.array(USUAL.paper)) - found.papers[0]).max() <= 2


@pytest.mark.parametrize("first", [0, 1])
def test_of_two_cells_the_lighter_one_is_taken_to_be_healthy(first: int) -> None:
    pair = np.concatenate([cells(1), cells(1, Look(cell=(0.4, 1.2, 0.7)))])
    assert (typical_cell(pair[[first, 1 - first]]).cells == cells(1)).all()


# What is drawn into each of 40 crops of cells that fill them, and the paper that is found.
PAPERS: dict[str, tuple[list[tuple[slice, ...]], int]] = {
    "none between the cells: the lightest of the cells stands for it": ([], 128),
    "a corner of an eighth of the crop": ([np.s_[:, :12, :12]], 230),
    "that corner in just over half of the crops": ([np.s_[:21, :12, :12]], 230),
    "that corner in a third of the crops: too few": ([np.s_[:13, :12, :12]], 128),
}


@pytest.mark.parametrize("name", PAPERS)
def test_in_a_dense_field_half_of_the_crops_must_show_a_little_paper(name: str) -> None:
    places, expected = PAPERS[name]
    crops = cells(40, radius=40)
    for place in places:
        crops[place] = 230
    assert int(typical_cell(crops).papers[0, 1]) == pytest.approx(expected, abs=8)


def test_glints_are_no_paper() -> None:
    plain, glinting = cells(40), cells(40)
    glinting[:, 4:12, 8:16] = 255  # 4 of 64 blocks
    assert apart(typical_cell(plain).papers, typical_cell(glinting).papers) <= 1
    glinting[:, 4:16, 8:16] = 255  # 6 of them are more than glints
    assert (typical_cell(glinting).papers == 255).all()


def test_a_channel_without_stain_stays_quiet() -> None:
    got = seen(cells(40, Look(cell=(0.0, 0.6, 0.35))))
    assert np.abs(got[..., 0] - PAPER_BYTE).max() <= 12
    assert np.abs(got[..., 0] - PAPER_BYTE).mean() <= 3


@pytest.mark.parametrize("value", [0, 2, 255])
def test_flat_fields_of_one_value_are_all_paper(value: int) -> None:
    assert (seen(np.full((5, SIDE, SIDE, 3), value, np.uint8)) == PAPER_BYTE).all()


def test_no_cells_give_an_empty_batch_of_six_channels() -> None:
    none = beside_typical(np.empty((0, SIDE, SIDE, 3), np.uint8), typical_cell(cells(1)))
    assert none.shape == (0, SIDE, SIDE, COMPARED)
    assert none.dtype == np.uint8


def test_cells_of_several_fields_are_compared_as_those_of_each_alone() -> None:
    looks = (USUAL, Look(paper=(0.5, 0.2, 0.1)), Look(cell=(0.4, 0.9, 0.2)))
    parts = [cells(10 + number, look) for number, look in enumerate(looks)]
    each = [typical_cell(part) for part in parts]
    together = TypicalCells(*(np.concatenate([getattr(one, name) for one in each]) for name in ("papers", "cells")))
    of = np.repeat(np.arange(3, dtype=np.int32), [len(part) for part in parts])
    order = RNG(3).permutation(len(of))
    got = beside_typical(np.concatenate(parts)[order], together, of[order])
    alone = np.concatenate([beside_typical(part, one) for part, one in zip(parts, each, strict=True)])
    assert (got == alone[order]).all()
    last = together.take(np.array([2]))
    assert len(last) == 1
    assert (beside_typical(parts[2], last) == alone[of == 2]).all()


@pytest.mark.parametrize(("side", "paper"), [(8, 208), (9, 208), (16, 230), (30, 230), (32, 230), (224, 230)])
def test_crops_of_any_size_have_a_typical_cell(side: int, paper: int) -> None:
    crops = np.full((5, side, side, 3), 230, np.uint8)
    edge = side // 4
    crops[:, edge : side - edge, edge : side - edge] = 140
    found = typical_cell(crops)
    assert (found.cells == crops[:1]).all()
    assert (found.papers == paper).all()  # of tiny crops no block is paper alone


def test_the_bytes_are_the_same_on_every_processor() -> None:
    pixels = (np.arange(90 * SIDE * SIDE * 3, dtype=np.uint64) * 2654435761 >> 13) % 251  # by whole numbers only
    crops = pixels.astype(np.uint8).reshape(90, SIDE, SIDE, 3)
    crops[:, 8:24, 8:24] //= 2
    typical = typical_cell(crops)
    digest = hashlib.sha256(
        typical.papers.tobytes() + typical.cells.tobytes() + beside_typical(crops, typical).tobytes()
    )
    assert digest.hexdigest()[:16] == "db3593e1f649cf69"
