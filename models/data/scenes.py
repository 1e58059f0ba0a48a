"""Training data of the finder: real fields, single cells composed into fields, augmentation, and the net's targets.

Everything becomes a ``Scene``: an image at about twice the net's resolution with boxes in the convention of the IML
annotations (a margin around the cell). ``draw`` then cuts a random, recoloured view at the net's resolution out of it.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from convert.measure.annotations import AnnotatedField
from convert.measure.single import BOX_MARGIN
from edge.finders.learned import whiten
from edge.types import UInt8Array
from models.data.classes import ClassScheme
from models.data.debris import weak_labels
from models.data.fields import read_rgb

CELL_PX = 20.0
"""Width of a typical box at the net's input."""

KINDS = ("cell", "suspect", "not-white-cell", "not-platelet")
VIEW = (240, 320)  # height, width in pixels of what the finder learns from
STRIDE = 4  # pixels of the input per cell of the finder's map
_IGNORE = -1  # kind of what counts neither way
_WEIGHT = (1.0, 4.0, 6.0, 3.0)
"""Weight of a centre per kind: infected cells must not be lost, white cells and platelets are rare."""
_HARD = 4.0  # weight of the background around what looks like a cell


@dataclass(frozen=True, slots=True, eq=False)
class Scene:
    """A field to learn from.

    Attributes:
        rgb: uint8 [H, W, 3].
        boxes: float32 [n, 4], x, y, w, h in pixels of ``rgb``.
        kind: int [n], index into KINDS; -1: neither a target nor background.
        unit: width of a typical box in pixels of ``rgb``.
        others: whether white cells and platelets are annotated (else those channels are not trained here).
    """

    rgb: UInt8Array
    boxes: np.ndarray
    kind: np.ndarray
    unit: float
    others: bool


def annotated_scene(
    one: AnnotatedField, rgb: UInt8Array, scheme: ClassScheme, *, full_size: bool = False
) -> Scene | None:
    """A field to learn from, with weak labels for what is no red cell; None where no cell is annotated in it.

    Args:
        one: its annotations, all of them within the image.
        rgb: uint8 [H, W, 3].
        scheme: which annotated names count, and which are suspicious.
        full_size: the image as it is; else with cells at most twice as wide as the finder's net sees them.
    """
    index = scheme.indices(one.types)
    if not (index >= 0).any():
        return None
    of_label = [
        1 if label in scheme.positive else KINDS.index(label) if label in KINDS else 0 for label in scheme.labels
    ]
    kind = np.where(index < 0, _IGNORE, np.array(of_label)[index])
    boxes = one.boxes.astype(np.float32)
    others, others_kind = weak_labels(rgb, boxes)
    unit = float(np.median(boxes[index >= 0, 2:]))
    scale = 1.0 if full_size else min(1.0, 2 * CELL_PX / unit)
    small = cv2.resize(rgb, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA) if scale < 1 else rgb
    every = np.concatenate([boxes, others]) * np.float32(scale)
    return Scene(np.asarray(small, np.uint8), every, np.concatenate([kind, others_kind]), unit * scale, others=True)


class CellPool:
    """Single cells on black (the NIH form), by slide, for composing fields in many scopes' colours."""

    def __init__(self, root: Path, rows: list[dict[str, str]]) -> None:
        self.by_slide: dict[str, list[tuple[UInt8Array, bool]]] = {}
        side: dict[str, list[int]] = {}
        for row in rows:
            longest = max(int(row["native_width"]), int(row["native_height"]))
            side.setdefault(row["slide"], []).append(longest)
        for row in rows:
            image = read_rgb(root / row["file"])
            native = max(int(row["native_width"]), int(row["native_height"]))
            # Cells keep their size relative to their slide; a typical one becomes two thirds of a box at scene scale.
            target = 2 * CELL_PX / BOX_MARGIN * native / float(np.median(side[row["slide"]]))
            factor = target / max(image.shape[:2])
            small = cv2.resize(image, None, fx=factor, fy=factor, interpolation=cv2.INTER_AREA)
            self.by_slide.setdefault(row["slide"], []).append(
                (np.asarray(small, np.uint8), row["label"] == "parasitized")
            )

    def scene(self, rng: np.random.Generator, slide: str | None = None) -> Scene:
        """A composed field of one slide's cells (any, if not said which): some touching, some overlapping, on a pale background."""
        slide = slide or str(rng.choice(sorted(self.by_slide)))
        cells = self.by_slide[slide]
        height, width = VIEW[0] * 2, VIEW[1] * 2
        paper = _paper(cells, rng, height, width)
        boxes: list[list[float]] = []
        kinds: list[int] = []
        centres = np.empty((0, 2))
        wanted = int(rng.integers(40, 150))
        nearest = rng.uniform(0.6, 1.05) * 2 * CELL_PX / BOX_MARGIN
        for _ in range(wanted * 3):
            if len(boxes) >= wanted:
                break
            image, infected = cells[int(rng.integers(len(cells)))]
            x, y = rng.uniform(0, width), rng.uniform(0, height)
            if len(centres) and np.hypot(*(centres - (x, y)).T).min() < nearest:
                continue
            image = np.rot90(image, int(rng.integers(4)))
            h, w = image.shape[:2]
            left, top = int(x - w / 2), int(y - h / 2)
            if not _paste(paper, image, left, top):
                continue
            margin = BOX_MARGIN
            boxes.append([left + w / 2 - w * margin / 2, top + h / 2 - h * margin / 2, w * margin, h * margin])
            kinds.append(int(infected))
            centres = np.vstack([centres, [x, y]])
        blurred = cv2.GaussianBlur(paper, (0, 0), float(rng.uniform(0.4, 1.0)))
        rgb = np.clip(blurred, 0, 255).astype(np.uint8)
        return Scene(rgb, np.array(boxes, np.float32).reshape(-1, 4), np.array(kinds, int), 2 * CELL_PX, False)


