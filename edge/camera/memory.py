"""Frames in memory that two processes share: a ring of slots, each owned by one side at a time.

The camera process writes into a slot that it owns and hands it over by a message; the reader gives it back by another one once it
has copied the frame. So no slot is written to while it is read. Should that ever be broken, the stamps before and behind the pixels
tell: the writer clears both first, and sets them last, and a copy whose stamps do not agree before and after is thrown away.
"""

from __future__ import annotations

import mmap
import os
import struct
from dataclasses import dataclass

import numpy as np

from edge.types import UInt8Array

SLOTS = 4
"""One is written, one is the newest, one is copied, one is between."""

_STAMP = struct.Struct("<q")
_ALIGN = 64  # bytes: a line of every cache there is
_NO_FRAME = -1  # stamp of a slot that is being written


@dataclass(frozen=True, slots=True)
class RingShape:
    """Size of a ring: frames of ``width`` by ``height`` pixels, uint8 RGB, in ``slots`` slots."""

    width: int
    height: int
    slots: int = SLOTS

    @property
    def pixels(self) -> int:
        """Bytes of a frame."""
        return self.width * self.height * 3

    @property
    def stride(self) -> int:
        """Bytes from one slot to the next: two stamps, each with a line of its own, and the pixels."""
        return 2 * _ALIGN + -(-self.pixels // _ALIGN) * _ALIGN

    @property
    def size(self) -> int:
        """Bytes of the ring."""
        return self.slots * self.stride


class FrameRing:
    """One side of a ring. Made by ``make_ring`` in the camera process and opened by its descriptor in the other."""

    def __init__(self, descriptor: int, shape: RingShape) -> None:
        if os.fstat(descriptor).st_size < shape.size:
            raise ValueError("the frames' memory is smaller than it is said to be")
        self.shape = shape
        self._memory = mmap.mmap(descriptor, shape.size)

    def pixels(self, slot: int) -> UInt8Array:
        """The pixels of a slot, uint8 [H, W, 3], in the shared memory itself."""
        start = slot * self.shape.stride + _ALIGN
        whole = np.frombuffer(self._memory, np.uint8, self.shape.pixels, start)
        return whole.reshape(self.shape.height, self.shape.width, 3)

    def clear(self, slot: int) -> None:
        """Say that the slot is being written."""
        self._stamp(slot, _NO_FRAME)

    def publish(self, slot: int, number: int) -> None:
        """Say that the slot holds the frame of this number."""
        self._stamp(slot, number)

    def copy(self, slot: int, number: int) -> UInt8Array | None:
        """The frame, uint8 [H, W, 3] in memory of its own; None: the slot does not hold the frame of this number, or no longer."""
        if not 0 <= slot < self.shape.slots or self._stamps(slot) != (number, number):
            return None
        rgb = self.pixels(slot).copy()
        return rgb if self._stamps(slot) == (number, number) else None

    def _places(self, slot: int) -> tuple[int, int]:
        start = slot * self.shape.stride
        return start, start + self.shape.stride - _ALIGN

    def _stamp(self, slot: int, number: int) -> None:
        for place in self._places(slot):
            _STAMP.pack_into(self._memory, place, number)

    def _stamps(self, slot: int) -> tuple[int, int]:
        first, last = (_STAMP.unpack_from(self._memory, place)[0] for place in self._places(slot))
        return int(first), int(last)


def make_ring(shape: RingShape) -> tuple[FrameRing, int]:
    """A ring and the descriptor of its memory, which is freed when the last process that holds it ends, however that ends."""
    descriptor = os.memfd_create("edge-frames", os.MFD_CLOEXEC)
    os.ftruncate(descriptor, shape.size)
    return FrameRing(descriptor, shape), descriptor
