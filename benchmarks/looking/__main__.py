"""``python -m benchmarks.looking``: processor time per frame that run control looks at, on this machine."""

from __future__ import annotations

import sys
import time

import cv2
import numpy as np

from edge.control.looking import LEAST_APART_S
from edge.control.taking import Taker
from edge.control.views import Eye
from edge.types import UInt8Array
from edge.virtual_slide import SlideSpec, render_field

SIZES = ((1280, 960), (1920, 1080), (4056, 3040))
"""Width and height of frames in pixels."""

_FRAMES = 40  # that are looked at per size
_MOVES = 4  # frames that show one view


def frames(width: int, height: int) -> list[UInt8Array]:
    """Views of a slide, each twice with its own noise, uint8 [height, width, 3]."""
    base = render_field(SlideSpec(1, 1280, 960), 0)[0]
    field = np.asarray(cv2.resize(base, (width, height), interpolation=cv2.INTER_LINEAR), np.uint8)
    return [np.ascontiguousarray(np.roll(field, i * width // 3, axis=1)) for i in range(_MOVES)]


def milliseconds(width: int, height: int) -> float:
    """Median processor time of a look in ms, on one core."""
    views, eye, taker, taken = frames(width, height), Eye(), Taker(), []
    for i in range(_FRAMES):
        began = time.process_time()
        at = i * LEAST_APART_S
        if taker.see(eye.see(views[i // _MOVES % len(views)], at), at, ready=True).take:
            eye.taken()
        taken.append((time.process_time() - began) * 1e3)
    return float(np.median(taken))


def main() -> None:
    """Print a line per size."""
    cv2.setNumThreads(1)
    for width, height in SIZES:
        spent = milliseconds(width, height)
        share = spent / LEAST_APART_S / 1e3
        sys.stdout.write(
            f"{width}x{height}: {spent:.1f} ms a frame, {share:.1%} of one core at {1 / LEAST_APART_S:.0f} frames/s\n"
        )


if __name__ == "__main__":
    main()
