"""Value ranges: what training did to a crop's bytes before the net saw them.

The device feeds ``q = byte - 128`` as int8. A range that is one straight line for all channels is folded into the input's
quantisation, ``value = scale * (q - zero)``; one with a mean per channel keeps a subtraction at the head of the graph.

| name | value of a byte b |
|---|---|
| ``0..1`` | b / 255 |
| ``-1..1`` | b / 127.5 - 1 (int8 has no half zero point: off by half a byte at most) |
| ``0..255`` | b |
| ``-2..2`` | (b - 128) / 64, as this project's own nets take it |
| ``caffe`` | b - mean, channels as BGR (Keras ``vgg16.preprocess_input``) |
| ``imagenet`` | (b / 255 - mean) / deviation, RGB (``torch`` mode) |
| ``per-image`` | (b - mean) / deviation of the image's own bytes, all channels together (``tf.image.per_image_standardization``) |

The last one is a few layers at the head of the graph, which take their share of int8 as any layer does.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from edge.types import FloatArray, UInt8Array


@dataclass(frozen=True, slots=True)
class ValueRange:
    """A straight line per channel from byte to value, in two steps.

    Attributes:
        name: as on the command line.
        scale: value that reaches the graph's input = ``scale * byte + offset``.
        offset: see ``scale``.
        mean: per channel, subtracted inside the graph; empty: nothing is.
        deviation: per channel, divided by inside the graph.
        colour: colour order this range was made for, where it is not the user's choice.
        per_image: the graph subtracts each image's mean and divides by its deviation.
    """

    name: str
    scale: float
    offset: float
    mean: tuple[float, ...] = ()
    deviation: tuple[float, ...] = ()
    colour: str | None = None
    per_image: bool = False

    def values(self, batch: UInt8Array) -> FloatArray:
        """What the graph's input takes: uint8 [n, h, w, c] to float32, same shape."""
        return batch.astype(np.float32) * np.float32(self.scale) + np.float32(self.offset)

    @property
    def limits(self) -> tuple[float, float]:
        """Values of bytes 0 and 255."""
        return self.offset, self.scale * 255 + self.offset


RANGES = {
    one.name: one
    for one in (
        ValueRange("0..1", 1 / 255, 0.0),
        ValueRange("-1..1", 1 / 127.5, -1.0),
        ValueRange("0..255", 1.0, 0.0),
        ValueRange("-2..2", 1 / 64, -2.0),
        ValueRange("caffe", 1.0, 0.0, (103.939, 116.779, 123.68), (1.0, 1.0, 1.0), "bgr"),
        ValueRange("imagenet", 1 / 255, 0.0, (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)),
        ValueRange("per-image", 1.0, 0.0, per_image=True),
    )
}
