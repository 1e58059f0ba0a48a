"""Ranges of tensors that leave out the rarest values.

Calibration takes the smallest and the largest value of each tensor. Where a few values lie far out, the steps of int8 become so wide
that all others are rounded coarsely; values that are the same in many places (a black background) then err in one direction, and a
dense layer adds that up. A range between two quantiles (Wu, Judd, Zhang, Isaev and Micikevicius 2020) clips those few values instead.
How many to leave out is not known beforehand: the ladder tries (``convert.classify.ladder``).
"""

from __future__ import annotations

import numpy as np

from convert.net.batch import Feed, grouped
from convert.net.flatbuffer import packed, unpacked

_VALUES = 200_000  # of a tensor that are looked at


def narrowed(calibrated: bytes, samples: Feed, left_out: float) -> bytes:
    """The calibrated net with narrower ranges.

    Args:
        calibrated: from ``convert.net.int8.calibrate``: the net in float with the range of every tensor.
        samples: images that it is run on, float32 [1, h, w, c] one by one; a hundred are enough.
        left_out: share of each tensor's values that may lie outside, half of them on either side.

    Returns:
        the same flatbuffer; inputs and outputs of the net keep their ranges, for the device knows what they mean.
    """
    model = unpacked(calibrated)
    graph = model.subgraphs[0]
    ends = {*map(int, graph.inputs), *map(int, graph.outputs)}
    with_range = [
        number
        for number, tensor in enumerate(graph.tensors)
        if number not in ends and tensor.quantization is not None and tensor.quantization.min is not None
    ]
    for number, values in _values(calibrated, samples, with_range).items():
        steps = graph.tensors[number].quantization
        low, high = np.quantile(values, [left_out / 2, 1 - left_out / 2])
        if low < high:  # a tensor that is the same everywhere keeps its range
            steps.min, steps.max = [max(float(low), float(steps.min[0]))], [min(float(high), float(steps.max[0]))]
    return packed(model)


def _values(calibrated: bytes, samples: Feed, wanted: list[int]) -> dict[int, np.ndarray]:
    """What these tensors hold over all samples, float32 [n] each; of large tensors an even part of it."""
    import tensorflow as tf  # noqa: PLC0415

    runner = tf.lite.Interpreter(
        model_content=calibrated,
        experimental_preserve_all_tensors=True,
        experimental_op_resolver_type=tf.lite.experimental.OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES,
    )
    runner.allocate_tensors()
    place = runner.get_input_details()[0]
    batches = list(grouped(samples, int(place["shape"][0]))())
    found: dict[int, list[np.ndarray]] = {number: [] for number in wanted}
    most = _VALUES // max(len(batches), 1)
    for (batch,) in batches:
        runner.set_tensor(place["index"], batch)
        runner.invoke()
        for number in wanted:
            values = np.asarray(runner.get_tensor(number), np.float32).ravel()
            found[number].append(values[:: max(1, len(values) // most)])
    return {number: np.concatenate(parts) for number, parts in found.items() if parts}
