"""Which slides teach in a draw, what is shown of them to a simulated reader, and what that one answers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from edge.near import lowest
from models.adapt.reviewed_net import Lessons, as_negatives
from models.data.cells import LabelledCells
from models.studies.review_learning.scopes import ScopeCells
from models.studies.streams import StudyStream

BLANKS = 5
"""Blank slides that teach."""

ANSWERS = 100
"""Cells that are answered."""

REVIEWED = 4
"""Slides that they are of."""

READER = (0.95, 0.95)
"""Sensitivity and specificity of a reader who errs."""

_JUDGED = 3000
"""Infected cells, cells of blanks and other cells that judge, each at most: drawn by chance where there are more."""

_TOP, _NEAR = 0.6, 0.2  # of a slide's answers, at most: suspects, highest first; near misses; the rest by chance


@dataclass(frozen=True, slots=True, eq=False)
class Draw:
    """What teaches and what judges.

    Attributes:
        number: of the draw.
        blanks: int64 [m], cells of the blanks that teach.
        answered: int64 [k], cells that are answered.
        judged: bool [n], cells of slides that are left out whole.
    """

    number: int
    blanks: np.ndarray
    answered: np.ndarray
    judged: np.ndarray


def drawn(seen: ScopeCells, threshold: float, number: int) -> Draw:
    """A draw of a microscope: slides that teach are any, or, where more than a slide is left out as a whole, of one half of that."""
    rng = np.random.default_rng([number, StudyStream.REVIEWED_SLIDES])
    parts = np.unique(seen.apart)
    whole = len(parts) == len(np.unique(seen.slides))
    teaching = np.isin(seen.apart, parts if whole else parts[number % 2 :: 2])
    blank = np.unique(seen.slides[seen.blank & teaching])
    others = np.unique(seen.slides[teaching & ~seen.blank])
    chosen = rng.permutation(blank)[:BLANKS]
    left = others if len(others) else np.setdiff1d(blank, chosen)  # where nothing is infected, blanks are reviewed
    reviewed = rng.permutation(left)[:REVIEWED]
    rows = [_shown(np.flatnonzero(seen.slides == slide), seen, threshold, rng) for slide in reviewed]
    judged = ~np.isin(seen.slides, [*chosen, *reviewed]) if whole else ~teaching
    for side in (seen.positive, seen.blank, ~seen.positive & ~seen.blank):
        many = np.flatnonzero(judged & side)
        judged[rng.permutation(many)[_JUDGED:]] = False
    return Draw(number, np.flatnonzero(np.isin(seen.slides, chosen)), np.concatenate(rows), judged)


def _shown(cells: np.ndarray, seen: ScopeCells, threshold: float, rng: np.random.Generator) -> np.ndarray:
    """A slide's cells in the order of a review: suspects from the highest, near misses and others by chance."""
    each = ANSWERS // REVIEWED
    scores = seen.suspicion[cells]
    order = cells[np.argsort(-scores, kind="stable")]
    ranked = seen.suspicion[order]
    top = order[ranked >= threshold][: round(_TOP * each)]
    near = rng.permutation(order[(ranked < threshold) & (ranked >= lowest(threshold))])
    near = near[: round((_TOP + _NEAR) * each) - len(top)]
    rest = rng.permutation(np.setdiff1d(cells, np.concatenate([top, near])))
    return np.concatenate([top, near, rest[: each - len(top) - len(near)]])


def lessons_of(seen: ScopeCells, draw: Draw, kinds: Sequence[str], *, errs: bool) -> Lessons:
    """What teaches: ``blanks``, ``answers`` or both; ``errs``: the reader does."""
    blanks = as_negatives(seen.cells.take(draw.blanks)) if "blanks" in kinds else None
    answers = _answered(seen.cells.take(draw.answered), draw.number, errs=errs) if "answers" in kinds else None
    suspicion = seen.suspicion[draw.blanks] if blanks is not None else np.zeros(0, np.float32)
    return Lessons(answers, blanks, suspicion)


def _answered(cells: LabelledCells, number: int, *, errs: bool) -> LabelledCells:
    """Cells with a reader's answers: what is learned of them, which is the second opinion where there is one."""
    said = cells.taught.copy()
    if errs:
        rng = np.random.default_rng([number, StudyStream.READER_ERRORS])
        right = np.where(said == 1, READER[0], READER[1])
        wrong = rng.random(len(said)) >= right
        said = np.where(wrong, 1 - said, said).astype(np.int32)
    return replace(cells, truth=said, lessons=None)
