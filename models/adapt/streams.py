"""Random streams of this room: the last part of each seed."""

from __future__ import annotations

from enum import IntEnum


class AdaptStream(IntEnum):
    """What is drawn; two streams never share a number."""

    CALIBRATION = 5
    """Fields that the finder's int8 file is calibrated on."""
    REHEARSAL = 6
    """What is rehearsed of a data set."""
    BLANK_CELLS = 7
    """Variants of a blank field's typical cell, and which cells of a very large blank are learned from."""
    ANSWERED_CELLS = 8
    """Variants of the typical cell of a field with answers."""
    SEQUENCE = 43
    """The order in which a learning curve takes annotated fields."""
