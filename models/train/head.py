"""Train the last layers of a classifier alone: what the layers before make of some batches is worked out once, and used often.

With some hundred cells to learn from this takes seconds where training through all layers takes minutes, and layers that stay as they
are forget nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from edge.modelfile import CropSpec
from models.data.cells import LabelledCells
from models.train.classifier import BatchClasses, CellTraining, batches, loss_of
from models.train.loop import optimiser, seeded

PASSES = 6
"""Times that a batch is learned from, each time in another order and with other units dropped."""


def train_head(
    opened: Callable[[], Any],
    sources: Sequence[LabelledCells],
    mix: Sequence[float],
    spec: CropSpec,
    settings: CellTraining,
    *,
    classes: BatchClasses,
    layers: int,
) -> Any:
    """A Keras model of ``models.train.net`` whose last layers were trained.

    Args:
        opened: gives a fresh copy of the model, with a drop-out before the layers that learn.
        sources: plain cells with slack.
        mix: share of each source in a batch.
        spec: of the net's crops.
        settings: of the run; steps count every pass.
        classes: of the cells.
        layers: how many learn; all others stay as they are, batch normalisation too.
    """
    keras = seeded(settings.seed)  # before the model is opened: its drop-out takes its seed then
    model = opened()
    between = model.layers[-layers - 2].output  # before the drop-out
    trunk, head = keras.Model(model.inputs[0], between), keras.Model(between, model.outputs[0])
    source = batches(sources, mix, spec, settings, classes=classes)
    many = max(1, round(settings.steps / PASSES))
    drawn = [next(source) for _ in range(many)]
    seen = np.concatenate([np.asarray(trunk(crops, training=False)) for crops, _ in drawn])
    labels = np.concatenate([labels for _, labels in drawn])
    criterion = loss_of(classes.count, settings.smoothing)

    def loss(truth: Any, outputs: Any) -> Any:
        return criterion(keras.ops.reshape(truth, [-1]), keras.ops.reshape(outputs, [-1, outputs.shape[-1]]))

    head.compile(optimizer=optimiser(settings.rate, many * PASSES, settings.decay), loss=loss)
    head.fit(seen, labels, batch_size=settings.batch, epochs=PASSES, verbose=0)
    return model
