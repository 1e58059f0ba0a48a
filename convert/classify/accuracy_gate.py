"""The gate: a device file is refused where it has lost too much accuracy, not where it may have by chance.

What is compared is the accuracy from one half of the float net as trained and of the device file, on the same cells, which chose
nothing (``convert.measure.paired``). The verdict follows from the interval of the loss:

| interval | verdict | device file |
|---|---|---|
| all of it is over the limit | refused | not written |
| the limit lies in it | may be over the limit | written, with a warning that says how many cells would settle it |
| all of it is up to the limit | passed | written |

Several ways may be judged, one after the other, in an order that other cells settled. The interval's level is divided among all
that could be judged (Bonferroni), so that the last one does not pass because many were looked at.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from convert.classify.candidate import Candidate
from convert.classify.passing import NO_GATE, right
from convert.measure.bootstrap import QUICK_RESAMPLES, Interval, figure_interval, limits, resampled_sums, sums_by_group
from convert.measure.cells import CellSet
from convert.measure.metrics import auc
from convert.measure.operating import suspicious
from convert.measure.paired import LEVEL, PairedLoss, paired_loss
from edge.modelfile import Card
from edge.types import FloatArray


class GateVerdict(StrEnum):
    """What the gate says; the values are the report's words."""

    PASSED = "passed"
    MAYBE = "may be over the limit"
    REFUSED = "refused"


def verdict(loss: PairedLoss, limit: float) -> GateVerdict:
    """The gate's word on a loss; a limit of 0 asks for no loss that is more than chance, 100 for nothing."""
    if limit >= NO_GATE:
        return GateVerdict.PASSED
    if loss.low > limit:
        return GateVerdict.REFUSED
    over = loss.points > 0 if limit == 0 else loss.high > limit
    return GateVerdict.MAYBE if over else GateVerdict.PASSED


@dataclass(frozen=True, slots=True, eq=False)
class JudgedWay:
    """A device file and the gate's verdict on it.

    Attributes:
        candidate: the file.
        scores: of the file on the cells that judge, float32 [n, labels].
        loss: against the float net as trained; None: the cells' classes are not known.
        verdict: what follows from it.
        limit: of the gate, in points of accuracy.
    """

    candidate: Candidate
    scores: FloatArray
    loss: PairedLoss | None
    verdict: GateVerdict
    limit: float

    @property
    def refused(self) -> bool:
        """Whether the file may not be written."""
        return self.verdict == GateVerdict.REFUSED

    @property
    def cells_to_settle(self) -> int | None:
        """How many cells would settle it; None: it is settled, or no number that anybody has would."""
        settled = self.loss is None or self.verdict != GateVerdict.MAYBE
        return None if settled or self.loss is None else self.loss.cells_to_settle(self.limit)


def judge_in_order(
    candidates: Iterable[Candidate],
    scores: Callable[[Candidate], FloatArray],
    cells: CellSet,
    reference: np.ndarray | None,
    *,
    limit: float,
    looks: int,
) -> list[JudgedWay]:
    """Judge one way after the other until one is not refused, which is the last of the list.

    Args:
        candidates: in an order that the cells that judge did not choose; made when they are asked for.
        scores: of a device file on these cells, float32 [n, labels].
        cells: those that judge.
        reference: which of them the float net as trained counts as what they are, bool [n]; None: nobody knows.
        limit: in points of accuracy.
        looks: most that may be judged; the interval's level is divided among them.
    """
    level = 1 - (1 - LEVEL) / looks
    judged: list[JudgedWay] = []
    for one in candidates:
        found = scores(one)
        loss = None if reference is None else paired_loss(reference, right(found, cells, one.card), cells, level)
        said = GateVerdict.PASSED if loss is None else verdict(loss, limit)
        judged.append(JudgedWay(one, found, loss, said, limit))
        if not judged[-1].refused or len(judged) == looks:
            break
    return judged


@dataclass(frozen=True, slots=True)
class ChanceTest:
    """Whether a net tells the classes apart at all.

    Attributes:
        accuracy: mean recall of the classes from one half, 0..1.
        interval: 95 % interval of it.
        chance: what guessing gives.
        auc_low: lower end of the AUC's interval; None: there is no AUC.
    """

    accuracy: float
    interval: Interval
    chance: float
    auc_low: float | None

    @property
    def failed(self) -> bool:
        """Neither accuracy nor AUC is above chance for sure."""
        return self.interval[0] <= self.chance and (self.auc_low is None or self.auc_low <= 0.5)

    def __str__(self) -> str:
        low, high = self.interval
        mean = f"{self.accuracy:.1%} ({low * 100:.1f} to {high * 100:.1f})"
        return f"accuracy {mean}, mean of the classes; guessing gives {self.chance:.1%}"


def chance_test(scores: FloatArray, cells: CellSet, card: Card) -> ChanceTest:
    """Test a net's scores, float32 [n, labels], on cells of known class."""
    groups = cells.resampled()
    if len(np.unique(groups)) == 1:  # of one slide: its cells must do
        groups = np.array(cells.names)
    each = np.eye(len(cells.labels))[cells.truth]  # one column a class
    hits = right(scores, cells, card)[:, None] * each
    sums = resampled_sums(sums_by_group(np.concatenate([hits, each], axis=1), groups), QUICK_RESAMPLES)
    with np.errstate(invalid="ignore"):  # a resample without a class gives no value
        drawn = (sums[:, : each.shape[1]] / sums[:, each.shape[1] :]).mean(axis=1)
    suspect = suspicious(card)
    infected = suspect[cells.truth]
    both = 0 < infected.sum() < len(infected)
    low = figure_interval(auc, infected, scores[:, suspect].sum(axis=1), groups)[0] if both else None
    balanced = float((hits.sum(axis=0) / each.sum(axis=0)).mean())
    return ChanceTest(balanced, limits(drawn), 1 / len(cells.labels), low)
