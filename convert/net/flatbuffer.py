"""Device files as trees of objects that can be changed, and back; TensorFlow's own reader and writer."""

from __future__ import annotations

from typing import Any


def unpacked(flatbuffer: bytes) -> Any:
    """The file as a ``ModelT`` of TensorFlow's schema."""
    from tensorflow.lite.tools import flatbuffer_utils  # noqa: PLC0415

    return flatbuffer_utils.convert_bytearray_to_object(bytearray(flatbuffer))


def packed(model: Any) -> bytes:
    """The bytes of such a tree."""
    from tensorflow.lite.tools import flatbuffer_utils  # noqa: PLC0415

    return bytes(flatbuffer_utils.convert_object_to_bytearray(model))
