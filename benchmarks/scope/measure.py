"""Flat field and dust of real microscopes, made from two of three of their fields and tried on the third."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import median

import cv2
import numpy as np

from benchmarks.places import real_images
from convert.measure.annotations import AnnotatedField
from convert.measure.fields import FieldSet, read_fields, read_image, spread
from convert.measure.matching import Match, match_boxes, match_points, summarise
from edge import shelf
from edge.analysis import Analyser
from edge.classifier import Classifier
from edge.finders.learned import LearnedFinder
from edge.heap import keep_freed_memory
from edge.scope.dust import DustSpeck, dust_of, with_dust
from edge.scope.flat import FlatField, flat_field
from edge.scope.light import byte_of, linear
from edge.scope.spread import corrector
from edge.types import Field, FieldResult, UInt8Array

SETS = ("iml_fields", "chula_fields")
"""Sets that one microscope took, or two."""

DUSTY = "chula_fields"
"""Of two cameras' settings; the fields of the one with dust are lighter."""

LIGHTER = 150.0
"""Median brightness from which a field of it is of that one."""

CORNER = 0.65
"""Share of the light that a drawn vignette leaves in the corners."""

_MOST_LEARNT, _MOST_TRIED = 60, 40
"""Fields of a set."""

_TURNS = 15
"""Turns of timing; the median counts."""

Change = Callable[[UInt8Array], UInt8Array]


@dataclass(frozen=True, slots=True)
class Variant:
    """One set under one light: what the fields went through, and what the shipped nets made of them."""

    where: str
    what: str
    fields: int
    cells: int
    f1: float
    called: int
    infected: int
    infected_called: int

    @property
    def others_called(self) -> int:
        """Cells called infected that are not annotated as infected."""
        return self.called - self.infected_called


@dataclass(frozen=True, slots=True)
class Evenness:
    """One set's paper before and after, and its dust."""

    where: str
    flat: FlatField
    dust: tuple[DustSpeck, ...]


@dataclass(frozen=True, slots=True)
class CorrectionCost:
    """Milliseconds per megapixel of correcting and of copying a frame, in turns in one run, and the share of analysing a field."""

    correct_ms: float
    copy_ms: float
    analyse_ms: float


@dataclass(frozen=True, slots=True)
class ScopeFigures:
    """All that was measured."""

    evenness: tuple[Evenness, ...]
    variants: tuple[Variant, ...]
    cost: CorrectionCost


def measured(say: Callable[[str], None]) -> ScopeFigures:
    """Measure everything; ``say`` takes what is being done."""
    analyser = Analyser(LearnedFinder(shelf.load(shelf.FINDER)), Classifier(shelf.load(shelf.CLASSIFIER)))
    even, variants = [], []
    cost = None
    for where in SETS:
        fields = _one_microscope(where)
        third = np.arange(len(fields)) % 3 == 0
        learnt = [read_image(one) for one in spread(fields.take(~third), _MOST_LEARNT).fields]
        tried = spread(fields.take(third), _MOST_TRIED)
        flat = flat_field(learnt)
        dust = dust_of(learnt, flat.gains, moved=flat.moved)
        even.append(Evenness(where, flat, dust))
        size = (learnt[0].shape[1], learnt[0].shape[0])
        own = corrector(with_dust(flat.gains(size), dust))
        for what, change in _changes(size, learnt, own).items():
            say(f"{where}: {what}")
            variants.append(_judged(where, what, tried, change, analyser))
        cost = cost or _cost(learnt[0], own, analyser)
    if cost is None:
        raise ValueError("no set was measured")
    return ScopeFigures(tuple(even), tuple(variants), cost)


def _one_microscope(where: str) -> FieldSet:
    fields = read_fields(real_images() / where, None, None)
    if where != DUSTY:
        return fields
    light = [float(np.median(read_image(one))) for one in fields.fields]
    return fields.take([number for number, one in enumerate(light) if one >= LIGHTER])


def _changes(size: tuple[int, int], learnt: Sequence[UInt8Array], own: Change) -> Mapping[str, Change]:
    """What fields go through, by its name."""
    vignette = _vignette(size)
    drawn = [vignette(one) for one in learnt]
    undo = corrector(flat_field(drawn).gains(size))
    return {
        "as they are": lambda rgb: rgb,
        "corrected": own,
        "with a drawn vignette": vignette,
        "with it, corrected": lambda rgb: undo(vignette(rgb)),
        "the lamp 15 % darker": _lamp(0.85),
        "the lamp 30 % darker": _lamp(0.7),
        "the lamp 15 % brighter": _lamp(1.15),
    }


def _vignette(size: tuple[int, int]) -> Change:
    """Corners that have ``CORNER`` of the middle's light, off centre."""
    width, height = size
    y, x = np.mgrid[0:height, 0:width].astype(np.float64)
    far = ((x / width - 0.45) ** 2 + (y / height - 0.55) ** 2) / 0.5
    factor = (1 - (1 - CORNER) * np.minimum(far, 1.2))[..., None]
    return lambda rgb: np.asarray(np.rint(rgb * factor), np.uint8)


def _lamp(factor: float) -> Change:
    """Another lamp: linear light times ``factor``."""
    table = np.array([min(255.0, byte_of(min(1.0, linear(byte) * factor))) for byte in range(256)])
    return lambda rgb: np.asarray(cv2.LUT(rgb, np.rint(table).astype(np.uint8)), np.uint8)


def _judged(where: str, what: str, tried: FieldSet, change: Change, analyser: Analyser) -> Variant:
    matches: list[Match] = []
    called = infected = hit = 0
    for number, one in enumerate(tried.fields):
        result = analyser(Field(change(read_image(one)), number, where, one.path.name))
        match, sick, found = _scored(one, result)
        matches.append(match)
        called += int((result.classes == 1).sum())
        infected += sick
        hit += found
    summary = summarise(matches)
    counted = sum(match.counted for match in matches)
    return Variant(where, what, len(matches), counted, summary.f1, called, infected, hit)


def _scored(one: AnnotatedField, result: FieldResult) -> tuple[Match, int, int]:
    """The finder's score, infected cells annotated, and how many of those a cell called infected stands on."""
    boxes = result.cells.boxes[result.cells.kind == 0]
    if one.points is not None:
        return match_points(boxes, one.points, result.shape), 0, 0
    sick = one.of(_INFECTED)
    match = match_boxes(boxes, one.boxes, sick, result.shape)
    positive = result.cells.boxes[result.classes == 1]
    found = match_boxes(positive, one.boxes[sick], np.ones(int(sick.sum()), bool), result.shape)
    return match, found.infected, found.infected - found.infected_lost


_INFECTED = ("ring", "trophozoite", "schizont", "gametocyte")
"""Annotated types that are infected cells."""


def _cost(rgb: UInt8Array, correct: Change, analyser: Analyser) -> CorrectionCost:
    keep_freed_memory()  # as in a run
    megapixels = rgb.shape[0] * rgb.shape[1] / 1e6
    spans: dict[str, list[float]] = {"correct": [], "copy": [], "analyse": []}
    work: Mapping[str, Callable[[], object]] = {
        "correct": lambda: correct(rgb),
        "copy": rgb.copy,
        "analyse": lambda: analyser(Field(rgb, 0, "s", "f")),
    }
    for _ in range(_TURNS):
        for name, job in work.items():
            began = time.process_time()
            job()
            spans[name].append((time.process_time() - began) * 1e3)
    per = {name: median(values) / megapixels for name, values in spans.items()}
    return CorrectionCost(per["correct"], per["copy"], per["analyse"])
