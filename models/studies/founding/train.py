"""Train the founding nets as their authors did, and save each in its author's file format.

Pretrained weights that an author froze are not available here: that part of the net keeps random weights
(``models.studies.founding.frozen``), and only the rest is trained.
"""

from __future__ import annotations

import json
import time
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from edge.safe_file import write_text
from models.studies.founding.cleaning import doubtful
from models.studies.founding.course import Course, Say, compile_net, learnt_cells
from models.studies.founding.data import COLLECTIONS, Protocol, training_set
from models.studies.founding.frozen import features, initialise, split_at
from models.studies.founding.nets import NETS, build, save
from models.studies.founding.rows import FoundingRow, Method, row_key
from models.train.loop import duration

_SEED = 0  # of Keras


@dataclass(frozen=True, slots=True)
class TrainedNet:
    """A trained net's file, and how it was trained.

    Attributes:
        path: the Keras file.
        cells: number of images it was trained on.
        slides: number of slides (blocks, files) they are of.
        epochs: over them.
        wanted: epochs of its author.
        ended: early stopping ended the training before these.
        seconds: of training.
        frozen: number of parameters that stayed random.
        parameters: number of all parameters.
    """

    path: Path
    cells: int
    slides: int
    epochs: int
    wanted: int
    ended: bool
    seconds: float
    frozen: int
    parameters: int

    @property
    def complete(self) -> bool:
        """Whether it is trained to where its author had it."""
        return self.ended or self.epochs >= self.wanted


def kept_net(row: FoundingRow, protocol: Protocol, work: Path) -> TrainedNet | None:
    """The row's net as it is kept in ``work``, however far it was trained."""
    path, note = _files(row, protocol, work)
    return TrainedNet(path, **json.loads(note.read_text())) if note.exists() else None


def train_net(row: FoundingRow, protocol: Protocol, work: Path, say: Say, epochs: int | None = None) -> TrainedNet:
    """The row's net, trained for its author's epochs or for at most ``epochs`` of them; one that is kept goes on from there.

    Raises:
        KeyboardInterrupt: Ctrl-C or SIGTERM was heard; what was done is kept.
        OutputError: a file cannot be written.
    """
    most = min(row.epochs, epochs or row.epochs)
    known = kept_net(row, protocol, work)
    if known and (known.complete or known.epochs >= most):
        return known
    path, note = _files(row, protocol, work)
    path.parent.mkdir(parents=True, exist_ok=True)
    made = _train(row, protocol, work, say, most)
    told = {key: value for key, value in asdict(made).items() if key != "path"}
    write_text(note, json.dumps(told, indent=1) + "\n")  # written last: a net without its note is saved again
    return made


def _files(row: FoundingRow, protocol: Protocol, work: Path) -> tuple[Path, Path]:
    """The Keras file and the note on it."""
    key = row_key(row, protocol)
    return work / "nets" / f"{key}{NETS[row.net].ending}", work / "nets" / f"{key}.json"


def _train(row: FoundingRow, protocol: Protocol, work: Path, say: Say, most: int) -> TrainedNet:
    import keras  # noqa: PLC0415

    keras.utils.set_random_seed(_SEED)
    key = row_key(row, protocol)
    images, truth, slides = training_set(row.cells, work, row.side, row.colour, protocol)
    say(f"{key}: {len(images)} cells of {slides} slides")
    net = build(row.net, row.side, 3, 1 if NETS[row.net].outputs == 1 else len(COLLECTIONS[row.cells].labels))
    learner: Any = net
    fed, frozen, began = images, 0, time.monotonic()
    if NETS[row.net].frozen:
        body, learner = split_at(net, NETS[row.net].frozen)
        initialise(body, images[:64].astype(np.float32) / 255, _SEED)
        frozen = int(body.count_params())
        fed = features(
            body, images, work / "features" / f"{key}.npy", lambda share, left: say(_features(key, share, left))
        )
    ready = time.monotonic() - began
    cells = learnt_cells(fed, truth, row)
    place = work / "checkpoints" / key
    if row.method is Method.CLEANED:
        wrong = doubtful(cells, row, place, lambda line: say(f"{key}, which labels are doubtful: {line}"))
        cells = replace(cells, weights=np.where(wrong, 0, cells.weights))
    compile_net(learner, row, len(cells.fed))
    course = Course(learner, cells, row, place, lambda line: say(f"{key}: {line}"))
    done = course.fit(most)
    path, note = _files(row, protocol, work)
    note.unlink(missing_ok=True)  # what it says is no longer true of the file
    save(net, path)
    ended = done.stopped(row.patience)
    return TrainedNet(
        path, len(images), slides, done.done, row.epochs, ended, ready + done.seconds, frozen, int(net.count_params())
    )


def _features(key: str, share: float, left: float) -> str:
    return f"{key}: features of the frozen part {share:.0%}, {duration(left)} left"
