"""The training of one founding net: epochs in an order that depends on their number alone, kept every half minute.

So a training that was stopped goes on from there, also towards more epochs.
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
from models.studies.founding.data import COLLECTIONS
from models.studies.founding.nets import NETS
from models.studies.founding.rows import FoundingRow, Method
from models.studies.streams import StudyStream
from models.train.loop import Keeping, duration, run

Say = Callable[[str], None]
_STOP_SHARE = 0.1  # of the training cells: early stopping looks at them
_LAST_RATE = 0.01  # of the first rate, where it falls


@dataclass(frozen=True, slots=True)
class CourseState:
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
class LearntCells:
    """What the part that is trained learns from.

    Attributes:
        fed: images uint8 [n, H, W, C], or features of a frozen part, float16 [n, ...].
        wanted: outputs, float32 [n, outputs].
        weights: float32 [n].
        turned: whether images are turned and mirrored at random.
    """

    fed: np.ndarray
    wanted: np.ndarray
    weights: np.ndarray
    turned: bool = False

    def take(self, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """A batch: inputs and wanted outputs, float32, and each one's weight."""
        fed = self.fed[rows]
        fed = fed.astype(np.float32) / 255 if fed.dtype == np.uint8 else fed.astype(np.float32)
        return fed, self.wanted[rows], self.weights[rows]


def learnt_cells(fed: np.ndarray, truth: np.ndarray, row: FoundingRow) -> LearntCells:
    """What a row's net learns from: images or features, and the class of each, int [n]."""
    width = 1 if NETS[row.net].outputs == 1 else len(COLLECTIONS[row.cells].labels)
    wanted = truth.astype(np.float32)[:, None] if width == 1 else np.eye(width, dtype=np.float32)[truth]
    counts = np.bincount(truth)
    weights = len(truth) / (len(counts) * counts)[truth] if row.weighted else np.ones(len(truth))
    return LearntCells(fed, wanted, weights.astype(np.float32), turned=row.method is Method.CLEANED)


def compile_net(net: Any, row: FoundingRow, count: int) -> None:
    """Give it its author's loss and optimiser; ``count`` cells make an epoch."""
    import keras  # noqa: PLC0415

    loss = "categorical_crossentropy" if int(net.output_shape[-1]) > 2 else "binary_crossentropy"
    rate: Any = row.rate
    if row.method is Method.CLEANED:
        steps = row.epochs * -(-count // row.batch)
        rate = keras.optimizers.schedules.CosineDecay(row.rate, steps, alpha=_LAST_RATE)
    # XLA's convolutions on a CPU take three times as long as oneDNN's
    net.compile(keras.optimizers.Adam(rate), loss, jit_compile=False)
    net.optimizer.build(net.trainable_variables)


def turned(images: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Each image [n, s, s, C] in one of the eight ways it can be turned and mirrored."""
    way = rng.integers(8, size=len(images))
    made = np.empty_like(images)
    for number in range(8):
        some = np.rot90(images[way == number], number % 4, axes=(1, 2))
        made[way == number] = some[:, :, ::-1] if number >= 4 else some
    return made


@dataclass(frozen=True, slots=True, eq=False)
class Course:
    """The training of one net.

    Attributes:
        net: compiled; the part that is trained.
        cells: to train on, in random order.
        row: the recipe.
        place: name of the files that are kept on the way, without their endings.
        say: gets lines of progress.
    """

    net: Any
    cells: LearntCells
    row: FoundingRow
    place: Path
    say: Say

    def fit(self, most: int) -> CourseState:
        """Train up to ``most`` epochs in all; with early stopping the net gets the best epoch's weights in the end."""
        note, best = self._kept("json"), self._kept("best.npz")
        known = (
            CourseState(**json.loads(note.read_text()))
            if note.exists() and self._kept("npz").exists()
            else CourseState()
        )
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
                fed, *others = self.cells.take(order[place * self.row.batch :][: self.row.batch])
                if self.cells.turned:
                    fed = turned(fed, np.random.default_rng([StudyStream.TURNS, number]))
                yield (fed, *others)

        def told(line: str) -> None:
            if line.startswith(("stopped", "the kept checkpoint")):
                self.say(f"epoch {epoch + 1}: {line}")

        variables = [*self.net.variables, *self.net.optimizer.variables]
        keep = Keeping(
            self._kept("npz"), f"{replace(self.row, reported=None)} {len(rows)} cells {self.cells.weights.sum():.3f}"
        )
        run(step, variables, batches, (epoch + 1) * per_epoch, told, keep=keep)
        return float(np.mean(losses)) if losses else float("nan")
