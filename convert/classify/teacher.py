"""A trained net's answers to many pictures: asked in the device's runtime, which is quicker than TensorFlow, and kept.

Answers are kept between runs in the user's cache folder (``$XDG_CACHE_HOME/edge-microscopy/answers``), under the digest of the
net's weights and of all that decides the pictures. What is found there is believed only where it agrees with what the net says
now of the first pictures.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from convert.child import Progress
from convert.classify.preprocess import Preprocessing
from convert.errors import UnsupportedError
from convert.measure.scoring import as_scores, outputs
from convert.net.batch import CONVERTED_AT, check_batches
from convert.net.int8 import to_float
from convert.net.rewrite import device_model, net_input
from edge.crops import to_colour
from edge.errors import EdgeError
from edge.modelfile import ModelFile
from edge.runtime import Net
from edge.safe_file import write_bytes
from edge.types import FloatArray, UInt8Array

_CHECKED = 5  # pictures on which the runtime's answers and those from the cache are compared with TensorFlow's
_SAME = 2e-3  # largest difference of a score there
_BLOCK_MACS = 5e10  # multiply-accumulates between two reports of progress: some seconds
_BLOCK = 256  # pictures in one block at most: their floats stay in memory
_KEPT = 40  # files in the cache folder; the oldest go


@dataclass(frozen=True, slots=True)
class Teacher:
    """A trained net, what it was trained on, and what it costs: multiply-accumulates per cell."""

    model: Any
    prep: Preprocessing
    macs: int

    def digest(self) -> str:
        """SHA-256 of the weights, the layers' kinds and how pictures are fed."""
        found = hashlib.sha256(repr((self.prep.values, self.prep.colour, self.prep.logits)).encode())
        found.update(repr([type(layer).__name__ for layer in getattr(self.model, "layers", ())]).encode())
        for weight in self.model.get_weights():
            found.update(np.ascontiguousarray(weight).tobytes())
        return found.hexdigest()

    def answers(self, pictures: UInt8Array, key: str, progress: Progress) -> FloatArray:
        """Scores of the trained net.

        Args:
            pictures: RGB uint8 [n, s, s, 3] at the net's own size (its longer side).
            key: what decides the pictures, for the cache.
            progress: told of the share that is done.

        Returns:
            float32 [n, labels].
        """
        first = self._by_keras(pictures[:_CHECKED])
        name = hashlib.sha256(f"{self.digest()}/{key}".encode()).hexdigest()
        if (kept := _from_cache(name, len(pictures), first)) is not None:
            progress("distill: the trained net's answers are kept from an earlier run", 1.0)
            return kept
        ask = self._by_runtime(pictures[:_CHECKED], first) or self._by_keras
        block = int(np.clip(_BLOCK_MACS / max(1, self.macs), 16, _BLOCK))
        found = []
        for start in range(0, len(pictures), block):
            progress("distill: asking the trained net", start / len(pictures))
            found.append(ask(pictures[start : start + block]))
        answers = np.concatenate(found)
        _to_cache(name, answers)
        return answers

    def _by_keras(self, pictures: UInt8Array) -> FloatArray:
        raw = outputs(self.model, pictures, self.prep.values, self.prep.colour)
        return as_scores(raw, logits=self.prep.logits)

    def _by_runtime(self, few: UInt8Array, want: FloatArray) -> Callable[[UInt8Array], FloatArray] | None:
        """The net as a float file in the device's runtime, on all cores; None where that does not give TensorFlow's answers."""
        prep, taken = self.prep, net_input(self.model)
        squash = (taken.height, taken.width) if taken.height != taken.width else None
        size = few.shape[1]
        try:
            net = device_model(self.model, size, prep.values, resize_to=squash, batch=CONVERTED_AT, from_bytes=True)
            file = to_float(net)
            check_batches(file, to_colour(few, prep.colour), "the trained net")
            runtime = Net(ModelFile(file, None, "", Path("teacher")), threads=len(os.sched_getaffinity(0)))
        except (UnsupportedError, EdgeError, ValueError, RuntimeError):
            return None

        def ask(pictures: UInt8Array) -> FloatArray:
            idle = -len(pictures) % _CHECKED  # a whole number of batches of one size: every new size costs a set-up
            fed = to_colour(np.concatenate([pictures, pictures[:1].repeat(idle, axis=0)]), prep.colour)
            batch = 32 if len(fed) % 32 == 0 else _CHECKED
            raw = [runtime.run(fed[i : i + batch])[0].reshape(batch, -1) for i in range(0, len(fed), batch)]
            return as_scores(np.concatenate(raw)[: len(pictures)], logits=prep.logits)

        return ask if np.abs(ask(few) - want).max() <= _SAME else None


def cache_folder() -> Path:
    """Where answers are kept between runs."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "edge-microscopy" / "answers"


def _from_cache(name: str, count: int, first: FloatArray) -> FloatArray | None:
    try:
        found = np.load(cache_folder() / f"{name}.npy", allow_pickle=False)
    except (OSError, ValueError, EOFError):
        return None
    sound = found.shape == (count, first.shape[1]) and found.dtype == np.float32 and np.isfinite(found).all()
    return found if sound and np.abs(found[: len(first)] - first).max() <= _SAME else None


def _to_cache(name: str, answers: FloatArray) -> None:
    """Keep the answers; where the folder cannot be written they are asked for again next time."""
    folder = cache_folder()
    data = io.BytesIO()
    np.save(data, answers)
    with contextlib.suppress(OSError, EdgeError):
        folder.mkdir(parents=True, exist_ok=True)
        write_bytes(folder / f"{name}.npy", data.getvalue())
        for old in sorted(folder.glob("*.npy"), key=lambda path: -path.stat().st_mtime)[_KEPT:]:
            old.unlink(missing_ok=True)
