"""``quantize``, the part that needs TensorFlow: runs in the child process, reads model and cells, hands out plain values."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from convert import candidate, preprocess
from convert.candidate import Candidate, Plan
from convert.cells import CellSet, class_folders, read_cells, some, split
from convert.distill import Teacher, distil
from convert.errors import UnsupportedError
from convert.int8 import HEALTHY, tool_versions
from convert.preprocess import Asked, Preprocessing, with_order
from convert.reading.load import load_model
from convert.reading.source import open_source
from convert.rewrite import SIZE, NetInput, count_macs, net_input
from convert.scoring import as_scores, check_width, decide, figures, latency, macs, outputs, per_group, plain_card
from convert.virtual_cells import virtual_cells
from convert.ways import Way, ways_for
from edge.modelfile import ModelFile
from edge.runtime import Net
from edge.types import FloatArray

Progress = Callable[[str, float], None]
THRESHOLD = 0.5
_TRIAL_CELLS = 300
_TRIAL_MACS = 2e12
_CALIBRATION_MACS = 5e11
_CHECK_MACS = 2e12
_UNKNOWN_MACS = 500_000_000  # a SavedModel without its Keras config: taken for a large one
VIRTUAL = (
    "NO CELLS WERE GIVEN (--cells): calibrated on cells of virtual slides, checked on nothing. Its accuracy is unknown; "
    "value range, colour and class order are taken on trust. Convert it again with real cells before it counts anything"
)
_UNJUDGED: dict[str, Any] = {
    "figures": {},
    "groups": {},
    "calibrated_on": "virtual slides, not real cells; accuracy unknown",
}
_NEGATIVE = ("un", "non", "not", "neg", "healthy", "normal")


@dataclass(frozen=True, slots=True)
class Task:
    """What ``quantize`` was asked, as plain values; see the command's help."""

    model: str
    cells: str | None
    out: str
    trust_code: str | None = None
    labels: tuple[str, ...] = ()
    positive: tuple[str, ...] = ()
    value_range: str | None = None
    colour: str | None = None
    logits: bool = False
    keep_head: bool = False
    way: str = "auto"
    max_drop: float = 0.5
    group_by: str | None = None
    seed: int = 0


def quantize(payload: dict[str, Any], progress: Progress) -> dict[str, Any]:
    """For ``run_in_child``: the report; the device file (a bare flatbuffer) is left at ``out`` whether it passed or not."""
    given: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in payload.items()}
    task = Task(**given)
    if task.cells is not None:  # before TensorFlow, which takes seconds
        class_folders(Path(task.cells), task.labels)
    progress("loading the model", -1)
    source = open_source(task.model)
    model = load_model(source, Path(task.trust_code) if task.trust_code else None)
    taken = net_input(model)
    if taken.height != taken.width:
        raise UnsupportedError(f"the net takes {taken.height}x{taken.width}: only square inputs are supported")
    shape = model.outputs[0].shape
    work = _Work(task, model, taken, int(shape[-1]), count_macs(model, taken.height, taken.width), progress)
    report = work.run()
    return {
        "model": {
            "name": Path(task.model).name,
            "sha256": source.sha256,
            "bytes": source.size,
            "parameters": int(model.count_params()),
            "macs": work.macs,
            "input": [taken.height, taken.width, taken.channels],
        },
        **report,
        "tools": tool_versions(),
    }


