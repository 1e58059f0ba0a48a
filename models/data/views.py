"""What the finder is shown of a scene in training: a random view at the net's resolution, and what the net shall say of it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import cv2
import numpy as np

from edge.finders.learned import WHITE, whiten
from edge.types import FloatArray, UInt8Array
from models.data.other_things import with_other_things
from models.data.scenes import CELL, CELL_PX, KINDS, SUSPECT, UNSURE, WHITE_CELL, Scene
from models.data.streams import RandomStream

VIEW = (192, 256)  # height, width in pixels of what the finder learns from
STRIDE = 4  # pixels of the input per cell of the finder's map
_WEIGHT = (1.0, 6.0, 3.0, 3.0, 2.0)
"""Weight of a centre per kind: infected cells must not be lost, the others are rare."""

_HARD = 3.0  # weight of the cells' background on white cells
_BODY = 0.42  # radius, in sides of its box, within which a thing that is no red cell holds no centre of one
_RIM = 0.45  # typical boxes: nearer to the border of a field, cells are often not annotated
_SPREAD = 0.14  # standard deviation of the heat around a centre, in sides of the box
_FURTHEST = 0.05  # heat at which the area around a centre ends

_USUAL_JITTER = 0.13
"""Standard deviation of the logarithm of the scale: what is left of the size after the finder has found it."""

_WIDE_JITTER = (-0.65, 0.6)
"""Range of the logarithm of the scale in some views: cells far from the size that the net knows have to be measured too."""

_WIDE = 0.25  # share of such views
_FAR = 0.08  # share of views at quite another scale, in which the net shall find nothing
_FAR_JITTER = ((-1.4, -0.95), (0.85, 1.6))  # ranges of the logarithm of that scale
_OTHER_NUCLEI = 0.15  # share of views in which dense parts (nuclei, chromatin) get a colour of their own
_DENSE = (0.5, 1.0)  # optical density from which a part is dense
_NOISE_PX = 512  # side of the noise that windows are cut from


@dataclass(frozen=True, slots=True, eq=False)
class SceneView:
    """What the net is shown: image uint8 [192, 256, 3], boxes float32 [n, 4] and kinds int [n] centred in it.

    ``pieces`` float32 [k, 4] (left, top, right, bottom) in pixels are fields, ``cores`` the parts of them in which annotations are
    complete. What lies outside all pieces is empty but for what is drawn there.
    """

    image: UInt8Array
    boxes: np.ndarray
    kind: np.ndarray
    pieces: np.ndarray
    cores: np.ndarray


def draw(scene: Scene, rng: np.random.Generator) -> SceneView:
    """A random view of a scene: moved, scaled, turned, mirrored, with other things in it, recoloured."""
    height, width = VIEW
    chance = rng.random()
    far = chance < _FAR
    if far:
        jitter = rng.uniform(*_FAR_JITTER[int(rng.integers(2))])
    else:
        jitter = rng.uniform(*_WIDE_JITTER) if chance < _FAR + _WIDE else rng.normal(0, _USUAL_JITTER)
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
    if far:
        nowhere = np.zeros((0, 4), np.float32)
        return SceneView(recolour(np.asarray(seen, np.uint8), rng), nowhere, np.zeros(0, int), nowhere, nowhere)
    pieces, cores = (_pieces(scene, rim, linear, shift) for rim in (0.0, _RIM * scene.unit))
    things = with_other_things(
        np.asarray(seen, np.uint8), boxes[keep], scene.kind[keep], CELL_PX * float(np.exp(jitter)), rng
    )
    return SceneView(recolour(things.rgb, rng), things.boxes, things.kind, pieces, cores)


def _halved(rgb: UInt8Array, scale: float) -> tuple[UInt8Array, int]:
    """The image, halved where a view would skip its pixels, and how many of its pixels one of these is wide."""
    if scale > 0.4:
        return rgb, 1
    height, width = (side // 2 for side in rgb.shape[:2])
    return np.asarray(cv2.resize(rgb, (width, height), interpolation=cv2.INTER_AREA), np.uint8), 2


def _pieces(scene: Scene, rim: float, linear: np.ndarray, shift: np.ndarray) -> np.ndarray:
    """The scene's fields less a rim, float32 [k, 4] (left, top, right, bottom) in pixels of the view."""
    h, w = scene.rgb.shape[:2]
    pieces = np.array([[0, 0, w, h]], np.float32) if scene.pieces is None else scene.pieces
    ends = [(corner + inward) @ linear.T + shift for corner, inward in ((pieces[:, :2], rim), (pieces[:, 2:], -rim))]
    return np.hstack([np.minimum(*ends), np.maximum(*ends)]).astype(np.float32)


