"""Training cells of the classifier, always through ``edge.crops``: from real fields, composed fields and virtual slides.

Boxes are jittered as a finder's are. What is annotated as no red cell (white cells, platelets, stain) is given as
uninfected: the finder may let one through.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from edge.crops import crop_cells
from edge.modelfile import CropSpec
from edge.types import UInt8Array
from models.finder_data import Scene

NORMAL, INFECTED = 0, 1
LABELS = ("uninfected", "parasitized")


@dataclass(frozen=True, slots=True, eq=False)
class CellSet:
    """Crops with labels: uint8 [n, size, size, 3] and int [n]."""

    crops: UInt8Array
    labels: np.ndarray

    def __len__(self) -> int:
        return len(self.labels)


def join(sets: list[CellSet]) -> CellSet:
    """Several sets as one."""
    return CellSet(np.concatenate([s.crops for s in sets]), np.concatenate([s.labels for s in sets]))


def jitter(boxes: np.ndarray, rng: np.random.Generator, shift: float = 0.06, scale: float = 0.08) -> np.ndarray:
    """Boxes as a finder would have put them: float [n, 4] in, int32 [n, 4] out."""
    sides = boxes[:, 2:]
    centres = boxes[:, :2] + sides / 2 + rng.normal(0, shift, sides.shape) * sides
    sides = sides * np.exp(rng.normal(0, scale, sides.shape))
    return np.asarray(np.rint(np.hstack([centres - sides / 2, sides])), np.int32)


def cells_of(scene: Scene, spec: CropSpec, rng: np.random.Generator, *, infected_copies: int = 1) -> CellSet:
    """The scene's cells, infected ones ``infected_copies`` times with other boxes; unsure ones left out."""
    sure = scene.kind >= 0
    boxes, kind = scene.boxes[sure], scene.kind[sure]
    repeat = np.where(kind == INFECTED, infected_copies, 1)
    boxes, kind = np.repeat(boxes, repeat, axis=0), np.repeat(kind, repeat)
    crops = crop_cells(scene.rgb, jitter(boxes, rng), spec)
    return CellSet(crops, (kind == INFECTED).astype(int))


def augment(crops: UInt8Array, rng: np.random.Generator) -> UInt8Array:
    """Turned, mirrored, recoloured, blurred or noisy copies: uint8 [n, s, s, 3], same shape out."""
    out = crops.astype(np.float32)
    n = len(out)
    for turn in range(4):
        mine = rng.integers(0, 4, n) == turn
        out[mine] = np.rot90(out[mine], turn, axes=(1, 2))
    mirrored = rng.random(n) < 0.5
    out[mirrored] = out[mirrored, :, ::-1]
    density = -np.log(np.maximum(out, 3) / 255)
    mix = np.eye(3) + rng.normal(0, 0.06, (n, 3, 3))
    mix /= mix.sum(axis=2, keepdims=True)
    density = np.einsum("nhwc,ncd->nhwd", density, mix.astype(np.float32), optimize=True)
    density *= np.exp(rng.normal(0, 0.12, (n, 1, 1, 3)) + rng.normal(0, 0.15, (n, 1, 1, 1))).astype(np.float32)
    out = 255 * np.exp(-density)
    soft = rng.random(n) < 0.3
    out[soft] = (
        out[soft] + np.roll(out[soft], 1, 1) + np.roll(out[soft], 1, 2) + np.roll(out[soft], (1, 1), (1, 2))
    ) / 4
    noisy = rng.random(n) < 0.5
    out[noisy] += rng.normal(0, 1, out[noisy].shape) * rng.uniform(0, 6, (int(noisy.sum()), 1, 1, 1))
    return np.asarray(np.clip(out, 0, 255), np.uint8)
