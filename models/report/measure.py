"""The page's figures from scores: each with its interval and the number of cells it rests on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from convert.measure.bootstrap import figure_interval
from convert.measure.metrics import auc
from edge.types import FloatArray
from models.judge.figures import BY_KEY, Measurement, NegativeGroup, exact, measure, negative_groups, share, two_classes
from models.judge.scores import FieldCells, NetScores, NihCells, reached
from models.judge.targets import FOUND_TARGETS, NIH_TARGETS

STAGES = ("ring", "trophozoite", "schizont", "gametocyte")
"""Stages of the parasite, in the order in which it passes through them."""

SENSITIVITY = {"sensitivity at 1 % false positives": 0.01, "sensitivity at 0.1 % false positives": 0.001}
"""Figures of ``NIH_TARGETS`` at a fixed share of false positives, and that share."""

RATES = tuple(FOUND_TARGETS)
"""Shares of false positives that sensitivity is given at."""


@dataclass(frozen=True, slots=True)
class EndToEnd:
    """Infected cells found end to end at thresholds chosen on other folds, and what those let through.

    Attributes:
        share: of all infected cells, lost ones included.
        false: share of the uninfected cells at or above the threshold.
    """

    share: Measurement
    false: Measurement


def nih_figures(
    cells: NihCells, net: NetScores, truth: np.ndarray, rows: np.ndarray | None = None
) -> dict[str, Measurement]:
    """Accuracy, AUC and sensitivity at fixed shares of false positives against some labels, intervals over slides.

    Args:
        cells: the NIH cells.
        net: the net's scores of them.
        truth: labels, bool [n].
        rows: bool [n], the cells that count; None: all.
    """
    use = np.ones(len(truth), bool) if rows is None else rows
    scored = two_classes(net.cards[0], truth[use], net.nih[use], cells.slides[use])
    return {name: measure(BY_KEY[key], scored) for name, (key, _) in NIH_TARGETS.items()}


@dataclass(frozen=True, slots=True)
class WorstSlide:
    """The slide on which a net is wrong most often, at a score of one half.

    Attributes:
        name: of the slide.
        cells: on it.
        wrong: of these.
        infected: of the wrong ones, those published as infected.
        all_wrong: cells of all slides on which the net is wrong.
        without: the net's figures without this slide.
    """

    name: str
    cells: int
    wrong: int
    infected: int
    all_wrong: int
    without: dict[str, Measurement]


def worst_slide(cells: NihCells, net: NetScores) -> WorstSlide:
    """Where a net is wrong most often, and what it reaches elsewhere."""
    wrong = (net.nih >= 0.5) != cells.infected
    names, counts = np.unique(cells.slides[wrong], return_counts=True)
    name = str(names[np.argmax(counts)])
    mine = cells.slides == name
    hits = wrong & mine
    without = nih_figures(cells, net, cells.infected, ~mine)
    return WorstSlide(
        name, int(mine.sum()), int(hits.sum()), int((hits & cells.infected).sum()), int(wrong.sum()), without
    )


def found(fields: FieldCells, net: NetScores, rate: float) -> EndToEnd:
    """End to end at one share of false positives; intervals over fields, the thresholds as they are."""
    at = reached(fields, net.iml, rate)
    hits = np.concatenate([at[fields.infected], np.zeros(fields.lost, bool)]).astype(float)
    where = np.concatenate([fields.fields[fields.infected], fields.lost_fields])
    false = at[~fields.infected].astype(float)
    return EndToEnd(share(hits, where), share(false, fields.fields[~fields.infected]))


def auc_share(cells: NihCells, small: FloatArray, accurate: FloatArray) -> Measurement:
    """The AUC of one net as a share of another's on the same cells; both are drawn together."""

    def ratio(truth: np.ndarray, both: np.ndarray) -> float:
        return auc(truth, both[:, 0]) / auc(truth, both[:, 1])

    both = np.stack([small, accurate], axis=1).astype(float)
    low, high = figure_interval(ratio, cells.infected, both, cells.slides)
    return Measurement(ratio(cells.infected, both), low, high, len(both))


def negatives(cells: NihCells, net: NetScores) -> list[NegativeGroup]:
    """Slides without a cell labelled infected, by name: what the device calls positive there."""
    return negative_groups(cells.slides, net.called, cells.slides[cells.infected])


def by_stage(fields: FieldCells, net: NetScores, rate: float) -> dict[str, Measurement]:
    """Infected cells found of each annotated stage; what the finder lost is missed."""
    at = reached(fields, net.iml, rate)
    known = (*STAGES, *sorted({*fields.stages[fields.infected], *fields.lost_stages} - set(STAGES)))
    out = {}
    for stage in known:
        mine = fields.infected & (fields.stages == stage)
        out[stage] = exact(int(at[mine].sum()), int(mine.sum()) + int((fields.lost_stages == stage).sum()))
    return out


@dataclass(frozen=True, slots=True)
class Side:
    """How a net takes sides where the second opinion contradicts the published label.

    Attributes:
        name: of the net.
        against: sides with the second opinion among cells published as infected, that opinion: not.
        infected: likewise among those published as uninfected.
        with_second: accuracy against the published label of the cells that have a second opinion.
        without: the same of those that have none.
        by_second: accuracy against the second opinion of the cells that have one.
    """

    name: str
    against: Measurement
    infected: Measurement
    with_second: Measurement
    without: Measurement
    by_second: Measurement


@dataclass(frozen=True, slots=True)
class Audit:
    """Published labels against the second opinion.

    Attributes:
        healthy: share of the cells published as infected that the second opinion calls uninfected.
        infected: share of those published as uninfected that it calls infected.
        agreement: what a net that always sides with the second opinion would get for accuracy against the published labels,
            both kinds of cells weighted as in the whole set; interval over slides.
        plain: the same of the cells that have one, as they are.
        sides: of each net.
    """

    healthy: Measurement
    infected: Measurement
    agreement: Measurement
    plain: Measurement
    sides: tuple[Side, ...]


def audit(cells: NihCells, nets: Sequence[NetScores]) -> Audit:
    """The noise audit, in numbers; a net calls a cell infected from a score of one half."""
    given = cells.second >= 0
    other = given & (cells.cleaned != cells.infected)
    weight = float(cells.infected.mean())

    def agreeing(published: np.ndarray, differs: np.ndarray) -> float:
        parts = (weight * (1 - differs[published].mean()), (1 - weight) * (1 - differs[~published].mean()))
        return float(sum(parts))

    published, differs = cells.infected[given], other[given].astype(float)
    low, high = figure_interval(agreeing, published, differs, cells.slides[given])
    sides = []
    for net in nets:
        called = net.nih >= 0.5
        right = (called == cells.infected).astype(float)
        up, down = other & cells.infected, other & ~cells.infected
        sides.append(
            Side(
                net.name,
                exact(int((~called[up]).sum()), int(up.sum())),
                exact(int(called[down].sum()), int(down.sum())),
                share(right[given], cells.slides[given]),
                share(right[~given], cells.slides[~given]),
                share((called == cells.cleaned)[given].astype(float), cells.slides[given]),
            )
        )
    healthy = exact(int(differs[published].sum()), int(published.sum()))
    sick = exact(int(differs[~published].sum()), int((~published).sum()))
    weighted = Measurement(agreeing(published, differs), low, high, int(given.sum()))
    return Audit(healthy, sick, weighted, share(1 - differs, cells.slides[given]), tuple(sides))
