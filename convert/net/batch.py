"""One file for every batch size: converted at a batch that nothing else in the net is likely to equal, then set free.

Converted at batch 1, TensorFlow folds the 1 away (a gate of shape [1, 1, 1, c] becomes [1, c]), and what is right for one
cell is wrong for 32. At 7 it cannot, and a 7 in front of a shape is the batch.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from convert.errors import UnsupportedError
from convert.net.flatbuffer import packed, unpacked
from convert.net.values import ValueRange
from edge.errors import ModelError
from edge.modelfile import ModelFile
from edge.runtime import Net
from edge.types import UInt8Array

CONVERTED_AT = 7
"""The batch that nets are converted at."""

Feed = Callable[[], Iterator[list[np.ndarray]]]
"""Calibration images as TensorFlow's converter takes them: called once for every pass."""

_SLACK = 0.02  # share of the outputs' range: kernels add up in another order in a batch
_TINY = 1e-5  # and this much where all outputs are the same


def feed(images: Sequence[UInt8Array] | UInt8Array, values: ValueRange) -> Feed:
    """Calibration images as the device feeds them: uint8 [h, w, c] each, given as float32 [1, h, w, c].

    Two pixels of the first image become the values of bytes 0 and 255, so that the input's scale is that of ``values`` exactly.
    """

    def samples() -> Iterator[list[np.ndarray]]:
        for number, image in enumerate(images):
            fed = values.values(image[None])
            if number == 0:
                fed[0, 0, 0], fed[0, -1, -1] = values.limits
            yield [fed]

    return samples


def grouped(samples: Feed, batch: int) -> Feed:
    """Single images as batches: gives float32 [batch, h, w, c]; the last image is repeated to fill the last one."""

    def batches() -> Iterator[list[np.ndarray]]:
        held: list[np.ndarray] = []
        for (image,) in samples():
            held.append(image)
            if len(held) == batch:
                yield [np.concatenate(held)]
                held = []
        if held:
            yield [np.concatenate(held + held[-1:] * (batch - len(held)))]

    return batches


def first_of(samples: Feed, count: int) -> Feed:
    """The first ``count`` of these images."""
    return lambda: islice(samples(), count)


def batch_of(static: Any) -> int:
    """The batch a Keras model of static shape was built for."""
    return int(static.inputs[0].shape[0] or 1)


def free_batch(flatbuffer: bytes, batch: int) -> bytes:
    """Let the batch of every reshape follow its input, and say 1 where a tensor's shape says ``batch``."""
    from tensorflow.lite.python import schema_py_generated as schema  # noqa: PLC0415

    model = unpacked(flatbuffer)
    for graph in model.subgraphs:
        for op in graph.operators:
            code = model.operatorCodes[op.opcodeIndex].builtinCode
            if code == schema.BuiltinOperator.RESHAPE and len(op.inputs) > 1:
                _free_reshape(model, graph, op, batch)
        for tensor in graph.tensors:
            data = model.buffers[tensor.buffer].data
            if (data is None or len(data) == 0) and tensor.shape is not None and len(tensor.shape):
                if tensor.shape[0] == batch:
                    tensor.shape[0] = 1
                signature = tensor.shapeSignature
                if signature is not None and len(signature) and signature[0] == batch:
                    signature[0] = 1
    return packed(model)


def _free_reshape(model: Any, graph: Any, op: Any, batch: int) -> None:
    buffer = model.buffers[graph.tensors[op.inputs[1]].buffer]
    taken, given = graph.tensors[op.inputs[0]].shape, graph.tensors[op.outputs[0]].shape
    if buffer.data is None or len(buffer.data) < 4 or taken[0] != batch or given[0] != batch:
        return
    shape = np.array(given, "<i4")
    shape[0] = -1
    buffer.data = np.frombuffer(shape.tobytes(), np.uint8)
    if op.builtinOptions is not None:
        op.builtinOptions.newShape = shape.tolist()


def check_batches(flatbuffer: bytes, images: UInt8Array, name: str) -> None:
    """Raise UnsupportedError where a file answers otherwise to a batch than to its cells one by one.

    Args:
        flatbuffer: the device file.
        images: uint8 [n, h, w, c] as the net takes them; a few are enough.
        name: what to call the net.
    """
    file = ModelFile(flatbuffer, None, "", Path(name))
    try:
        together = Net(file).run(images)
        alone = Net(file)
        singly = [alone.run(image[None]) for image in images]
    except ModelError as error:
        raise UnsupportedError(f"{name}: the device file does not run: {error}") from error
    for place, whole in enumerate(together):
        parts = np.concatenate([one[place] for one in singly])
        if whole.shape != parts.shape or not np.allclose(whole, parts, rtol=0, atol=_SLACK * np.ptp(parts) + _TINY):
            raise UnsupportedError(f"{name}: its answer to a cell depends on the other cells of the batch")
