"""Ranges of tensors that leave out the rarest values.

Calibration takes the smallest and the largest value of each tensor. Where a few values lie far out, the steps of int8 become so wide
that all others are rounded coarsely; values that are the same in many places (a black background) then err in one direction, and a
dense layer adds that up. A range between two quantiles (Wu, Judd, Zhang, Isaev and Micikevicius 2020) clips those few values instead.
How many to leave out is not known beforehand: the ladder tries (``convert.classify.ladder``).

Or ranges come from the net's own training, where that was done with rounding (``convert.reading.wrappers``).
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from typing import Any

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
    for number, values in _values(calibrated, samples, _inner(graph)).items():
        steps = graph.tensors[number].quantization
        low, high = np.quantile(values, [left_out / 2, 1 - left_out / 2])
        if low < high:  # a tensor that is the same everywhere keeps its range
            steps.min, steps.max = [max(float(low), float(steps.min[0]))], [min(float(high), float(steps.max[0]))]
    return packed(model)


def learnt(calibrated: bytes, ranges: Mapping[str, tuple[float, float]]) -> bytes:
    """The calibrated net with other ranges for the outputs of these layers, by name; as it was where they are not all found."""
    model = unpacked(calibrated)
    graph = model.subgraphs[0]
    names = {number: bytes(graph.tensors[number].name).decode() for number in _inner(graph)}
    # TensorFlow numbers the layers of a net that is called once more: ``conv2d_1`` is ``conv2d`` then, and ``conv2d_1_1`` the next.
    for number_ending in ("", r"_\d+"):
        found = {number: layer for number, name in names.items() if (layer := _layer(name, ranges, number_ending))}
        if set(found.values()) == set(ranges):
            for number, layer in found.items():
                steps = graph.tensors[number].quantization
                steps.min, steps.max = ([bound] for bound in ranges[layer])
            return packed(model)
    return calibrated


def _layer(name: str, known: Collection[str], ending: str) -> str | None:
    """Which of the known layers a tensor comes out of; a fused op is named after all its layers, the last one first."""
    parts = [part for op in name.split(";") for part in op.split("/")[:-1]]
    return next((layer for part in parts for layer in known if re.fullmatch(re.escape(layer) + ending, part)), None)


def _inner(graph: Any) -> list[int]:
    """Tensors with a range that are neither input nor output of the net: what those mean is fixed."""
    ends = {*map(int, graph.inputs), *map(int, graph.outputs)}
    return [
        number
        for number, tensor in enumerate(graph.tensors)
        if number not in ends and tensor.quantization is not None and tensor.quantization.min is not None
    ]


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
