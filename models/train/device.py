"""From a trained net to the device's int8 file, and both on the same cells. All nets of ``models`` become int8 here."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, redirect_stdout
from io import StringIO
from pathlib import Path
from typing import Any

import numpy as np

from convert.finding.graph import finder_graph, quantised
from convert.finding.spec import Roles
from convert.measure.scoring import as_scores, device_scores
from convert.measure.typicals import middle
from convert.net.batch import CONVERTED_AT, feed
from convert.net.int8 import file_digest, quantise
from convert.net.rewrite import device_model
from convert.net.values import RANGES
from edge.door import quiet_native_stderr
from edge.modelfile import Card, CropSpec
from edge.safe_file import plain_errors, whole_path
from edge.types import FloatArray, UInt8Array
from models.data.cells import LabelledCells
from models.data.streams import RandomStream
from models.data.views import VIEW
from models.train.classifier import logits, net_input

CALIBRATION = 1000
"""Cells that a classifier is calibrated on."""

_VALUES = RANGES["-2..2"]
"""What every net of ``models`` is fed: (byte - 128) / 64."""


def device_bytes(cells: LabelledCells, spec: CropSpec) -> UInt8Array:
    """Plain crops as the device feeds them, uint8 [n, size, size, 3 or 6]: what ``net_input`` makes of them, as bytes."""
    fed = net_input(_seen(cells, spec), spec, cells.typical)
    return np.asarray(np.rint(fed * 64 + 128), np.uint8)


def _seen(cells: LabelledCells, spec: CropSpec) -> UInt8Array:
    """What the net sees of crops that may be larger than it (``models.data.crops.SLACK``)."""
    return middle(cells.crops, spec.size)


def calibration(sources: Sequence[LabelledCells], spec: CropSpec, seed: int) -> UInt8Array:
    """Some cells of each source, as many of each class as there are, as the device feeds them: uint8 [n, size, size, 3]."""
    rng = np.random.default_rng([seed, RandomStream.CALIBRATION_CELLS])
    parts = []
    for cells in sources:
        each = max(1, CALIBRATION // len(sources) // len(cells.labels))
        rows = [np.flatnonzero(cells.truth == number) for number in range(len(cells.labels))]
        parts.append(device_bytes(cells.take(np.concatenate([rng.permutation(mine)[:each] for mine in rows])), spec))
    return np.concatenate(parts)


def classifier_file(model: Any, fed: UInt8Array, name: str) -> bytes:
    """The int8 flatbuffer of a classifier, its answers checked to be the same in a batch and alone.

    Args:
        model: Keras, ``(byte - 128) / 64`` to logits.
        fed: uint8 [n, size, size, c] in the net's own colour, to calibrate on.
        name: what to call it where it fails.
    """
    with quiet():
        static = device_model(model, fed.shape[1], _VALUES, batch=CONVERTED_AT)
        return quantise(static, feed(list(fed), _VALUES), images=fed[: CONVERTED_AT + 2], name=name)


def finder_file(model: Any, views: Sequence[UInt8Array]) -> bytes:
    """The int8 flatbuffer of a net of ``models.train.finder_net``, calibrated on views uint8 [h, w, 3] of ``VIEW``'s size."""
    with quiet():
        return quantised(finder_graph(model, VIEW, Roles(0, (1,), logits=False), _VALUES), views, _VALUES)


def float_scores(model: Any, cells: LabelledCells, spec: CropSpec) -> FloatArray:
    """Scores of the float net, float32 [n, classes]."""
    raw = logits(model, _seen(cells, spec), spec, cells.typical)
    return as_scores(raw.reshape(len(cells), -1).astype(np.float32), logits=True)


def int8_scores(flatbuffer: bytes, card: Card, cells: LabelledCells) -> FloatArray:
    """Scores of the file in the device's runtime, float32 [n, classes]; the cells' crops are uncoloured."""
    with quiet():
        return device_scores(flatbuffer, card, device_bytes(cells, card.crop))


@contextmanager
def quiet() -> Iterator[None]:
    """Keep what the converter and the runtime tell of themselves off the terminal."""
    with quiet_native_stderr(), redirect_stdout(StringIO()):
        yield


def save_keras(model: Any, path: Path) -> str:
    """Write the Keras file under its name only when it is whole; returns its SHA-256. Raises OutputError."""
    with plain_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True)
    with whole_path(path) as part:
        model.save(part)
    return file_digest(path)
