"""A Keras net from its int8 file, to go on from: the nets of ``models/folds`` keep no Keras file.

Weights are the file's, float for int8 times scale. Batch normalisations, which conversion folded into the convolutions, are put
back as ones that change nothing: each has the mean and spread that its convolution gives on some cells, and undoes both. The net
then says what the file says, and training finds the normalisations it expects.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from convert.net.flatbuffer import unpacked
from edge.errors import ModelError
from edge.modelfile import ModelFile
from edge.types import FloatArray
from models.train.device import save_keras
from models.train.net import build
from models.train.start import StartingNet

_CONVOLUTIONS = 6  # of the classifier: four with a normalisation, then the head's two


def rebuilt(file: ModelFile, fed: FloatArray, path: Path) -> StartingNet:
    """The net of a classifier's device file, ready to be trained on; written to ``path``.

    Args:
        file: made by this project's own trainer, of whatever widths.
        fed: float32 [n, s, s, c], inputs as the net sees them, from which spreads are taken.
        path: of the Keras file.

    Raises:
        ModelError: the file is no such classifier.
    """
    layers = _convolutions(file)
    if file.card is None or len(layers) != _CONVOLUTIONS:
        raise ModelError(f"{file.path}: is no classifier of this project's trainer")
    widths = [kernel.shape[3] for kernel, _ in layers[:-2]]
    model = build(layers[-1][0].shape[3], widths, layers[0][0].shape[2])
    kinds = {kind: [one for one in model.layers if type(one).__name__ == kind] for kind in ("Conv2D", _NORMALISED)}
    for number, (layer, (kernel, bias)) in enumerate(zip(kinds["Conv2D"], layers, strict=True)):
        if number >= len(kinds[_NORMALISED]):
            layer.set_weights([kernel, bias])
            continue
        layer.set_weights([kernel])
        upto = type(model)(model.inputs, layer.output)
        raw = np.asarray(upto.predict(fed, batch_size=512, verbose=0)).reshape(-1, kernel.shape[3])
        mean, spread = raw.mean(axis=0), raw.var(axis=0)
        norm = kinds[_NORMALISED][number]
        norm.set_weights([np.sqrt(spread + norm.epsilon), mean + bias, mean, spread])
    save_keras(model, path)
    return StartingNet(file, file.card, path)


_NORMALISED = "BatchNormalization"


def _convolutions(file: ModelFile) -> list[tuple[FloatArray, FloatArray]]:
    """Kernels float32 [h, w, c, filters] and biases float32 [filters] in the order of data."""
    model = unpacked(file.flatbuffer)
    graph = model.subgraphs[0]
    found = []
    for op in graph.operators:
        if len(op.inputs) != 3:
            continue
        weights, bias = (graph.tensors[int(number)] for number in op.inputs[1:])
        kernel = _values(model, weights, np.dtype(np.int8))
        found.append((np.ascontiguousarray(kernel.transpose(1, 2, 3, 0)), _values(model, bias, np.dtype("<i4"))))
    return found


def _values(model: Any, tensor: Any, kind: np.dtype[Any]) -> FloatArray:
    whole = np.frombuffer(bytes(bytearray(model.buffers[tensor.buffer].data)), kind).astype(np.float32)
    scales = np.asarray(tensor.quantization.scale, np.float32)
    shaped = whole.reshape(tensor.shape)
    return np.asarray(shaped * scales.reshape(-1, *([1] * (shaped.ndim - 1))), np.float32)