@dataclass(frozen=True, slots=True)
class _Work:
    task: Task
    model: Any
    taken: NetInput
    width: int
    macs: int
    progress: Progress

    def run(self) -> dict[str, Any]:
        small = self.read(SIZE)
        check_width(self.width, small.labels, Path(self.task.model).name)
        native = small if self.taken.height == SIZE else self.read(self.taken.height)
        calibration, check = (part.names for part in split(small, self.task.seed))
        prep = self.preprocessing(_named(native, calibration))
        if prep.swapped:
            small, native = _swap(small), _swap(native)
        cost = self.macs or _UNKNOWN_MACS
        shown = some(
            _named(small, check), int(np.clip(_CHECK_MACS / cost, min(50, len(check)), len(check))), self.task.seed
        )
        plan = self.plan(_named(small, calibration), shown, prep, cost)
        self.progress("float, as trained", -1)
        as_trained = as_scores(
            outputs(self.model, _named(native, shown.names).images, prep.values, prep.colour), logits=prep.logits
        )
        if self.task.cells is not None:
            guess = decide(as_trained, plan.card.labels, plan.card.positive, THRESHOLD)
            plan = replace(plan, reference=float((guess == plan.check.truth).mean()))
        candidates, notes = self.candidates(plan, prep, _named(native, calibration))
        report = self.report(candidates, plan, prep, as_trained)
        if self.task.cells is None:
            return {**report, **_UNJUDGED, "warnings": [VIRTUAL, *report["warnings"], *notes]}
        return {**report, "warnings": [*report["warnings"], *notes, *self.warnings(small, plan)]}

    def read(self, size: int) -> CellSet:
        task = self.task
        if task.cells is None:
            generic = tuple(f"class {number}" for number in range(max(2, self.width)))
            return virtual_cells(task.labels or generic, size, self.progress)
        return read_cells(Path(task.cells or ""), task.labels, size, task.group_by, self.progress)

    def preprocessing(self, cells: CellSet) -> Preprocessing:
        asked = Asked(self.task.value_range, self.task.colour, self.task.logits, self.task.labels)
        usual = preprocess.default(self.model, asked)
        if self.task.cells is None:
            return usual
        self.progress("float, value range and colour", -1)
        count = int(min(_TRIAL_CELLS, _TRIAL_MACS / (self.macs or _UNKNOWN_MACS) / 11))
        alone = count < 40
        chosen = some(cells, max(count, 40), self.task.seed)
        return preprocess.find(self.model, chosen, asked, width=self.width, alone=alone)

    def plan(self, calibration: CellSet, check: CellSet, prep: Preprocessing, cost: int) -> Plan:
        labels = check.labels
        positive = self.task.positive or (_guess_positive(labels) if self.task.cells or self.task.labels else ())
        card = plain_card(
            Path(self.task.out).stem, labels, prep.colour, logits=prep.logits, positive=positive, threshold=THRESHOLD
        )
        most = int(np.clip(_CALIBRATION_MACS / cost, 20, 2000))
        return Plan(
            calibration, check, prep.values, card, self.task.max_drop, None, min(500, most), most, self.task.seed
        )

    def candidates(self, plan: Plan, prep: Preprocessing, native: CellSet) -> tuple[list[Candidate], list[str]]:
        ways, notes = ways_for(
            self.model, prep.values, self.task.way, logits=prep.logits, keep_head=self.task.keep_head
        )
        made = []
        if self.task.way == "distill" or (self.task.way == "auto" and self.taken.height != SIZE):
            if self.taken.channels == 3:
                teacher = Teacher(self.model, prep, self.macs)
                ways.append(distil(teacher, native, plan.calibration, self.task.seed, self.progress))
            else:
                notes.append("distill does not apply: its student takes three channels")
        for way in ways:
            try:
                made.append(candidate.make(way, plan, self.progress))
            except UnsupportedError as error:
                if len(ways) == 1:
                    raise
                notes.append(f"{way.name} failed: {error}")
        if not made:
            raise UnsupportedError("; ".join(notes))
        return made, notes

    def report(self, made: list[Candidate], plan: Plan, prep: Preprocessing, as_trained: FloatArray) -> dict[str, Any]:
        best = _pick(made, plan)
        Path(self.task.out).write_bytes(best.flatbuffer)
        notes = []
        self.progress("speed", -1)
        card, check = best.card, plan.check
        speed = latency({"float": best.float_file, "int8": best.flatbuffer}, card.colour, SIZE)
        names = {"as_trained": as_trained, "float": best.float_scores, "int8": best.int8_scores}
        judged = {name: figures(scores, check, card.positive, card.threshold) for name, scores in names.items()}
        verdicts = {name: decide(scores, card.labels, card.positive, card.threshold) for name, scores in names.items()}
        file = ModelFile(best.flatbuffer, None, hashlib.sha256(best.flatbuffer).hexdigest(), Path(self.task.out))
        delegated = Net(file).delegated()
        if not delegated:
            notes.append("part of the device file runs outside the delegate, which is slow")
        hurt = [layer for layer in best.layers if layer.ratio > 4 * HEALTHY]
        notes += [f"layer saturates: {layer.op} {layer.tensor} (RMSE/scale {layer.ratio:.2f})" for layer in hurt[:5]]
        return {
            "passed": candidate.passes(best, plan),
            "drop_points": None if plan.reference is None else (plan.reference - (best.accuracy or 0)) * 100,
            "max_drop_points": plan.limit,
            "way": best.way,
            "recipe": best.recipe,
            "value_range": best.value_range,
            "colour": card.colour,
            "output": card.output,
            "labels": list(card.labels),
            "positive": list(card.positive),
            "threshold": card.threshold,
            "device_bytes": len(best.flatbuffer),
            "float_bytes": len(best.float_file),
            "device_macs": macs(best.float_file),
            "delegated": delegated,
            "us_per_cell": speed,
            "speed_ratio": speed["float"] / speed["int8"],
            "figures": judged,
            "agreement": {
                "int8_with_float": float((verdicts["int8"] == verdicts["float"]).mean()),
                "int8_with_as_trained": float((verdicts["int8"] == verdicts["as_trained"]).mean()),
            },
            "groups": {name: per_group(scores, check, card.positive, card.threshold) for name, scores in names.items()},
            "layers": [asdict(layer) for layer in sorted(best.layers, key=lambda one: -one.ratio)],
            "healthy_layer": HEALTHY,
            "ways": [_line(one, plan) for one in made],
            "tried": dict(prep.tried),
            "cells": {
                "calibration": best.calibrated_on,
                "calibration_groups": len(np.unique(plan.calibration.groups)),
                "check": len(check),
                "check_groups": len(np.unique(check.groups)),
                "split": "by group" if check.grouped else "by the hash of the file's name",
            },
            "warnings": [*prep.notes, *notes],
        }

    def warnings(self, cells: CellSet, plan: Plan) -> list[str]:
        found = []
        if cells.skipped:
            found.append(f"{len(cells.skipped)} unreadable images were skipped: {'; '.join(cells.skipped[:3])}")
        if len(plan.calibration) < 100:
            found.append(f"only {len(plan.calibration)} cells to calibrate on: 100 to 500 are wanted")
        if len(plan.check) < 200:
            found.append(f"only {len(plan.check)} cells to check on: the figures are coarse")
        if not cells.grouped:
            found.append("the split is by file, not by slide (--group-by): cells of one slide may be on both sides")
        if cells.black > 0.5:
            found.append(
                "these cells are cut out on black; on whole fields the device cuts cells with their background: "
                "expect less accuracy there unless the net was trained for it"
            )
        if not self.task.positive and plan.card.positive:
            found.append(f"positive class: {plan.card.positive[0]} (by its name; --positive says otherwise)")
        return found


