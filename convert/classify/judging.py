"""The report of ``quantize``: the chosen device file beside the float nets, on cells that chose nothing; and the gate."""

from __future__ import annotations

import hashlib
from dataclasses import asdict
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np

from convert.child import Progress
from convert.classify import loss
from convert.classify.accuracy_gate import judge_in_order
from convert.classify.candidate import Candidate, QuantizePlan
from convert.classify.choice import WayChoice
from convert.classify.gate_report import (
    JudgingCells,
    cut_cost_of,
    gate_warnings,
    judged_line,
    loss_facts,
    what_helps,
)
from convert.classify.ladder import INT8
from convert.classify.passing import NO_GATE, right
from convert.classify.preprocess import Preprocessing
from convert.measure.cells import CellSet
from convert.measure.operating import negative
from convert.measure.scoring import decide, device_scores, figures, latency, per_group
from convert.net import compat
from convert.net.int8 import HEALTHY
from edge.macs import macs
from edge.modelfile import ModelFile
from edge.runtime import Net
from edge.types import FloatArray

_FIGURE_S = 2e-3  # seconds per cell that all figures with their intervals usually take
_FEW_OF_A_CLASS = 40  # one cell is more than two points of its recall


def report(
    choice: WayChoice, plan: QuantizePlan, prep: Preprocessing, judges: JudgingCells, progress: Progress
) -> tuple[Candidate, dict[str, Any]]:
    """The file that is written where it passes, and all that the report says of it; raises UnsupportedError where none is made."""
    cells, limit = judges.cells, plan.limit

    def scored(flatbuffer: bytes, one: Candidate) -> FloatArray:
        seen = judges.at(one.card.crop.size)
        return device_scores(flatbuffer, one.card, seen.images, partial(progress, f"{one.way}: the final scores"))

    reference = None if plan.scores is None else right(judges.as_trained, cells, plan.card)
    order = choice.in_order()
    first = next(order)
    judged = judge_in_order(
        chain([first], order),
        lambda one: scored(one.flatbuffer, one),
        cells,
        reference,
        limit=limit,
        looks=choice.possible,
    )
    last = judged[-1] if not judged[-1].refused else judged[0]
    best, card = last.candidate, last.candidate.card
    scores = {"as_trained": judges.as_trained, "float": scored(best.float_file, best), "int8": last.scores}
    # The same net is judged at the same threshold: two that were chosen by some cells each differ by chance
    own = card.threshold if best.way == "native" else judges.threshold
    thresholds = {"as_trained": own, "float": card.threshold, "int8": card.threshold}
    progress("figures and their intervals", -_FIGURE_S * len(cells))
    shown = {name: figures(one, cells, card.positive, thresholds[name]) for name, one in scores.items()}
    classes = {name: decide(one, card.labels, card.positive, thresholds[name]) for name, one in scores.items()}
    agreement = {
        "int8_with_float": float((classes["int8"] == classes["float"]).mean()),
        "int8_with_as_trained": float((classes["int8"] == classes["as_trained"]).mean()),
    }
    halves = {} if reference is None else {name: float(right(one, cells, card).mean()) for name, one in scores.items()}
    cut_cost = None if reference is None else cut_cost_of(judges, plan)
    speed = latency(
        {"float": best.float_file, "int8": best.flatbuffer}, card.colour, card.crop.size, partial(progress, "speed")
    )
    file = ModelFile(best.flatbuffer, None, hashlib.sha256(best.flatbuffer).hexdigest(), Path(card.name))
    delegated, runtime = Net(file).delegated(), compat.min_runtime(best.flatbuffer)
    return best, {
        "passed": not last.refused,
        "verdict": last.verdict.value,
        **loss_facts(last.loss),
        "max_drop_points": limit,
        "cells_to_settle": last.cells_to_settle,
        "judged_ways": [judged_line(one) for one in judged],
        "ways_that_could_be_judged": choice.possible,
        "what_helps": list(what_helps(judged, choice, plan, prep, cut_cost)) if last.refused else [],
        "author": judges.author,
        "device_cut_cost": cut_cost,
        "chance": None if judges.chance is None else asdict(judges.chance),
        "accuracy_from_one_half": halves,
        "way": best.way,
        "recipe": best.recipe,
        "rescued_by": None if best.recipe == INT8 else best.recipe,
        "lost": best.lost,
        "value_range": best.value_range,
        "colour": card.colour,
        "crop_size": card.crop.size,
        "crop_shape": card.crop.shape,
        "output": card.output,
        "labels": list(card.labels),
        "positive": list(card.positive),
        "threshold": card.threshold,
        "threshold_origin": plan.operating.origin,
        "false_positives_asked": plan.operating.rate,
        "device_bytes": len(best.flatbuffer),
        "float_bytes": len(best.float_file),
        "device_macs": macs(best.float_file),
        "delegated": delegated,
        "min_runtime_version": runtime,
        "us_per_cell": speed.us,
        "speed_ratio": speed.ratios["float"][0],
        "speed_ratio_spread": list(speed.ratios["float"][1:]),
        "figures": shown,
        "agreement": agreement,
        "targets": _targets(shown, agreement, None if last.loss is None else last.loss.points),
        "groups": {name: per_group(one, cells, card.positive, thresholds[name]) for name, one in scores.items()},
        "layers": [asdict(layer) for layer in sorted(best.layers, key=lambda one: -one.ratio)],
        "healthy_layer": HEALTHY,
        "ways": [_line(one, choice, plan) for one in choice.made],
        "tried": dict(prep.tried),
        "cells": _cells(best, plan, cells),
        "warnings": [
            *prep.notes,
            *gate_warnings(judged, last, cells),
            *_warnings(best, plan, delegated=delegated),
            *compat.notes(best.flatbuffer, runtime),
        ],
    }