def _paper(cells: list[tuple[UInt8Array, bool]], rng: np.random.Generator, height: int, width: int) -> np.ndarray:
    some = [cells[int(i)][0].reshape(-1, 3) for i in rng.integers(0, len(cells), 8)]
    pixels = np.concatenate(some)
    pixels = pixels[pixels.sum(axis=1) > 60]
    bright = np.percentile(pixels, 97, axis=0) if len(pixels) else np.full(3, 200.0)
    tone = np.minimum(bright * rng.uniform(1.03, 1.3) * rng.uniform(0.97, 1.03, 3), 250)
    shade = cv2.resize(rng.normal(0, 4, (3, 4)).astype(np.float32), (width, height), interpolation=cv2.INTER_CUBIC)
    return np.asarray(tone[None, None] + shade[:, :, None], np.float32)


def _paste(paper: np.ndarray, image: np.ndarray, left: int, top: int) -> bool:
    """Multiply the cell onto the paper where it overlaps others, as stained films do; False when it is out of view."""
    height, width = paper.shape[:2]
    h, w = image.shape[:2]
    x0, y0, x1, y1 = max(left, 0), max(top, 0), min(left + w, width), min(top + h, height)
    if x1 - x0 < w * 0.5 or y1 - y0 < h * 0.5:
        return False
    part = image[y0 - top : y1 - top, x0 - left : x1 - left].astype(np.float32)
    alpha = cv2.GaussianBlur((part.max(axis=2) > 25).astype(np.float32), (3, 3), 0)[..., None]
    below = paper[y0:y1, x0:x1]
    paper[y0:y1, x0:x1] = below * (1 - alpha) + np.minimum(part, below) * alpha
    return True


@dataclass(frozen=True, slots=True, eq=False)
class SceneView:
    """What the net is shown: image uint8 [240, 320, 3], boxes float32 [n, 4] and kinds int [n] centred in it.

    ``core`` (left, top, right, bottom) in pixels is where annotations are complete: nearer to the field's border, cells
    are often left out.
    """

    image: UInt8Array
    boxes: np.ndarray
    kind: np.ndarray
    core: tuple[float, float, float, float]


def draw(scene: Scene, rng: np.random.Generator) -> SceneView:
    """A random view of a scene: moved, scaled, turned, mirrored, recoloured."""
    height, width = VIEW
    scale = CELL_PX / scene.unit * float(np.exp(rng.normal(0, 0.13)))
    turn = int(rng.choice(4, p=(0.35, 0.15, 0.35, 0.15)))  # a turned field fills less of the view
    flip = bool(rng.integers(2))
    h, w = scene.rgb.shape[:2]
    cx = rng.uniform(0.35, 0.65) * w if scale * w <= width * 1.1 else rng.uniform(0.25, 0.75) * w
    cy = rng.uniform(0.35, 0.65) * h if scale * h <= height * 1.1 else rng.uniform(0.25, 0.75) * h
    cos, sin = ((1, 0), (0, 1), (-1, 0), (0, -1))[turn]
    linear = scale * np.array([[cos, -sin], [sin, cos]], float)
    if flip:
        linear[0] *= -1
    shift = np.array([width / 2, height / 2]) - linear @ (cx, cy)
    matrix = np.hstack([linear, shift[:, None]])
    fill = [float(v) for v in np.percentile(scene.rgb[::8, ::8].reshape(-1, 3), 92, axis=0)]
    view = cv2.warpAffine(
        scene.rgb, matrix, (width, height), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT, borderValue=fill
    )
    centres = (scene.boxes[:, :2] + scene.boxes[:, 2:] / 2) @ linear.T + shift
    sides = np.abs(scene.boxes[:, 2:] @ linear.T)
    boxes = np.hstack([centres - sides / 2, sides]).astype(np.float32)
    keep = (centres >= 0).all(axis=1) & (centres[:, 0] < width) & (centres[:, 1] < height)
    rim = 0.45 * scene.unit
    corners = np.array([[rim, rim], [w - rim, h - rim]]) @ linear.T + shift
    (left, top), (right, bottom) = corners.min(axis=0), corners.max(axis=0)
    image = whiten(recolour(np.asarray(view, np.uint8), rng))
    return SceneView(image, boxes[keep], scene.kind[keep], (left, top, right, bottom))


