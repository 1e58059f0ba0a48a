"""The lit region of a field: what an eyepiece, a phone adapter or a film's bars leave of the frame.

All of these leave a convex region: a circle, a rounded rectangle, a band. What a convex region leaves out of a frame always
reaches one of its four corners, so fields whose corners are lit are done with after a glance at them. Else the dark part is
traced from the corners on a small copy, and the region is the convex hull of what is left. It is one when

* what lies outside the hull is dark and nearly nothing inside is: a stain in a corner is convex itself, so that the hull of the
  rest runs through it, while the dark around a circle lies outside;
* the light falls within a short way: at the end of a lens's shading it does not;
* the outside is an eyepiece's or a film's: bars, or dark in more than one corner, or one large one.

The lightest channel decides what is dark. Stain takes green and red away and leaves blue, a surround is dark in all three.
"""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np

from edge.boxes import median
from edge.pixels import distances
from edge.types import FloatArray, Region, UInt8Array

_GLANCE = 64  # pixels of the field's longer side that are looked at for its paper
_CORNER = 0.008  # of the longer side: the patch that stands for a corner
_DARK = 0.5  # of the paper: no corner darker than that, no surround
_PAPER = 0.95  # quantile
_TRACED = 640  # pixels of the longer side in which the region is traced
_RIM = 0.25  # of the way from surround to paper: where the surround ends; cells at the rim must not pass for it
_LEAST = 0.06  # share of the frame that a region covers
_OUTSIDE = 0.003  # share of the frame that is left out
_ONE_CORNER = 0.02  # the same where only one corner is dark
_LEAK = 0.2  # dark inside the hull, as a share of what is outside: cells at the rim that are as dark as the surround
_SPECKS = 0.1  # light outside the hull, as a share of what is outside
_REACH = 0.025  # of the longer side: the light falls by more than half within this on both sides of the rim
_SOFTEST = 0.08  # of the longer side: the widest rim that is taken off
_LIT = 0.85  # of the light a little further in: there the rim ends
_HALF_PIXEL = 0.4  # a pixel that is mostly lit reaches about this far beyond its middle


class _Small(NamedTuple):
    """The copy on which a region is traced: ``value`` uint8 [h, w], lightest channel; ``scale`` field pixels per pixel of it."""

    value: UInt8Array
    scale: float


def find_region(rgb: UInt8Array) -> Region | None:
    """The lit region of a field, uint8 [H, W, 3]; None where all of it is lit."""
    if min(rgb.shape[:2]) < 16 or not _has_dark_corner(rgb):
        return None
    scale = max(1.0, max(rgb.shape[:2]) / _TRACED)
    height, width = (max(1, round(side / scale)) for side in rgb.shape[:2])
    small = np.asarray(cv2.resize(rgb, (width, height), interpolation=cv2.INTER_AREA), np.uint8)
    value = np.asarray(cv2.medianBlur(_lightest(small), 3), np.uint8)
    return _traced(_Small(value, scale), (rgb.shape[0], rgb.shape[1]))


def _lightest(rgb: UInt8Array) -> UInt8Array:
    return np.asarray(np.maximum(np.maximum(rgb[..., 0], rgb[..., 1]), rgb[..., 2]), np.uint8)


def _corners(value: UInt8Array) -> list[float]:
    """Median of each corner's patch of [h, w], clockwise from the top left."""
    side = max(2, round(_CORNER * max(value.shape)))
    patches = value[:side, :side], value[:side, -side:], value[-side:, -side:], value[-side:, :side]
    return [median(patch.astype(np.int32)) for patch in patches]


