"""A student: a small net for the device's 32 x 32 crop, and its training on a teacher's answers."""

from __future__ import annotations

from collections.abc import Callable
from math import cos, pi
from typing import Any

import numpy as np

from convert.classify.pictures import turned
from convert.net.int8 import repeatable
from convert.net.rewrite import SIZE
from convert.net.values import ValueRange
from edge.types import FloatArray, UInt8Array

VALUES = ValueRange("student", 1 / 64, -2.0)
"""(byte - 128) / 64, exact in int8."""

WIDTHS = ((16, 24, 48, 48), (24, 40, 80, 80))
"""Filters of the convolutions of each student, the cheapest first: 0.8 and 2.1 M multiply-accumulates per cell."""

BATCH = 128
"""Pictures per step."""

_HIDDEN = 16  # units before the outputs
_RATE, _DECAY = 4e-3, 1e-3  # of learning at its highest, and of the weights
_WARM = 0.05  # share of the steps in which the rate rises
_TOLD_EVERY = 20  # steps between two words of how far it is
_STREAM = 31  # random stream of a seed: the order of pictures


def student(widths: tuple[int, ...], outputs: int, channels: int) -> Any:
    """A net with random weights: float32 [n, 32, 32, channels] to logits [n, outputs].

    Every layer is normalised, the hidden one too: units that never fire have no range, and no delegate takes an int8 tensor of none.
    """
    import keras  # noqa: PLC0415

    layers = keras.layers
    inputs = layers.Input((SIZE, SIZE, channels))
    x = inputs
    stack = [(filters, 3, stride, "same") for filters, stride in zip(widths, (2, 2, 2, 1), strict=True)]
    for filters, window, stride, padding in [*stack, (_HIDDEN, SIZE // 8, 1, "valid")]:
        x = layers.Conv2D(filters, window, strides=stride, padding=padding, use_bias=False)(x)
        x = layers.BatchNormalization(momentum=0.98)(x)
        x = layers.ReLU(6.0)(x)
    x = layers.Conv2D(outputs, 1)(x)
    return keras.Model(inputs, layers.Flatten()(x))


class StudentTrainer:
    """Trains students of one width, one after the other: the step is compiled once, which takes as long as a training of few cells.

    Args:
        widths: filters of the convolutions.
        outputs: of the net.
        channels: of its input.

    Attributes:
        net: the student that was trained last; the next training begins it anew.
    """

    def __init__(self, widths: tuple[int, ...], outputs: int, channels: int) -> None:
        import keras  # noqa: PLC0415
        import tensorflow as tf  # noqa: PLC0415

        self._form = (widths, outputs, channels)
        self.net = net = student(*self._form)
        self._optimizer = optimizer = keras.optimizers.AdamW(0.0, weight_decay=_DECAY)
        optimizer.build(net.trainable_variables)
        self._before = [np.array(variable) for variable in optimizer.variables]

        def step(batch: Any, wanted: Any, rate: Any) -> None:
            optimizer.learning_rate.assign(rate)
            fed = tf.cast(batch, tf.float32) * VALUES.scale + VALUES.offset
            with tf.GradientTape() as tape:
                loss = tf.reduce_mean(tf.nn.softmax_cross_entropy_with_logits(wanted, net(fed, training=True)))
            values = [variable.value for variable in net.trainable_variables]
            optimizer.apply(tape.gradient(loss, values), net.trainable_variables)

        self._step = tf.function(step, jit_compile=True)

    def train(
        self, pictures: UInt8Array, targets: FloatArray, steps: int, *, seed: int, progress: Callable[[float], None]
    ) -> None:
        """Train a student; the same seed gives the same weights.

        Args:
            pictures: uint8 [n, 32, 32, channels]; each is shown in all eight turns.
            targets: the teacher's scores, float32 [n, outputs].
            steps: of ``BATCH`` pictures each.
            seed: random seed of the first weights and of the pictures' order.
            progress: called with the share that is done.
        """
        repeatable(seed)
        self.net.set_weights(student(*self._form).get_weights())
        for variable, value in zip(self._optimizer.variables, self._before, strict=True):
            variable.assign(value)
        rng = np.random.default_rng([seed, _STREAM])
        for number in range(steps):
            if number % _TOLD_EVERY == 0:
                progress(number / steps)
            rows = rng.integers(0, len(pictures), BATCH)
            turn = turned(pictures[rows], int(rng.integers(8)))
            self._step(turn, targets[rows], np.array(_rate(number, steps), np.float32))

    def copy(self) -> Any:
        """The student as it is now, as a net of its own."""
        net = student(*self._form)
        net.set_weights(self.net.get_weights())
        return net


def _rate(number: int, steps: int) -> float:
    """Of learning at a step: it rises in a line, then falls to nothing as a cosine."""
    warm = max(1, int(_WARM * steps))
    return _RATE * (number / warm if number < warm else 0.5 * (1 + cos(pi * (number - warm) / max(1, steps - warm))))


def scores(net: Any, crops: UInt8Array) -> FloatArray:
    """What a student says: uint8 [n, 32, 32, channels] to probabilities float32 [n, outputs]."""
    raw = np.asarray(net.predict(VALUES.values(crops), batch_size=BATCH, verbose=0), np.float32)
    e = np.exp(raw - raw.max(axis=1, keepdims=True))
    return np.asarray(e / e.sum(axis=1, keepdims=True), np.float32)