def recolour(view: UInt8Array, rng: np.random.Generator) -> UInt8Array:
    """Another stain, lamp, focus and sensor, in optical density over the paper: uint8 [h, w, 3] to the same, its paper near WHITE.

    Channels are mixed and scaled, pale and dark parts drawn apart or together, the light made uneven, the picture blurred or
    sharpened; last come noise and an error of the paper's level such as dense fields cause.
    """
    table = -np.log(np.maximum(np.arange(256, dtype=np.float32), 3) / WHITE)
    if rng.random() < 0.5:  # pale and dark parts further apart, or nearer together
        table = np.sign(table) * np.abs(table) ** np.float32(np.exp(rng.normal(0, 0.2)))
    density = np.asarray(cv2.LUT(whiten(view), np.repeat(table, 3).reshape(1, 256, 3)), np.float32)
    if rng.random() < _OTHER_NUCLEI:
        dense = np.maximum(density - np.float32(rng.uniform(*_DENSE)), 0)
        density += np.asarray(cv2.transform(dense, rng.normal(0, 0.3, (3, 3)).astype(np.float32)), np.float32)
    if rng.random() < 0.75:
        mix = np.eye(3) + rng.normal(0, 0.14, (3, 3))
        mix = mix / mix.sum(axis=1, keepdims=True) * np.exp(rng.normal(0, 0.3, (3, 1)))
        density = np.asarray(cv2.transform(density, mix.astype(np.float32)), np.float32)
    density *= np.float32(np.exp(rng.normal(0, 0.35)))
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
        top, left = rng.integers(0, _NOISE_PX - np.array(out.shape[:2]) + 1)
        noise = _noise()[top : top + out.shape[0], left : left + out.shape[1]]
        out = out + noise * np.float32(rng.choice((-1, 1)) * rng.uniform(1, 6))
    white = whiten(np.asarray(np.clip(out, 0, 255), np.uint8))
    if rng.random() < 0.5:
        return white
    gain = np.exp(rng.normal(0, 0.05, 3) + rng.normal(0, 0.05))
    levels = np.minimum(np.arange(256)[:, None] * gain, 255).astype(np.uint8)
    return np.asarray(cv2.LUT(white, levels.reshape(1, 256, 3)), np.uint8)


@lru_cache(maxsize=1)
def _noise() -> FloatArray:
    """Noise to cut windows from, float32 [h, w, 3]: drawing it anew for every view took longer than all the rest."""
    return np.random.default_rng(RandomStream.VIEW_NOISE).standard_normal((_NOISE_PX, _NOISE_PX, 3), np.float32)


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
    map_.weight[map_.inside(view.pieces) & ~map_.inside(view.cores)] = 0
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

    def inside(self, parts: np.ndarray) -> np.ndarray:
        """Places in any of some parts float32 [k, 4] (left, top, right, bottom) of the view, bool [h, w]."""
        out = np.zeros(self.best.shape, bool)
        for left, top, right, bottom in parts / STRIDE:
            out |= (self.rows >= top) & (self.rows < bottom) & (self.columns >= left) & (self.columns < right)
        return out

    def around(self, box: np.ndarray) -> tuple[tuple[slice, slice], np.ndarray, int, int]:
        """The area of a box (x, y, w, h in strides), the heat of its centre there, and the centre's row and column."""
        x, y, bw, bh = box.tolist()
        h, w = self.best.shape
        column, row = min(max(int(x + bw / 2), 0), w - 1), min(max(int(y + bh / 2), 0), h - 1)
        across, down = int(bw / 2) + 2, int(bh / 2) + 2
        area = (slice(max(row - down, 0), row + down + 1), slice(max(column - across, 0), column + across + 1))
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
            weight[..., : SUSPECT + 1][body] = _HARD if kind == WHITE_CELL else 1
            weight[..., SUSPECT + 1 :][body] = np.maximum(weight[..., SUSPECT + 1 :][body], 1)
        else:
            weight[..., SUSPECT + 1 :][bump > 0.3] = 1
        for channel in (CELL, SUSPECT) if kind == SUSPECT else (kind,):
            heat = self.heat[..., channel]
            heat[area] = np.maximum(heat[area], bump)
            self.weight[row, column, channel] = _WEIGHT[kind]
        nearer = (bump > self.best[area]) & (bump > 0.3)
        self.best[area][nearer] = bump[nearer]
        reg = self.reg[area]
        reg[..., 0][nearer] = (cx - 0.5 - columns)[nearer]
        reg[..., 1][nearer] = (cy - 0.5 - rows)[nearer]
        reg[..., 2][nearer] = bw * STRIDE / CELL_PX
        reg[..., 3][nearer] = bh * STRIDE / CELL_PX
        reg[..., 4][nearer] = bump[nearer] * (3 if kind == SUSPECT else 1)
