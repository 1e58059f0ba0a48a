"""Names of the random streams: ``default_rng([seed, RandomStream.NAME, ...])``; no two uses of a seed draw the same numbers."""

from __future__ import annotations

from enum import IntEnum


class RandomStream(IntEnum):
    """What is drawn. Numbers are never given away twice; a new stream takes the next one."""

    CELL_BATCHES = 1
    SCENE_BATCHES = 2
    COMPOSED_FIELDS = 3
    VIRTUAL_SLIDES = 4
    MOVED_BOXES = 5
    CALIBRATION_CELLS = 6
    CALIBRATION_VIEWS = 7
    HELD_OUT_GROUPS = 8
    FIELD_BOXES = 9
    MOSAICS = 10
    VIEW_NOISE = 11
    SLIDE_TYPICALS = 12
