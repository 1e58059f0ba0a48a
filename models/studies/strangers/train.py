"""A stranger's net is trained: briefly, on cells read as its author's code read them, until it is sound."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from convert.measure.single import as_author
from convert.net.values import RANGES, ValueRange
from edge.crops import to_colour
from edge.safe_file import write_text
from edge.types import FloatArray, UInt8Array
from models.data.fields import read_rgb
from models.studies.founding.course import Say, turned
from models.studies.founding.data import COLLECTIONS, Part, Protocol, divided
from models.studies.founding.nets import keras_module
from models.studies.strangers.files import file_name, write
from models.studies.strangers.nets import StrangerNet, build
from models.studies.streams import StudyStream

SOUND = 0.9
"""Accuracy on cells of slides that it has not seen, from which a net counts as sound."""

_ENOUGH = 0.935  # accuracy at which training ends: the published labels of these cells are wrong in some 5 of 100
_EPOCHS = 20  # at most
_FALL = 0.6  # of the learning rate after each epoch that leaves the net sound
_LAST_RATE = 0.08  # of the first rate: training ends there
_LEAST_EPOCHS = 4  # at least
_KEPT_APART = 400  # cells of other slides that say when it is enough
_BATCH = 32  # cells
_SEED = 0  # of everything random
_LABELS = COLLECTIONS["nih"].labels


@dataclass(frozen=True, slots=True)
class TrainedStranger:
    """A trained net's file and how it came about.

    Attributes:
        path: the file that a stranger would bring.
        cells: that it was trained on.
        epochs: over them.
        accuracy: 0..1 at the end on cells of slides kept apart.
    """

    path: Path
    cells: int
    epochs: int
    accuracy: float


def kept(net: StrangerNet, work: Path) -> TrainedStranger | None:
    """The net as it is kept in ``work``; None: it is not trained yet."""
    path, note = _files(net, work)
    return TrainedStranger(path, **json.loads(note.read_text())) if note.exists() and path.exists() else None


def train(net: StrangerNet, work: Path, say: Say) -> TrainedStranger:
    """The trained net, from ``work`` where it is kept.

    Raises:
        OutputError: a file cannot be written.
    """
    if known := kept(net, work):
        return known
    path, note = _files(net, work)
    path.parent.mkdir(parents=True, exist_ok=True)
    made = _train(net, path, say)
    told = {key: value for key, value in asdict(made).items() if key != "path"}
    write_text(note, json.dumps(told) + "\n")
    return made


def labels(net: StrangerNet) -> tuple[str, ...]:
    """The classes in the order of the net's outputs."""
    return _LABELS[::-1] if net.infected_first else _LABELS


def fed(net: StrangerNet, images: UInt8Array) -> FloatArray:
    """What the author's code makes of square images: RGB uint8 [n, s, s, 3] to float32 [n, s, s, channels]."""
    values: ValueRange = RANGES[net.values]
    found = values.values(to_colour(images, net.colour))
    if values.mean:
        return np.asarray((found - np.array(values.mean)) / np.array(values.deviation), np.float32)
    if values.per_image:
        flat = found.reshape(len(found), -1)
        least = 1 / np.sqrt(flat.shape[1])
        mean, spread = flat.mean(axis=1), np.maximum(flat.std(axis=1), least)
        return np.asarray((found - mean[:, None, None, None]) / spread[:, None, None, None], np.float32)
    return np.asarray(found, np.float32)


def read(net: StrangerNet, paths: list[Path]) -> UInt8Array:
    """Images as the author's code brought them to the net's size: RGB uint8 [n, side, side, 3]."""
    images = np.empty((len(paths), net.side, net.side, 3), np.uint8)
    for image, path in zip(images, paths, strict=True):
        image[...] = as_author(read_rgb(path), net.side, net.cut)
    return images


def _files(net: StrangerNet, work: Path) -> tuple[Path, Path]:
    """The net's file and the note on it."""
    return work / "nets" / file_name(net.name, net.form), work / "nets" / f"{net.name}.json"


def _train(net: StrangerNet, path: Path, say: Say) -> TrainedStranger:
    keras = keras_module()
    keras.utils.set_random_seed(_SEED)
    rng = np.random.default_rng([_SEED, StudyStream.STRANGERS])
    sources = divided("nih", path.parent, Protocol.SLIDES)[Part.TRAINING]
    slides = rng.permutation(np.unique([one.group for one in sources]))
    apart = set(slides[: max(1, len(slides) // 8)].tolist())
    order = [sources[i] for i in rng.permutation(len(sources))]
    chosen = [one for one in order if one.group not in apart][: net.cells]
    told = [one for one in order if one.group in apart][:_KEPT_APART]
    names = labels(net)
    images, others = (read(net, [one.path for one in some]) for some in (chosen, told))
    truth, known = (np.array([names.index(one.label) for one in some]) for some in (chosen, told))
    made = build(net)
    loss = "binary_crossentropy" if net.outputs == 1 else "sparse_categorical_crossentropy"
    # XLA's convolutions on a CPU take three times as long as oneDNN's
    made.compile(keras.optimizers.Adam(net.rate), loss, jit_compile=False)
    done, accuracy, rate = 0, 0.0, net.rate
    while done < _LEAST_EPOCHS or (done < _EPOCHS and accuracy < _ENOUGH and rate > _LAST_RATE * net.rate):
        made.optimizer.learning_rate.assign(rate)
        rows = rng.permutation(len(images))
        for start in range(0, len(rows), _BATCH):
            batch = rows[start : start + _BATCH]
            made.train_on_batch(fed(net, turned(images[batch], rng)), truth[batch].astype(np.float32))
        done += 1
        accuracy = _accuracy(net, made, others, known)
        rate *= _FALL if accuracy >= SOUND else 1
        say(f"{net.name}: epoch {done} of at most {_EPOCHS}, {accuracy:.1%} on cells of slides kept apart")
    write(made, path, net.form)
    return TrainedStranger(path, len(chosen), done, accuracy)


def _accuracy(net: StrangerNet, made: Any, images: UInt8Array, truth: np.ndarray) -> float:
    said = [
        np.asarray(made.predict_on_batch(fed(net, images[start : start + _BATCH])))
        for start in range(0, len(images), _BATCH)
    ]
    raw = np.concatenate(said)
    guess = raw[:, 0] >= 0.5 if net.outputs == 1 else raw.argmax(axis=1)
    return float((guess == truth).mean())
