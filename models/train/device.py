"""From a trained net to the device's file, and both on the same cells."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from io import StringIO
from pathlib import Path
from typing import Any

import numpy as np

from convert.measure.colours import middle
from convert.measure.scoring import as_scores, device_scores
from convert.net.int8 import file_digest, to_int8
from edge.door import quiet_native_stderr
from edge.modelfile import Card, CropSpec
from edge.safe_file import plain_errors, whole_path
from edge.types import FloatArray, UInt8Array
from models.data.cells import LabelledCells
from models.train.classifier import logits, net_input

CALIBRATION = 600


def device_bytes(cells: LabelledCells, spec: CropSpec) -> UInt8Array:
    """Uncoloured crops as the device feeds them, uint8 of the same shape: what ``net_input`` makes of them, as bytes."""
    fed = net_input(_seen(cells, spec), spec, cells.reference)
    return np.asarray(np.rint(fed * 64 + 128), np.uint8)


def _seen(cells: LabelledCells, spec: CropSpec) -> UInt8Array:
    """What the net sees of crops that may be larger than it (``models.data.crops.SLACK``)."""
    return np.ascontiguousarray(middle(cells.crops, spec.size))


def flatbuffer_of(model: Any, cells: LabelledCells, spec: CropSpec, seed: int) -> bytes:
    """The int8 file of a classifier, calibrated on some of the cells it learned from, as many of each class as there are."""
    rng = np.random.default_rng([seed, 37])
    each = max(1, CALIBRATION // len(cells.labels))
    rows = [np.flatnonzero(cells.truth == number) for number in range(len(cells.labels))]
    chosen = np.concatenate([rng.permutation(mine)[:each] for mine in rows])
    with quiet():
        return to_int8(model, device_bytes(cells.take(chosen), spec), (spec.size, spec.size, 3))


def float_scores(model: Any, cells: LabelledCells, spec: CropSpec) -> FloatArray:
    """Scores of the float net, float32 [n, classes]."""
    raw = logits(model, _seen(cells, spec), spec, cells.reference)
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
