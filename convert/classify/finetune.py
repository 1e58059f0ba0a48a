"""Quantisation-aware fine-tuning: the net learns to give its own float answers with rounded weights and activations.

In training each weight and activation is rounded to the grid that int8 would give it and its gradient passes as though it
were not (straight-through; Jacob et al. 2018, "Quantization and Training of Neural Networks"). The targets are the float
net's own outputs on calibration cells, so no classes are needed. The file is then made from the new weights as always.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from convert.child import Progress
from convert.errors import UnsupportedError
from convert.net.batch import CONVERTED_AT
from convert.net.int8 import repeatable
from convert.net.rewrite import run_graph
from edge.types import FloatArray

BATCH = 32
"""Cells in one step of fine-tuning."""

_STEPS = (60, 800)  # at least (else it is not worth it) and at most
_PASSES = 100  # over the cells
_MACS = 1e12  # multiply-accumulates forward and back: a minute or two on two cores
_RATE = 2e-3  # of learning
_SMALL = 1e-3  # share of the largest weight that every weight's size counts as at least
_LATE = 0.9  # memory of the running ranges
_CERTAIN = 8.0  # logits beyond it: how certain the net is does not matter
_STREAM = 37  # random stream of a seed: the order of cells
_FUSED = ("BatchNormalization", "ReLU", "Relu", "Relu6", "Reshape", "Flatten", "Identity")
_PLAIN = ("linear", "relu", "relu6")


@contextmanager
def fine_tuned(net: Any, images: FloatArray, macs: int, seed: int, progress: Progress) -> Iterator[Any]:
    """The net with fine-tuned weights, at the batch it is converted at; on leaving, the weights are as they were.

    Args:
        net: functional keras.Model, float32 [n, h, w, c] to [n, k].
        images: what it takes, float32 [n, h, w, c].
        macs: multiply-accumulates per image.
        seed: random seed of the order of cells.
        progress: told of the steps.

    Raises:
        UnsupportedError: the net has no weights that could be tuned, or is too large for it.
    """
    import keras  # noqa: PLC0415

    steps = int(min(len(images) * _PASSES // BATCH, _MACS / (3 * BATCH * max(1, macs)), _STEPS[1]))
    if steps < _STEPS[0]:
        raise UnsupportedError("too large, or too few cells, for fine-tuning")
    repeatable(seed)
    tuned = _RoundedNet(net)
    before = net.get_weights()
    try:
        _train(tuned, images, steps, np.random.default_rng([seed, _STREAM]), progress)
        for variable, value in tuned.weights():
            variable.assign(value)
        inputs = keras.Input(batch_shape=(CONVERTED_AT, *net.inputs[0].shape[1:]))
        outputs = run_graph(net, inputs, lambda op, *args, **kwargs: op(*args, **_at_inference(kwargs)))
        yield keras.Model(inputs, outputs)
    finally:
        net.set_weights(before)


class _RoundedNet:
    """The net, run as int8 will be: weights and activations rounded, ranges following the data.

    What is learnt is a change relative to the size of a weight's channels, which may differ a hundredfold.
    """

    def __init__(self, net: Any) -> None:
        import keras  # noqa: PLC0415

        self.net = net
        self.ranges: dict[str, Any] = {}
        self.axes: dict[int, tuple[int, ...]] = {}
        self.changes: list[tuple[Any, FloatArray, FloatArray, Any]] = []  # weight, value, sizes, change
        for layer in net.layers:
            if getattr(layer, "kernel", None) is None:
                continue
            self.axes[id(layer.kernel)] = _axes(layer)
            for weight in (layer.kernel, layer.bias):
                if weight is not None:
                    value = np.array(weight)
                    self.changes.append((weight, value, _sizes(value), keras.Variable(np.zeros_like(value))))
        if not self.changes:
            raise UnsupportedError("nothing to fine-tune")

    def weights(self) -> list[tuple[Any, Any]]:
        """Each weight with its new value, not rounded."""
        return [(weight, value + size * change.value) for weight, value, size, change in self.changes]

    def __call__(self, batch: Any) -> Any:
        import keras  # noqa: PLC0415

        rounded = [
            (weight, _rounded(value, self.axes[id(weight)]) if id(weight) in self.axes else value)
            for weight, value in self.weights()
        ]
        with keras.StatelessScope(state_mapping=rounded):
            return self._activations(run_graph(self.net, batch, self._call), "outputs")

    def _call(self, op: Any, *args: Any, **kwargs: Any) -> Any:
        """One op. What it reads is rounded, unless the converter makes one op of it and the one before."""
        kwargs = _at_inference(kwargs)
        if type(op).__name__ not in _FUSED and len(args) == 1 and not isinstance(args[0], list | tuple):
            args = (self._activations(args[0], op.name),)
        inner = getattr(op, "activation", None)
        if inner is None or getattr(inner, "__name__", "") in _PLAIN or not hasattr(op, "kernel"):
            return op(*args, **kwargs)
        op.activation = lambda tensor: inner(self._activations(tensor, f"{op.name}/before"))
        try:
            return op(*args, **kwargs)
        finally:
            op.activation = inner

    def _activations(self, tensor: Any, name: str) -> Any:
        """Rounded to 256 steps of its running range; gradients pass inside it."""
        import tensorflow as tf  # noqa: PLC0415

        low, high = tf.minimum(tf.reduce_min(tensor), 0.0), tf.maximum(tf.reduce_max(tensor), 1e-6)
        if name not in self.ranges:
            with tf.init_scope():
                self.ranges[name] = tf.Variable([np.nan, np.nan], trainable=False, dtype=tf.float32)
        kept = self.ranges[name]
        seen = tf.stop_gradient(tf.stack([low, high]))
        kept.assign(tf.where(tf.math.is_nan(kept), seen, _LATE * kept + (1 - _LATE) * seen))
        # Not TensorFlow's own op for this: its gradient is not repeatable
        step = (kept[1] - kept[0]) / 255
        zero = tf.round(-kept[0] / step)
        inside = tf.clip_by_value(tensor, -zero * step, (255 - zero) * step)
        return inside + tf.stop_gradient(tf.round(inside / step) * step - inside)


def _at_inference(kwargs: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in kwargs.items() if key != "training"}


def _axes(layer: Any) -> tuple[int, ...]:
    """The axes of a kernel that share a scale: all but the output channels; dense layers, all (as ``convert.net.int8`` asks for)."""
    every = tuple(range(len(layer.kernel.shape)))
    return {"Dense": every, "DepthwiseConv2D": (0, 1), "Conv2DTranspose": (0, 1, 3)}.get(
        type(layer).__name__, every[:-1]
    )


def _sizes(value: FloatArray) -> FloatArray:
    """What a change is relative to: the largest weights of its input and of its output channel, multiplied."""
    size = np.abs(value) + np.float32(_SMALL * np.abs(value).max() + 1e-12)
    if value.ndim < 2:
        return np.asarray(size, np.float32)
    space = size.max(axis=tuple(range(value.ndim - 2)), keepdims=True)
    return np.asarray(space.max(axis=-1, keepdims=True) * space.max(axis=-2, keepdims=True) / space.max(), np.float32)


def _rounded(kernel: Any, axes: tuple[int, ...]) -> Any:
    """Round a kernel to 255 symmetric steps; the gradient passes."""
    import tensorflow as tf  # noqa: PLC0415

    step = tf.maximum(tf.reduce_max(tf.abs(kernel), axis=axes, keepdims=True), 1e-12) / 127
    return kernel + tf.stop_gradient(tf.round(kernel / step) * step - kernel)


def _train(rounded: _RoundedNet, images: FloatArray, steps: int, rng: np.random.Generator, progress: Progress) -> None:
    import keras  # noqa: PLC0415
    import tensorflow as tf  # noqa: PLC0415

    net = rounded.net
    batches = (images[i : i + BATCH] for i in range(0, len(images), BATCH))
    targets = np.concatenate([np.asarray(net(batch, training=False)) for batch in batches])
    targets = np.clip(targets.reshape(len(images), -1), -_CERTAIN, _CERTAIN).astype(np.float32)
    spread = float(targets.std()) + 1e-6
    changes = [change for *_, change in rounded.changes]
    rate = keras.optimizers.schedules.CosineDecay(0.0, steps, warmup_target=_RATE, warmup_steps=steps // 10)
    optimizer = keras.optimizers.Adam(rate)
    optimizer.build(changes)

    def step(batch: Any, wanted: Any) -> None:
        with tf.GradientTape() as tape:
            off = tf.reshape(rounded(batch), tf.shape(wanted)) - wanted
            surer = (tf.abs(wanted) >= _CERTAIN) & (off * wanted > 0)
            loss = tf.reduce_mean(keras.losses.huber(wanted * 0, tf.where(surer, 0.0, off) / spread))
        optimizer.apply(tape.gradient(loss, [one.value for one in changes]), changes)

    compiled = tf.function(step)
    for number in range(steps):
        if number % 10 == 0:
            progress("quantisation-aware fine-tuning", number / steps)
        rows = rng.integers(0, len(images), BATCH)
        compiled(tf.constant(images[rows]), tf.constant(targets[rows]))
