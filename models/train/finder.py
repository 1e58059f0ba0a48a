"""Train the finder: ``python -m models train-finder``. Keras, CPU, minutes; seeds fixed."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from edge.heap import keep_freed_memory
from models.data.debris import weak_labels
from models.data.fields import ImlField, data_dir
from models.data.nih import nih_rows
from models.data.scenes import KINDS, VIEW, CellPool, Scene, draw, from_annotated, targets
from models.train.finder_net import build


@dataclass(frozen=True, slots=True)
class FinderTraining:
    """Settings of one training run; ``mix`` is the share of real, composed and virtual scenes in a batch."""

    steps: int = 2600
    batch: int = 8
    rate: float = 2e-3
    width: int = 16
    seed: int = 0
    mix: tuple[float, ...] = (0.75, 0.15, 0.1)


def loss_functions() -> tuple[Any, Any]:
    """Penalty-reduced focal loss of the heat (Law & Deng 2018, alpha 2, beta 4) and weighted L1 of the boxes."""
    import tensorflow as tf  # noqa: PLC0415

    n = len(KINDS)

    def heat_loss(wanted: Any, heat: Any) -> Any:
        y, weight = wanted[..., :n], wanted[..., n:]
        p = tf.clip_by_value(heat, 1e-4, 1 - 1e-4)
        at = tf.cast(y > 0.999, tf.float32)
        hit = at * tf.math.log(p) * (1 - p) ** 2
        miss = (1 - at) * tf.math.log(1 - p) * p**2 * (1 - y) ** 4
        return -tf.reduce_sum(weight * (hit + miss)) / (tf.reduce_sum(at) + 1.0)

    def box_loss(wanted: Any, boxes: Any) -> Any:
        scale = tf.constant([1.0, 1.0, 3.0, 3.0])
        error = tf.reduce_sum(tf.abs(wanted[..., :4] - boxes) * scale, axis=-1)
        return tf.reduce_sum(error * wanted[..., 4]) / (tf.reduce_sum(wanted[..., 4]) + 1.0)

    return heat_loss, box_loss


def batches(pools: list[list[Scene]], mix: tuple[float, ...], size: int, seed: int) -> Iterator[tuple[Any, Any, Any]]:
    """Endless batches: input float32 [n, 240, 320, 3], heat targets, box targets."""
    rng = np.random.default_rng(seed)
    share = np.array([m if pool else 0.0 for m, pool in zip(mix, pools, strict=True)])
    share /= share.sum()
    while True:
        images, heats, regs = [], [], []
        for which in rng.choice(len(pools), size, p=share):
            scene = pools[which][int(rng.integers(len(pools[which])))]
            view = draw(scene, rng)
            heat, reg = targets(view, scene.others)
            images.append(view.image)
            heats.append(heat)
            regs.append(reg)
        yield (np.stack(images).astype(np.float32) - 128) / 64, np.stack(heats), np.stack(regs)


def ahead(source: Iterator[Any], depth: int = 6) -> Generator[Any]:
    """The same items, made in a thread of their own."""
    items: queue.Queue[Any] = queue.Queue(depth)
    stop = threading.Event()

    def fill() -> None:
        for item in source:
            while not stop.is_set():
                try:
                    items.put(item, timeout=0.5)
                    break
                except queue.Full:
                    continue
            if stop.is_set():
                return

    threading.Thread(target=fill, daemon=True).start()
    try:
        while True:
            yield items.get()
    finally:
        stop.set()


def train(
    real: list[Scene], composed: list[Scene], virtual: list[Scene], settings: FinderTraining, say: Callable[[str], None]
) -> Any:
    """A trained Keras model. ``say`` gets a line of progress every 100 steps."""
    import keras  # noqa: PLC0415

    keras.utils.set_random_seed(settings.seed)
    return fit(build(len(KINDS), settings.width, *VIEW), [real, composed, virtual], settings, say)


def fit(model: Any, pools: list[list[Scene]], settings: FinderTraining, say: Callable[[str], None]) -> Any:
    """The Keras model, trained on: ``pools`` are scenes by source, as many as ``settings.mix``."""
    import keras  # noqa: PLC0415
    import tensorflow as tf  # noqa: PLC0415

    warm = min(100, settings.steps // 10)
    schedule = keras.optimizers.schedules.CosineDecay(
        min(1e-4, settings.rate), settings.steps - warm, warmup_target=settings.rate, warmup_steps=warm, alpha=0.01
    )
    optimizer = keras.optimizers.AdamW(schedule, weight_decay=1e-4)
    heat_loss, box_loss = loss_functions()

    def one_step(images: Any, heat: Any, reg: Any) -> Any:
        with tf.GradientTape() as tape:
            out_heat, out_boxes = model(images, training=True)
            losses = heat_loss(heat, out_heat), box_loss(reg, out_boxes)
            total = losses[0] + losses[1]
        grads = tape.gradient(total, model.trainable_variables)
        grads, _ = tf.clip_by_global_norm(grads, 5.0)
        optimizer.apply_gradients(zip(grads, model.trainable_variables, strict=True))
        return losses

    step = tf.function(one_step)
    keep_freed_memory()  # a batch is made and dropped at every step
    began = time.monotonic()
    recent: list[tuple[float, float]] = []
    source = ahead(batches(pools, settings.mix, settings.batch, settings.seed))
    for number in range(1, settings.steps + 1):
        one, two = step(*next(source))
        recent.append((float(one), float(two)))
        if number % 100 == 0:
            heat_mean, box_mean = np.mean(recent[-100:], axis=0)
            left = (time.monotonic() - began) / number * (settings.steps - number)
            say(f"step {number}/{settings.steps}  heat {heat_mean:.3f}  box {box_mean:.3f}  {left:.0f} s left")
    return model


def composed_scenes(count: int, seed: int, rows: list[dict[str, str]] | None = None) -> list[Scene]:
    """Fields composed of NIH cells."""
    rng = np.random.default_rng([seed, 7])
    pool = CellPool(data_dir() / "nih_cells", rows or nih_rows())
    return [pool.scene(rng) for _ in range(count)]


def real_scenes(fields: list[ImlField]) -> list[Scene]:
    """Scenes of annotated fields, with weak labels for what is not a red cell."""
    return [from_annotated(f, *weak_labels(f.read(), f.boxes)) for f in fields]
