"""A frame in shared memory is handed over whole or not at all."""

from __future__ import annotations

import os

import numpy as np
import pytest

from edge.camera.memory import FrameRing, RingShape, make_ring
from edge.camera.previews import PreviewMemory, PreviewReader, PreviewWriter
from edge.camera.records import Preview

SHAPE = RingShape(70, 50)


def test_what_one_side_writes_the_other_copies() -> None:
    ring, descriptor = make_ring(SHAPE)
    other = FrameRing(descriptor, SHAPE)
    os.close(descriptor)
    for slot in range(SHAPE.slots):
        ring.clear(slot)
        ring.pixels(slot)[:] = slot + 1
        ring.publish(slot, 100 + slot)
    for slot in range(SHAPE.slots):
        got = other.copy(slot, 100 + slot)
        assert got is not None
        assert (got == slot + 1).all()
        assert got.shape == (50, 70, 3)
        assert got.flags.owndata


def test_a_slot_that_is_written_or_holds_another_frame_gives_nothing() -> None:
    ring, _ = make_ring(SHAPE)
    ring.publish(1, 7)
    assert ring.copy(1, 8) is None
    ring.clear(1)
    assert ring.copy(1, 7) is None
    assert ring.copy(99, 7) is None
    assert ring.copy(-1, 7) is None


def test_memory_that_is_too_small_is_refused() -> None:
    _, descriptor = make_ring(SHAPE)
    with pytest.raises(ValueError, match="smaller"):
        FrameRing(descriptor, RingShape(700, 500))


def test_previews_are_read_by_name_and_nobody_makes_them_for_nobody() -> None:
    memory = PreviewMemory()
    writer, reader = PreviewWriter(memory.descriptor), PreviewReader(memory.name)
    assert not writer.wanted()
    assert reader.read() is None
    assert writer.wanted()
    writer.write(Preview(3, 64, 48, b"\xff\xd8 one"))
    assert reader.read() == Preview(3, 64, 48, b"\xff\xd8 one")
    assert reader.read(after=3) is None
    writer.write(Preview(4, 64, 48, b"\xff\xd8 longer than the one before"))
    got = reader.read(after=3)
    assert got is not None
    assert got.jpeg.endswith(b"before")
    writer.write(Preview(5, 64, 48, bytes(2 << 20)))
    assert reader.read(after=4) is None
    memory.close()
    memory.close()


def test_a_preview_that_is_overwritten_while_it_is_read_is_not_shown() -> None:
    memory = PreviewMemory()
    writer, reader = PreviewWriter(memory.descriptor), PreviewReader(memory.name)
    writer.write(Preview(1, 64, 48, bytes(range(200))))
    reader._memory[200:210] = b"0123456789"
    assert reader.read() is None
    memory.close()


def test_noise_of_a_frame_survives_the_way() -> None:
    ring, _ = make_ring(RingShape(641, 483))
    pixels = np.random.default_rng(1).integers(0, 256, (483, 641, 3), np.uint8)
    ring.pixels(2)[:] = pixels
    ring.publish(2, 0)
    got = ring.copy(2, 0)
    assert got is not None
    assert np.array_equal(got, pixels)
