"""``quantize``, the part that needs TensorFlow: runs in the child process, reads model and cells, returns plain values."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from convert.child import Progress
from convert.classify import author, gate_report, judging, preprocess, trials
from convert.classify.accuracy_gate import chance_test
from convert.classify.author import AuthorCut
from convert.classify.candidate import Candidate, QuantizePlan
from convert.classify.cells import CellReader, CellRoles, CellsTask, roles, swap
from convert.classify.choice import USUAL_LIMIT, WayChoice, WayOption
from convert.classify.distill import STUDENTS_DIFFER, students
from convert.classify.gate_report import JudgingCells
from convert.classify.passing import NO_GATE, can_be_shown
from convert.classify.preprocess import InputOptions, Preprocessing
from convert.classify.teacher import Teacher
from convert.classify.ways import Way, ways_for
from convert.measure import operating
from convert.measure.cells import CellSet, some
from convert.measure.listing import list_cells
from convert.measure.operating import HALF
from convert.measure.reading import without_colour
from convert.measure.scoring import ON_BLACK, as_scores, check_width, device_scores, figures, outputs, plain_card
from convert.net.int8 import tool_versions
from convert.net.rewrite import SIZE, NetInput, count_macs, net_input
from convert.reading.load import load_model, warnings_of
from convert.reading.source import open_source
from edge.card import SHAPES
from edge.modelfile import CropSpec
from edge.types import FloatArray

_TRIAL_CELLS = 300  # on which value range and colour are tried
_AUTHOR_CELLS = 1000  # on which the author's cuts are tried: they differ less
_TRIAL_MACS, _CALIBRATION_MACS, _CHECK_MACS = (
    1.5e12,
    3e11,
    2e12,
)  # what each may cost: half a minute to a minute on two cores
_LOADING_S = 12.0  # seconds that TensorFlow and a net usually take to load
_MACS_PER_S = 2e10  # of Keras on two cores, for the time that a stage usually takes
_UNKNOWN_MACS = 500_000_000  # per cell, of a SavedModel without its Keras config: taken for a large net
_STUDENT_MACS = 800_000  # per cell: by this students are put in order before they are made
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
class Task(CellsTask):
    """What ``quantize`` is asked of a classifier; see the command's help.

    Attributes:
        author: how the author cut cells that are not square, one of ``AUTHOR_CUTS``; None: it is found by trying.
        accept_chance: a net that cannot tell the classes apart is converted all the same.
    """

    colour: str | None = None
    keep_head: bool = False
    way: str = "auto"
    author: str | None = None
    false_positives: float | None = None
    accept_chance: bool = False


def quantize(payload: dict[str, Any], progress: Progress) -> dict[str, Any]:
    """For ``run_in_child``: the report; the device file (a bare flatbuffer) is left at ``out`` whether it passed or not.

    Of a net at chance there is no device file and only a short report.
    """
    task = Task.from_payload(payload)
    if task.cells is not None:  # before TensorFlow, which takes seconds
        list_cells(Path(task.cells), None, task.group_by).settled(task.labels)
    progress("loading the model", -_LOADING_S)
    source = open_source(task.model)
    model = load_model(source, task.code)
    taken = net_input(model)
    macs = count_macs(model, taken.height, taken.width)
    report = _ClassifierJob(task, model, taken, int(model.outputs[0].shape[-1]), macs, progress).run()
    facts = task.model_facts(source, int(model.count_params()), macs, (taken.height, taken.width, taken.channels))
    warnings = [*warnings_of(source, task.code), *report["warnings"]]
    return {"model": facts, **report, "warnings": warnings, "tools": tool_versions()}


@dataclass(frozen=True, slots=True)
class _ClassifierJob:
    task: Task
    model: Any
    taken: NetInput
    width: int
    macs: int
    progress: Progress

    def run(self) -> dict[str, Any]:
        reader = CellReader(self.task, self.width, self.progress)
        cells = reader.read(SIZE)
        check_width(self.width, cells.labels, Path(self.task.model).name)
        parts = roles(cells, self.task.seed, known=reader.known)
        prep = self.preprocessing(reader, parts)
        if prep.swapped:
            reader, cells, parts = replace(reader, swapped=True), swap(cells), parts.swapped()
        cut = self.author_cut(reader, parts, prep)
        if cut.how in SHAPES:
            reader = replace(reader, shape=str(cut.how))
            parts = parts.again(reader, SIZE)
        parts = replace(parts, choose=self.affordable(parts.choose), check=self.affordable(parts.check))
        plan, judges = self.judged(self.plan(parts, prep, reader), parts, reader, prep, cut)
        notes = [cut.note] * bool(cut.note)
        if judges.chance is not None and judges.chance.failed:
            if not self.task.accept_chance and self.task.max_drop < NO_GATE:
                return gate_report.report_of_chance(plan, prep, judges, [*cells.notes, *notes])
            notes.append(gate_report.chance_words(judges.chance))
        options = self.options(plan, prep, reader, cut, notes)
        choice = WayChoice(options, plan, self.progress, lambda way: self.plan_of(way, plan, reader))
        best, report = judging.report(choice, plan, prep, judges, self.progress)
        Path(self.task.out).write_bytes(best.flatbuffer)
        notes += choice.notes
        if not reader.known:
            return {**report, **_UNJUDGED, "warnings": [VIRTUAL, *report["warnings"], *notes]}
        if without_colour(cells.images).mean() > 0.5:  # else the device would take grey fields for foreign
            report["reference"] = {"colour": [0.0, None]}
        warnings = [*report["warnings"], *notes, *judging.few(judges.cells, plan), *self.warnings(cells, plan)]
        if cells.on_black and not self.task.on_paper:
            warnings.append(self.judged_on_paper(best, judges.cells, cells, report, reader))
            if cells.on_black > len(cells) / 2:
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

    def as_trained(self, cells: CellSet, prep: Preprocessing, words: str = "float, as trained") -> FloatArray:
        """Scores of the float net on cells at its own size, float32 [n, labels]."""
        raw = outputs(self.model, cells.images, prep.values, prep.colour, partial(self.progress, words))
        return as_scores(raw, logits=prep.logits)

    def judged(
        self, plan: QuantizePlan, parts: CellRoles, reader: CellReader, prep: Preprocessing, cut: AuthorCut
    ) -> tuple[QuantizePlan, JudgingCells]:
        """Score the float net as trained on the cells that choose, for the plan, and on those that judge."""
        check = parts.check

        def sized(size: int) -> CellSet:
            return check if size == SIZE else reader.again(check, size)

        def scores(cells: CellSet, how: str | None, words: str) -> FloatArray:
            return self.as_trained(reader.again(cells, self.side, how), prep, words)

        found = scores(check, cut.how, "float, on the cells that judge")
        if not reader.known:
            return plan, JudgingCells(check, found, HALF, sized)
        as_cut = None if cut.how is None else scores(check, None, "float, on the device's cuts")
        chosen = scores(plan.choose, cut.how, "float, on the cells that choose")
        return replace(plan, scores=chosen), JudgingCells(
            check,
            found,
            plan.operating.threshold(chosen, plan.choose, plan.card),
            sized,
            as_cut,
            cut.how or author.AS_DEVICE,
            chance_test(found, check, plan.card),
        )

    def judged_on_paper(
        self, best: Candidate, check: CellSet, cells: CellSet, report: dict[str, Any], reader: CellReader
    ) -> str:
        """Add to the report what the device file does where cells have surroundings, as on the device; returns a warning."""
        paper = reader.read(best.card.crop.size, only=check.names, on_paper=True).named(check.names)
        tell = partial(self.progress, "int8, on paper")
        scores = device_scores(best.flatbuffer, best.card, paper.images, tell)
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

    def preprocessing(self, reader: CellReader, parts: CellRoles) -> Preprocessing:
        options = InputOptions(self.task.value_range, self.task.colour, self.task.logits, self.task.labels)
        usual = preprocess.default(self.model, options)
        if not reader.known:
            return usual
        affordable = min(_TRIAL_CELLS, trials.cells_for(_TRIAL_MACS / self.cost))
        trial = reader.again(some(parts.calibration, max(affordable, 40), self.task.seed), self.side)
        seconds = trials.images_fed(len(trial)) * self.cost / _MACS_PER_S + 2
        self.progress("float, value range and colour", -seconds)
        return preprocess.find(self.model, trial, options, affordable=affordable, seed=self.task.seed)

    def author_cut(self, reader: CellReader, parts: CellRoles, prep: Preprocessing) -> AuthorCut:
        """How the author cut; where cells are put on paper it is no question, for no author did that."""
        if not reader.known or self.task.on_paper:
            return AuthorCut(None)
        affordable = int(np.clip(_TRIAL_MACS / self.cost / 4, 20, _AUTHOR_CELLS))
        trial = some(parts.calibration, affordable, self.task.seed)
        return author.find(
            self.task.author,
            lambda how: reader.again(trial, self.side, how),
            lambda how, cells: self.as_trained(cells, prep, f"float, author's cuts: {how or author.AS_DEVICE}"),
        )

    def plan(self, parts: CellRoles, prep: Preprocessing, reader: CellReader) -> QuantizePlan:
        labels, crop = parts.choose.labels, CropSpec(size=SIZE, shape=reader.shape)
        positive = self.task.positive or (_guess_positive(labels) if reader.known or self.task.labels else ())
        card = plain_card(
            Path(self.task.out).stem, labels, prep.colour, logits=prep.logits, positive=positive, crop=crop
        )
        most = int(np.clip(_CALIBRATION_MACS / self.cost, 20, 2000))
        rule = operating.how(self.task.false_positives, parts.choose, card, known=reader.known)
        return QuantizePlan(
            parts.calibration,
            parts.choose,
            prep.values,
            card,
            limit=self.task.max_drop,
            operating=rule,
            apart=parts.apart,
            cells=min(500, most),
            more_cells=most,
            seed=self.task.seed,
        )

    def options(
        self, plan: QuantizePlan, prep: Preprocessing, reader: CellReader, cut: AuthorCut, notes: list[str]
    ) -> list[WayOption]:
        """The ways that apply; why others do not is added to ``notes``."""
        keep_head = self.task.keep_head
        ways, why_not = ways_for(self.model, prep.values, self.task.way, logits=prep.logits, keep_head=keep_head)
        notes += why_not
        costs = {"rebuild": self.small_macs if any(way.name == "rebuild" for way in ways) else 0}
        found = [WayOption(way.name, costs.get(way.name, self.cost), _made(way)) for way in ways]
        other = (self.taken.height, self.taken.width) != (SIZE, SIZE)
        if self.task.way == "distill" or (self.task.way == "auto" and other):
            told = can_be_shown(STUDENTS_DIFFER, len(plan.choose), min(plan.limit, USUAL_LIMIT))
            made = partial(self.students, plan, prep, reader, cut)
            found.append(WayOption("distill", _STUDENT_MACS, made, last=not told))
        return found

    def plan_of(self, way: Way, plan: QuantizePlan, reader: CellReader) -> QuantizePlan:
        """The plan for one way: on the same cells, as large as it takes them."""
        if way.size == SIZE:
            return plan
        parts = (plan.calibration, plan.choose)
        return plan.at(*(reader.again(cells, way.size) for cells in parts))

    @property
    def small_macs(self) -> int:
        return count_macs(self.model, SIZE, SIZE)

    def students(self, plan: QuantizePlan, prep: Preprocessing, reader: CellReader, cut: AuthorCut) -> list[Way]:
        native = reader.again(plan.calibration, self.side, cut.how)
        teacher = Teacher(self.model, prep, self.macs)
        return students(teacher, native, plan.calibration, self.task.seed, self.progress, held_out=not plan.apart)

    def warnings(self, cells: CellSet, plan: QuantizePlan) -> list[str]:
        found = list(cells.notes)
        if not cells.grouped:
            found.append("the split is by file, not by slide (--group-by): cells of one slide may be on both sides")
        if not self.task.positive and plan.card.positive:
            found.append(f"positive class: {plan.card.positive[0]} (by its name; --positive says otherwise)")
        return found


def _made(way: Way) -> Callable[[], list[Way]]:
    return lambda: [way]


def _guess_positive(labels: tuple[str, ...]) -> tuple[str, ...]:
    if len(labels) != 2:
        return ()
    plain = [not label.lower().startswith(NEGATIVE) for label in labels]
    return (labels[0],) if plain == [True, False] else (labels[1],)
