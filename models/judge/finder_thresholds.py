"""Which thresholds of a finder are the best on some fields, and which score lets a share of the uninfected cells through."""

from __future__ import annotations

import itertools
from dataclasses import replace
from pathlib import Path

import numpy as np

from convert.measure.matching import Match, match_boxes, summarise
from edge.finders.learned import LearnedFinder
from edge.modelfile import read_model, write_model
from models.data.fields import ImlField

CELL_GRID = (0.3, 0.34, 0.38, 0.42, 0.46, 0.5)
"""Thresholds of healthy cells that are tried."""

SUSPECT_GRID = (0.25, 0.3, 0.35, 0.4, 0.5)
"""Thresholds of infected cells that are tried."""

OTHERS = (0.25, 0.4, 0.5)
"""Thresholds of white cells, platelets and other things: there is no truth to choose them by; set by looking at fields."""

KEEP = 0.985
"""Infected cells a finder shall keep: what it loses, no classifier sees."""

Grid = dict[tuple[float, float], list[Match]]


def finder_grid(finder: LearnedFinder, fields: list[ImlField]) -> Grid:
    """Scores of every pair of thresholds on these fields."""
    grid: Grid = {pair: [] for pair in itertools.product(CELL_GRID, SUSPECT_GRID)}
    for entry in fields:
        rgb = entry.read()
        for pair, matches in grid.items():
            finder.set_thresholds((*pair, *finder.spec.thresholds[2:]))
            cells = finder.find(rgb)
            boxes = cells.boxes[cells.kind == 0]
            matches.append(match_boxes(boxes, entry.boxes, entry.infected, rgb.shape[:2]))
    return grid


def best(grids: list[Grid]) -> tuple[float, float]:
    """The pair with the best F1 among those that keep infected cells; a count bias weighs a little.

    It weighs little because annotators left out many cells: a finder that is right has a bias here.
    """

    def worth(pair: tuple[float, float]) -> float:
        summary = summarise([m for grid in grids for m in grid[pair]])
        loss = max(KEEP - float(np.nan_to_num(summary.infected_kept, nan=1.0)), 0)
        return summary.f1 - 2 * loss - 0.1 * abs(summary.count_bias)

    return max(grids[0], key=worth)


def rewrite(path: Path, pair: tuple[float, float], origin: str) -> None:
    """Write other thresholds into a finder's card."""
    model = read_model(path)
    if model.card is None or model.card.finder is None:
        raise ValueError(f"{path}: not a finder")
    spec = replace(model.card.finder, thresholds=(*pair, *model.card.finder.thresholds[2:]))
    write_model(path, model.flatbuffer, replace(model.card, finder=spec, threshold_origin=origin))


def at_false_positives(scores: np.ndarray, infected: np.ndarray, rate: float) -> float:
    """The lowest score threshold at which at most ``rate`` of the uninfected cells (n) score that or more."""
    negatives = np.sort(scores[~infected])
    allowed = int(rate * len(negatives))
    return float(np.nextafter(negatives[len(negatives) - 1 - allowed], 2))
