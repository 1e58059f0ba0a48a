"""Training cells of the classifier, always through ``edge.crops``: from real fields, composed fields and virtual slides.

Boxes are jittered as a finder's are. What is annotated as no red cell (white cells, platelets, stain) is given as
uninfected: the finder may let one through.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np

from convert.measure.colours import middle_colour, own_colours
from edge.crops import centre_colours, crop_cells
from edge.modelfile import CropSpec
from edge.types import FloatArray, UInt8Array
from models.data.scenes import Scene

NORMAL, INFECTED = 0, 1
LABELS = ("uninfected", "parasitized")
_DENSITY = -np.log(np.maximum(np.arange(256), 3) / 255).astype(np.float32)
_NOISE = np.random.default_rng(5).standard_normal(1 << 22, dtype=np.float32)
"""Drawn once: a crop's noise is a stretch of it from a random place."""

SPEC = CropSpec(size=32, margin=1.0, normalise="bounded", target=128, reach=0.1)
"""How the shelf's classifiers see a cell: colours brought to the typical cell of the field, as far as a tenth."""

SLACK = 2
"""Pixels that crops to learn from are larger than the net's on every side, so that they can be moved without being resampled."""


@dataclass(frozen=True, slots=True, eq=False)
class CellSet:
    """Crops with labels.

    Attributes:
        crops: uint8 [n, size, size, 3], uncoloured; ``SLACK`` larger on every side where they are to be moved.
        labels: int [n].
        reference: float32 [n, 3], colour of the median cell of each one's field (or slide); None: a cell's own stands for it.
    """

    crops: UInt8Array
    labels: np.ndarray
    reference: FloatArray | None = None

    def __len__(self) -> int:
        return len(self.labels)

    def references(self, rows: np.ndarray) -> FloatArray:
        """Of these cells, float32 [m, 3]."""
        return centre_colours(self.crops[rows]) if self.reference is None else self.reference[rows]


def join(sets: list[CellSet]) -> CellSet:
    """Several sets as one."""
    parts = [s.references(np.arange(len(s))) for s in sets]
    return CellSet(
        np.concatenate([s.crops for s in sets]), np.concatenate([s.labels for s in sets]), np.concatenate(parts)
    )


def with_slack(spec: CropSpec) -> CropSpec:
    """``spec`` for crops to learn from: uncoloured, and ``SLACK`` pixels larger on every side."""
    size = spec.size + 2 * SLACK
    return replace(spec, size=size, margin=spec.margin * size / spec.size, normalise="none")


def of_field(crops: UInt8Array, size: int) -> FloatArray:
    """Colour of the median cell of crops that are of one field: float32 [3]."""
    return middle_colour(own_colours(crops, size))


def jitter(boxes: np.ndarray, rng: np.random.Generator, shift: float = 0.06, scale: float = 0.08) -> np.ndarray:
    """Boxes as a finder would have put them: float [n, 4] in, int32 [n, 4] out."""
    sides = boxes[:, 2:]
    centres = boxes[:, :2] + sides / 2 + rng.normal(0, shift, sides.shape) * sides
    sides = sides * np.exp(rng.normal(0, scale, sides.shape))
    return np.asarray(np.rint(np.hstack([centres - sides / 2, sides])), np.int32)


def cells_of(scene: Scene, spec: CropSpec, rng: np.random.Generator, *, infected_copies: int = 1) -> CellSet:
    """The scene's cells with slack, infected ones ``infected_copies`` times with other boxes; unsure ones left out."""
    sure = scene.kind >= 0
    boxes, kind = scene.boxes[sure], scene.kind[sure]
    repeat = np.where(kind == INFECTED, infected_copies, 1)
    boxes, kind = np.repeat(boxes, repeat, axis=0), np.repeat(kind, repeat)
    crops = crop_cells(scene.rgb, jitter(boxes, rng), with_slack(spec))
    red = kind <= INFECTED
    colour = of_field(crops[red] if red.any() else crops, spec.size) if len(crops) else np.zeros(3, np.float32)
    return CellSet(crops, (kind == INFECTED).astype(int), np.repeat(colour[None], len(crops), axis=0))


def moved(crops: UInt8Array, size: int, rng: np.random.Generator) -> UInt8Array:
    """Each crop's window of that size at a random place, turned and mirrored: uint8 [n, s, s, 3] to [n, size, size, 3]."""
    out = np.empty((len(crops), size, size, 3), np.uint8)
    corners = rng.integers(0, crops.shape[1] - size + 1, (len(crops), 2))
    for crop, (top, left), way, target in zip(crops, corners, rng.integers(0, 8, len(crops)), out, strict=True):
        view = crop[top : top + size, left : left + size]
        view = view.transpose(1, 0, 2) if way & 4 else view
        view = view[::-1] if way & 2 else view
        target[:] = view[:, ::-1] if way & 1 else view
    return out


def augment(crops: UInt8Array, reference: FloatArray, rng: np.random.Generator) -> tuple[UInt8Array, FloatArray]:
    """Recoloured, blurred or noisy copies.

    Another stain and lamp: channels mixed and scaled in optical density, the field's colour with them.

    Args:
        crops: uint8 [n, s, s, 3].
        reference: float32 [n, 3], colour of each one's field.
        rng: gives the same for the same seed.

    Returns:
        both, recoloured.
    """
    n, side = len(crops), crops.shape[1]
    mix = np.eye(3) + rng.normal(0, 0.06, (n, 3, 3))
    mix /= mix.sum(axis=2, keepdims=True)
    mix *= np.exp(rng.normal(0, 0.12, (n, 1, 3)) + rng.normal(0, 0.15, (n, 1, 1)))
    mix = mix.astype(np.float32)
    density = cv2.LUT(crops.reshape(n * side, side, 3), _DENSITY).reshape(crops.shape)
    out = np.empty_like(density)
    for source, weights, target in zip(density, mix, out, strict=True):
        cv2.transform(source, np.ascontiguousarray(-weights.T), target)
    flat = out.reshape(n * side, -1)
    cv2.exp(flat, flat)
    np.multiply(out, np.float32(255), out=out)
    for i in np.flatnonzero(rng.random(n) < 0.3):  # mean of each pixel and its neighbours above and to the left
        out[i] = cv2.blur(out[i], (2, 2), anchor=(1, 1), borderType=cv2.BORDER_REPLICATE)
    for i in np.flatnonzero(rng.random(n) < 0.5):
        first = int(rng.integers(len(_NOISE) - side * side * 3))
        out[i] += _NOISE[first : first + side * side * 3].reshape(side, side, 3) * np.float32(rng.uniform(0, 6))
    colour = -np.log(np.maximum(reference, 3) / 255)
    recoloured = 255 * np.exp(-np.einsum("nc,ncd->nd", colour, mix))
    return np.asarray(np.clip(out, 0, 255), np.uint8), np.asarray(recoloured, np.float32)
