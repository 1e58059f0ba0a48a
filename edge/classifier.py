"""Crops in, one score per class out, in full batches; and the rule that turns scores into the class a cell counts as."""

from __future__ import annotations

import numpy as np

from edge.crops import net_channels, to_colour
from edge.decision import classes_of
from edge.errors import ModelError
from edge.modelfile import Card, ModelFile
from edge.runtime import Net
from edge.types import FloatArray, Int32Array, UInt8Array

BATCH = 32
"""Cells per invoke. Time per cell falls up to about 8 and is flat from there; the batch is kept so that memory is bounded."""

_STEP = 8
"""The last batch of a field is as small as it can be in steps of this: resizing costs less than one idle cell."""


class Classifier:
    """A cell classifier in the TFLite runtime. One per worker.

    Raises:
        ModelError: the model has no card, is not a classifier, or its shapes do not match its card.
    """

    def __init__(self, model: ModelFile, card: Card | None = None) -> None:
        card = card or model.card
        if card is None:
            raise ModelError(
                f"{model.path}: this model has no card: give --labels (and --positive) to run it all the same"
            )
        if card.task != "classify":
            raise ModelError(f"{model.path}: this is a {card.task!r} model, not a classifier")
        self.card = card
        self.sha256 = model.sha256
        self.net = Net(model)
        want = (card.crop.size, card.crop.size, net_channels(card))
        if self.net.input_shape[1:] != want:
            raise ModelError(f"{model.path}: wrong input shape {self.net.input_shape[1:]}, the card says {want}")
        width = self._width = self.net.output_shapes[0][-1]
        self._sigmoid = width == 1 and len(card.labels) == 2
        if not self._sigmoid and width != len(card.labels):
            raise ModelError(f"{model.path}: the net has {width} outputs for {len(card.labels)} labels")
        self._positive = card.positive_mask
        # A byte can only mean 256 things: what they mean is worked out once, and a cell's score is looked up.
        self._meanings = self.net.values_of_bytes()
        if self._meanings is not None and self._sigmoid:
            self._meanings = self._probabilities(self._meanings[:, None])
        rows = self.net.run(np.zeros((BATCH, *want), np.uint8))[0]  # now, rather than in the middle of the first field
        if rows.shape[0] != BATCH or rows.size != BATCH * width:
            raise ModelError(f"{model.path}: wrong output shape {rows.shape} for a batch of {BATCH}")

    def scores(self, crops: UInt8Array) -> FloatArray:
        """Scores of a batch: uint8 [n, size, size, 3 or 6] of ``edge.crops`` to float32 [n, k], in the order of the card's labels."""
        meanings = self._meanings
        run = self._values if meanings is None else self.net.run_to_bytes
        raw = np.empty((len(crops), self._width), np.float32 if meanings is None else np.uint8)
        for first in range(0, len(crops), BATCH):
            chunk = to_colour(crops[first : first + BATCH], self.card.colour)
            n = len(chunk)
            if idle := -n % _STEP:
                chunk = np.concatenate([chunk, np.zeros((idle, *chunk.shape[1:]), np.uint8)])
            raw[first : first + n] = run(chunk)[:n].reshape(n, -1)
        if meanings is None:
            return self._probabilities(raw)
        return meanings.take(raw[:, 0], axis=0) if self._sigmoid else self._probabilities(meanings.take(raw))

    def _values(self, chunk: UInt8Array) -> FloatArray:
        return self.net.run(chunk)[0]

    def _probabilities(self, raw: FloatArray) -> FloatArray:
        logit = self.card.output == "logit"
        # exp differs in its last bits from processor to processor: taken in double, that is rounded away.
        wide = raw.astype(np.float64) if logit else raw
        if self._sigmoid:
            bounded = np.maximum(np.minimum(wide, 80), -80) if logit else raw
            p = (1 / (1 + np.exp(-bounded))).astype(np.float32) if logit else raw
            both = np.empty((len(p), 2), np.float32)
            both[:, 1:] = p
            np.subtract(1, p, out=both[:, :1])
            return both
        if logit:
            e = np.exp(wide - wide.max(axis=1, keepdims=True))
            return np.asarray(e / e.sum(axis=1, keepdims=True), np.float32)
        return raw

    def classes(self, scores: FloatArray) -> Int32Array:
        """The class each cell counts as at the card's threshold (``edge.decision``): int32 [n]."""
        return classes_of(scores, self._positive, self.card.threshold)
