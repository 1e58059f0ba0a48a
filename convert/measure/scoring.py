"""Scores of a float Keras model and of a device file on the same cells, in the same form: float32 [n, labels]."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from convert.errors import CellsError
from convert.measure.bootstrap import figure_interval, share_interval
from convert.measure.cells import CellSet
from convert.measure.metrics import auc, sensitivity_at
from convert.net.rewrite import device_model, net_input
from convert.net.values import ValueRange
from edge.classifier import BATCH, Classifier
from edge.crops import channels_of, to_colour
from edge.decision import classes_of, positive_mask
from edge.macs import macs
from edge.modelfile import Card, ModelFile
from edge.runtime import Net
from edge.types import FloatArray, UInt8Array

_ROUNDS = 21  # of timing; the first one warms up
_SPREAD = (50, 10, 90)  # percentiles that are told of a ratio's rounds
_BATCH = 32  # cells
_DEVICE_BATCH = 8 * BATCH  # cells that a device file is fed between two words of how far it is
_FLOAT_BATCH = 64  # cells that a float net is fed at once
ON_BLACK = "cut out on black"
"""What the card's ``training`` says of ``cells`` that were shown to the net so."""

Measure = Callable[[np.ndarray, np.ndarray], float]
AT_RATES = {"sensitivity_at_1_percent_fp": 0.01, "sensitivity_at_0.1_percent_fp": 0.001}
"""Figures at fixed rates of false positives, found on the same cells."""


def outputs(
    model: Any, images: UInt8Array, values: ValueRange, colour: str, tell: Callable[[float], None] = lambda _share: None
) -> FloatArray:
    """What the trained net says, its last layer as trained: RGB uint8 [n, s, s, 3] to float32 [n, k]; tells what share is done."""
    taken = net_input(model)
    squash = (taken.height, taken.width) if taken.height != taken.width else None  # as ``upscale`` does it
    net = device_model(model, images.shape[1], values, resize_to=squash, batch=None)
    said = []
    for first in range(0, len(images), _FLOAT_BATCH):
        tell(first / len(images))
        said.append(net.predict_on_batch(values.values(to_colour(images[first : first + _FLOAT_BATCH], colour))))
    return np.asarray(np.concatenate(said), np.float32).reshape(len(images), -1)


def as_scores(raw: FloatArray, *, logits: bool) -> FloatArray:
    """One score per class: [n, k] to [n, k], and a single output [n, 1] to [n, 2]."""
    if raw.shape[1] == 1:
        p = 1 / (1 + np.exp(-np.clip(raw, -80, 80))) if logits else raw
        return np.asarray(np.hstack([1 - p, p]), np.float32)
    if logits:
        e = np.exp(raw - raw.max(axis=1, keepdims=True))
        return np.asarray(e / e.sum(axis=1, keepdims=True), np.float32)
    return raw


def check_width(width: int, labels: tuple[str, ...], model: str) -> None:
    """Raise CellsError where the head and the classes differ."""
    if width != len(labels) and not (width == 1 and len(labels) == 2):
        classes = 2 if width == 1 else width
        raise CellsError(f"{model} tells {classes} classes apart, the cells are of {len(labels)}: {', '.join(labels)}")


def decide(scores: FloatArray, labels: tuple[str, ...], positive: tuple[str, ...], threshold: float) -> np.ndarray:
    """The class each cell counts as, by the device's own rule (``edge.classifier``): int32 [n]."""
    return classes_of(scores, positive_mask(labels, positive), threshold)


def device_scores(
    flatbuffer: bytes, card: Card, images: UInt8Array, tell: Callable[[float], None] = lambda _share: None
) -> FloatArray:
    """Scores in the device's own runtime: RGB uint8 [n, s, s, 3] to float32 [n, labels]; tells what share is done."""
    classifier = Classifier(ModelFile(flatbuffer, card, card.sha256, Path(card.name)))
    said = [np.empty((0, len(card.labels)), np.float32)]
    for first in range(0, len(images), _DEVICE_BATCH):
        tell(first / len(images))
        said.append(classifier.scores(images[first : first + _DEVICE_BATCH]))
    return np.concatenate(said)


