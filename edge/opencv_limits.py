"""What OpenCV reads from the environment once, when it is first imported: so the package sets it before any of its modules does.

Somebody else may have imported OpenCV already, so the header check in ``edge.sources.decode`` is the real guard and this the second.
"""

from __future__ import annotations

import os

MAX_MEGAPIXELS_VARIABLE = "EDGE_MAX_MEGAPIXELS"
DEFAULT_MAX_MEGAPIXELS = 50.0  # more than microscope cameras have; EDGE_MAX_MEGAPIXELS changes it
BYTES_PER_PIXEL = 8
"""Four channels of 16 bits, the most an uncompressed file holds."""


def limit_opencv() -> None:
    """Bound the pictures that OpenCV decodes, and silence FFmpeg; what a user has set stays."""
    if not os.environ.get(MAX_MEGAPIXELS_VARIABLE):
        # TIFF strips are unpacked as grey pictures of a pixel per byte or two.
        os.environ.setdefault(
            "OPENCV_IO_MAX_IMAGE_PIXELS", str(int(DEFAULT_MAX_MEGAPIXELS * BYTES_PER_PIXEL / 2 * 1e6))
        )
    os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")
