"""Train the founding nets for minutes, each with its author's preprocessing, and save each in its author's file format.

Pretrained weights that an author froze are not available here: that part of the net keeps random weights (He et al. 2015, so
that the signal keeps its size; batch normalisation gets the statistics of one batch), and only the rest is trained.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from models.studies.founding.data import COLLECTIONS, training_set
from models.studies.founding.nets import NETS, build, save

Say = Callable[[str], None]
_FEATURE_BATCH = 32  # images at a time through a frozen part
_LINE_EVERY = 8  # batches
_SEED = 0  # of Keras


@dataclass(frozen=True, slots=True)
class FoundingRow:
    """One row of the table: a net, and how it is trained.

    Attributes:
        name: short, a file name too.
        net: one of ``models.studies.founding.nets.NETS``.
        cells: collection of ``models.studies.founding.data``.
        colour: ``hsv`` or ``rgb``; values are bytes / 255.
        most: images to train on.
        epochs: over all of them.
        size: side of the input; None: its author's.
        batch: cells per step.
        rate: of Adam.
        held_out: most images to calibrate and judge on, half each; None: all that are held out.
    """

    name: str
    net: str
    cells: str
    colour: str
    most: int
    epochs: int
    size: int | None = None
    batch: int = 64
    rate: float = 1e-3
    held_out: int | None = None

    @property
    def side(self) -> int:
        """Side of the input in pixels."""
        return self.size or NETS[self.net].size


ROWS = (
    FoundingRow("notebook_1", "notebook_1", "nih", "hsv", 8000, 14, held_out=4000),
    FoundingRow("notebook_2", "notebook_2", "nih", "hsv", 6000, 6, held_out=4000),
    FoundingRow("notebook_3", "notebook_3", "nih", "hsv", 6000, 5, held_out=4000),
    FoundingRow("notebook_4", "notebook_4", "nih", "hsv", 6000, 20, held_out=4000),
    FoundingRow("notebook_5", "notebook_5", "nih", "hsv", 2000, 15, held_out=800),
    FoundingRow("notebook_6", "notebook_6", "nih", "hsv", 8000, 14, held_out=4000),
    FoundingRow("notebook_6_at_32_hsv", "notebook_6", "nih", "hsv", 8000, 14, size=32),
    FoundingRow("notebook_6_at_32_rgb", "notebook_6", "nih", "rgb", 8000, 14, size=32),
    FoundingRow("resnet50v2", "resnet50v2", "nih", "rgb", 1000, 40, rate=1e-4, held_out=800),
    FoundingRow("parasite_cnn", "parasite_cnn", "iml", "rgb", 3000, 40),
    FoundingRow("micro_organisms", "micro_organisms", "mixed", "rgb", 280, 80, rate=1e-4, held_out=120),
)


@dataclass(frozen=True, slots=True)
class TrainedNet:
    """A trained net's file, and how it was trained.

    Attributes:
        path: the Keras file.
        cells: number of images it was trained on.
        slides: number of slides (blocks, files) they are of.
        epochs: over them.
        seconds: of training.
        frozen: number of parameters that stayed random.
        parameters: number of all parameters.
    """

    path: Path
    cells: int
    slides: int
    epochs: int
    seconds: float
    frozen: int
    parameters: int


def train_net(row: FoundingRow, work: Path, say: Say) -> TrainedNet:
    """The row's net; read from ``work`` where it is kept."""
    path = work / "nets" / f"{row.name}{NETS[row.net].ending}"
    note = work / "nets" / f"{row.name}.json"
    if note.exists():
        return TrainedNet(path, **json.loads(note.read_text()))
    path.parent.mkdir(parents=True, exist_ok=True)
    made = _train(row, work, path, say)
    told = {key: value for key, value in asdict(made).items() if key != "path"}
    note.write_text(json.dumps(told, indent=1) + "\n")  # written last: a net without its note is trained again
    return made