def few(cells: CellSet, plan: QuantizePlan) -> list[str]:
    """Warnings where the cells are too few, or of one class."""
    found = []
    if len(plan.calibration) < 100:
        found.append(f"only {len(plan.calibration)} cells to calibrate on: 100 to 500 are wanted")
    if len(cells) < 200:
        found.append(f"only {len(cells)} cells to check on: the figures are coarse")
    counts = np.bincount(cells.truth, minlength=len(cells.labels))
    rare = [f"{label} ({n})" for label, n in zip(cells.labels, counts, strict=True) if n < _FEW_OF_A_CLASS]
    if rare:
        found.append(f"few cells to check on of class {', '.join(rare)}: its recall is coarse")
    if not plan.apart:
        found.append("too few cells or slides to choose the recipe and the threshold on others than calibrate")
    if plan.operating.note:
        found.append(plan.operating.note)
    return found


def _cells(best: Candidate, plan: QuantizePlan, cells: CellSet) -> dict[str, Any]:
    return {
        "calibration": best.calibrated_on,
        "calibration_groups": len(np.unique(plan.calibration.groups)),
        "choose": len(plan.choose),
        "choose_groups": len(np.unique(plan.choose.groups)),
        "choose_negatives": int(negative(plan.choose, plan.card).sum()),
        "choose_apart": plan.apart,
        "check": len(cells),
        "check_groups": len(np.unique(cells.groups)),
        "split": "by group" if cells.grouped else "by the hash of the file's name",
    }


def _targets(
    judged: dict[str, dict[str, Any]], agreement: dict[str, float], drop: float | None
) -> list[dict[str, Any]]:
    """What this project promises of int8, and whether it was kept; the gate is another matter."""
    rows = [
        ("agreement with the float file at the threshold, at least", agreement["int8_with_float"], loss.AGREEMENT, 1)
    ]
    if drop is not None:
        rows.append(("drop in accuracy from one half, in points, at most", drop, loss.ACCURACY_DROP * 100, -1))
        if "auc" in judged["int8"]:
            area = judged["as_trained"]["auc"] - judged["int8"]["auc"]
            rows.append(("drop in AUC, at most", area, loss.AUC_DROP, -1))
    return [
        {"target": name, "reached": got, "wanted": want, "met": (got - want) * sign >= -1e-9}
        for name, got, want, sign in rows
    ]


def _warnings(best: Candidate, plan: QuantizePlan, *, delegated: bool) -> list[str]:
    found = []
    if best.recipe != INT8:
        lost = best.tried[0][1]
        found.append(f"plain int8 lost too much ({lost:.1f} times what is tolerable); made as: {best.recipe}")
    if best.worst > 1 and plan.limit < NO_GATE:
        worst = max(best.lost, key=lambda name: best.lost[name])
        found.append(f"int8 still loses {best.worst:.1f} times what is tolerable against the float file: {worst}")
    if not delegated:
        found.append("part of the device file runs outside the delegate, which is slow")
    hurt = [layer for layer in best.layers if layer.ratio > 4 * HEALTHY]
    return found + [f"layer saturates: {one.op} {one.tensor} (RMSE/scale {one.ratio:.2f})" for one in hurt[:5]]


def _line(one: Candidate, choice: WayChoice, plan: QuantizePlan) -> dict[str, Any]:
    lost = None
    if plan.scores is not None and one.scores is not None:
        rows = [right(scores, plan.choose, plan.card) for scores in (plan.scores, one.scores)]
        lost = float(rows[0].mean() - rows[1].mean()) * 100
    return {
        "way": one.way,
        "recipe": one.recipe,
        "tried": [{"recipe": recipe, "loss": worst} for recipe, worst in one.tried],
        "accuracy": one.accuracy,
        "bytes": len(one.flatbuffer),
        "macs": macs(one.float_file),
        "loss_points": lost,
        "passed": choice.chosen(one),
    }