def _has_dark_corner(rgb: UInt8Array) -> bool:
    step = max(1, max(rgb.shape[:2]) // _GLANCE)
    paper = _quantile(_lightest(rgb[step // 2 :: step, step // 2 :: step]), _PAPER)
    side = max(2, round(_CORNER * max(rgb.shape[:2])))
    ends = (slice(0, side), slice(-side, None))
    return any(median(_lightest(rgb[y, x]).astype(np.int32)) < _DARK * paper for y in ends for x in ends)


def _quantile(values: UInt8Array, share: float) -> float:
    flat = values.reshape(-1)
    nth = min(int(len(flat) * share), len(flat) - 1)
    return float(np.partition(flat, nth)[nth])


def _traced(small: _Small, shape: tuple[int, int]) -> Region | None:
    value = small.value
    paper = _quantile(value, _PAPER)
    corners = _corners(value)
    dark = [level for level in corners if level < _DARK * paper]
    if not dark:
        return None
    level = median(np.array(dark))
    surround = _surround(value < level + _RIM * (paper - level), [c < _DARK * paper for c in corners])
    lit = _largest((~surround).astype(np.uint8))
    hull = None if lit is None else _hull_mask(lit)
    least = _ONE_CORNER if len(dark) == 1 else _OUTSIDE
    rim = None if hull is None or not _fits(surround, hull, least) else _rim(value, hull, level)
    if hull is None or rim is None:
        return None
    half, full = rim
    outline = _outline((distances(hull) > half).astype(np.uint8), small.scale, shape)
    return Region(outline, (full - half) * small.scale)


def _fits(surround: np.ndarray, hull: UInt8Array, least: float) -> bool:
    """Whether what lies outside the hull, at least that share of the frame, is the surround and nothing else."""
    outside = hull == 0
    left_out = np.count_nonzero(outside)
    return bool(
        least * hull.size <= left_out <= (1 - _LEAST) * hull.size
        and np.count_nonzero(surround & ~outside) <= _LEAK * left_out
        and np.count_nonzero(outside & ~surround) <= _SPECKS * left_out
    )


def _surround(dark: np.ndarray, at_corner: list[bool]) -> np.ndarray:
    """The part of ``dark``, bool [h, w], that is connected to a dark corner: bool [h, w]."""
    _, labels = cv2.connectedComponents(dark.astype(np.uint8), connectivity=4)
    ends = ((0, 0), (0, -1), (-1, -1), (-1, 0))
    side = max(2, round(_CORNER * max(dark.shape)))
    found = set()
    for (y, x), is_dark in zip(ends, at_corner, strict=True):
        if is_dark:
            patch = labels[
                slice(0, side) if y == 0 else slice(-side, None), slice(0, side) if x == 0 else slice(-side, None)
            ]
            found |= set(np.unique(patch).tolist())
    return np.isin(labels, sorted(found - {0}))


def _largest(lit: UInt8Array) -> UInt8Array | None:
    """The largest component of ``lit`` after thin lines are removed, uint8 0 or 1 [h, w]; None: there is none."""
    opened = cv2.morphologyEx(lit, cv2.MORPH_OPEN, np.ones((3, 3), np.uint8))
    count, labels, stats, _ = cv2.connectedComponentsWithStats(opened, connectivity=4)
    if count < 2:
        return None
    return np.asarray(labels == 1 + int(stats[1:, cv2.CC_STAT_AREA].argmax()), np.uint8)


def _hull_mask(lit: UInt8Array) -> UInt8Array:
    contours, _ = cv2.findContours(lit, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    mask = np.zeros_like(lit)
    return np.asarray(cv2.fillConvexPoly(mask, cv2.convexHull(np.concatenate(contours)), 1), np.uint8)


def _rim(value: UInt8Array, hull: UInt8Array, level: float) -> tuple[int, int] | None:
    """Depths inside the hull, in pixels, that half of the light and all of it reach; None: the change is too slow for a rim."""
    longer = max(value.shape)
    reach, softest = max(2, round(_REACH * longer)), round(_SOFTEST * longer)
    inner = _light_by_depth(value, hull, softest + reach)
    outer = _light_by_depth(value, 1 - hull, reach)
    if inner[reach] - outer[-1] < 0.5 * (inner[reach] - min(level, outer[-1])):
        return None
    look = max(2, reach // 3)
    full = next((depth for depth in range(softest) if inner[depth] >= _LIT * inner[depth + look]), None)
    if full is None:
        return None
    bright = level + 0.5 * (inner[full] - level)
    return next(depth for depth in range(full + 1) if inner[depth] >= bright or depth == full), full


def _light_by_depth(value: UInt8Array, mask: UInt8Array, count: int) -> FloatArray:
    """The light of the paper (upper quartile) 0, 1, ... pixels inside the mask's rim, float32 [count]; the last repeats."""
    depth = np.ceil(distances(mask)).astype(np.int32) - 1
    near = (depth >= 0) & (depth < count)
    depths, values = depth[near], value[near]
    levels = np.zeros(count, np.float32)
    order = np.argsort(depths, kind="stable")
    parts = np.split(values[order], np.searchsorted(depths[order], np.arange(1, count)))
    for at, part in enumerate(parts):
        levels[at] = _quantile(part, 0.75) if len(part) else levels[max(0, at - 1)]
    return levels


def _outline(hull: UInt8Array, scale: float, shape: tuple[int, int]) -> FloatArray:
    """The hull's corners in pixels of a field of (H, W) that is ``scale`` times as large: float32 [n, 2]."""
    contours, _ = cv2.findContours(hull, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    points = cv2.convexHull(np.concatenate(contours))[:, 0].astype(np.float32)
    turn = np.arange(8, dtype=np.float32) * np.float32(np.pi / 4)
    around = np.float32(_HALF_PIXEL) * np.stack([np.cos(turn), np.sin(turn)], axis=1)
    points = ((points[:, None] + around[None]).reshape(-1, 2) + np.float32(0.5)) * np.float32(scale)
    height, width = shape
    for axis, length in enumerate((width, height)):  # what reaches the frame ends with it
        points[points[:, axis] < scale, axis] = 0
        points[points[:, axis] > length - scale, axis] = length
    return np.asarray(cv2.convexHull(np.asarray(points, np.float32))[:, 0], np.float32)
