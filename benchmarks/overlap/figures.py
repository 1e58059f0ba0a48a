"""What is measured: false overlaps, true ones, a creeping stage, the cost."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from copy import deepcopy
from dataclasses import dataclass, replace
from pathlib import Path
from time import process_time
from typing import Any

import cv2
import numpy as np

from benchmarks.overlap.fields import Pair, decoded, found, mirrored, pictures, read, windows
from edge import shelf
from edge.analysis import Analyser
from edge.classifier import Classifier
from edge.finders.learned import LearnedFinder
from edge.overlap import Register
from edge.types import Field, FieldResult, Overlap, UInt8Array

HAY = 100
"""Other fields that are registered before each pair."""

SHARES = ((0.2, 0.3), (0.3, 0.4), (0.4, 0.6), (0.6, 0.9))
"""Bands of the share of a window's area that both windows show."""


@dataclass(frozen=True, slots=True)
class ConfirmedOverlap:
    """An overlap found in a set, and how far the pixels of the two fields agree in the common part (correlation)."""

    field: str
    earlier: str
    overlap: Overlap
    pixels: float


@dataclass(frozen=True, slots=True)
class Sweep:
    """A set registered field by field: its fields, those with enough cells, cells counted without and with, overlaps found."""

    name: str
    fields: int
    registered: int
    before: int
    after: int
    found: tuple[ConfirmedOverlap, ...]

    @property
    def pairs(self) -> int:
        """Pairs of fields that hold enough cells to be registered."""
        return self.registered * (self.registered - 1) // 2


def sweep(name: str, results: Sequence[FieldResult]) -> Sweep:
    """Register the fields of a set in order of their names."""
    register, hits, after, registered = Register(), [], 0, 0
    for result in results:
        placed, overlaps = register.place(result)
        after += int((placed.classes >= 0).sum())
        registered += int((result.cells.kind != result.cells.kinds.index("not-whole")).sum()) >= 6
        hits += [(result, results[overlap.field], overlap) for overlap in overlaps]
    before = sum(int((result.classes >= 0).sum()) for result in results)
    paths = {path.name: path for path in pictures(name)}
    looked = [
        ConfirmedOverlap(a.name, b.name, o, agreement(read(paths[a.name]), read(paths[b.name]), o.shift))
        for a, b, o in hits
    ]
    return Sweep(name, len(results), registered, before, after, tuple(looked))


def agreement(now: UInt8Array, then: UInt8Array, shift: tuple[int, int]) -> float:
    """Correlation of the two fields' pixels, freed of their illumination, where both show the slide; the best within 8 px."""
    small: list[np.ndarray] = []
    for rgb in (now, then):
        grey = cv2.GaussianBlur(cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY).astype(np.float32), (0, 0), 2)
        small.append(grey - cv2.GaussianBlur(grey, (0, 0), 40))
    height, width = small[0].shape
    best = -1.0
    for dx in range(shift[0] - 8, shift[0] + 9, 2):
        for dy in range(shift[1] - 8, shift[1] + 9, 2):
            a = small[0][max(0, -dy) : height - max(0, dy), max(0, -dx) : width - max(0, dx)]
            b = small[1][max(0, dy) : height + min(0, dy), max(0, dx) : width + min(0, dx)]
            best = max(best, float(np.corrcoef(a[::2, ::2].ravel(), b[::2, ::2].ravel())[0, 1]))
    return best