def figures(
    scores: FloatArray, cells: CellSet, positive: tuple[str, ...], threshold: float, resamples: int = 100
) -> dict[str, Any]:
    """Accuracy and recall per class at this threshold and, where classes are positive, AUC and sensitivity at fixed rates.

    Intervals are 95 %, over groups, from so many resamples.
    """
    right = decide(scores, cells.labels, positive, threshold) == cells.truth
    recall = {name: float(right[cells.truth == i].mean()) for i, name in enumerate(cells.labels)}
    found: dict[str, Any] = {
        "cells": len(cells),
        "accuracy": float(right.mean()),
        "recall": recall,
    }
    several = len(np.unique(cells.groups)) > 1  # of one slide there is no interval
    if several:
        found["accuracy_interval"] = share_interval(right, cells.groups)
    suspect = positive_mask(cells.labels, positive)
    infected = suspect[cells.truth]
    if 0 < infected.sum() < len(infected):
        score = scores[:, suspect].sum(axis=1)
        flagged = suspect[decide(scores, cells.labels, positive, threshold)]
        found["threshold"] = threshold
        found["sensitivity"] = float(flagged[infected].mean())
        found["false_positive_rate"] = float(flagged[~infected].mean())
        groups = cells.resampled()
        measures: dict[str, Measure] = {
            "auc": auc,
            **{name: partial(sensitivity_at, rate=rate) for name, rate in AT_RATES.items()},
        }
        for name, measure in measures.items():
            found[name] = measure(infected, score)
            if several:
                found[f"{name}_interval"] = figure_interval(measure, infected, score, groups, resamples)
    return found


def per_group(scores: FloatArray, cells: CellSet, positive: tuple[str, ...], threshold: float) -> dict[str, float]:
    """Accuracy of each group (slide); empty where cells are not grouped."""
    if not cells.grouped:
        return {}
    right = decide(scores, cells.labels, positive, threshold) == cells.truth
    return {str(group): float(right[cells.groups == group].mean()) for group in np.unique(cells.groups)}


@dataclass(frozen=True, slots=True)
class TimedNets:
    """What nets take, measured in turns on this machine.

    Attributes:
        us: microseconds per cell of each, the median of all rounds.
        ratios: of each, how many times as long as the last of them: the median of all rounds, and the 10th and 90th percentile.
            A busy machine slows both nets of a round, so ratios can be compared between reports and microseconds cannot.
    """

    us: dict[str, float]
    ratios: dict[str, tuple[float, float, float]]


def latency(
    files: dict[str, bytes], colour: str, size: int, tell: Callable[[float], None] = lambda _share: None
) -> TimedNets:
    """Time nets that take the same cells: batches of 32 (large nets: fewer), one thread, in turns; tells what share is done."""
    count = int(np.clip(2e9 / max(1, macs(next(iter(files.values())))), 1, _BATCH))
    batch = np.random.default_rng(0).integers(0, 256, (count, size, size, channels_of(colour)), dtype=np.uint8)
    nets = {name: Net(ModelFile(data, None, "", Path(name))) for name, data in files.items()}
    times: dict[str, list[float]] = {name: [] for name in files}
    for done in range(_ROUNDS):
        tell(done / _ROUNDS)
        for name, net in nets.items():
            start = time.perf_counter()
            net.run(batch)
            times[name].append(time.perf_counter() - start)
    spent = {name: np.array(rounds[1:]) for name, rounds in times.items()}
    last = spent[next(reversed(spent))]
    shares = {name: np.percentile(one / last, _SPREAD) for name, one in spent.items()}
    return TimedNets(
        {name: float(np.median(one)) / count * 1e6 for name, one in spent.items()},
        {name: (float(one[0]), float(one[1]), float(one[2])) for name, one in shares.items()},
    )


def trained_on_black(card: Card) -> bool:
    """Whether ``quantize`` noted in the card that its cells were cut out on black and read so."""
    return card.training.get("cells") == ON_BLACK


def plain_card(name: str, labels: tuple[str, ...], colour: str, *, logits: bool, **more: Any) -> Card:
    """A classifier's card without figures."""
    return replace(Card(name, "classify", labels, colour=colour, output="logit" if logits else "probability"), **more)
