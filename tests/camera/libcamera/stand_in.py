"""Runs in the camera process before picamera2 is used there: helps it over two places where the virtual pipeline is no Pi.

Real are camera manager, configuration, request queue, events, arrays and metadata. Stood in for are raw modes (there are none here),
the allocator of dma-bufs, the screen (``pykms``) and the kernel's udmabuf (``udmabuf.c``).
"""

from __future__ import annotations

from typing import Any

import libcamera
import picamera2
from picamera2.allocators import Allocator, LibcameraAllocator


class VirtualPicamera2(picamera2.Picamera2):  # type: ignore[misc]
    """picamera2 for a camera without raw streams, in memory that libcamera allocates itself."""

    def __init__(self, camera_num: int = 0) -> None:
        super().__init__(camera_num, allocator=Allocator())
        self.allocator = LibcameraAllocator(self.camera)

    def camera_configuration(self) -> dict[str, Any]:
        """The pipeline calls its colours Rec709, and hands out those of its JPEGs as they are: of full range, by BT.601."""
        return {**super().camera_configuration(), "colour_space": libcamera.ColorSpace.Sycc()}

    def _get_raw_modes(self) -> list[dict[str, Any]]:
        formats = self.camera.generate_configuration([libcamera.StreamRole.StillCapture]).at(0).formats
        sizes = [(str(name), size) for name in formats.pixel_formats for size in formats.sizes(name)]
        return [{"format": name, "size": (size.width, size.height)} for name, size in sizes]


def install() -> None:
    """Put it where ``edge.camera.pi`` looks."""
    picamera2.Picamera2 = VirtualPicamera2
