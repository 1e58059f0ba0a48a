"""``quantize --task finder``, the part that needs TensorFlow: runs in the child process, returns plain values."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from convert.child import Progress
from convert.conversion import ConversionTask
from convert.errors import CellsError, UnsupportedError
from convert.finding.graph import as_model, check_runs, finder_graph, float_file, quantised
from convert.finding.judge import as_fed, judge
from convert.finding.report import FEW, MOST, Attempt, FinderResult, report_of
from convert.finding.spec import NetShape, Roles, roles_of, shape_of, spec_of
from convert.finding.trial import TRIED, input_range, score, threshold, value_range
from convert.measure.fields import FieldSet, read_fields, read_image, split, spread, virtual_fields
from convert.net.batch import feed
from convert.net.int8 import LayerError, QuantisationRecipe, layer_errors, tool_versions, worst_with_next
from convert.net.values import RANGES, ValueRange
from convert.reading import trust
from convert.reading.load import load_model
from convert.reading.parse import admit
from convert.reading.source import SourceModel, open_source
from edge import shelf
from edge.errors import UnreadableFieldError
from edge.finders.learned import LearnedFinder
from edge.modelfile import Card, FinderSpec, ModelFile
from edge.types import UInt8Array

_LAYER_FIELDS = 4  # on which the error of each layer is measured: every one runs the net twice


@dataclass(frozen=True, slots=True, kw_only=True)
class FinderTask(ConversionTask):
    """What ``quantize --task finder`` is asked; ``positive``: annotated names that are infected."""

    fields: str | None = None
    annotations: str | None = None
    like: str | None = None
    cell_px: float | None = None


def quantize(payload: dict[str, Any], progress: Progress) -> dict[str, Any]:
    """For ``run_in_child``: the report; the device file (a bare flatbuffer) is left at ``out`` whether it passed or not."""
    task = FinderTask.from_payload(payload)
    parts: tuple[FieldSet | None, FieldSet | None] = (None, None)
    if task.value_range is not None and task.value_range not in TRIED:
        raise UnsupportedError(
            f"--value-range {task.value_range}: a finder takes one of {', '.join(TRIED)}; put what differs per channel into "
            "the net as a Normalization layer"
        )
    if task.fields is not None:  # before TensorFlow, which takes seconds
        fields = read_fields(Path(task.fields), Path(task.annotations) if task.annotations else None, task.group_by)
        if unknown := sorted(set(task.positive) - set(fields.types)):
            there = ", ".join(fields.types)
            raise CellsError(f"--positive {', '.join(unknown)}: nothing is annotated so, there are {there}")
        parts = split(fields, task.positive, task.seed)
    source = open_source(task.model)
    net = shape_of(admit(source, trust.names_in(task.code)).graph)
    roles = roles_of(net.outputs)
    like = template(task.like, source)
    heat = net.outputs[roles.heat]
    spec, unsure = spec_of(heat.channels, net.stride, task.labels, task.cell_px, like.spec if like else None)
    progress("loading the model", -1)
    model = load_model(source, task.code)
    roles = replace(roles, logits=roles.logits or task.logits)
    work = _FinderJob(task, model, net, roles, like, progress)
    return {
        "task": "finder",
        "model": task.model_facts(source, net.parameters, net.macs, (*net.size, 3)),
        "outputs": {
            "heat": heat.name,
            "boxes": [net.outputs[i].name for i in roles.boxes],
            "sigmoid_added": roles.logits,
        },
        "like": like.card.name if like else None,
        **work.run(*parts, spec, unsure=unsure),
        "tools": tool_versions(),
    }


@dataclass(frozen=True, slots=True)
class Template:
    """A finder to take from what the net does not say; ``same``: it was made of this very net."""

    card: Card
    spec: FinderSpec
    values: str | None
    same: bool


def template(like: str | None, source: SourceModel) -> Template | None:
    """The finder of ``--like``, else the shelf's finder that was made of this very file.

    Raises:
        ModelError: there is no such finder.
    """
    names = [like] if like is not None else [str(entry.path) for entry in shelf.entries()]
    for name in names:
        model = shelf.load(name)
        same = model.card is not None and model.card.source_sha256 == source.sha256
        if model.card is not None and model.card.finder is not None and (like is not None or same):
            return Template(model.card, model.card.finder, input_range(model.flatbuffer), same)
    if like is not None:
        raise UnsupportedError(f"--like {like}: not a finder's model (its card has no finder part)")
    return None


@dataclass(frozen=True, slots=True)
class _FinderJob:
    task: FinderTask
    model: Any
    net: NetShape
    roles: Roles
    like: Template | None
    progress: Progress

    def run(
        self, calibration: FieldSet | None, check: FieldSet | None, spec: FinderSpec, *, unsure: bool
    ) -> dict[str, Any]:
        notes: list[str] = []
        values = self.values(calibration, spec, notes)
        floats = self.float_file(values)
        if unsure:
            spec = self.thresholds(floats, spec, calibration, notes)
        self.progress("feeding calibration fields", -1)
        images = as_fed(self.device(floats, spec), self.rgbs(calibration), self.net.size, self.task.seed)
        if not images:
            raise CellsError("none of the fields to calibrate on can be read")
        heat = self.net.outputs[self.roles.heat].channels
        check_runs(floats, self.net, heat, images[0])
        tried, layers = self.attempts(floats, spec, values, images, check)
        best = next((one for one in tried if one.passes(self.task.max_drop)), min(tried, key=lambda one: one.lost))
        check_runs(best.flatbuffer, self.net, heat, images[0])
        Path(self.task.out).write_bytes(best.flatbuffer)
        self.progress("speed", -1)
        files = {"float": self.device(floats, spec), "int8": self.device(best.flatbuffer, spec)}
        worst_first = tuple(sorted(layers, key=lambda one: -one.ratio))
        limit, positive, size = self.task.max_drop, self.task.positive, self.net.size
        result = FinderResult(best, tuple(tried), files, worst_first, size, limit, positive, calibration, check)
        return {
            "finder": asdict(spec),
            "threshold_origin": self.origin(unsure=unsure, chosen=calibration is not None),
            "value_range": values.name,
            **report_of(result, notes),
        }

    def device(self, flatbuffer: bytes, spec: FinderSpec) -> ModelFile:
        return as_model(flatbuffer, spec, Path(self.task.model).stem)

    def rgbs(self, fields: FieldSet | None) -> Iterable[UInt8Array]:
        """The images of up to ``MOST`` fields, those that can be read; without fields, of virtual slides."""
        if fields is None:
            yield from virtual_fields(self.progress)
            return
        chosen = spread(fields, MOST).fields
        for number, field in enumerate(chosen):
            self.progress("feeding calibration fields", number / len(chosen))
            try:
                yield read_image(field)
            except UnreadableFieldError:  # it is named where all fields are judged, or counted among the skipped
                continue

    def values(self, fields: FieldSet | None, spec: FinderSpec, notes: list[str]) -> ValueRange:
        given = self.task.value_range
        hint = self.like.values if self.like else None
        if given is None and hint is not None and self.like is not None and self.like.same:
            return RANGES[hint]
        if fields is None:
            return RANGES[given or hint or "0..1"]
        known = fields

        def score_of(values: ValueRange) -> float:
            self.progress(f"float, value range {values.name}", -1)
            return score(LearnedFinder(self.device(self.float_file(values), spec)), known)

        values, said = value_range(given, hint, score_of)
        notes += said
        return values

    def float_file(self, values: ValueRange) -> bytes:
        return float_file(self.model, self.net.size, self.roles, values)

    def thresholds(self, floats: bytes, spec: FinderSpec, fields: FieldSet | None, notes: list[str]) -> FinderSpec:
        if fields is None:
            level = spec.thresholds[0]
            notes.append(f"thresholds of {level:g}, not chosen on anything: --like takes those of a finder")
            return spec
        spec, said = threshold(LearnedFinder(self.device(floats, spec)), spec, fields, self.progress)
        notes.append(said)
        return spec

    def origin(self, *, unsure: bool, chosen: bool) -> str:
        if not unsure and self.like is not None:
            return f"those of {self.like.card.name}: {self.like.card.threshold_origin}"
        return "best F1 of the float net on calibration fields" if chosen else "default, not chosen on anything"

    def attempts(
        self, floats: bytes, spec: FinderSpec, values: ValueRange, images: list[UInt8Array], check: FieldSet | None
    ) -> tuple[list[Attempt], list[LayerError]]:
        """Int8 files until one passes the gate, and the layers' errors of the first."""
        static = finder_graph(self.model, self.net.size, self.roles, values)

        def attempt(recipe: str, how: QuantisationRecipe, count: int) -> Attempt:
            self.progress(f"{recipe}, calibrating", -1)
            chosen = [images[i] for i in np.unique(np.linspace(0, len(images) - 1, count).astype(int))]
            flatbuffer = quantised(static, chosen, values, how)
            if check is None:
                return Attempt(recipe, flatbuffer, None, len(chosen))
            files = {"float": floats, "int8": flatbuffer}
            finders = {name: LearnedFinder(self.device(data, spec)) for name, data in files.items()}
            return Attempt(recipe, flatbuffer, judge(finders, check, self.task.positive, self.progress), len(chosen))

        tried = [attempt("int8", QuantisationRecipe(), len(images))]
        self.progress("error of each layer", -1)
        layers = layer_errors(static, feed(images[:_LAYER_FIELDS], values))
        ladder: list[tuple[str, QuantisationRecipe, int]] = []
        if len(images) > FEW:
            ladder.append(("int8 with fewer calibration fields", QuantisationRecipe(), FEW))
        if worst := worst_with_next(layers):
            ladder.append(
                (f"int8, the {len(worst)} worst layers in float", QuantisationRecipe(float_layers=worst), len(images))
            )
        for recipe, how, count in ladder:
            if tried[-1].passes(self.task.max_drop):
                break
            try:
                tried.append(attempt(recipe, how, count))
            except UnsupportedError as error:
                self.progress(f"{recipe} does not work: {error}", -1)
        return tried, layers
