"""``quantize``, the part that needs TensorFlow: runs in the child process, reads model and cells, returns plain values."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from convert.child import Progress
from convert.classify import candidate, judging, preprocess
from convert.classify.candidate import Candidate, QuantizePlan, divide
from convert.classify.distill import students
from convert.classify.judging import JudgingCells
from convert.classify.preprocess import InputOptions, Preprocessing
from convert.classify.teacher import Teacher
from convert.classify.ways import ways_for
from convert.conversion import ConversionTask
from convert.errors import UnsupportedError
from convert.measure import operating
from convert.measure.cells import CellSet, some, split
from convert.measure.listing import list_cells
from convert.measure.operating import HALF
from convert.measure.reading import read_cells, without_colour
from convert.measure.scoring import ON_BLACK, as_scores, check_width, device_scores, figures, outputs, plain_card
from convert.measure.virtual_cells import virtual_cells
from convert.net.int8 import tool_versions
from convert.net.rewrite import SIZE, NetInput, count_macs, net_input
from convert.reading.load import load_model
from convert.reading.source import open_source
from edge.modelfile import CropSpec
from edge.types import FloatArray

_TRIAL_CELLS = 300  # on which value range and colour are tried
_TRIAL_MACS, _CALIBRATION_MACS, _CHECK_MACS = 2e12, 5e11, 2e12  # what each may cost: about a minute on two cores
_UNKNOWN_MACS = 500_000_000  # per cell, of a SavedModel without its Keras config: taken for a large net
VIRTUAL = (
    "NO CELLS WERE GIVEN (--cells): calibrated on cells of virtual slides, checked on nothing. Its accuracy is unknown; "
    "value range, colour and class order are taken on trust. Convert it again with real cells before it counts anything"
)
_UNJUDGED: dict[str, Any] = {
    "figures": {},
    "groups": {},
    "calibrated_on": "virtual slides, not real cells; accuracy unknown",
}
NEGATIVE = ("un", "non", "not", "neg", "healthy", "normal")
"""How names of negative classes begin, in lower case."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Task(ConversionTask):
    """What ``quantize`` is asked of a classifier; see the command's help."""

    cells: str | None = None
    colour: str | None = None
    keep_head: bool = False
    way: str = "auto"
    false_positives: float | None = None
    on_paper: bool = False


def quantize(payload: dict[str, Any], progress: Progress) -> dict[str, Any]:
    """For ``run_in_child``: the report; the device file (a bare flatbuffer) is left at ``out`` whether it passed or not."""
    task = Task.from_payload(payload)
    if task.cells is not None:  # before TensorFlow, which takes seconds
        list_cells(Path(task.cells), None, task.group_by).settled(task.labels)
    progress("loading the model", -1)
    source = open_source(task.model)
    model = load_model(source, task.code)
    taken = net_input(model)
    macs = count_macs(model, taken.height, taken.width)
    report = _ClassifierJob(task, model, taken, int(model.outputs[0].shape[-1]), macs, progress).run()
    facts = task.model_facts(source, int(model.count_params()), macs, (taken.height, taken.width, taken.channels))
    return {"model": facts, **report, "tools": tool_versions()}


