"""The few fields needed of a SavedModel's protobuf files, read by hand: bounded, without TensorFlow, running nothing.

Wire format: a tag (field number * 8 + wire type), then a varint (0), eight bytes (1), a length and bytes (2) or four
bytes (5).
"""

from __future__ import annotations

from collections.abc import Iterator

MAX_FIELDS = 3_000_000  # of one message; no honest model comes near


class WireError(ValueError):
    """The bytes are no protobuf message."""


def fields(data: bytes) -> Iterator[tuple[int, int | bytes]]:
    """(field number, value) of one message: an int for varints, bytes for the rest."""
    at, count, end = 0, 0, len(data)
    while at < end:
        count += 1
        if count > MAX_FIELDS:
            raise WireError("too many fields")
        tag, at = _varint(data, at)
        number, kind = tag >> 3, tag & 7
        if number == 0:
            raise WireError("field number 0")
        if kind == 0:
            value, at = _varint(data, at)
            yield number, value
            continue
        if kind == 2:
            size, at = _varint(data, at)
        elif kind in (1, 5):
            size = 8 if kind == 1 else 4
        else:
            raise WireError(f"wire type {kind}")
        if size > end - at:
            raise WireError("truncated")
        yield number, data[at : at + size]
        at += size


def messages(data: bytes, number: int) -> Iterator[bytes]:
    """The sub-messages, strings or bytes at a field number."""
    for found, value in fields(data):
        if found == number and isinstance(value, bytes):
            yield value


def first(data: bytes, number: int) -> bytes | None:
    """The first of ``messages``."""
    return next(messages(data, number), None)


def integer(data: bytes, number: int, default: int = 0) -> int:
    """The last varint at a field number, as a signed 64-bit number."""
    value = default
    for found, got in fields(data):
        if found == number and isinstance(got, int):
            value = got - 2**64 if got >= 2**63 else got
    return value


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        if at >= len(data) or shift > 63:
            raise WireError("truncated")
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
        shift += 7
