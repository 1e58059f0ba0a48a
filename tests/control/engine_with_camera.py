"""The engine as ``edge engine``, with stand-ins for nets and camera: a program for tests of the link.

The camera shows a new field after every 20 frames, in which the finder finds five things. ``FAKE_LOST``: after so many frames it is
lost for a moment.
"""

from __future__ import annotations

import os
import sys
from unittest.mock import patch

from edge.camera.records import CameraSpec
from edge.cli import main
from edge.types import UInt8Array
from tests.cli.fake_edge_run import fakes
from tests.control.cameras import ShownCamera, blobs

FRAMES = 20
"""Frames that show one field."""

APART_S = 0.02
"""Seconds between frames."""

FIELDS = [blobs(seed) for seed in range(12)]
for field in FIELDS:
    field[0, 0] = 5


def shown(number: int) -> UInt8Array:
    return FIELDS[number // FRAMES % len(FIELDS)]


def opened(_spec: CameraSpec) -> ShownCamera:
    lost = int(os.environ.get("FAKE_LOST", "0"))
    return ShownCamera(shown, APART_S, lost=range(lost, lost + 20) if lost else range(0))


if __name__ == "__main__":
    sys.argv[1:1] = ["engine"]
    with fakes(), patch("edge.cli.camera_control.open_camera", opened):
        main()