def _named(cells: CellSet, names: tuple[str, ...]) -> CellSet:
    place = {name: i for i, name in enumerate(cells.names)}
    return cells.take(np.array([place[name] for name in names], int))


def _swap(cells: CellSet) -> CellSet:
    return replace(cells, labels=with_order(cells.labels, swapped=True), truth=(1 - cells.truth).astype(np.int32))


def _guess_positive(labels: tuple[str, ...]) -> tuple[str, ...]:
    if len(labels) != 2:
        return ()
    plain = [not label.lower().startswith(_NEGATIVE) for label in labels]
    return (labels[0],) if plain == [True, False] else (labels[1],)


def _pick(candidates: list[Candidate], plan: Plan) -> Candidate:
    """The cheapest that passes; where none does, the most accurate."""
    passing = [one for one in candidates if candidate.passes(one, plan)]
    if passing:
        return min(passing, key=lambda one: macs(one.float_file))
    return max(candidates, key=lambda one: one.accuracy or 0)


def _line(one: Candidate, plan: Plan) -> dict[str, Any]:
    return {
        "way": one.way,
        "recipe": one.recipe,
        "tried": [{"recipe": recipe, "loss": loss} for recipe, loss in one.tried],
        "accuracy": one.accuracy,
        "bytes": len(one.flatbuffer),
        "macs": macs(one.float_file),
        "passed": candidate.passes(one, plan),
    }


__all__ = ["Task", "Way", "quantize"]
