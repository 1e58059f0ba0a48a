"""A small 32 x 32 student that learns a trained net's answers on the user's own cells; their classes are not needed.

The teacher sees each cell at its own size, the student the device's crop (grey where the teacher's is grey), both in the same
eight turns and mirrorings. The student learns the teacher's probabilities, not its verdicts (Hinton et al. 2015, "Distilling
the Knowledge").
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from convert.child import Progress
from convert.classify.preprocess import Preprocessing
from convert.classify.ways import Way
from convert.measure.cells import CellSet
from convert.measure.scoring import as_scores, outputs
from convert.net.int8 import repeatable
from convert.net.rewrite import SIZE, device_model
from convert.net.values import ValueRange
from edge.crops import to_colour
from edge.types import FloatArray, UInt8Array

VALUES = ValueRange("student", 1 / 64, -2.0)
"""(byte - 128) / 64, exact in int8."""
_WIDTHS = (16, 24, 48, 48)  # filters of the student's convolutions
_BATCH = 64  # cells per step
_STEPS = 4500  # at most
_TEACHER_MACS = 3e12  # multiply-accumulates that all the teacher's answers may cost: minutes on two cores
_TURNS = 8  # four turns, each mirrored or not
_ROWS_STREAM, _TRAIN_STREAM = 29, 31  # random streams of a seed: which cells the teacher is asked about, and training


@dataclass(frozen=True, slots=True)
class Teacher:
    """A trained net, what it was trained on, and what it costs: multiply-accumulates per cell."""

    model: Any
    prep: Preprocessing
    macs: int


def distil(teacher: Teacher, native: CellSet, small: CellSet, seed: int, progress: Progress) -> Way:
    """Train the student.

    Args:
        teacher: a costly one is asked about fewer cells and turns.
        native: cells at the teacher's size (its longer side), those that neither choose nor judge.
        small: the same cells as the device cuts them, uint8 RGB [n, 32, 32, 3].
        seed: random seed of the weights and of the order of cells.
        progress: told of the steps.
    """
    repeatable(seed)
    prep = teacher.prep
    affordable = max(200, int(_TEACHER_MACS / max(1, teacher.macs)))
    rows = np.random.default_rng([seed, _ROWS_STREAM]).permutation(len(small))[:affordable]
    turns = int(np.clip(affordable // len(rows), 1, _TURNS))
    crops, targets = [], []
    for turn in range(turns):
        progress("distill: asking the trained net", turn / turns)
        raw = outputs(teacher.model, turned(native.images[rows], turn), prep.values, prep.colour)
        targets.append(as_scores(raw, logits=prep.logits))
        crops.append(turned(small.images[rows], turn))
    grey = prep.colour == "grey"
    student = _student(targets[0].shape[1], 1 if grey else 3)
    if grey:
        crops = [to_colour(one, "grey") for one in crops]
    rng = np.random.default_rng([seed, _TRAIN_STREAM])
    _train(student, np.concatenate(crops), np.concatenate(targets), rng, progress)

    def make(batch: int | None, from_bytes: bool) -> Any:
        return device_model(student, SIZE, VALUES, batch=batch, from_bytes=from_bytes)

    return Way("distill", make, logits=True, values=VALUES, colour="grey" if grey else "rgb")


def turned(images: UInt8Array, turn: int) -> UInt8Array:
    """One of the eight turns and mirrorings of a square: uint8 [n, s, s, 3], same shape out."""
    if turn & 4:
        images = images[:, :, ::-1]
    return np.ascontiguousarray(np.rot90(images, turn & 3, axes=(1, 2)))


def _student(outputs_wanted: int, channels: int) -> Any:
    import keras  # noqa: PLC0415

    layers = keras.layers
    inputs = layers.Input((SIZE, SIZE, channels))
    x = inputs
    for filters, stride in zip(_WIDTHS, (2, 2, 2, 1), strict=True):
        x = layers.Conv2D(filters, 3, strides=stride, padding="same", use_bias=False)(x)
        x = layers.BatchNormalization(momentum=0.98)(x)
        x = layers.ReLU(6.0)(x)
    x = layers.Conv2D(16, 4, activation="relu")(x)
    x = layers.Dropout(0.1)(x)
    x = layers.Conv2D(outputs_wanted, 1)(x)
    return keras.Model(inputs, layers.Flatten()(x))


def _train(student: Any, crops: UInt8Array, targets: FloatArray, rng: np.random.Generator, progress: Progress) -> None:
    import keras  # noqa: PLC0415

    steps = int(np.clip(len(crops) * 16 // _BATCH, 400, _STEPS))
    rate = keras.optimizers.schedules.CosineDecay(3e-3, steps)
    loss = keras.losses.CategoricalCrossentropy(from_logits=True)
    student.compile(keras.optimizers.AdamW(rate, weight_decay=1e-3), loss)
    for step in range(steps):
        if step % 20 == 0:
            progress("distill: training the student", step / steps)
        rows = rng.integers(0, len(crops), _BATCH)
        # Stain and lamp differ between slides more than between cells
        gain = rng.uniform(0.92, 1.08, (_BATCH, 1, 1, crops.shape[3])).astype(np.float32)
        fed = np.clip(crops[rows].astype(np.float32) * gain, 0, 255)
        student.train_on_batch(fed * np.float32(VALUES.scale) + np.float32(VALUES.offset), targets[rows])
