"""Train the cell classifier: ``python -m models train-classifier``. Keras, CPU, minutes; seeds fixed."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from edge.crops import to_reference
from edge.modelfile import CropSpec
from edge.types import UInt8Array
from models.cell_data import CellSet, augment
from models.cell_net import build
from models.finder_train import ahead


@dataclass(frozen=True, slots=True)
class CellTraining:
    """Settings of one run. ``mix``: share of each source in a batch; ``infected``: share of infected cells within it."""

    steps: int = 3000
    batch: int = 256
    rate: float = 4e-3
    seed: int = 0
    infected: float = 0.35
    smoothing: float = 0.02


def net_input(crops: UInt8Array, spec: CropSpec) -> np.ndarray:
    """Uncoloured crops uint8 [n, s, s, 3] to what the net sees in training, float32."""
    crops = to_reference(crops, spec)
    return (crops.astype(np.float32) - 128) / 64


def batches(
    sources: list[CellSet], mix: list[float], spec: CropSpec, settings: CellTraining
) -> Iterator[tuple[Any, Any]]:
    """Endless batches of net inputs and labels float32 [n]."""
    rng = np.random.default_rng([settings.seed, 3])
    pools = [(np.flatnonzero(s.labels == 0), np.flatnonzero(s.labels == 1)) for s in sources]
    share = np.array(mix) / np.sum(mix)
    while True:
        crops, labels = [], []
        for source, pool, count in zip(sources, pools, rng.multinomial(settings.batch, share), strict=True):
            positives = int(rng.binomial(count, settings.infected)) if len(pool[1]) else 0
            rows = (
                np.concatenate([rng.choice(pool[0], count - positives), rng.choice(pool[1], positives)])
                if positives
                else rng.choice(pool[0], count)
            )
            crops.append(source.crops[rows])
            labels.append(source.labels[rows])
        yield net_input(augment(np.concatenate(crops), rng), spec), np.concatenate(labels).astype(np.float32)


def train(
    sources: list[CellSet], mix: list[float], spec: CropSpec, settings: CellTraining, say: Callable[[str], None]
) -> Any:
    """A trained Keras model with one logit; crops of ``sources`` are not yet colour-normalised."""
    import keras  # noqa: PLC0415
    import tensorflow as tf  # noqa: PLC0415

    keras.utils.set_random_seed(settings.seed)
    model = build()
    schedule = keras.optimizers.schedules.CosineDecay(
        1e-4, settings.steps - 100, warmup_target=settings.rate, warmup_steps=100, alpha=0.01
    )
    optimizer = keras.optimizers.AdamW(schedule, weight_decay=2e-4)
    criterion = keras.losses.BinaryCrossentropy(from_logits=True, label_smoothing=settings.smoothing)

    def one_step(crops: Any, labels: Any) -> Any:
        with tf.GradientTape() as tape:
            logits = tf.reshape(model(crops, training=True), [-1])
            loss = criterion(labels[:, None], logits[:, None])
        grads = tape.gradient(loss, model.trainable_variables)
        optimizer.apply_gradients(zip(grads, model.trainable_variables, strict=True))
        return loss

    step = tf.function(one_step)
    began = time.monotonic()
    recent: list[float] = []
    source = ahead(batches(sources, mix, spec, settings))
    for number in range(1, settings.steps + 1):
        recent.append(float(step(*next(source))))
        if number % 250 == 0:
            left = (time.monotonic() - began) / number * (settings.steps - number)
            say(f"step {number}/{settings.steps}  loss {np.mean(recent[-250:]):.4f}  {left:.0f} s left")
    return model


def logits(model: Any, crops: UInt8Array, spec: CropSpec) -> np.ndarray:
    """Float logits of crops not yet colour-normalised, float32 [n]."""
    return np.asarray(model.predict(net_input(crops, spec), batch_size=1024, verbose=0)).reshape(-1)
