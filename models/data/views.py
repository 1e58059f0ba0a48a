"""What the finder is shown of a scene in training: a random, recoloured view at the net's resolution, and what the net shall say of it."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from edge.finders.learned import WHITE, whiten
from edge.types import UInt8Array
from models.data.other_things import with_other_things
from models.data.scenes import CELL, CELL_PX, KINDS, SUSPECT, UNSURE, Scene

VIEW = (192, 256)  # height, width in pixels of what the finder learns from
STRIDE = 4  # pixels of the input per cell of the finder's map
_WEIGHT = (1.0, 4.0, 3.0, 3.0, 2.0)
"""Weight of a centre per kind: infected cells must not be lost, the others are rare."""

_HARD = 4.0  # weight of the cells' background on what is no red cell
_BODY = 0.42  # radius, in sides of its box, within which a thing that is no red cell holds no centre of one
_RIM = 0.45  # typical boxes: nearer to the border of a field, cells are often not annotated
_SPREAD = 0.14  # standard deviation of the heat around a centre, in sides of the box
_FURTHEST = 0.05  # heat at which the area around a centre ends

_USUAL_JITTER = 0.13
"""Standard deviation of the logarithm of the scale: what is left of the size after the finder has found it."""

_WIDE_JITTER = (-0.65, 0.6)
"""Range of the logarithm of the scale in some views: cells far from the size that the net knows have to be measured too."""

_WIDE = 0.25  # share of such views


@dataclass(frozen=True, slots=True, eq=False)
class SceneView:
    """What the net is shown: image uint8 [192, 256, 3], boxes float32 [n, 4] and kinds int [n] centred in it.

    ``cores`` float32 [k, 4] (left, top, right, bottom) in pixels are where annotations are complete.
    """

    image: UInt8Array
    boxes: np.ndarray
    kind: np.ndarray
    cores: np.ndarray


def draw(scene: Scene, rng: np.random.Generator) -> SceneView:
    """A random view of a scene: moved, scaled, turned, mirrored, with other things in it, recoloured."""
    height, width = VIEW
    jitter = rng.uniform(*_WIDE_JITTER) if rng.random() < _WIDE else rng.normal(0, _USUAL_JITTER)
    scale = CELL_PX / scene.unit * float(np.exp(jitter))
    source, halved = _halved(scene.rgb, scale)
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
    matrix = np.hstack([linear * halved, shift[:, None]])
    fill = [float(v) for v in np.percentile(source[::8, ::8].reshape(-1, 3), 92, axis=0)]
    seen = cv2.warpAffine(
        source, matrix, (width, height), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT, borderValue=fill
    )
    centres = (scene.boxes[:, :2] + scene.boxes[:, 2:] / 2) @ linear.T + shift
    sides = np.abs(scene.boxes[:, 2:] @ linear.T)
    boxes = np.hstack([centres - sides / 2, sides]).astype(np.float32)
    keep = (centres >= 0).all(axis=1) & (centres[:, 0] < width) & (centres[:, 1] < height)
    cores = _cores(scene, linear, shift)
    things = with_other_things(np.asarray(seen, np.uint8), boxes[keep], scene.kind[keep], CELL_PX * float(np.exp(jitter)), rng)
    return SceneView(recolour(things.rgb, rng), things.boxes, things.kind, cores)


def _halved(rgb: UInt8Array, scale: float) -> tuple[UInt8Array, int]:
    """The image, halved where a view would skip its pixels, and how many of its pixels one of these is wide."""
    if scale > 0.4:
        return rgb, 1
    height, width = (side // 2 for side in rgb.shape[:2])
    return np.asarray(cv2.resize(rgb, (width, height), interpolation=cv2.INTER_AREA), np.uint8), 2


def _cores(scene: Scene, linear: np.ndarray, shift: np.ndarray) -> np.ndarray:
    """Where annotations are complete, float32 [k, 4] (left, top, right, bottom) in pixels of the view."""
    h, w = scene.rgb.shape[:2]
    pieces = np.array([[0, 0, w, h]], np.float32) if scene.pieces is None else scene.pieces
    rim = _RIM * scene.unit
    ends = [(corner + inward) @ linear.T + shift for corner, inward in ((pieces[:, :2], rim), (pieces[:, 2:], -rim))]
    return np.hstack([np.minimum(*ends), np.maximum(*ends)]).astype(np.float32)


def recolour(view: UInt8Array, rng: np.random.Generator) -> UInt8Array:
    """Another stain, lamp, focus and sensor, in optical density over the paper: uint8 [h, w, 3] to the same, its paper near WHITE.

    Channels are mixed and scaled, pale and dark parts drawn apart or together, the light made uneven, the picture blurred or
    sharpened; last come noise and an error of the paper's level such as dense fields cause.
    """
    table = -np.log(np.maximum(np.arange(256, dtype=np.float32), 3) / WHITE)
    density = np.asarray(table[whiten(view)], np.float32)
    if rng.random() < 0.75:
        mix = np.eye(3) + rng.normal(0, 0.14, (3, 3))
        mix = mix / mix.sum(axis=1, keepdims=True) * np.exp(rng.normal(0, 0.3, (3, 1)))
        density = np.asarray(cv2.transform(density, mix.astype(np.float32)), np.float32)
    strength = float(np.exp(rng.normal(0, 0.35)))
    if rng.random() < 0.5:
        power = float(np.exp(rng.normal(0, 0.2)))
        density = np.sign(density) * np.abs(density) ** np.float32(power)
    density *= np.float32(strength)
    if rng.random() < 0.5:
        height, width = view.shape[:2]
        shade = rng.normal(0, 0.08, (2, 3)).astype(np.float32)
        density += cv2.resize(shade, (width, height), interpolation=cv2.INTER_CUBIC)[..., None]
    if rng.random() < 0.08:
        density[:] = density.mean(axis=2, keepdims=True)
    out = np.asarray(np.float32(WHITE) * cv2.exp(-density), np.float32)
    if rng.random() < 0.4:
        out = np.asarray(cv2.GaussianBlur(out, (0, 0), float(rng.uniform(0.3, 1.1))), np.float32)
    elif rng.random() < 0.3:
        out = out + np.float32(rng.uniform(0.2, 0.8)) * (out - cv2.GaussianBlur(out, (0, 0), 1.0))
    if rng.random() < 0.5:
        out = out + rng.standard_normal(out.shape, np.float32) * np.float32(rng.uniform(1, 6))
    white = whiten(np.asarray(np.clip(out, 0, 255), np.uint8))
    if rng.random() < 0.5:
        return white
    gain = np.exp(rng.normal(0, 0.05, 3) + rng.normal(0, 0.05))
    levels = np.minimum(np.arange(256)[:, None] * gain, 255).astype(np.uint8)
    return np.asarray(cv2.LUT(white, levels.reshape(1, 256, 3)), np.uint8)


def targets(view: SceneView, known: tuple[int, ...]) -> tuple[np.ndarray, np.ndarray]:
    """What the net shall say of one view.

    Args:
        view: with its boxes.
        known: kinds of which everything has a box (``Scene.known``).

    Returns:
        heat: float32 [h, w, 2 * kinds]: the wanted heat, then its weight (0 where nothing is known).
        reg: float32 [h, w, 5]: dx, dy in strides, w, h in CELL_PX, and the weight.
    """
    map_ = _Map(known)
    boxes, kinds = view.boxes / STRIDE, view.kind
    order = np.argsort(-kinds, kind="stable")  # what is no red cell first: the cells upon it stay cells
    for number in order[kinds[order] != UNSURE].tolist():
        map_.add(boxes[number], int(kinds[number]))
    inside = np.zeros(map_.best.shape, bool)
    for left, top, right, bottom in view.cores / STRIDE:
        inside |= (
            (map_.rows >= top) & (map_.rows < bottom) & (map_.columns >= left) & (map_.columns < right)
        )
    map_.weight[~inside] = 0
    for number in np.flatnonzero(kinds == UNSURE).tolist():
        area, bump, _, _ = map_.around(boxes[number])
        map_.weight[area] *= (bump < _FURTHEST)[..., None]
    return np.concatenate([map_.heat, map_.weight], axis=2), map_.reg


class _Map:
    """The targets of one view in the making, at the net's stride."""

    def __init__(self, known: tuple[int, ...]) -> None:
        h, w = VIEW[0] // STRIDE, VIEW[1] // STRIDE
        self.heat = np.zeros((h, w, len(KINDS)), np.float32)
        self.weight = np.zeros((h, w, len(KINDS)), np.float32)
        self.weight[..., list(known)] = 1
        self.reg = np.zeros((h, w, 5), np.float32)
        self.best = np.zeros((h, w), np.float32)
        self.rows, self.columns = np.mgrid[:h, :w].astype(np.float32)

    def around(self, box: np.ndarray) -> tuple[tuple[slice, slice], np.ndarray, int, int]:
        """The area of a box (x, y, w, h in strides), the heat of its centre there, and the centre's row and column."""
        x, y, bw, bh = box.tolist()
        h, w = self.best.shape
        column, row = min(max(int(x + bw / 2), 0), w - 1), min(max(int(y + bh / 2), 0), h - 1)
        across, down = int(bw / 2) + 2, int(bh / 2) + 2
        area = np.s_[max(row - down, 0) : row + down + 1, max(column - across, 0) : column + across + 1]
        sx, sy = max(_SPREAD * bw, 0.55), max(_SPREAD * bh, 0.55)
        bump = np.exp(-(((self.columns[area] - column) / sx) ** 2 + ((self.rows[area] - row) / sy) ** 2) / 2)
        return area, bump, row, column

    def add(self, box: np.ndarray, kind: int) -> None:
        """Add one thing: its heat, the background that it is for other kinds, its box."""
        x, y, bw, bh = box.tolist()
        cx, cy = x + bw / 2, y + bh / 2
        area, bump, row, column = self.around(box)
        columns, rows = self.columns[area], self.rows[area]
        weight = self.weight[area]
        if kind > SUSPECT:  # the hardest background for the cells' channels, whatever lobes it has
            body = ((columns + 0.5 - cx) / (_BODY * bw)) ** 2 + ((rows + 0.5 - cy) / (_BODY * bh)) ** 2 < 1
            body[row - area[0].start, column - area[1].start] = True
            weight[..., : SUSPECT + 1][body] = _HARD
            weight[..., SUSPECT + 1 :][body] = np.maximum(weight[..., SUSPECT + 1 :][body], 1)
        else:
            weight[..., SUSPECT + 1 :][bump > 0.3] = 1
        for channel in (CELL, SUSPECT) if kind == SUSPECT else (kind,):
            heat = self.heat[..., channel]
            heat[area] = np.maximum(heat[area], bump)
            self.weight[row, column, channel] = _WEIGHT[kind]
        nearer = (bump > self.best[area]) & (bump > 0.3)
        self.best[area] = np.where(nearer, bump, self.best[area])
        values = (cx - 0.5 - columns, cy - 0.5 - rows, bw * STRIDE / CELL_PX, bh * STRIDE / CELL_PX, bump * (3 if kind == SUSPECT else 1))
        value = np.stack(np.broadcast_arrays(*values), axis=2)
        self.reg[area] = np.where(nearer[..., None], value, self.reg[area])
