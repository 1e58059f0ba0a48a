"""``python -m models evaluate`` and ``compare``: device files on the same cells, in the device's runtime. No TensorFlow."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from convert.errors import CellsError
from convert.measure.bootstrap import figure_interval, limits
from convert.measure.reading import Progress
from edge import shelf
from edge.classifier import Classifier
from edge.door import quiet_native_stderr
from edge.errors import ModelError
from edge.macs import macs
from edge.modelfile import CropSpec, ModelFile
from edge.runtime import runtime_version
from models.data.cells import LabelledCells, join
from models.data.classes import fit
from models.data.gather import OpenData
from models.judge import confusion
from models.judge import figures as score


@dataclass(frozen=True, slots=True, eq=False)
class DeviceNet:
    """A device file to be judged: the name it was given by, and what it was read as."""

    name: str
    file: ModelFile
    classifier: Classifier


def open_nets(names: Sequence[str]) -> list[DeviceNet]:
    """Device files by their names on the shelf or their paths; raises ModelError."""
    nets = []
    for name in names:
        if name.endswith((".keras", ".h5")):
            raise ModelError(
                f"{name}: device files (.tflite) are judged, in the device's own runtime: convert it first"
            )
        folder = Path(name)
        if folder.is_dir():  # as ``train`` leaves it
            name = str(folder / f"{folder.resolve().name}.tflite")  # noqa: PLW2901
        with quiet_native_stderr():
            file = shelf.load(name)
            nets.append(DeviceNet(name, file, Classifier(file)))
    return nets


def unseen_groups(nets: Sequence[DeviceNet], say: Callable[[str], None]) -> frozenset[str]:
    """Groups that all nets held out, by their cards; raises CellsError where no card says which."""
    each = []
    for net in nets:
        held = net.classifier.card.training.get("held_out_groups")
        if held:
            each.append(frozenset(str(group) for group in held))
        else:
            say(f"the card of {net.name} does not name groups that it held out: whether it saw these is not known")
    if not each:
        raise CellsError("--unseen: no card says which groups were held out")
    return frozenset.intersection(*each)


def score_all(
    nets: Sequence[DeviceNet], data: OpenData, tell: Progress, say: Callable[[str], None], *, unseen: bool = False
) -> list[score.CellScores]:
    """Each net on the same cells, cut as its card says.

    Args:
        nets: opened.
        data: opened.
        tell: gets progress.
        say: gets what was noticed.
        unseen: only groups that all the nets held out.

    Raises:
        CellsError: a net's classes do not fit, or nothing is left.
    """
    fits = [fit(data.plan, net.classifier.card) for net in nets]
    kept = unseen_groups(nets, say) if unseen else None
    for net in nets if not unseen else ():
        learned = set(net.classifier.card.training.get("data", ())) & set(data.names)
        if learned:
            say(
                f"{net.name} learned from {', '.join(sorted(learned))}, its card says: --unseen keeps to the groups it held out"
            )
    read: dict[CropSpec, LabelledCells] = {}
    out = []
    for net, known in zip(nets, fits, strict=True):
        card = net.classifier.card
        if card.crop not in read:
            cells = join(data.read(card.crop, tell, (lambda _: None) if read else say))
            read[card.crop] = cells if kept is None else cells.of_groups(kept)
            if not len(read[card.crop]):
                raise CellsError("--unseen: the nets held out no group in common that is in these folders")
        cells = read[card.crop]
        tell(f"scoring with {card.name}", -1)
        out.append(score.CellScores(card, known, cells, net.classifier.scores(cells.crops)))
    return out


def _notes(say: Callable[[str], None]) -> tuple[list[str], Callable[[str], None]]:
    """A list of what was noticed, and what adds a line to it and says it."""
    notes: list[str] = []

    def note(line: str) -> None:
        notes.append(line)
        say(f"! {line}")

    return notes, note


def evaluated(
    nets: Sequence[DeviceNet], data: OpenData, tell: Progress, say: Callable[[str], None], *, unseen: bool = False
) -> list[dict[str, Any]]:
    """The figures of each net, plain values."""
    notes, note = _notes(say)
    out = []
    for net, scored in zip(nets, score_all(nets, data, tell, note, unseen=unseen), strict=True):
        cells = scored.cells
        found: dict[str, Any] = {
            "model": scored.card.name,
            "path": net.name,
            "sha256": net.file.sha256,
            "runtime": runtime_version(),
            "set": ", ".join(data.names),
            "cells": len(cells),
            "lost_by_the_finder": len(cells.lost_truth),
            "groups": len(np.unique(cells.groups)),
            "classes_of_the_cells": dict(zip(data.plan.labels, cells.counts().tolist(), strict=True)),
            "threshold": scored.card.threshold,
            "threshold_origin": scored.card.threshold_origin,
            "notes": notes,
            **score.two_sided(scored),
        }
        if scored.truth() is not None and (len(scored.card.labels) > 2 or not scored.card.positive):
            found["classes"] = confusion.figures(scored)
        if scored.card.positive:
            found["known_negative_groups"] = [
                {**asdict(one), "per_1000": one.per_1000} for one in score.known_negatives(scored)
            ]
        out.append(found)
    return out


@dataclass(frozen=True, slots=True)
class FigureDifference:
    """One figure of two nets on the same cells: values, and the second minus the first with its 95 % interval."""

    key: str
    name: str
    first: float
    second: float
    low: float | None
    high: float | None
    percent: bool = True

    @property
    def verdict(self) -> str:
        """``better``, ``worse``, or ``no real difference shown`` (it may be chance), of the second net."""
        if self.low is None or self.high is None:
            return "one group only: cannot be told from chance"
        if self.low <= 0 <= self.high:
            return "no real difference shown"
        better = (self.second > self.first) != (self.key == "false_positive_rate")
        return "better" if better else "worse"


def differences(first: score.CellScores, second: score.CellScores) -> list[FigureDifference]:
    """Every figure that both nets have, paired: the same groups are drawn for both."""
    out = []
    for metric in score.BY_KEY.values():
        if not (score.applies(metric, first) and score.applies(metric, second)):
            continue
        positive, values, groups = score.columns(metric, [first, second])
        rows = score.chosen(metric, positive)
        low = high = None
        if metric.measure is None:
            one, two = (float(values[rows, i].mean()) for i in (0, 1))
            shift = score.share(values[rows, 1] - values[rows, 0], groups[rows])
            low, high = shift.low, shift.high
        else:
            one, two = (metric.measure(positive, values[:, i]) for i in (0, 1))
            if score.several_groups(groups):
                low, high = figure_interval(partial(_gain, metric.measure), positive, values, groups)
        out.append(FigureDifference(metric.key, metric.name, one, two, low, high, metric.percent))
    return [*out, *_of_classes(first, second)]


def _gain(function: score.Function, truth: np.ndarray, both: np.ndarray) -> float:
    return function(truth, both[:, 1]) - function(truth, both[:, 0])


def _of_classes(first: score.CellScores, second: score.CellScores) -> list[FigureDifference]:
    """Accuracy over the classes and macro F1, where both nets tell the same more than two apart."""
    if first.card.labels != second.card.labels or first.truth() is None or second.truth() is None:
        return []
    if len(first.card.labels) == 2 and first.card.positive:
        return []
    each = [confusion.tables(scored) for scored in (first, second)]
    out = []
    for key, name, function in (
        ("class_accuracy", "right class at the threshold", confusion.accuracies),
        ("macro_f1", "macro F1", confusion.macro_f1),
    ):
        one, two = (float(function(table.sum(axis=0))) for table in each)
        low = high = None
        if len(each[0]) > 1:
            low, high = limits(function(confusion.resampled(each[1])) - function(confusion.resampled(each[0])))
        out.append(FigureDifference(key, name, one, two, low, high))
    return out


def compared(
    nets: Sequence[DeviceNet], data: OpenData, tell: Progress, say: Callable[[str], None], *, unseen: bool = False
) -> dict[str, Any]:
    """Each net against the first one, and what each costs; plain values."""
    notes, note = _notes(say)
    scored = score_all(nets, data, tell, note, unseen=unseen)
    costs = [
        {
            "model": net.classifier.card.name,
            "path": net.name,
            "sha256": net.file.sha256,
            "macs_per_cell": macs(net.file.flatbuffer),
            "flatbuffer_bytes": len(net.file.flatbuffer),
            "threshold": net.classifier.card.threshold,
        }
        for net in nets
    ]
    pairs = [
        {"second": nets[i].name, "figures": [{**asdict(d), "verdict": d.verdict} for d in differences(scored[0], one)]}
        for i, one in enumerate(scored)
        if i
    ]
    cells = scored[0].cells
    return {
        "set": ", ".join(data.names),
        "cells": len(cells),
        "lost_by_the_finder": len(cells.lost_truth),
        "groups": len(np.unique(cells.groups)),
        "nets": costs,
        "against_the_first": pairs,
        "notes": notes,
    }