@dataclass(frozen=True, slots=True)
class _ClassifierJob:
    task: Task
    model: Any
    taken: NetInput
    width: int
    macs: int
    progress: Progress

    def run(self) -> dict[str, Any]:
        small = self.read(SIZE)
        check_width(self.width, small.labels, Path(self.task.model).name)
        native = small if self.side == SIZE else self.read(self.side)
        known = self.task.cells is not None
        halves = split(small, self.task.seed)
        calibration, choose = divide(halves[0], self.task.seed) if known else (halves[0], halves[0])
        prep = self.preprocessing(native.named(calibration.names))
        if prep.swapped:
            small, native = _swap(small), _swap(native)
        apart = choose is not calibration
        calibration = small.named(calibration.names)
        choose = self.affordable(small.named(choose.names))
        check = self.affordable(small.named(halves[1].names))
        plan = replace(self.plan(calibration, choose, prep), apart=apart)
        plan, judges = self.judged(plan, check, native, prep)
        candidates, notes = self.candidates(plan, prep, native)
        best, report = judging.report(candidates, plan, prep, judges, self.progress)
        Path(self.task.out).write_bytes(best.flatbuffer)
        if not known:
            return {**report, **_UNJUDGED, "warnings": [VIRTUAL, *report["warnings"], *notes]}
        if without_colour(small.images).mean() > 0.5:  # else the device would take grey fields for foreign
            report["reference"] = {"colour": [0.0, None]}
        warnings = [*report["warnings"], *notes, *judging.few(check, plan), *self.warnings(small, plan)]
        if small.on_black and not self.task.on_paper:
            warnings.append(self.judged_on_paper(best, check, small, report, swapped=prep.swapped))
            if small.on_black > len(small) / 2:
                report["cells_were"] = ON_BLACK
        return {**report, "warnings": warnings}

    @property
    def side(self) -> int:
        """Side in pixels of the square crops that the net as trained is fed; a net that is not square squashes them."""
        return max(self.taken.height, self.taken.width)

    @property
    def cost(self) -> int:
        return self.macs or _UNKNOWN_MACS

    def affordable(self, cells: CellSet) -> CellSet:
        return some(cells, int(np.clip(_CHECK_MACS / self.cost, min(50, len(cells)), len(cells))), self.task.seed)

    def judged(
        self, plan: QuantizePlan, check: CellSet, native: CellSet, prep: Preprocessing
    ) -> tuple[QuantizePlan, JudgingCells]:
        """Score the float net as trained: the cells that choose give the plan its reference, the others are to judge."""

        def scores(cells: CellSet) -> FloatArray:
            self.progress("float, as trained", -1)
            raw = outputs(self.model, native.named(cells.names).images, prep.values, prep.colour)
            return as_scores(raw, logits=prep.logits)

        if self.task.cells is None:
            return plan, JudgingCells(check, native.named(check.names), scores(check), HALF)
        chosen = scores(plan.choose)
        threshold = plan.operating.threshold(chosen, plan.choose, plan.card)
        reference = candidate.accuracy(chosen, plan.choose, plan.card)
        return replace(plan, reference=reference), JudgingCells(
            check, native.named(check.names), scores(check), threshold
        )

    def judged_on_paper(
        self, best: Candidate, check: CellSet, cells: CellSet, report: dict[str, Any], *, swapped: bool
    ) -> str:
        """Add to the report what the device file does where cells have surroundings, as on the device; returns a warning."""
        paper = self.read(best.card.crop.size, on_paper=True)
        paper = (_swap(paper) if swapped else paper).named(check.names)
        scores = device_scores(best.flatbuffer, best.card, paper.images)
        judged = figures(scores, paper, best.card.positive, best.card.threshold)
        report["figures"] = {**report["figures"], "int8_on_paper": judged}
        key = "auc" if "auc" in judged else "accuracy"
        better = bool(judged[key] > report["figures"]["int8"][key])
        return (
            f"{cells.on_black:,} of {len(cells):,} cells are cut out on black, and the net was shown them so, as in its training. "
            "On fields the device shows cells with their surroundings: the column 'on paper' says what to expect there"
            + "; it is better there: give --on-paper if the net was trained on cells with their surroundings"
            * better
        )

    def read(self, size: int, *, on_paper: bool = False) -> CellSet:
        """Read the cells. Those cut out on black stay so, as the net was trained, unless ``--on-paper`` says otherwise."""
        task = self.task
        if task.cells is None:
            generic = tuple(f"class {number}" for number in range(max(2, self.width)))
            return virtual_cells(task.labels or generic, size, self.progress)
        folder, spec, keep = Path(task.cells), CropSpec(size=size), not (task.on_paper or on_paper)
        return read_cells(folder, task.labels, spec, task.group_by, self.progress, keep_black=keep)

    def preprocessing(self, cells: CellSet) -> Preprocessing:
        options = InputOptions(self.task.value_range, self.task.colour, self.task.logits, self.task.labels)
        usual = preprocess.default(self.model, options)
        if self.task.cells is None:
            return usual
        self.progress("float, value range and colour", -1)
        affordable = int(min(_TRIAL_CELLS, _TRIAL_MACS / self.cost / 11))
        return preprocess.find(self.model, cells, options, width=self.width, affordable=affordable, seed=self.task.seed)

    def plan(self, calibration: CellSet, choose: CellSet, prep: Preprocessing) -> QuantizePlan:
        labels, known = choose.labels, self.task.cells is not None
        positive = self.task.positive or (_guess_positive(labels) if known or self.task.labels else ())
        card = plain_card(Path(self.task.out).stem, labels, prep.colour, logits=prep.logits, positive=positive)
        most = int(np.clip(_CALIBRATION_MACS / self.cost, 20, 2000))
        rule = operating.how(self.task.false_positives, choose, card, known=known)
        return QuantizePlan(
            calibration,
            choose,
            prep.values,
            card,
            limit=self.task.max_drop,
            reference=None,
            operating=rule,
            cells=min(500, most),
            more_cells=most,
            seed=self.task.seed,
        )

    def candidates(self, plan: QuantizePlan, prep: Preprocessing, native: CellSet) -> tuple[list[Candidate], list[str]]:
        keep_head = self.task.keep_head
        ways, notes = ways_for(self.model, prep.values, self.task.way, logits=prep.logits, keep_head=keep_head)
        made = []
        other = (self.taken.height, self.taken.width) != (SIZE, SIZE)
        if self.task.way == "distill" or (self.task.way == "auto" and other):
            teacher = Teacher(self.model, prep, self.macs)
            learnt = native.named(plan.calibration.names)
            first = 0 if self.task.way == "distill" else len([way for way in ways if way.size == SIZE])  # native last
            ways[first:first] = students(
                teacher, learnt, plan.calibration, self.task.seed, self.progress, held_out=not plan.apart
            )
        for way in ways:
            if any(one.way == way.name == "distill" and candidate.passes(one, plan) for one in made):
                continue  # a cheaper student passes
            try:
                at = plan if way.size == SIZE else plan.at(native)
                made.append(candidate.make(way, at, self.progress))
            except UnsupportedError as error:
                if len(ways) == 1:
                    raise
                notes.append(f"{way.name} failed: {error}")
        if not made:
            raise UnsupportedError("; ".join(notes))
        return made, notes

    def warnings(self, cells: CellSet, plan: QuantizePlan) -> list[str]:
        found = list(cells.notes)
        if not cells.grouped:
            found.append("the split is by file, not by slide (--group-by): cells of one slide may be on both sides")
        if not self.task.positive and plan.card.positive:
            found.append(f"positive class: {plan.card.positive[0]} (by its name; --positive says otherwise)")
        return found


def _swap(cells: CellSet) -> CellSet:
    """The same cells with the two classes in the other order."""
    return replace(cells, labels=cells.labels[::-1], truth=(1 - cells.truth).astype(np.int32))


def _guess_positive(labels: tuple[str, ...]) -> tuple[str, ...]:
    if len(labels) != 2:
        return ()
    plain = [not label.lower().startswith(NEGATIVE) for label in labels]
    return (labels[0],) if plain == [True, False] else (labels[1],)
