"""The finders that are compared, from pixels to boxes and crops on the same fields; and what decoding those files costs."""

from __future__ import annotations

from collections.abc import Callable
from itertools import cycle
from typing import Final, NamedTuple

import cv2
import numpy as np

from benchmarks.peers.cells import images
from benchmarks.workload import Step, StepResult
from edge import shelf
from edge.crops import crop_cells
from edge.finders.classical import ClassicalFinder
from edge.finders.learned import LearnedFinder
from edge.heap import keep_freed_memory
from edge.pixels import pyramid
from edge.sources.decode import decode_image
from edge.types import Int32Array, UInt8Array

MOST: Final = 8
"""Fields that a case goes through in turns."""

CROP: Final = 32
"""Side of a crop in pixels, as the shelf's classifier takes it."""

_SPACING: Final = 1 / 64
"""Least distance between two centres in widths of the field: half a cell's radius at the usual 100x oil view."""

_SMALLEST: Final = 1 / 4000
"""Least area of a cell as a share of the field."""


class BoxesAndCrops(NamedTuple):
    """Boxes int32 [n, 4], x, y, w, h in field pixels; crops uint8 [n, 32, 32, 3]."""

    boxes: Int32Array
    crops: UInt8Array


Find = Callable[[UInt8Array], BoxesAndCrops]


def edge(finder: str) -> Find:
    """This project's finder (``learned`` or ``classical``) and crops."""
    cv2.setNumThreads(1)
    keep_freed_memory()  # as edge-run does
    card = shelf.load(shelf.CLASSIFIER).card
    if card is None:
        raise ValueError("the shelf's classifier has no card")
    find = ClassicalFinder() if finder == "classical" else LearnedFinder(shelf.load(shelf.FINDER))

    def run(rgb: UInt8Array) -> BoxesAndCrops:
        levels = pyramid(rgb)
        cells = find.find(levels)
        boxes = cells.boxes[cells.kind == 0]
        return BoxesAndCrops(boxes, crop_cells(levels, boxes, card.crop))

    return run


def scikit_image() -> Find:
    """Threshold, distance transform, watershed, regionprops, at full resolution: the recipe of scikit-image's own examples.

    PlanktoScope's segmenter likewise thresholds, cleans the mask, labels it, and takes the regions' properties and slices; its
    things lie apart, so it needs no watershed, without which touching cells are one.
    """
    from scipy import ndimage  # noqa: PLC0415 - optional
    from skimage import feature, filters, measure, segmentation  # noqa: PLC0415 - optional
    from skimage.morphology import disk, opening  # noqa: PLC0415 - optional

    cv2.setNumThreads(1)

    def run(rgb: UInt8Array) -> BoxesAndCrops:
        height, width = rgb.shape[:2]
        green = filters.gaussian(rgb[..., 1], 1, preserve_range=True)
        mask = ndimage.binary_fill_holes(green < filters.threshold_otsu(green))
        mask = opening(mask, disk(2))
        depth = filters.gaussian(ndimage.distance_transform_edt(mask), width / 400)
        peaks = feature.peak_local_max(depth, min_distance=round(width * _SPACING), labels=mask.astype(np.int32))
        seeds = np.zeros(mask.shape, np.int32)
        seeds[tuple(peaks.T)] = np.arange(1, len(peaks) + 1)
        regions = measure.regionprops(segmentation.watershed(-depth, seeds, mask=mask))
        kept = [region for region in regions if region.area >= height * width * _SMALLEST]
        boxes = np.array([[c0, r0, c1 - c0, r1 - r0] for r0, c0, r1, c1 in (one.bbox for one in kept)], np.int32)
        crops = [cv2.resize(rgb[one.slice], (CROP, CROP), interpolation=cv2.INTER_AREA) for one in kept]
        return BoxesAndCrops(boxes.reshape(-1, 4), np.array(crops, np.uint8).reshape(-1, CROP, CROP, 3))

    return run


FINDERS: Final[dict[str, Callable[..., Find]]] = {"edge": edge, "scikit_image": scikit_image}


def find(how: str, fields: str, **options: str) -> Step:
    """Set-up of every find case: a decoded field a step, to boxes and crops.

    Args:
        how: ``edge`` or ``scikit_image``.
        fields: folder of images; empty for virtual fields.
        options: further options of ``how``.
    """
    pictures = cycle([decode_image(path) for path in images(fields)[:MOST]])
    run = FINDERS[how](**options)
    done = StepResult(1)

    def step() -> StepResult:
        run(next(pictures))
        return done

    return step


def decode(fields: str, reduced: int) -> Step:
    """Decoding alone, from bytes in memory: ``reduced`` 1 is full size, 2 is half (libjpeg skips what it does not need)."""
    cv2.setNumThreads(1)
    flag = {1: cv2.IMREAD_COLOR, 2: cv2.IMREAD_REDUCED_COLOR_2}[reduced]
    files = cycle([np.frombuffer(path.read_bytes(), np.uint8) for path in images(fields)[:MOST]])
    done = StepResult(1)

    def step() -> StepResult:
        cv2.imdecode(next(files), flag)
        return done

    return step
