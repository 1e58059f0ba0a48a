"""Small 32 x 32 students that learn a trained net's answers on the user's own cells; their classes are not needed.

A student learns the teacher's probabilities, not its verdicts (Hinton et al. 2015, "Distilling the Knowledge"), on pictures that
``convert.classify.pictures`` makes of the cells. Where the cells that a student learns from also choose, its own scores there are
too good; then students that were trained without a third of the slides score that third.
"""

from __future__ import annotations

import hashlib
from functools import cache
from typing import Any

import numpy as np

from convert.child import Progress
from convert.classify import student
from convert.classify.pictures import VERSION, Pictures, draw
from convert.classify.student import BATCH, VALUES, WIDTHS, StudentTrainer
from convert.classify.teacher import Teacher
from convert.classify.ways import Way
from convert.measure.cells import CellSet
from convert.measure.virtual_cells import virtual_cells
from convert.net.rewrite import SIZE, device_model
from edge.crops import to_colour
from edge.types import FloatArray, UInt8Array

STEPS = 800
"""Of training at most; ``python -m models strangers --limits`` measures what fewer and more give (docs/strangers.md)."""

STUDENTS_DIFFER = 0.015
"""Share of cells that a good student counts otherwise than its teacher: so many tell whether it is as good."""

_TEACHER_MACS = 2.5e12  # multiply-accumulates that all the teacher's answers may cost: two minutes on two cores
_PICTURES = (200, 12_000)  # at least and at most
_MEMORY = 1.2e9  # bytes of pictures at the teacher's size at most
_PASSES = 30  # over the pictures, at most
_LEAST_STEPS = 300  # of training
_FOLDS = 3  # a student of each fold is trained without its cells
_FOLD_SHARE = 0.5  # of the steps that a student of a fold is trained for


def students(
    teacher: Teacher, native: CellSet, small: CellSet, seed: int, progress: Progress, *, held_out: bool = False
) -> list[Way]:
    """The students, the cheapest first; each is trained when its way is first made.

    Args:
        teacher: a costly one is asked about fewer pictures.
        native: cells at the teacher's size (its longer side).
        small: the same cells as the device cuts them, uint8 RGB [n, 32, 32, 3].
        seed: random seed of the pictures, the weights and the order of learning.
        progress: told of the steps.
        held_out: the same cells choose: the ways give out-of-fold scores of them.
    """
    lesson = Lesson(teacher, native, small, seed, progress)
    return [lesson.way(widths, held_out=held_out) for widths in WIDTHS]


class Lesson:
    """What the students of one teacher share, made when it is first needed.

    Attributes:
        learnt: gives the pictures, what the student sees of them (uint8 [n, 32, 32, channels]), and the teacher's scores of them
            (float32 [n, labels]).
    """

    def __init__(self, teacher: Teacher, native: CellSet, small: CellSet, seed: int, progress: Progress) -> None:
        self.teacher, self.native, self.small, self.seed, self.progress = teacher, native, small, seed, progress
        self.grey = teacher.prep.colour == "grey"
        self.learnt = cache(self._learnt)
        self.trainer = cache(self._trainer)

    def way(self, widths: tuple[int, ...], *, held_out: bool) -> Way:
        """The student of these widths, not trained yet; ``held_out``: with out-of-fold scores."""

        @cache
        def trained() -> Any:
            return self.trained(widths, None, 1.0, "distill: training the student").copy()

        def make(batch: int | None, from_bytes: bool) -> Any:
            return device_model(trained(), SIZE, VALUES, batch=batch, from_bytes=from_bytes)

        colour = "grey" if self.grey else "rgb"
        found = cache(lambda: self.out_of_fold(widths))

        def scores(cells: CellSet) -> FloatArray:
            place = {name: row for row, name in enumerate(self.small.names)}
            return found()[[place[name] for name in cells.names]]

        return Way("distill", make, True, VALUES, colour, held_out=scores if held_out else None)

    def _learnt(self) -> tuple[Pictures, UInt8Array, FloatArray]:
        """Pictures, what the student sees of them, and the teacher's scores of them."""
        size = self.native.images.shape[1]
        affordable = min(_TEACHER_MACS / max(1, self.teacher.macs), _MEMORY / (3 * size**2))
        count = int(np.clip(affordable, *_PICTURES))
        virtual = virtual_cells(self.native.labels, size, self.progress).images
        self.progress("distill: drawing pictures", -1)
        pictures = draw(self.native, self.small, virtual, count, self.seed)
        digest = hashlib.sha256(repr((VERSION, self.seed, count, size)).encode())
        for images in (self.native.images, self.small.images):
            digest.update(np.ascontiguousarray(images).tobytes())
        targets = self.teacher.answers(pictures.native, digest.hexdigest(), self.progress)
        return pictures, self.seen(pictures.small), targets

    def seen(self, small: UInt8Array) -> UInt8Array:
        """Crops in the student's colour: RGB uint8 [n, 32, 32, 3] to [n, 32, 32, channels]."""
        return to_colour(small, "grey") if self.grey else small

    def _trainer(self, widths: tuple[int, ...]) -> StudentTrainer:
        _, crops, targets = self.learnt()
        return StudentTrainer(widths, targets.shape[1], crops.shape[3])

    def trained(self, widths: tuple[int, ...], without: np.ndarray | None, share: float, words: str) -> StudentTrainer:
        """The trainer with a student that did not learn from the cells ``without``, bool [n]; None: from all."""
        pictures, crops, targets = self.learnt()
        if without is not None:
            kept = ~np.append(without, False)[pictures.cells].any(axis=1)
            crops, targets = crops[kept], targets[kept]
        steps = int(np.clip(len(crops) * _PASSES // BATCH, min(_LEAST_STEPS, STEPS), STEPS) * share)
        self.progress(words, 0.0)  # the first step is compiled first
        trainer = self.trainer(widths)
        trainer.train(crops, targets, max(1, steps), seed=self.seed, progress=lambda at: self.progress(words, at))
        return trainer

    def out_of_fold(self, widths: tuple[int, ...]) -> FloatArray:
        """Scores of all cells, float32 [n, labels], each of a student that did not learn from its slide."""
        groups, member = np.unique(self.small.resampled(), return_inverse=True)
        order = sorted(range(len(groups)), key=lambda i: hashlib.sha256(f"{self.seed}/{groups[i]}".encode()).digest())
        fold = np.empty(len(groups), int)
        fold[order] = np.arange(len(groups)) % _FOLDS
        found: FloatArray | None = None
        for number in range(min(_FOLDS, len(groups))):
            mine = (fold == number)[member]
            words = f"distill: training without fold {number + 1} of {_FOLDS}"
            trainer = self.trained(widths, mine, _FOLD_SHARE, words)
            scores = student.scores(trainer.net, self.seen(self.small.images[mine]))
            found = np.empty((len(mine), scores.shape[1]), np.float32) if found is None else found
            found[mine] = scores
        assert found is not None  # noqa: S101 - there is a group, since there are cells
        return found
