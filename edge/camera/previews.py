"""The newest preview in memory that any process of this user can read: the camera process writes it, pages show it.

One writer, many readers, which may write one thing alone: when they last asked, so that no preview is made for nobody. A preview is
copied out and its checksum is held against it: what was overwritten meanwhile is read again.
"""

from __future__ import annotations

import mmap
import os
import struct
import time
import zlib

import cv2

from edge.camera.records import Preview
from edge.types import UInt8Array

_ROOM = 1 << 20  # bytes of the largest preview
_HEAD = struct.Struct("<qIIII")  # number, width, height, bytes, checksum of all these
_ASKED = struct.Struct("<d")  # monotonic seconds
_ASKED_AT, _DATA_AT = 64, 128  # bytes from the start; lines of their own
_SIZE = _DATA_AT + _ROOM  # bytes of the memory
_WANTED_S = 3.0  # seconds for which a reader counts as looking
_QUALITY = 85  # of a preview's JPEG
_TRIES = 3  # copies until a preview is given up: the next one is not far


class PreviewMemory:
    """The memory itself, made by whoever looks after the camera; it outlives the camera process."""

    def __init__(self) -> None:
        self.descriptor = os.memfd_create("edge-preview", os.MFD_CLOEXEC)
        os.ftruncate(self.descriptor, _SIZE)
        self._closed = False

    @property
    def name(self) -> str:
        """What another process of this user opens it by, as long as this one lives."""
        return f"/proc/{os.getpid()}/fd/{self.descriptor}"

    def close(self) -> None:
        """Let go of it; who has it open keeps it."""
        if not self._closed:
            self._closed = True
            os.close(self.descriptor)


class PreviewWriter:
    """The camera process's side."""

    def __init__(self, descriptor: int) -> None:
        self._memory = mmap.mmap(descriptor, _SIZE)

    def wanted(self) -> bool:
        """Whether somebody looked within the last seconds."""
        return time.monotonic() - float(_ASKED.unpack_from(self._memory, _ASKED_AT)[0]) < _WANTED_S

    def write(self, preview: Preview) -> None:
        """Show this one. One that is larger than the memory is left out."""
        if len(preview.jpeg) > _ROOM:
            return
        _HEAD.pack_into(self._memory, 0, -1, 0, 0, 0, 0)
        self._memory[_DATA_AT : _DATA_AT + len(preview.jpeg)] = preview.jpeg
        _HEAD.pack_into(
            self._memory, 0, preview.number, preview.width, preview.height, len(preview.jpeg), _checksum(preview)
        )


class PreviewReader:
    """Reads previews.

    Args:
        name: ``CameraLink.preview_memory``.

    Raises:
        OSError: whoever looked after that camera is gone.
    """

    def __init__(self, name: str) -> None:
        descriptor = os.open(name, os.O_RDWR | os.O_CLOEXEC)
        try:
            self._memory = mmap.mmap(descriptor, _SIZE)
        finally:
            os.close(descriptor)

    def read(self, after: int = -1) -> Preview | None:
        """The newest preview whose number is above ``after``; None: none yet. Never waits; asking makes the next ones come."""
        _ASKED.pack_into(self._memory, _ASKED_AT, time.monotonic())
        for _ in range(_TRIES):
            number, width, height, size, checksum = _HEAD.unpack_from(self._memory)
            if not size or size > _ROOM:
                continue
            preview = Preview(number, width, height, bytes(self._memory[_DATA_AT : _DATA_AT + size]))
            if _checksum(preview) == checksum:
                return preview if number > after else None
        return None

    def close(self) -> None:
        """Let go of the memory."""
        self._memory.close()


def small_jpeg(rgb: UInt8Array, longest: int) -> tuple[bytes, int, int]:
    """A frame, uint8 [H, W, 3], as a JPEG whose longer side has at most ``longest`` pixels, with its width and height."""
    height, width = rgb.shape[:2]
    scale = min(1.0, longest / max(width, height))
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    small = rgb if scale == 1 else cv2.resize(rgb, size, interpolation=cv2.INTER_AREA)
    _, jpeg = cv2.imencode(".jpg", cv2.cvtColor(small, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, _QUALITY])
    return jpeg.tobytes(), *size


def _checksum(preview: Preview) -> int:
    head = f"{preview.number} {preview.width} {preview.height} {len(preview.jpeg)}".encode()
    return zlib.crc32(preview.jpeg, zlib.crc32(head))
