"""Crops in, one score per class out, in full batches; and the rule that turns scores into the class a cell counts as."""

from __future__ import annotations

import numpy as np

from edge.crops import channels_of, to_colour
from edge.errors import ModelError
from edge.modelfile import Card, ModelFile
from edge.runtime import Net
from edge.types import FloatArray, Int32Array, UInt8Array

BATCH = 32
"""Cells per invoke. Time per cell falls up to about 8 and is flat from there; the batch is kept so that memory is bounded."""


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
        want = (card.crop.size, card.crop.size, channels_of(card.colour))
        if self.net.input_shape[1:] != want:
            raise ModelError(f"{model.path}: wrong input shape {self.net.input_shape[1:]}, the card says {want}")
        width = self.net.output_shapes[0][-1]
        self._sigmoid = width == 1 and len(card.labels) == 2
        if not self._sigmoid and width != len(card.labels):
            raise ModelError(f"{model.path}: the net has {width} outputs for {len(card.labels)} labels")
        self._positive = np.array([label in card.positive for label in card.labels])
        rows = self.net.run(np.zeros((BATCH, *want), np.uint8))[0]  # now, rather than in the middle of the first field
        if rows.shape[0] != BATCH or rows.size != BATCH * width:
            raise ModelError(f"{model.path}: wrong output shape {rows.shape} for a batch of {BATCH}")

    def scores(self, crops: UInt8Array) -> FloatArray:
        """Scores of a batch: RGB uint8 [n, size, size, 3] to float32 [n, k], in the order of the card's labels."""
        out = np.empty((len(crops), len(self.card.labels)), np.float32)
        for first in range(0, len(crops), BATCH):
            chunk = to_colour(crops[first : first + BATCH], self.card.colour)
            n = len(chunk)
            if n < BATCH:  # one shape only: a resize costs more than the few idle cells
                chunk = np.concatenate([chunk, np.zeros((BATCH - n, *chunk.shape[1:]), np.uint8)])
            raw = self.net.run(chunk)[0][:n].reshape(n, -1)
            out[first : first + n] = self._probabilities(raw)
        return out

    def _probabilities(self, raw: FloatArray) -> FloatArray:
        logit = self.card.output == "logit"
        if self._sigmoid:
            p = 1 / (1 + np.exp(-np.clip(raw, -80, 80))) if logit else raw  # float32 overflows at 88
            return np.hstack([1 - p, p])
        if logit:
            e = np.exp(raw - raw.max(axis=1, keepdims=True))
            return np.asarray(e / e.sum(axis=1, keepdims=True), np.float32)
        return raw

    def classes(self, scores: FloatArray) -> Int32Array:
        """The class each cell counts as, int32 [n].

        Positive when the positive classes' scores add up to the card's threshold or more (then the best of them), else
        the best of the others. Without positive classes, simply the best.
        """
        if not self._positive.any() or self._positive.all():
            return np.asarray(scores.argmax(axis=1), np.int32)
        suspicious = scores[:, self._positive].sum(axis=1) >= np.float32(self.card.threshold) - np.float32(1e-6)
        allowed = np.where(suspicious[:, None] == self._positive[None, :], scores, -np.inf)
        return np.asarray(allowed.argmax(axis=1), np.int32)