def recolour(view: UInt8Array, rng: np.random.Generator) -> UInt8Array:
    """Another stain, lamp, focus and sensor: channels mixed and scaled in optical density, uneven light, blur, noise."""
    density = -np.log(np.maximum(view.astype(np.float32), 3) / 255)
    if rng.random() < 0.55:
        mix = np.eye(3) + rng.normal(0, 0.12, (3, 3))
        mix /= mix.sum(axis=1, keepdims=True)
        density = density @ mix.astype(np.float32) * np.exp(rng.normal(0, 0.25, 3)).astype(np.float32)
    density *= np.float32(np.exp(rng.normal(0, 0.3)))
    if rng.random() < 0.5:
        height, width = view.shape[:2]
        shade = cv2.resize(
            rng.normal(0, 0.08, (2, 3)).astype(np.float32), (width, height), interpolation=cv2.INTER_CUBIC
        )
        density += shade[..., None]
    if rng.random() < 0.1:
        density[:] = density.mean(axis=2, keepdims=True)
    out = 255 * np.exp(-density)
    if rng.random() < 0.4:
        out = cv2.GaussianBlur(out, (0, 0), float(rng.uniform(0.3, 1.1)))
    elif rng.random() < 0.3:
        out = out + float(rng.uniform(0.2, 0.8)) * (out - cv2.GaussianBlur(out, (0, 0), 1.0))
    if rng.random() < 0.5:
        out = out + rng.normal(0, rng.uniform(1, 6), out.shape)
    return np.asarray(np.clip(out, 0, 255), np.uint8)


def targets(view: SceneView, others: bool) -> tuple[np.ndarray, np.ndarray]:
    """What the net shall say of one view; ``others``: whether white cells and platelets are annotated in it.

    Returns:
        heat: float32 [h, w, 2 * kinds]: the wanted heat, then its weight (0 where nothing is known).
        reg: float32 [h, w, 5]: dx, dy in strides, w, h in CELL_PX, and the weight.
    """
    h, w = VIEW[0] // STRIDE, VIEW[1] // STRIDE
    heat = np.zeros((h, w, len(KINDS)), np.float32)
    weight = np.ones((h, w, len(KINDS)), np.float32)
    if not others:
        weight[:, :, 2:] = 0
    reg = np.zeros((h, w, 5), np.float32)
    best = np.zeros((h, w), np.float32)
    rows, columns = np.mgrid[:h, :w].astype(np.float32)
    left, top, right, bottom = (edge / STRIDE for edge in view.core)
    weight[(rows < top) | (rows >= bottom) | (columns < left) | (columns >= right)] = 0
    for (x, y, bw, bh), k in zip(view.boxes, view.kind, strict=True):
        cx, cy = (x + bw / 2) / STRIDE, (y + bh / 2) / STRIDE
        column, row = min(int(cx), w - 1), min(int(cy), h - 1)
        reach = 4
        area = np.s_[max(row - reach, 0) : row + reach + 1, max(column - reach, 0) : column + reach + 1]
        sx, sy = max(0.14 * bw / STRIDE, 0.55), max(0.14 * bh / STRIDE, 0.55)
        bump = np.exp(-(((columns[area] - column) / sx) ** 2 + ((rows[area] - row) / sy) ** 2) / 2)
        if k == _IGNORE:
            weight[area] *= (bump < 0.05)[..., None]
            continue
        channels = (0, 1) if k == 1 else (int(k),)
        for c in channels:
            heat[..., c][area] = np.maximum(heat[..., c][area], bump)
        for c in channels:
            weight[row, column, c] = _WEIGHT[int(k)]
        if k > 1:  # what is no red cell is the hardest background for the cells' channels
            weight[area][..., :2] = np.where((bump > 0.2)[..., None], _HARD, weight[area][..., :2])
        nearer = (bump > best[area]) & (bump > 0.3)
        best[area] = np.where(nearer, bump, best[area])
        value = np.stack(
            [
                cx - 0.5 - columns[area],
                cy - 0.5 - rows[area],
                np.full(bump.shape, bw / CELL_PX),
                np.full(bump.shape, bh / CELL_PX),
                bump * (3 if k == 1 else 1),
            ],
            axis=2,
        )
        reg[area] = np.where(nearer[..., None], value, reg[area])
    return np.concatenate([heat, weight], axis=2), reg