def _train(row: FoundingRow, work: Path, path: Path, say: Say) -> TrainedNet:
    import keras  # noqa: PLC0415

    keras.utils.set_random_seed(_SEED)
    images, truth, slides = training_set(row.cells, work, row.side, row.colour, row.most)
    say(f"{row.name}: {len(images)} cells of {slides} slides")
    net = build(row.net, row.side, 3, 1 if NETS[row.net].outputs == 1 else len(COLLECTIONS[row.cells].labels))
    began = time.monotonic()
    learner: Any = net
    fed = images.astype(np.float32) / 255
    frozen = 0
    if NETS[row.net].frozen:
        body, learner = _split_at(net, NETS[row.net].frozen)
        _initialise(body, fed[:64])
        frozen = int(body.count_params())
        fed = _features(body, fed, lambda share: say(f"{row.name}: features {share:.0%}"))
    _fit(learner, fed, truth, row, say)
    save(net, path)
    return TrainedNet(path, len(images), slides, row.epochs, time.monotonic() - began, frozen, int(net.count_params()))


def _fit(learner: Any, fed: np.ndarray, truth: np.ndarray, row: FoundingRow, say: Say) -> None:
    import keras  # noqa: PLC0415

    width = int(learner.output_shape[-1])
    wanted = truth.astype(np.float32)[:, None] if width == 1 else np.eye(width, dtype=np.float32)[truth]
    loss = "categorical_crossentropy" if width > 2 else "binary_crossentropy"
    learner.compile(keras.optimizers.Adam(row.rate), loss, metrics=["accuracy"])
    counts = np.bincount(truth)
    weights = {i: len(truth) / (len(counts) * count) for i, count in enumerate(counts)}
    began = time.monotonic()

    def after(epoch: int, logs: Any) -> None:
        left = (time.monotonic() - began) / (epoch + 1) * (row.epochs - epoch - 1)
        figures = f"loss {logs['loss']:.3f}, accuracy {logs['accuracy']:.3f} on what it learns from"
        say(f"{row.name}: epoch {epoch + 1}/{row.epochs}  {figures}  {left:.0f} s left")

    told = keras.callbacks.LambdaCallback(on_epoch_end=after)
    learner.fit(fed, wanted, batch_size=row.batch, epochs=row.epochs, class_weight=weights, verbose=0, callbacks=[told])


def _split_at(net: Any, name: str) -> tuple[Any, Any]:
    """The net up to the layer of that name, and what follows; both share the net's weights."""
    import keras  # noqa: PLC0415

    if not isinstance(net, keras.Sequential):
        middle = net.get_layer(name).output
        return keras.Model(net.input, middle), keras.Model(middle, net.output)
    place = [layer.name for layer in net.layers].index(name)
    body = net.layers[place]
    return body, keras.Sequential([keras.Input(body.output_shape[1:]), *net.layers[place + 1 :]])


def _initialise(body: Any, some: np.ndarray) -> None:
    """Random weights through which a signal passes: He's for plain convolutions, else statistics of one batch."""
    import keras  # noqa: PLC0415

    normalised = [layer for layer in body.layers if isinstance(layer, keras.layers.BatchNormalization)]
    if not normalised:
        he = keras.initializers.HeNormal(seed=_SEED)
        for layer in _convolutions(body):
            layer.kernel.assign(he(layer.kernel.shape))
        return
    usual = [layer.momentum for layer in normalised]
    for layer in normalised:
        layer.momentum = 0.0
    body(some, training=True)
    for layer, momentum in zip(normalised, usual, strict=True):
        layer.momentum = momentum


def _convolutions(body: Any) -> Iterator[Any]:
    return (layer for layer in body.layers if type(layer).__name__ == "Conv2D")


def _features(body: Any, fed: np.ndarray, told: Callable[[float], None]) -> np.ndarray:
    parts = []
    for first in range(0, len(fed), _FEATURE_BATCH):
        parts.append(np.asarray(body.predict_on_batch(fed[first : first + _FEATURE_BATCH])))
        if first // _FEATURE_BATCH % _LINE_EVERY == 0:
            told(first / len(fed))
    return np.concatenate(parts)
