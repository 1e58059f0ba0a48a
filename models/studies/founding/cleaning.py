"""Labels that look wrong: two nets, each trained on half of the cells, judge the other half."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from edge.safe_file import whole_path
from models.studies.founding.course import Course, LearntCells, Say, compile_net
from models.studies.founding.nets import build
from models.studies.founding.rows import FoundingRow

DOUBT = 0.15
"""Probability of a cell's own class below which its label is doubtful."""


def doubtful(cells: LearntCells, row: FoundingRow, place: Path, say: Say) -> np.ndarray:
    """Which cells' label is contradicted by a net that was trained on the other half of them: bool [n]; kept beside ``place``.

    A random half may hold other cells of the same slide: this finds labels that are wrong for one cell.
    """
    kept = place.with_name(f"{place.name}.doubtful.npy")
    if kept.exists():
        return np.asarray(np.load(kept))
    half = np.arange(len(cells.fed)) % 2  # they are in random order
    found = np.zeros(len(half), bool)
    for number in (0, 1):
        learnt, others = half == number, np.flatnonzero(half != number)
        net = build(row.net, row.side, 3, cells.wanted.shape[1])
        compile_net(net, row, int(learnt.sum()))
        own = LearntCells(cells.fed[learnt], cells.wanted[learnt], cells.weights[learnt], turned=cells.turned)
        Course(net, own, row, place.with_name(f"{place.name}.half{number}"), say).fit(row.epochs)
        fed, wanted, _ = cells.take(others)
        own_class = np.abs(1 - wanted - net.predict(fed, batch_size=256, verbose=0))
        found[others] = own_class.min(axis=1) < DOUBT
    say(f"{int(found.sum())} of {len(found)} labels are doubtful: these cells are left out")
    with whole_path(kept) as part:
        np.save(part, found)
    return found
