"""What the report says of the gate: the loss, the verdict, what would settle it and what may help; and of a net at chance."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from convert.classify.accuracy_gate import ChanceTest, GateVerdict, JudgedWay
from convert.classify.candidate import QuantizePlan
from convert.classify.choice import WayChoice
from convert.classify.passing import right
from convert.classify.preprocess import Preprocessing
from convert.measure.cells import CellSet
from convert.measure.paired import MOST_CELLS, PairedLoss, paired_loss
from convert.measure.scoring import figures
from edge.types import FloatArray

AT_CHANCE = "at chance"
"""The report's verdict on a net that cannot tell the classes apart; nothing is made of it."""

_WELL = 0.9  # balanced accuracy from which the preprocessing that was found is not doubted


@dataclass(frozen=True, slots=True, eq=False)
class JudgingCells:
    """The cells that judge.

    Attributes:
        cells: never seen by calibration or choice.
        as_trained: scores float32 [n, labels] of the float net as trained, at its own size, on the author's cuts.
        threshold: its own operating threshold.
        as_cut: likewise on the device's cuts; None: they are the same.
        author: how the author cut, in words.
        at: the same cells as the device cuts them at another size in pixels.
        chance: whether the float net tells the classes apart; None: the classes are not known.
    """

    cells: CellSet
    as_trained: FloatArray
    threshold: float
    at: Callable[[int], CellSet]
    as_cut: FloatArray | None = None
    author: str = ""
    chance: ChanceTest | None = None


def report_of_chance(plan: QuantizePlan, prep: Preprocessing, judges: JudgingCells, notes: list[str]) -> dict[str, Any]:
    """The report of a net that cannot tell the classes apart: nothing is made of it."""
    card = plan.card
    return {
        "passed": False,
        "verdict": AT_CHANCE,
        "max_drop_points": plan.limit,
        "chance": None if judges.chance is None else asdict(judges.chance),
        "what_helps": [
            "other --value-range, --colour or order of --labels",
            "cells of the kind that the net was trained on",
            "--force converts it all the same",
        ],
        "author": judges.author,
        "way": None,
        "colour": card.colour,
        "value_range": prep.values.name,
        "labels": list(card.labels),
        "positive": list(card.positive),
        "figures": {"as_trained": figures(judges.as_trained, judges.cells, card.positive, judges.threshold)},
        "tried": dict(prep.tried),
        "cells": {"check": len(judges.cells), "check_groups": len(np.unique(judges.cells.groups))},
        "warnings": [*prep.notes, *notes, *([] if judges.chance is None else [chance_words(judges.chance)])],
    }


def chance_words(test: ChanceTest) -> str:
    """A warning about a net that the test says is at chance."""
    return (
        f"AT CHANCE: on the cells that judge, the float net as trained cannot be told from guessing: {test}. It was trained with "
        "other preprocessing, on other cells, or not at all"
    )


def loss_facts(loss: PairedLoss | None) -> dict[str, Any]:
    """The loss in the report's words; ``drop_points`` is None where the cells' classes are not known."""
    if loss is None:
        return {"drop_points": None, "drop_interval": None, "drop_level": None, "drop_over": None}
    return {
        "drop_points": loss.points,
        "drop_interval": [loss.low, loss.high],
        "drop_level": loss.level,
        "drop_over": f"{loss.groups} slides and {loss.cells} cells" if loss.groups else f"{loss.cells} cells",
    }


def cut_cost_of(judges: JudgingCells, plan: QuantizePlan) -> dict[str, Any] | None:
    """What the float net loses where cells are cut as the device cuts them; None where its author cut so too."""
    if judges.as_cut is None:
        return None
    pair = [right(one, judges.cells, plan.card) for one in (judges.as_trained, judges.as_cut)]
    return {"accuracy": float(pair[1].mean()), **loss_facts(paired_loss(pair[0], pair[1], judges.cells))}


def judged_line(one: JudgedWay) -> dict[str, Any]:
    """One line of the report on a way that the gate judged."""
    return {
        "way": one.candidate.way,
        "recipe": one.candidate.recipe,
        "verdict": one.verdict.value,
        **loss_facts(one.loss),
    }


def gate_warnings(judged: list[JudgedWay], last: JudgedWay, cells: CellSet) -> list[str]:
    """What a person should know of the gate's verdict; ``last`` is the way that the report is of."""
    found = []
    if last.loss is not None and not last.refused and len(judged) > 1:
        names = ", ".join(
            f"{one.candidate.way} ({one.loss.points:.2f} points)" for one in judged if one.loss and one.refused
        )
        found.append(
            f"the gate refused {names}; fell back to {last.candidate.way}, the next in an order that other cells settled"
        )
    if last.verdict == GateVerdict.MAYBE and last.loss is not None:
        loss, more = last.loss, last.cells_to_settle
        settle = f"it is so near the limit that {MOST_CELLS:,} cells would not settle it"
        if more is not None:
            settle = f"about {more:,} cells that judge would settle it (now {len(cells):,}, half of those in --cells)"
        found.append(
            f"the loss may be over the limit of {last.limit:g} points: {loss.points:.2f} seen, {loss.low:.2f} to {loss.high:.2f} "
            f"possible; {settle}"
        )
    return found


def what_helps(
    judged: list[JudgedWay],
    choice: WayChoice,
    plan: QuantizePlan,
    prep: Preprocessing,
    cut_cost: dict[str, Any] | None,
) -> Iterator[str]:
    """What may help where the gate refused every way, the most promising first; the report is of the first way."""
    last = judged[0]
    seen = {one.candidate.way: one.loss for one in judged}
    for way, loss in seen.items():
        if way != last.candidate.way and loss is not None and last.loss is not None and loss.points < last.loss.points:
            yield f"--input {way} loses {loss.points:.2f} points"
    if choice.one_way_asked and last.candidate.way != "native":
        yield "--input auto tries all ways"
    if cut_cost is not None and cut_cost["drop_points"] > 0:
        learns = ", or --input distill, which learns from the author's cuts" if last.candidate.way != "distill" else ""
        yield f"{cut_cost['drop_points']:.2f} points of it are the device's square cuts: train on squares{learns}"
    used = last.candidate.calibrated_on
    if used < plan.cells:
        yield f"more cells to calibrate on ({used} now, 500 are wanted)"
    if prep.tried and max(accuracy for _, accuracy in prep.tried) < _WELL:
        yield "other --value-range or --colour, if the net should do better than here"
    if last.loss is not None:
        yield f"--max-accuracy-drop {np.ceil(last.loss.low * 10) / 10:g} lets it pass"
