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

import numpy as np

from convert.measure.fields import read_image
from convert.measure.reading import Progress
from edge.errors import UnreadableFieldError
from edge.modelfile import CropSpec
from models.data.cells import LabelledCells, join
from models.data.classes import ClassScheme
from models.data.crops import cells_of
from models.data.dataset import DataSet
from models.data.fieldset import sound
from models.data.nih import nih_rows, with_second_opinions
from models.data.scenes import CellPool, Scene, annotated_scene
from models.data.streams import RandomStream
from models.data.virtual import virtual_scenes

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
    """The annotated fields of a set."""
    fields = data.fields()

    def draw(scheme: ClassScheme, full_size: bool) -> Iterator[GroupedScene]:
        for one, group in zip(fields.fields, fields.groups, strict=True):
            with suppress(UnreadableFieldError):
                rgb = read_image(one)
                scene = annotated_scene(sound(one, rgb, Counter()), rgb, scheme, full_size=full_size)
                if scene is not None:
                    yield GroupedScene(scene, f"{data.name}/{group}")

    return SceneSource(data.name, Counter(name for one in fields.fields for name in one.types), draw, copies, seed)


def composed(data: DataSet, count: int, copies: int, seed: int) -> SceneSource:
    """Fields composed of the cells of one slide each, labelled by the second opinion where there is one."""
    rows = with_second_opinions(nih_rows(data.folder))

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
