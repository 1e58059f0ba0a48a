"""The training loop: steps, a line of progress with the time left, and checkpoints from which an interrupted run goes on.

Batch number ``i`` depends on the seed and on ``i`` alone, so a run that was stopped, even by ``kill -9``, sees the same data
after it goes on. A checkpoint holds every variable of net and optimiser (drop-out's random state too) and takes its name
only when it is whole.
"""

from __future__ import annotations

import json
import queue
import threading
import time
import zipfile
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from edge.door import stop_on_signals
from edge.heap import keep_freed_memory
from edge.safe_file import plain_errors, whole_file

_LINES = 12
"""Lines of progress in a run."""

_WARM_UP = 100
"""Steps in which the learning rate rises; a tenth of a run that is shorter."""

Log = Callable[[str], None]
"""Gets lines of progress."""


@dataclass(frozen=True, slots=True)
class Keeping:
    """Where a run is kept while it is under way.

    Attributes:
        path: of the checkpoint.
        key: of data and settings; a checkpoint with another one is of another run and is not gone on with.
        seconds: between checkpoints.
    """

    path: Path
    key: str
    seconds: float = 30.0


def run(
    step: Callable[..., Any],
    variables: Sequence[Any],
    batches: Callable[[int], Generator[tuple[Any, ...]]],
    steps: int,
    say: Log,
    *,
    keep: Keeping | None = None,
) -> None:
    """Train.

    Args:
        step: takes a batch's parts, changes the variables, returns the loss.
        variables: all that a checkpoint must hold, as Keras variables.
        batches: endless batches from that step (counted from 0) on.
        steps: in all.
        say: gets lines of progress.
        keep: None: nothing is kept.

    Raises:
        OutputError: a checkpoint cannot be written.
        KeyboardInterrupt: Ctrl-C or SIGTERM was heard; the checkpoint is written.
    """
    keep_freed_memory()  # a batch is made and dropped at every step
    first = _resume(variables, keep, say) if keep else 0
    began = kept = time.monotonic()
    recent: list[float] = []
    every = max(1, steps // _LINES)
    source = batches(first)
    # A step is never torn: Ctrl-C and SIGTERM are heard between two of them.
    with closing(source), stop_on_signals(lambda: None) as stopped:
        for done in range(first + 1, steps + 1):
            recent.append(float(step(*next(source))))
            now = time.monotonic()
            if done % every == 0 or done == steps:
                left = (now - began) / (done - first) * (steps - done)
                say(f"step {done}/{steps}  loss {np.mean(recent[-every:]):.4f}  {duration(left)} left")
            due = now - kept > keep.seconds if keep else False
            if keep and (due or stopped.is_set() or done == steps):
                _save(variables, keep, done)
                kept = now
            if stopped.is_set():
                if keep:
                    say(f"stopped at step {done}/{steps}: the same command goes on from there")
                raise KeyboardInterrupt


def ahead(source: Iterator[Any], depth: int = 6) -> Generator[Any]:
    """The same items, made in a thread of their own while the net learns; ``depth``: how many may wait."""
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


def seeded(seed: int) -> Any:
    """Keras, its random numbers and everybody's begun anew from that seed."""
    import keras  # noqa: PLC0415

    keras.utils.set_random_seed(seed)
    return keras


def optimiser(rate: float, steps: int, decay: float) -> Any:
    """AdamW with a short warm-up and a cosine that ends at a hundredth of ``rate``; ``decay`` is that of the weights."""
    import keras  # noqa: PLC0415

    warm = min(_WARM_UP, steps // 10)
    schedule = keras.optimizers.schedules.CosineDecay(
        min(1e-4, rate), max(steps - warm, 1), warmup_target=rate, warmup_steps=warm, alpha=0.01
    )
    return keras.optimizers.AdamW(schedule, weight_decay=decay)


def duration(seconds: float) -> str:
    """``75`` as ``1 min 15 s``."""
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes else f"{rest} s"


def _save(variables: Sequence[Any], keep: Keeping, step: int) -> None:
    values = {f"v{i}": np.asarray(variable) for i, variable in enumerate(variables)}
    about = np.frombuffer(json.dumps({"key": keep.key, "step": step}).encode(), np.uint8)
    with plain_errors(keep.path):
        keep.path.parent.mkdir(parents=True, exist_ok=True)
    with whole_file(keep.path) as part:
        np.savez(part.buffer, **{"about": about, **values})  # type: ignore[arg-type]  # they are all arrays


def _resume(variables: Sequence[Any], keep: Keeping, say: Log) -> int:
    """Take the checkpoint's values where it is of this run; the step to go on from."""
    if not keep.path.is_file():
        return 0
    try:
        with keep.path.open("rb") as file, np.load(file, allow_pickle=False) as kept:
            about = json.loads(kept["about"].tobytes())
            if about["key"] != keep.key:
                say("the kept checkpoint is of other data or settings: starting anew")
                return 0
            values = [kept[f"v{i}"] for i in range(len(kept.files) - 1)]
        for value, variable in zip(values, variables, strict=True):
            variable.assign(value)
    except (OSError, ValueError, KeyError, zipfile.BadZipFile) as error:
        say(f"the kept checkpoint cannot be used ({error}): starting anew")
        return 0
    say(f"going on from step {about['step']}")
    return int(about["step"])