def false_in_mirrors(results: Sequence[FieldResult]) -> tuple[int, int, int]:
    """Every field and its three mirror images in one register: how many, pairs of different mirrors, and overlaps among them."""
    many = [
        mirrored(result, k * len(results) + i, across=bool(k & 1), down=bool(k & 2))
        for k in range(4)
        for i, result in enumerate(results)
    ]
    register = Register()
    n = len(results)
    false = sum(overlap.field // n != result.index // n for result in many for overlap in register.place(result)[1])
    return len(many), 6 * n * n, false


def right(pair: Pair, overlaps: Iterable[Overlap], cell_px: float) -> bool:
    """Whether the overlap was found where it is: half a cell, and what a degree and a hundredth move a window's middle."""
    return any(max(abs(o.shift[0] - pair.shift[0]), abs(o.shift[1] - pair.shift[1])) <= 0.5 * cell_px for o in overlaps)


def in_common(pair: Pair) -> int:
    """Cells found whole in the common part of the window that has fewer of them there."""
    counts = []
    for field, sign in ((pair.first, -1), (pair.second, 1)):
        height, width = field.shape
        boxes = field.cells.boxes[field.cells.kind == 0]
        middle = boxes[:, :2] + boxes[:, 2:] / 2 + sign * np.array(pair.shift)
        room = 0.5 * boxes[:, 2:]
        counts.append(int(((middle >= room) & (middle <= [width, height] - room)).all(axis=1).sum()))
    return min(counts)


@dataclass(frozen=True, slots=True)
class Recall:
    """How many pairs that share an area were found and tried: by share, and those with ten whole cells in common."""

    what: str
    tried: dict[tuple[float, float], tuple[int, int]]
    enough: tuple[int, int]
    wrong: int


def recall(what: str, pairs: Sequence[Pair], cell_px: float) -> Recall:
    """Each pair's first window is registered after a haystack, then the second one: mirror images of other windows."""
    hay: dict[tuple[int, int], list[FieldResult]] = {}
    for pair in pairs:
        hay.setdefault(pair.first.shape, []).append(mirrored(pair.first, 0, across=True, down=False))
    stacks = {shape: Register() for shape in hay}
    for shape, fields in hay.items():
        for field in fields[:HAY]:
            stacks[shape].place(field)
    tried = dict.fromkeys(SHARES, (0, 0))
    enough, wrong = (0, 0), 0
    for pair in pairs:
        register = deepcopy(stacks[pair.first.shape])
        register.place(replace(pair.first, index=1))
        overlaps = register.place(replace(pair.second, index=2))[1]
        hit = right(pair, overlaps, cell_px)
        wrong += any(not right(pair, (o,), cell_px) for o in overlaps)
        band = next(band for band in SHARES if band[0] <= pair.share < band[1])
        tried[band] = (tried[band][0] + hit, tried[band][1] + 1)
        if in_common(pair) >= 10:
            enough = (enough[0] + hit, enough[1] + 1)
    return Recall(what, tried, enough, wrong)


def mosaic_pairs(mosaic: UInt8Array, cell_px: float, each: int, seed: int) -> list[Pair]:
    """Pairs of windows as large as whole fields (16 x 12 cells), anywhere on the joined tiles."""
    rng = np.random.default_rng(seed)
    size = (int(16 * cell_px), int(12 * cell_px))
    out = []
    for shares in SHARES:
        for _ in range(each):
            x, y = rng.integers(0, mosaic.shape[1] - 2 * size[0]), rng.integers(0, mosaic.shape[0] - 2 * size[1])
            out.append(windows(mosaic[y : y + 2 * size[1], x : x + 2 * size[0]], size, shares, cell_px, rng))
    return out


@dataclass(frozen=True, slots=True)
class Creep:
    """A stage that creeps: pixels a frame, frames, cells of all frames added up, counted, and of the whole strip in one picture."""

    step: int
    frames: int
    added: int
    counted: int
    strip: int


def creep(mosaic: UInt8Array, corner: tuple[int, int], size: tuple[int, int], step: int, frames: int) -> Creep:
    """Film a strip of the joined tiles, each frame with an exposure and noise of its own."""
    rng = np.random.default_rng(step)
    (x, y), (w, h) = corner, size
    register, added, counted = Register(), 0, 0
    for i in range(frames):
        rgb = mosaic[y : y + h, x + step * i : x + step * i + w] * rng.uniform(0.9, 1.1)
        field = found(np.clip(rgb + rng.normal(0, 3, rgb.shape), 0, 255).astype(np.uint8), i)
        added += int((field.classes >= 0).sum())
        counted += int((register.place(field)[0].classes >= 0).sum())
    strip = found(mosaic[y : y + h, x : x + step * (frames - 1) + w])
    return Creep(step, frames, added, counted, int((strip.classes >= 0).sum()))


@dataclass(frozen=True, slots=True)
class Cost:
    """Processor time of registering a field, over that of decoding and analysing it, with so many fields registered before."""

    earlier: int
    ratio: float
    kilobytes: float


def cost(paths: Sequence[Path], results: Sequence[FieldResult]) -> list[Cost]:
    """Analysis and registration in turn, field by field; a field and its mirror image do not overlap."""
    model = shelf.load(shelf.CLASSIFIER)
    card = model.card
    if card is None:
        raise ValueError(f"{model.path}: no card")
    analyse = Analyser(LearnedFinder(shelf.load(shelf.FINDER)), Classifier(model, card))
    # Three mirror images of every field, and of the fourth those that are far from the ones that are timed.
    hay = [(field, k) for k in range(3) for field in results] + [(f, 3) for i, f in enumerate(results) if 2 < i % 8 < 6]
    chosen = list(range(0, len(paths), 8))
    raw = {i: np.frombuffer(paths[i].read_bytes(), np.uint8) for i in chosen}
    register, placed, out = Register(), 0, []
    for earlier in (10, 100, 800):
        for field, k in hay[placed:earlier]:
            register.place(mirrored(field, placed, across=bool(k & 1), down=bool(k & 2)))
            placed += 1
        fresh = deepcopy(register)
        ratios = []
        for i in chosen:
            start = process_time()
            analyse(Field(decoded(raw[i]), i, "s", ""))
            middle = process_time()
            fresh.place(mirrored(results[i], placed + i, across=True, down=True))
            ratios.append((process_time() - middle) / (middle - start))
        out.append(Cost(earlier, float(np.median(ratios)), size_of(register) / 1024 / placed))
    return out


def size_of(register: Any) -> int:
    """Bytes of the fields that a register remembers, without its table of fixed size."""
    total = 0
    for group in register._groups.values():  # noqa: SLF001 - its own measure
        for known in group.known.values():
            total += sum(things.places.nbytes + things.sizes.nbytes for things in (known.landmarks, known.judged))
    return total
