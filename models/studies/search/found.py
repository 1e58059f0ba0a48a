"""What was found out about the candidates, as the page and the plot take it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.records import Run
from convert.measure.bootstrap import figure_interval
from convert.measure.metrics import auc
from models.data.nih import infected
from models.judge.figures import Measurement
from models.studies.search.candidates import REFERENCE, Candidate
from models.studies.search.cost import Counts, Time
from models.studies.search.judge import Judged, scores_of
from models.studies.search.make import Plan
from models.train.finder import nih_rows


@dataclass(frozen=True, slots=True)
class Row:
    """A candidate with all that was found out about it.

    Attributes:
        candidate: which.
        size: of its file, bytes.
        judged: what that is worth.
        time: on this machine.
        instructions: per cell on the emulated core; None where they were not counted.
        gain: its AUC minus the reference's on the same NIH cells; None of the reference itself.
        easier: its AUC without the slide that all nets together are worst on.
        code: which code trained it, a digest.
    """

    candidate: Candidate
    size: int
    judged: Judged
    time: Time
    instructions: int | None
    gain: Measurement | None
    easier: float
    code: str

    @property
    def name(self) -> str:
        """The candidate's."""
        return self.candidate.name

    @property
    def auc(self) -> float:
        """On NIH cells."""
        return self.judged.nih["AUC"].value


@dataclass(frozen=True, slots=True)
class Hardest:
    """The slide that the nets are worst on: its name, its cells, and the share of them that is right, mean of all nets."""

    slide: str
    cells: int
    right: float


@dataclass(frozen=True, slots=True)
class Found:
    """All that the page is made of.

    Attributes:
        rows: the reference among them.
        plan: of all.
        seeds: the reference under other seeds.
        run: of the times.
        counts: of the instructions.
        hardest: slide of NIH.
        lacking: names of candidates that are not in the table.
    """

    rows: Sequence[Row]
    plan: Plan
    seeds: Sequence[Judged]
    run: Run
    counts: Counts
    hardest: Hardest
    lacking: Sequence[str]

    @property
    def reference(self) -> Row:
        """What the others are held against."""
        return self[REFERENCE]

    def __getitem__(self, name: str) -> Row:
        return next(row for row in self.rows if row.name == name)

    def has(self, name: str) -> bool:
        """Whether the table holds it."""
        return any(row.name == name for row in self.rows)

    @property
    def spread(self) -> float | None:
        """By how much the reference's AUC differs from seed to seed, largest minus smallest; None of one seed."""
        values = [self.reference.auc, *(one.nih["AUC"].value for one in self.seeds)]
        return max(values) - min(values) if len(values) > 1 else None


@dataclass(frozen=True, slots=True, eq=False)
class Scores:
    """All nets on the exam's NIH cells.

    Attributes:
        infected: published label, bool [n].
        slides: str [n].
        of: score of each net, float [n].
    """

    infected: np.ndarray
    slides: np.ndarray
    of: dict[str, np.ndarray]

    def gain(self, name: str, reference: str) -> Measurement:
        """AUC of one net minus that of another, the same resampled slides for both."""
        both = np.stack([self.of[name], self.of[reference]], axis=1)

        def difference(truth: np.ndarray, scores: np.ndarray) -> float:
            return auc(truth, scores[:, 0]) - auc(truth, scores[:, 1])

        low, high = figure_interval(difference, self.infected, both, self.slides)
        return Measurement(difference(self.infected, both), low, high, len(both))

    def hardest(self) -> Hardest:
        """The slide whose cells the nets, all taken together, get wrong most often."""
        right = np.mean([accurate(self.infected, one) for one in self.of.values()], axis=0)
        slides = {str(name): self.slides == name for name in np.unique(self.slides)}
        name = min(slides, key=lambda one: float(right[slides[one]].mean()))
        return Hardest(name, int(slides[name].sum()), float(right[slides[name]].mean()))

    def without(self, name: str, slide: str) -> float:
        """AUC of a net without a slide."""
        rows = self.slides != slide
        return auc(self.infected[rows], self.of[name][rows])


def accurate(truth: np.ndarray, scores: np.ndarray) -> np.ndarray:
    """Whether each cell is on its side of one half, float [n]."""
    return np.asarray((scores >= 0.5) == truth, float)


def read_scores(files: Mapping[str, Path], held_out: Sequence[str]) -> Scores:
    """What was kept when the files were judged; ``held_out``: the exam's slides."""
    rows = [row for row in nih_rows() if row["slide"] in held_out]
    slides = np.array([row["slide"] for row in rows])
    return Scores(
        infected(rows), slides, {name: np.load(scores_of(path)).astype(float) for name, path in files.items()}
    )


def frontier(rows: Sequence[Row]) -> list[Row]:
    """Rows that no other beats in both AUC and time, the fastest first."""
    best: list[Row] = []
    for row in sorted(rows, key=lambda one: (one.time.us, -one.auc)):
        if not best or row.auc > best[-1].auc:
            best.append(row)
    return best
