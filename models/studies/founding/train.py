"""Train the founding nets as their authors did, and save each in its author's file format.

An epoch's order depends on its number alone and the state is kept every half minute, so a training that was stopped goes on
from there, also towards more epochs. Pretrained weights that an author froze are not available here: that part of the net
keeps random weights (``models.studies.founding.frozen``), and only the rest is trained.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Generator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from edge.safe_file import whole_path, write_text
from models.studies.founding.data import COLLECTIONS, Protocol, training_set
from models.studies.founding.frozen import features, initialise, split_at
from models.studies.founding.nets import NETS, build, save
from models.studies.founding.rows import FoundingRow, row_key
from models.studies.streams import StudyStream
from models.train.loop import Keeping, duration, run

Say = Callable[[str], None]
_STOP_SHARE = 0.1  # of the training cells: early stopping looks at them
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


@dataclass(frozen=True, slots=True)
class _Epochs:
    """What is known after an epoch; kept beside the checkpoint, so that early stopping goes on as well.

    Attributes:
        done: epochs.
        seconds: they took.
        best: lowest loss on the cells that early stopping looks at.
        since: epochs without a lower one.
    """

    done: int = 0
    seconds: float = 0.0
    best: float = float("inf")
    since: int = 0

    def stopped(self, patience: int) -> bool:
        """Whether early stopping ends the training here; it never does with a patience of 0."""
        return 0 < patience <= self.since


@dataclass(frozen=True, slots=True, eq=False)
class _Cells:
    """What the part that is trained is fed: [n, ...], and the wanted outputs, float32 [n, outputs]."""

    fed: np.ndarray
    wanted: np.ndarray
    weights: np.ndarray

    def take(self, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """A batch: inputs and wanted outputs, float32, and each one's weight."""
        fed = self.fed[rows]
        fed = fed.astype(np.float32) / 255 if fed.dtype == np.uint8 else fed.astype(np.float32)
        return fed, self.wanted[rows], self.weights[rows]


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
    compile_net(learner, row)
    course = _Course(
        learner, _cells(fed, truth, row), row, work / "checkpoints" / key, lambda line: say(f"{key}: {line}")
    )
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


def compile_net(net: Any, row: FoundingRow) -> None:
    """Give it its author's loss and optimiser."""
    import keras  # noqa: PLC0415

    loss = "categorical_crossentropy" if int(net.output_shape[-1]) > 2 else "binary_crossentropy"
    # XLA's convolutions on a CPU take three times as long as oneDNN's
    net.compile(keras.optimizers.Adam(row.rate), loss, jit_compile=False)
    net.optimizer.build(net.trainable_variables)


def _cells(fed: np.ndarray, truth: np.ndarray, row: FoundingRow) -> _Cells:
    width = 1 if NETS[row.net].outputs == 1 else len(COLLECTIONS[row.cells].labels)
    wanted = truth.astype(np.float32)[:, None] if width == 1 else np.eye(width, dtype=np.float32)[truth]
    counts = np.bincount(truth)
    weights = len(truth) / (len(counts) * counts)[truth] if row.weighted else np.ones(len(truth))
    return _Cells(fed, wanted, weights.astype(np.float32))


@dataclass(frozen=True, slots=True, eq=False)
class _Course:
    """The training of one net.

    Attributes:
        net: compiled; the part that is trained.
        cells: to train on, in random order.
        row: the recipe.
        place: name of the files that are kept on the way, without their endings.
        say: gets lines of progress.
    """

    net: Any
    cells: _Cells
    row: FoundingRow
    place: Path
    say: Say

    def fit(self, most: int) -> _Epochs:
        """Train up to ``most`` epochs in all; with early stopping the net gets the best epoch's weights in the end."""
        note, best = self._kept("json"), self._kept("best.npz")
        known = _Epochs(**json.loads(note.read_text())) if note.exists() and self._kept("npz").exists() else _Epochs()
        rows = np.arange(len(self.cells.fed))
        apart = rows[: round(_STOP_SHARE * len(rows)) if self.row.patience else 0]
        if known.done:  # an epoch without a step: the state as it was kept
            self._epoch(known.done - 1, rows[len(apart) :])
        while known.done < most and not known.stopped(self.row.patience):
            began = time.monotonic()
            loss = self._epoch(known.done, rows[len(apart) :])
            known = replace(known, done=known.done + 1, seconds=known.seconds + time.monotonic() - began)
            line = f"epoch {known.done}/{self.row.epochs}  loss {loss:.4f}"
            if len(apart):
                unseen = float(self.net.test_on_batch(*self.cells.take(apart)[:2]))
                line += f", {unseen:.4f} on cells kept apart"
                since = 0 if unseen < known.best else known.since + 1
                known = replace(known, best=min(unseen, known.best), since=since)
                if not since:
                    with whole_path(best) as part:
                        np.savez(part, *self.net.get_weights())
            write_text(note, json.dumps(asdict(known)) + "\n")
            left = known.seconds / known.done * (most - known.done)
            self.say(f"{line}  {duration(left)} left")
        if len(apart):
            with np.load(best) as kept:
                self.net.set_weights(list(kept.values()))
        return known

    def _kept(self, ending: str) -> Path:
        return self.place.with_name(f"{self.place.name}.{ending}")

    def _epoch(self, epoch: int, rows: np.ndarray) -> float:
        """Train on these rows once, or on what a checkpoint says is left of it; the mean loss, NaN where nothing is left."""
        per_epoch = -(-len(rows) // self.row.batch)
        losses: list[float] = []

        def step(*batch: np.ndarray) -> float:
            self.net.reset_metrics()
            fed, wanted, weights = batch
            losses.append(float(self.net.train_on_batch(fed, wanted, sample_weight=weights)))
            return losses[-1]

        def batches(first: int) -> Generator[tuple[Any, ...]]:
            for number in range(first, (epoch + 1) * per_epoch):  # of an earlier epoch where a checkpoint was of no use
                its, place = divmod(number, per_epoch)
                order = np.random.default_rng([StudyStream.TRAINING_ORDER, its]).permutation(rows)
                yield self.cells.take(order[place * self.row.batch :][: self.row.batch])

        def told(line: str) -> None:
            if line.startswith(("stopped", "the kept checkpoint")):
                self.say(f"epoch {epoch + 1}: {line}")

        variables = [*self.net.variables, *self.net.optimizer.variables]
        keep = Keeping(self._kept("npz"), f"{self.row} {len(rows)} cells")
        run(step, variables, batches, (epoch + 1) * per_epoch, told, keep=keep)
        return float(np.mean(losses)) if losses else float("nan")
