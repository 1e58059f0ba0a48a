"""Random streams of the studies: seeds, or the last part of one."""

from __future__ import annotations

from enum import IntEnum


class StudyStream(IntEnum):
    """What is drawn; two streams never share a number."""

    TEXT_PAGES = 0
    """Drawn pages of text (appearance)."""
    LEAVES = 1
    """Drawn leaves (appearance)."""
    CALIBRATION_CELLS = 29
    """Cells that a candidate's int8 file is calibrated on (search)."""
    IMAGE_CHOICE = 31
    """Images of each class, where not all are taken (founding)."""
    RED_CELLS = 37
    """Uninfected cells of each IML field (founding)."""
    READING_SAMPLE = 41
    """Cells on which two ways of reading are compared (founding)."""
    TRAINING_ORDER = 43
    """Order of the images that a founding net is trained on."""
    RANDOM_SPLIT = 47
    """Which cells the notebook's protocol trains on, converts with and judges on (founding)."""
    TURNS = 53
    """How images are turned and mirrored (founding)."""
    STRANGERS = 59
    """Which cells a stranger's net is trained on, and their order (strangers)."""
    REVIEWED_SLIDES = 61
    """Blanks and reviewed slides of a draw, and what is shown of them (review-learning)."""
    READER_ERRORS = 67
    """Answers that a simulated reader gets wrong (review-learning)."""
    PAIRED_COUNTS = 71
    """Samples counted twice (paired-coverage)."""
