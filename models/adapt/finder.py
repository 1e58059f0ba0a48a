"""Fine-tuning the finder on annotated fields: few steps at a low rate, among what it learned before."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from convert.measure.annotations import AnnotatedField
from convert.measure.fields import read_image
from convert.measure.matching import BORDER, Match, assign
from convert.measure.reading import Progress
from edge.analysis import set_aside_cut
from edge.boxes import inside, iou, pairs
from edge.errors import ModelError, UnreadableFieldError
from edge.finders import Finder
from edge.finders.learned import LearnedFinder
from edge.modelfile import ModelFile
from edge.types import UInt8Array
from models.adapt.rehearsal import shares
from models.adapt.streams import AdaptStream
from models.data.classes import ClassScheme
from models.data.fieldset import Fields, sound
from models.data.scenes import KINDS, Scene, annotated_scene, kind_of
from models.data.views import draw
from models.judge.finder_thresholds import CELL_GRID, SUSPECT_GRID, Grid
from models.train.device import finder_file, quiet
from models.train.finder import FinderTraining, fit
from models.train.material import SceneMaterial
from models.train.start import StartingNet

COMPLETE = 0.6
"""With fewer annotated cells per found cell annotations count as incomplete: a finder would learn to overlook cells."""

SAME_BOX = (0.87, 1.15)
"""Range of the width of annotated boxes over that of found ones in which boxes stay as they are: tools and people leave more
or less margin around a cell."""

_LOOSE = 0.25  # IoU from which an annotated and a found box are the same cell, of whatever width
_CALIBRATION_FIELDS = 60  # that the int8 file is calibrated on


@dataclass(frozen=True, slots=True)
class AnnotationCheck:
    """Annotations beside what the finder sees before it is adapted.

    Attributes:
        annotated: annotated cells inside the border.
        found: found cells inside the border.
        width: of annotated boxes over that of found ones, median of those that overlap; 1 where none do.
    """

    annotated: int
    found: int
    width: float

    @property
    def complete(self) -> bool:
        """Whether nearly all cells seem to be annotated."""
        return self.annotated >= COMPLETE * self.found


def check_annotations(fields: Fields, tell: Progress) -> AnnotationCheck:
    """Compare annotations with what the finder of these fields sees."""
    annotated = found = 0
    ratios: list[float] = []
    for number, (one, rgb) in enumerate(_readable(fields)):
        tell("comparing annotations with the finder", number / len(fields.fields))
        shape = (rgb.shape[0], rgb.shape[1])
        cells = set_aside_cut(fields.finder.find(rgb), shape)
        boxes = cells.boxes[cells.kind == 0]
        annotated += int(inside(one.boxes, shape, BORDER).sum())
        found += int(inside(boxes, shape, BORDER).sum())
        for i, j in pairs(iou(boxes, one.boxes), _LOOSE):
            ratios.append(float(one.boxes[j, 2:].max() / max(boxes[i, 2:].max(), 1)))
    return AnnotationCheck(annotated, found, float(np.median(ratios)) if ratios else 1.0)


def resized(fields: Fields, factor: float) -> Fields:
    """The fields with annotated boxes ``factor`` times as wide and high around the same middles."""

    def scaled(one: AnnotatedField) -> AnnotatedField:
        sides = one.boxes[:, 2:] * factor
        middle = one.boxes[:, :2] + one.boxes[:, 2:] / 2
        return replace(one, boxes=np.rint(np.hstack([middle - sides / 2, sides])).astype(np.int32))

    return replace(fields, fields=replace(fields.fields, fields=tuple(scaled(one) for one in fields.fields.fields)))


def check_form(start: StartingNet) -> None:
    """Raise ModelError for a finder that is not one of this project's own nets."""
    if start.card.finder is None or start.card.finder.kinds != KINDS:
        raise ModelError(f"{start.card.name}: only finders that tell {', '.join(KINDS)} can be adapted")


def scenes_of(fields: Fields, plan: ClassScheme, tell: Progress) -> list[Scene]:
    """All fields to learn from that can be read."""
    scenes = []
    weak = not any(kind_of(name) for one in fields.fields.fields for name in one.types)
    for number, (one, rgb) in enumerate(_readable(fields)):
        tell("reading fields for the finder", number / len(fields.fields))
        if (made := annotated_scene(sound(one, rgb, Counter()), rgb, plan, weak=weak)) is not None:
            scenes.append(made)
    return scenes


def tuned(
    start: StartingNet,
    scenes: list[Scene],
    settings: FinderTraining,
    say: Callable[[str], None],
    old: Sequence[SceneMaterial] = (),
) -> tuple[Any, ModelFile]:
    """The fine-tuned Keras model and its device file, with the thresholds of the one it started from.

    Args:
        start: the finder.
        scenes: the new fields.
        settings: of fine-tuning.
        say: gets lines.
        old: what is rehearsed.
    """
    import keras  # noqa: PLC0415

    keras.utils.set_random_seed(settings.seed)
    pools = [scenes, *([scene.scene for scene in one.scenes] for one in old)]
    model = fit(start.model(), pools, shares(old), settings, say)
    rng = np.random.default_rng([settings.seed, AdaptStream.CALIBRATION])
    shown = [pools[i % len(pools)] for i in range(_CALIBRATION_FIELDS)]
    images = [draw(pool[int(rng.integers(len(pool)))], rng).image for pool in shown]
    flatbuffer = finder_file(model, images)
    return model, ModelFile(flatbuffer, start.card, "", Path(start.card.name))


def opened(file: ModelFile) -> LearnedFinder:
    """A finder, opened without the runtime's own lines."""
    with quiet():
        return LearnedFinder(file)


def matches(finder: Finder, fields: Fields, plan: ClassScheme) -> list[Match]:
    """The finder's cells matched with the annotated red cells, one ``Match`` per field that can be read; others count neither way."""
    return [_match(finder, rgb, one, plan) for one, rgb in _readable(fields)]


def _readable(fields: Fields) -> Iterator[tuple[AnnotatedField, UInt8Array]]:
    for one in fields.fields.fields:
        with suppress(UnreadableFieldError):
            yield one, read_image(one)


def _match(finder: Finder, rgb: UInt8Array, one: AnnotatedField, plan: ClassScheme) -> Match:
    cells = finder.find(rgb)
    index = plan.indices(one.types)
    suspicious = np.where(index < 0, False, plan.suspect[np.maximum(index, 0)])
    red = (index >= 0) & np.array([kind_of(name) is None for name in one.types], bool)
    return assign(cells.boxes[cells.kind == 0], one.boxes, (rgb.shape[0], rgb.shape[1]), red).match(suspicious)


def threshold_grid(finder: LearnedFinder, fields: Fields, plan: ClassScheme) -> Grid:
    """Matches at every pair of thresholds."""
    grid: Grid = {pair: [] for pair in itertools.product(CELL_GRID, SUSPECT_GRID)}
    for one, rgb in _readable(fields):
        for pair, found in grid.items():
            finder.set_thresholds((*pair, *finder.spec.thresholds[2:]))
            found.append(_match(finder, rgb, one, plan))
    return grid
