"""One point of the study: what a draw teaches, learned and judged on slides left out; plain values, so that it can be kept."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from edge.types import FloatArray
from models.adapt.rehearsal import OldCells
from models.adapt.reviewed_check import blank_threshold, left_out
from models.adapt.reviewed_net import GuardedNet, Lessons, ReviewedLearner, ReviewedTraining
from models.data.cells import join
from models.studies.review_learning.draws import drawn, lessons_of
from models.studies.review_learning.scopes import ScopeCells, StudyScope


@dataclass(frozen=True, slots=True)
class StudyArm:
    """A way to teach: its key, what teaches, whether the reader errs, and its name on the page."""

    key: str
    kinds: tuple[str, ...]
    errs: bool
    name: str
    folds: bool = False
    """Whether, of the first draw, the threshold is chosen as ``adapt`` chooses it, which takes a training more for each fold."""


ARMS = (
    StudyArm("both", ("blanks", "answers"), errs=False, name="5 blanks and 100 answers", folds=True),
    StudyArm("errs", ("blanks", "answers"), errs=True, name="the same, the reader errs"),
    StudyArm("blanks", ("blanks",), errs=False, name="5 blanks alone"),
    StudyArm("answers", ("answers",), errs=False, name="100 answers alone"),
)
"""The threshold from the blanks alone is no arm: it stands in the points of ``both``."""


@dataclass(frozen=True, slots=True, eq=False)
class StudyBench:
    """All that a scope's points are made with.

    Attributes:
        scope: the microscope; ``seen``: its cells.
        learner: the net that never saw it, with what it rehearses and is guarded by.
        judge: what it learned before, to judge by.
    """

    scope: StudyScope
    seen: ScopeCells
    learner: ReviewedLearner
    judge: OldCells

    @property
    def threshold(self) -> float:
        """Of the net as it was."""
        return self.learner.start.card.threshold

    @property
    def before(self) -> bytes:
        """The net as it was."""
        return self.learner.start.file.flatbuffer


def point(bench: StudyBench, arm: StudyArm, number: int) -> dict[str, Any]:
    """Learn, and score what judges, plain values: figures are made of them when the page is written."""
    draw = drawn(bench.seen, bench.threshold, number)
    lessons = lessons_of(bench.seen, draw, arm.kinds, errs=arm.errs)
    learner, card = bench.learner, bench.learner.start.card
    tuned = learner.fine_tuned(lessons, number)
    made = learner.guarded(tuned, lessons)
    whole = made.flatbuffer if made.mix == 1 else learner.device_file(learner.mixed(tuned, 1.0), lessons)
    judged, seen = bench.seen.cells.take(draw.judged), bench.seen
    old = join([one.cells for one in bench.judge.others])
    return {
        "scope": bench.scope.name,
        "draw": number,
        "arm": arm.key,
        "mix": made.mix,
        "stands": made.stands,
        "threshold": bench.threshold,
        "positive answers": int(lessons.answers.truth.sum()) if lessons.answers is not None else 0,
        "judged": {
            "positive": seen.positive[draw.judged].astype(int).tolist(),
            "blank": seen.blank[draw.judged].astype(int).tolist(),
            "slide": seen.slides[draw.judged].astype(int).tolist(),
            "before": _kept(seen.suspicion[draw.judged]),
            "guarded": _kept(learner.suspicion(made.flatbuffer, judged)),
            "whole": _kept(learner.suspicion(whole, judged)),
        },
        "old": {
            "positive": card.positive_mask[old.truth].astype(int).tolist(),
            "slide": np.unique(old.groups, return_inverse=True)[1].astype(int).tolist(),
            "before": _kept(learner.suspicion(bench.before, old)),
            "guarded": _kept(learner.suspicion(made.flatbuffer, old)),
            "whole": _kept(learner.suspicion(whole, old)),
        },
        "thresholds": _thresholds(bench, lessons, made) if arm.folds and not number else {},
    }


def _kept(scores: FloatArray) -> list[float]:
    return [round(float(one), 7) for one in scores]


def _thresholds(bench: StudyBench, lessons: Lessons, made: GuardedNet) -> dict[str, float]:
    """Thresholds that the blanks give the net as it was, and the new one by slides left out, and the share that they let through."""
    held = left_out(bench.learner, lessons, made.mix, lambda _: None)
    if held is None:
        return {}
    old, new = (blank_threshold(scores[held.blank], None) for scores in (held.before, held.after))
    return {} if old is None or new is None else {"rate": old[1], "before": old[0], "guarded": new[0]}


def settings_key(training: ReviewedTraining) -> list[Any]:
    """What a kept point depends on beside scope, arm and draw."""
    return [asdict(training.cell), list(training.mixes), training.allowed]
