"""The candidates' figures as page and plot take them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from convert.measure.bootstrap import figure_interval
from convert.measure.metrics import auc
from models.judge.figures import Measurement
from models.studies.search.candidates import REFERENCE, CandidateNet
from models.studies.search.cost import NetInstructions, NetTime, TimingRun
from models.studies.search.judge import AUC, CandidateFigures, scores_of
from models.studies.search.make import SearchPlan


@dataclass(frozen=True, slots=True)
class SearchRow:
    """A candidate with all its figures.

    Attributes:
        candidate: the net.
        size: of its file, bytes.
        figures: what the file is worth.
        time: on this machine.
        instructions: per cell on the emulated core; None where they were not counted.
        gain: its AUC minus the reference's on the same NIH cells; None of the reference itself.
        easier: its AUC without the slide that all nets together are worst on.
        code: digest of the code that trained it.
    """

    candidate: CandidateNet
    size: int
    figures: CandidateFigures
    time: NetTime
    instructions: int | None
    gain: Measurement | None
    easier: float
    code: str

    @property
    def name(self) -> str:
        """The candidate's name."""
        return self.candidate.name

    @property
    def auc(self) -> float:
        """AUC on NIH cells."""
        return self.figures.nih[AUC].value


@dataclass(frozen=True, slots=True)
class HardestSlide:
    """The slide that the nets are worst on: its name, its cells, and the share of them that is right, mean of all nets."""

    slide: str
    cells: int
    right: float


@dataclass(frozen=True, slots=True)
class SearchResult:
    """All that the page is made of.

    Attributes:
        rows: all candidates that are kept, the reference among them.
        plan: of all.
        seeds: the reference under other seeds.
        run: of the times.
        counts: of the instructions.
        hardest: slide of NIH.
        lacking: names of candidates that are not in the table.
    """

    rows: Sequence[SearchRow]
    plan: SearchPlan
    seeds: Sequence[CandidateFigures]
    run: TimingRun
    counts: NetInstructions
    hardest: HardestSlide
    lacking: Sequence[str]

    @property
    def reference(self) -> SearchRow:
        """The row that the others are compared with."""
        return self[REFERENCE]

    def __getitem__(self, name: str) -> SearchRow:
        return next(row for row in self.rows if row.name == name)

    def has(self, name: str) -> bool:
        """Whether the table holds a candidate."""
        return any(row.name == name for row in self.rows)

    @property
    def spread(self) -> float | None:
        """By how much the reference's AUC differs from seed to seed, largest minus smallest; None of one seed."""
        values = [self.reference.auc, *(one.nih[AUC].value for one in self.seeds)]
        return max(values) - min(values) if len(values) > 1 else None


@dataclass(frozen=True, slots=True, eq=False)
class NihScores:
    """All nets on the held-out NIH cells.

    Attributes:
        infected: published label, bool [n].
        slides: str [n].
        of: score of each net, float [n].
    """

    infected: np.ndarray
    slides: np.ndarray
    of: dict[str, np.ndarray]

    def gain(self, name: str, reference: str) -> Measurement:
        """AUC of one net minus that of another, with an interval over slides that are drawn for both at once."""
        both = np.stack([self.of[name], self.of[reference]], axis=1)

        def difference(truth: np.ndarray, scores: np.ndarray) -> float:
            return auc(truth, scores[:, 0]) - auc(truth, scores[:, 1])

        low, high = figure_interval(difference, self.infected, both, self.slides)
        return Measurement(difference(self.infected, both), low, high, len(both))

    def hardest(self) -> HardestSlide:
        """The slide whose cells the nets, all taken together, get wrong most often."""
        right = np.mean([(one >= 0.5) == self.infected for one in self.of.values()], axis=0)
        shares = {str(name): float(right[self.slides == name].mean()) for name in np.unique(self.slides)}
        name = min(shares, key=lambda slide: shares[slide])
        return HardestSlide(name, int((self.slides == name).sum()), shares[name])

    def without(self, name: str, slide: str) -> float:
        """AUC of a net without a slide."""
        rows = self.slides != slide
        return auc(self.infected[rows], self.of[name][rows])


def read_scores(files: Mapping[str, Path]) -> NihScores:
    """The scores that were kept when the files were judged."""
    of = {}
    for name, path in files.items():
        with np.load(scores_of(path)) as kept:
            of[name] = kept["score"].astype(float)
            infected, slides = kept["infected"], kept["slides"]
    return NihScores(infected, slides, of)


def frontier(rows: Sequence[SearchRow]) -> list[SearchRow]:
    """Rows that no other row beats in both AUC and time, the fastest first."""
    best: list[SearchRow] = []
    for row in sorted(rows, key=lambda one: (one.time.us, -one.auc)):
        if not best or row.auc > best[-1].auc:
            best.append(row)
    return best
