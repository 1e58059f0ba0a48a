"""What a picture shows where it shows no field of view: nothing but black, white, one even colour, or noise."""

from __future__ import annotations

from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

_BLACK, _WHITE = 16, 250  # of 255, mean
_EVEN = 1.5  # of 255, standard deviation of the thumbnail: below what the emptiest field with a lens before it shows
_ALIKE = 0.1  # correlation of a thumbnail's neighbours; fields of blood films have 0.16 or more, noise 0 +- 0.04


class NoPicture(StrEnum):
    """What is seen instead of a field."""

    BLACK = "black"
    WHITE = "white"
    EVEN = "one even colour"
    NOISE = "nothing but noise"


def no_picture(thumbnail: NDArray[np.uint8]) -> NoPicture | None:
    """What a grey thumbnail, uint8 [H, W], averaged down to the gate's 24 rows and 32 columns, shows; None: it may be a field."""
    grey = thumbnail.astype(np.float64)
    mean, spread = float(grey.mean()), float(grey.std())
    if mean < _BLACK and spread < _BLACK:
        return NoPicture.BLACK
    if spread < _EVEN:
        return NoPicture.WHITE if mean > _WHITE else NoPicture.EVEN
    apart = (grey - mean) / spread
    beside = float((apart[:, 1:] * apart[:, :-1]).mean()) + float((apart[1:] * apart[:-1]).mean())
    if beside / 2 >= _ALIKE:
        return None
    return NoPicture.WHITE if mean > _WHITE else NoPicture.NOISE  # of a field that is clipped hardly anything is left
