"""Train a finder: the scenes, the losses and the step; ``models.train.loop`` runs it. Keras, CPU; the seed is fixed."""

from __future__ import annotations

import itertools
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from models.data.scenes import KINDS, Scene
from models.data.streams import RandomStream
from models.data.views import draw, targets
from models.train.loop import Keeping, Log, ahead, optimiser, run

_DECAY = 1e-4
"""Weight decay, per step and learning rate."""

_LARGEST_GRADIENT = 5.0
"""Norm to which gradients are clipped."""


@dataclass(frozen=True, slots=True)
class FinderTraining:
    """Settings of one run.

    Attributes:
        steps: of the optimiser.
        batch: views per step.
        rate: highest learning rate.
        seed: everything random follows from it.
    """

    steps: int = 2600
    batch: int = 8
    rate: float = 2e-3
    seed: int = 0


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


def batches(
    pools: Sequence[Sequence[Scene]], mix: Sequence[float], settings: FinderTraining, first: int = 0
) -> Iterator[tuple[Any, Any, Any]]:
    """Endless batches; number ``i`` depends on the seed and on ``i`` alone.

    Args:
        pools: scenes by source.
        mix: share of each source.
        settings: of the run.
        first: number of the first batch.

    Yields:
        input float32 [n, 192, 256, 3], heat targets, box targets (``models.data.views.targets``).
    """
    share = np.array([part if pool else 0.0 for part, pool in zip(mix, pools, strict=True)])
    share /= share.sum()
    for number in itertools.count(first):
        rng = np.random.default_rng([settings.seed, RandomStream.SCENE_BATCHES, number])
        views = []
        for which in rng.choice(len(pools), settings.batch, p=share):
            scene = pools[which][int(rng.integers(len(pools[which])))]
            view = draw(scene, rng)
            views.append((view.image, *targets(view, scene.known)))
        images, heats, regs = zip(*views, strict=True)
        yield (np.stack(images).astype(np.float32) - 128) / 64, np.stack(heats), np.stack(regs)


def fit(
    model: Any,
    pools: Sequence[Sequence[Scene]],
    mix: Sequence[float],
    settings: FinderTraining,
    log: Log,
    *,
    keep: Keeping | None = None,
) -> Any:
    """The Keras model, trained on.

    Args:
        model: of ``models.train.finder_net``.
        pools: scenes by source.
        mix: share of each source in a batch.
        settings: of the run.
        log: gets lines of progress.
        keep: where checkpoints go; None: nowhere.
    """
    import tensorflow as tf  # noqa: PLC0415

    rule = optimiser(settings.rate, settings.steps, _DECAY)
    heat_loss, box_loss = loss_functions()
    weights = model.trainable_variables
    rule.build(weights)

    def one_step(images: Any, heat: Any, reg: Any) -> Any:
        with tf.GradientTape() as tape:
            out_heat, out_boxes = model(images, training=True)
            loss = heat_loss(heat, out_heat) + box_loss(reg, out_boxes)
        grads, _ = tf.clip_by_global_norm(tape.gradient(loss, weights), _LARGEST_GRADIENT)
        rule.apply_gradients(zip(grads, weights, strict=True))
        return loss

    def source(first: int) -> Generator[tuple[Any, ...]]:
        return ahead(batches(pools, mix, settings, first))

    run(tf.function(one_step), [*model.variables, *rule.variables], source, settings.steps, log, keep=keep)
    return model
