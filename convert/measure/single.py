"""An image that holds one cell, cut as the device cuts cells out of fields.

| the image | the crop |
|---|---|
| a cell with its surroundings | the whole image is the cell's box; what it lacks repeats its border, as on the device |
| a cell cut out on black | put on pale paper, for the device shows a cell with its surroundings |
| the same, for a net that wants black (its card says ``mask: black``) | stays on black, which is added where the image lacks it |

``as_author`` cuts the image as training code often did instead. Of that the device can stretch (``CropSpec.shape``); it cannot pad or
crop, for it has fields, not images of single cells.
"""

from __future__ import annotations

from dataclasses import replace
from math import ceil

import cv2
import numpy as np

from edge.crops import crop_cells
from edge.modelfile import CropSpec
from edge.types import UInt8Array

BOX_MARGIN = 1.2
"""Width of an annotated box over the cell's own width, median of the IML fields."""

_BLACK = 16  # grey value below which a pixel at the border is taken for painted over
_PAPER = 1.12  # brightness of the paper over that of the cell's brightest parts
_PAPER_PX = 64  # longest side of a cell that is put on paper
_CANVAS = 160  # side in pixels of the paper that a cell on black is put on


def stands_on_black(rgb: UInt8Array) -> bool:
    """Whether the cell was cut out on black: at least three of the corners are, or half of the border is."""
    brightest = rgb.max(axis=2)
    corners = brightest[[0, 0, -1, -1], [0, -1, 0, -1]]
    border = np.concatenate([brightest[0], brightest[-1], brightest[1:-1, 0], brightest[1:-1, -1]])
    return int((corners < _BLACK).sum()) >= 3 or float((border < _BLACK).mean()) >= 0.5


def cut(rgb: UInt8Array, spec: CropSpec, *, black: bool, keep_black: bool) -> UInt8Array:
    """The crop of a single cell's image: uint8 [h, w, 3] to [size, size, 3].

    Args:
        rgb: the image.
        spec: size, margin and shape; nothing else of it counts here.
        black: the cell is cut out on black, see ``stands_on_black``.
        keep_black: it stays there.
    """
    spec = replace(spec, mask="none", normalise="none")
    if not black or (keep_black and spec.shape == "stretch"):
        image, box = rgb, np.array([0, 0, rgb.shape[1], rgb.shape[0]], np.int32)
    else:
        image, box = _on_black(rgb, spec.margin) if keep_black else on_paper(_small(rgb))
    return np.asarray(crop_cells(image, box[None], spec)[0], np.uint8)


AUTHOR_CUTS = ("stretch", "pad", "crop")
"""How authors bring an image that is not square to the net's input."""


def as_author(rgb: UInt8Array, size: int, how: str) -> UInt8Array:
    """The image uint8 [h, w, 3] as training code brought it to [size, size, 3].

    Args:
        rgb: the image.
        size: side of the result in pixels.
        how: ``stretch``: resized to a square, whatever its sides; ``pad``: made square with black; ``crop``: only its middle square.
    """
    height, width = rgb.shape[:2]
    if how == "pad":
        longest = max(height, width)
        top, left = (longest - height) // 2, (longest - width) // 2
        around = (top, longest - height - top, left, longest - width - left)
        rgb = np.asarray(cv2.copyMakeBorder(rgb, *around, cv2.BORDER_CONSTANT, value=(0, 0, 0)), np.uint8)
    elif how == "crop":
        shortest = min(height, width)
        top, left = (height - shortest) // 2, (width - shortest) // 2
        rgb = rgb[top : top + shortest, left : left + shortest]
    return np.asarray(cv2.resize(rgb, (size, size), interpolation=cv2.INTER_LINEAR), np.uint8)


def on_paper(cell: UInt8Array) -> tuple[UInt8Array, np.ndarray]:
    """A masked cell uint8 [h, w, 3] (black outside) on paper uint8 [160, 160, 3], and its box int32 [4] with the usual margin."""
    height, width = cell.shape[:2]
    mask = cell.max(axis=2) > 25
    bright = np.percentile(cell[mask], 97, axis=0) if mask.any() else np.full(3, 200.0)
    paper = np.full((_CANVAS, _CANVAS, 3), np.minimum(bright * _PAPER, 250), np.float32)
    top, left = (_CANVAS - height) // 2, (_CANVAS - width) // 2
    alpha = cv2.GaussianBlur(mask.astype(np.float32), (3, 3), 0)[..., None]
    part = paper[top : top + height, left : left + width]
    paper[top : top + height, left : left + width] = part * (1 - alpha) + np.minimum(cell, part) * alpha
    sides = np.array([width, height]) * BOX_MARGIN
    box = np.concatenate([np.array([_CANVAS, _CANVAS]) / 2 - sides / 2, sides])
    return paper.astype(np.uint8), np.rint(box).astype(np.int32)


def _small(rgb: UInt8Array) -> UInt8Array:
    longest = max(rgb.shape[:2])
    if longest <= _PAPER_PX:
        return rgb
    width, height = (max(1, round(side * _PAPER_PX / longest)) for side in rgb.shape[1::-1])
    return np.asarray(cv2.resize(rgb, (width, height), interpolation=cv2.INTER_AREA), np.uint8)


def _on_black(rgb: UInt8Array, margin: float) -> tuple[UInt8Array, np.ndarray]:
    """The image with black added until the crop overruns it nowhere, and the square box int32 [4] of the cell in it."""
    height, width = rgb.shape[:2]
    longest = max(height, width)
    beyond = ceil(longest * max(0.0, margin - 1) / 2)
    side = longest + 2 * beyond
    top, left = (side - height) // 2, (side - width) // 2
    around = (top, side - height - top, left, side - width - left)
    image = cv2.copyMakeBorder(rgb, *around, cv2.BORDER_CONSTANT, value=(0, 0, 0)) if any(around) else rgb
    return np.asarray(image, np.uint8), np.array([beyond, beyond, longest, longest], np.int32)
