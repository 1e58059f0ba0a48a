"""Boxes: overlap, pairs, suppression, borders. Nothing else in this project implements them."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from edge.types import FloatArray, Int32Array

MATCHED = 0.5
"""Intersection over union of two boxes that are of one thing."""

_AT_ONCE = 256  # boxes compared with all others at once

BoxArray = NDArray[np.int32] | NDArray[np.float32]


def iou(a: BoxArray, b: BoxArray) -> FloatArray:
    """Intersection over union of every pair.

    Args:
        a: int32 or float [n, 4], x, y, w, h.
        b: int32 or float [m, 4].

    Returns:
        float32 [n, m].
    """
    inner = intersection(a, b)
    area_a = (a[:, 2] * a[:, 3]).astype(np.float32)
    area_b = (b[:, 2] * b[:, 3]).astype(np.float32)
    return np.asarray(inner / np.maximum(area_a[:, None] + area_b[None, :] - inner, np.float32(1e-6)), np.float32)


def intersection(a: BoxArray, b: BoxArray) -> FloatArray:
    """Area shared by every pair, float32 [n, m], in square pixels."""
    first, second = a.astype(np.float32).T[:, :, None], b.astype(np.float32).T[:, None, :]
    width = np.minimum(first[0] + first[2], second[0] + second[2]) - np.maximum(first[0], second[0])
    height = np.minimum(first[1] + first[3], second[1] + second[3]) - np.maximum(first[1], second[1])
    return np.asarray(np.maximum(width, 0) * np.maximum(height, 0), np.float32)


def suppress(boxes: Int32Array, confidence: FloatArray, overlap: float) -> Int32Array:
    """Greedy non-maximum suppression (OpenCV's): indices to keep, int32, most confident first (ties: first come; all above 0)."""
    if len(boxes) == 0:
        return np.empty(0, np.int32)
    return np.asarray(cv2.dnn.NMSBoxes(boxes.tolist(), confidence.tolist(), 0.0, overlap), np.int32).reshape(-1)


def pairs(affinity: np.ndarray, least: float) -> list[tuple[int, int]]:
    """One-to-one pairs by falling affinity [n, m], none below ``least``."""
    rows, columns = np.nonzero(affinity >= least)
    return _one_to_one(rows, columns, affinity[rows, columns])


def pairs_of_boxes(a: BoxArray, b: BoxArray, least: float = MATCHED) -> list[tuple[int, int]]:
    """The same by intersection over union of boxes [n, 4] and [m, 4]; the table of n times m is never made, so they may be many."""
    rows, columns, shared = [np.zeros(0, np.intp)], [np.zeros(0, np.intp)], [np.zeros(0, np.float32)]
    by_left, theirs = np.argsort(a[:, 0], kind="stable"), np.argsort(b[:, 0], kind="stable")
    left, widest = b[theirs, 0], b[:, 2].max(initial=0)
    for start in range(0, len(a), _AT_ONCE):
        mine = by_left[start : start + _AT_ONCE]
        ends = (a[mine[0], 0] - widest, (a[mine, 0] + a[mine, 2]).max())  # what lies beyond them touches none of these
        near = theirs[slice(*np.searchsorted(left, ends).tolist())]
        over = iou(a[mine], b[near])
        i, j = np.nonzero(over >= least)
        rows.append(mine[i])
        columns.append(near[j])
        shared.append(over[i, j])
    row, column, affinity = np.concatenate(rows), np.concatenate(columns), np.concatenate(shared)
    order = np.lexsort((column, row))  # ties: first come, as in ``pairs``
    return _one_to_one(row[order], column[order], affinity[order])


def _one_to_one(rows: np.ndarray, columns: np.ndarray, affinity: np.ndarray) -> list[tuple[int, int]]:
    order = np.argsort(-affinity, kind="stable")
    used_rows: set[int] = set()
    used_columns: set[int] = set()
    out = []
    for i in order:
        row, column = int(rows[i]), int(columns[i])
        if row not in used_rows and column not in used_columns:
            used_rows.add(row)
            used_columns.add(column)
            out.append((row, column))
    return out


def median(values: np.ndarray) -> float:
    """``np.median`` of [n] or [n, m] numbers, at least one, to the last bit and in a third of its time."""
    ranked = np.sort(values, axis=None)
    half = len(ranked) // 2
    return float(ranked[half] if len(ranked) % 2 else (ranked[half - 1] + ranked[half]) / 2)


def inside(boxes: Int32Array, shape: tuple[int, int], margin: float = 0) -> np.ndarray:
    """Which boxes lie at least ``margin`` pixels inside a field of (H, W) pixels, bool [n]; a negative margin lets them overrun."""
    height, width = shape
    x, y, w, h = boxes.T
    return np.asarray((x >= margin) & (y >= margin) & (x + w <= width - margin) & (y + h <= height - margin))
