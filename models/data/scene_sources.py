"""Sources of whole scenes: annotated fields, fields composed of single cells, and virtual slides.

The finder learns from the scenes themselves, a classifier from the cells in them. They are only learned from: nothing is
judged on them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from convert.measure.fields import read_image
from convert.measure.reading import Progress
from convert.measure.single import BOX_MARGIN
from edge.errors import UnreadableFieldError
from edge.modelfile import CropSpec
from models.data.cells import LabelledCells, join
from models.data.classes import ClassScheme
from models.data.composed import CellPool
from models.data.crops import cells_of
from models.data.dataset import DataSet
from models.data.fieldset import sound
from models.data.folds import part_of
from models.data.mosaic import SMALL, mosaics
from models.data.nih import nih_rows, with_second_opinions
from models.data.scenes import Scene, annotated_scene, kind_of
from models.data.second_reading import second_reading
from models.data.streams import RandomStream
from models.data.virtual import virtual_scenes

_MOSAICS = 3
"""Times that a small field is put together with others."""

VIRTUAL = "virtual slides"
"""Name, and only group, of what is drawn."""


@dataclass(frozen=True, slots=True, eq=False)
class GroupedScene:
    """A scene and the group it is of."""

    scene: Scene
    group: str


@dataclass(frozen=True, slots=True, eq=False)
class SceneSource:
    """Scenes of one kind, drawn or read when they are asked for.

    Attributes:
        name: of the set.
        counts: how often each name is annotated; of drawn ones nothing is.
        draw: the scenes, by the classes and whether fields keep their full size.
        copies: times that an infected cell is learned from by a classifier.
        seed: moves the boxes.
    """

    name: str
    counts: Counter[str]
    draw: Callable[[ClassScheme, bool], Iterator[GroupedScene]]
    copies: int = 1
    seed: int = 0

    def names(self) -> Counter[str]:
        """How often each name is annotated."""
        return self.counts

    def read(
        self, scheme: ClassScheme, spec: CropSpec, progress: Progress, *, learn: bool = True
    ) -> tuple[LabelledCells, list[str]]:
        """The cells of all scenes, to learn from; ``scheme`` is of two classes, uninfected and infected."""
        del learn
        rng = np.random.default_rng([self.seed, RandomStream.MOVED_BOXES])
        labels = (scheme.labels[0], scheme.labels[1])
        parts = []
        for number, one in enumerate(self.draw(scheme, True)):
            if number % 50 == 0:
                progress(f"cutting cells of {self.name}", -1)
            parts.append(cells_of(one.scene, one.group, labels, spec, rng, copies=self.copies))
        return join(parts), []


def annotated(data: DataSet, copies: int, seed: int) -> SceneSource:
    """The annotated fields of a set, after the second reading where there is one."""
    fields = data.fields()
    counts = Counter(name for one in fields.fields for name in one.types)
    weak = not any(kind_of(name) for name in counts)
    amend = second_reading(data.folder)

    def draw(scheme: ClassScheme, full_size: bool) -> Iterator[GroupedScene]:
        small: list[GroupedScene] = []
        for one, group in zip(fields.fields, fields.groups, strict=True):
            with suppress(UnreadableFieldError):
                rgb = read_image(one)
                known = amend(sound(one, rgb, Counter()))
                margin = BOX_MARGIN / data.margin
                scene = annotated_scene(known, rgb, scheme, full_size=full_size, weak=weak, margin=margin)
                if scene is None:
                    continue
                if full_size or max(scene.rgb.shape[:2]) > SMALL * scene.unit:
                    yield GroupedScene(scene, f"{data.name}/{group}")
                else:
                    small.append(GroupedScene(scene, part_of(data.name, one.path.name)))
        yield from _mosaics(small, seed)

    return SceneSource(data.name, counts, draw, copies, seed)


def _mosaics(small: list[GroupedScene], seed: int) -> Iterator[GroupedScene]:
    """Small fields put together, none with one of another part of its set."""
    rng = np.random.default_rng([seed, RandomStream.MOSAICS])
    for part in sorted({one.group for one in small}):
        for scene in mosaics([one.scene for one in small if one.group == part], _MOSAICS, rng):
            yield GroupedScene(scene, part)


def composed(data: DataSet, count: int, copies: int, seed: int) -> SceneSource:
    """Fields composed of the cells of one slide each, labelled by the second opinion where there is one."""
    rows = [row for row in with_second_opinions(nih_rows(data.folder)) if data.takes(Path(row["file"]))]

    def draw(scheme: ClassScheme, full_size: bool) -> Iterator[GroupedScene]:
        del scheme, full_size
        rng = np.random.default_rng([seed, RandomStream.COMPOSED_FIELDS])
        pool = CellPool(data.folder, rows)
        for slide in rng.choice(sorted(pool.by_slide), count).tolist():
            yield GroupedScene(pool.scene(rng, slide), f"{data.name}/{slide}")

    return SceneSource(data.name, Counter(row["label"] for row in rows), draw, copies, seed)


def virtual(count: int, copies: int, seed: int) -> SceneSource:
    """Fields of virtual slides, each of another slide."""
    return SceneSource(VIRTUAL, Counter(), partial(_virtual, count, seed), copies, seed)


def _virtual(count: int, seed: int, scheme: ClassScheme, full_size: bool) -> Iterator[GroupedScene]:
    del scheme, full_size
    for scene in virtual_scenes(count, seed):
        yield GroupedScene(scene, VIRTUAL)
