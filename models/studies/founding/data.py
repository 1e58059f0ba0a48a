"""Cells for the founding nets: to train on, read as each notebook reads them; to judge on, folders of links for ``convert``.

Nets are trained on some slides, calibrated and judged on others. Nets whose own data is not here are given the shared images:

| set | classes | held out by |
|---|---|---|
| ``nih`` | uninfected, parasitized: two slides in five are held out | slide |
| ``iml`` | red cells, early stages (ring, trophozoite), late stages (schizont, gametocyte) | block of 35 fields |
| ``mixed`` | 4 micro-organisms and, for the 4 missing ones, NIH cells of either kind and tiles of IML and Chula fields | image |
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from edge.crops import crop_cells, to_colour
from edge.modelfile import CropSpec
from edge.types import UInt8Array
from models.data.fields import RED_CELL, data_dir, load_chula, load_iml, read_rgb
from models.data.nih import nih_rows
from models.studies.streams import StudyStream

_STAGES = {RED_CELL: "red cell", "ring": "early", "trophozoite": "early", "schizont": "late", "gametocyte": "late"}
_RED_PER_FIELD = 20  # uninfected cells of each IML field
_CELL_SIZE = 64  # side of a cell cut from a field, in pixels
_TILE = 256  # side of a tile cut from a field, in pixels
_PER_CLASS = 70  # images of each class of the mixed set
_HELD_BLOCKS = (1, 3, 5)  # of IML


@dataclass(frozen=True, slots=True)
class Collection:
    """Where a net's cells come from.

    Attributes:
        labels: in the order of the net's outputs.
        positive: those that make a sample suspicious.
        group_by: regular expression that finds the slide or field in a file's name; None where every image stands alone.
        what: in words, for the table.
        unit: what is held out as a whole.
    """

    labels: tuple[str, ...]
    positive: tuple[str, ...]
    group_by: str | None
    what: str
    unit: str


COLLECTIONS = {
    "nih": Collection(("Uninfected", "Parasitized"), ("Parasitized",), "C[0-9]+", "NIH cells", "slides"),
    "iml": Collection(
        ("red cell", "early", "late"),
        ("early", "late"),
        "f[0-9]+",
        "IML cells in place of its own: red cells, early stages, late stages",
        "blocks of 35 fields",
    ),
    "mixed": Collection(
        ("Amoeba", "Euglena", "Hydra", "Rod_bacteria", "NIH parasitized", "NIH uninfected", "IML tile", "Chula tile"),
        (),
        None,
        "4 of its 8 classes, and NIH cells and tiles of fields in place of the 4 that are not here",
        "files",
    ),
}


@dataclass(frozen=True, slots=True)
class SourceImage:
    """One image: its file, class and slide (or block, or file), and whether it is held out of training."""

    path: Path
    label: str
    group: str
    held_out: bool


def sources(name: str, work: Path) -> list[SourceImage]:
    """All images of a collection; what must be cut out first is written below ``work``, outside the repository."""
    return list({"nih": _nih, "iml": _iml, "mixed": _mixed}[name](work / "cut" / name))


def folder(name: str, work: Path, most: int | None = None) -> Path:
    """A folder of links to the held-out images, ``<class>/*``, as ``convert`` takes it; made where it is not there.

    With ``most`` only that many, equally many of each class where there are enough: large nets take seconds for each.
    """
    target = work / "cells" / (name if most is None else f"{name}-{most}")
    if not target.exists():
        target.parent.mkdir(parents=True, exist_ok=True)
        held = [source for source in sources(name, work) if source.held_out]
        with tempfile.TemporaryDirectory(dir=target.parent) as part:
            for source in held if most is None else _some(held, COLLECTIONS[name].labels, most):
                link = Path(part, "cells", source.label, source.path.name)
                link.parent.mkdir(parents=True, exist_ok=True)
                link.symlink_to(source.path.resolve())
            Path(part, "cells").rename(target)  # all or nothing
    return target


def _some(known: Sequence[SourceImage], labels: Sequence[str], most: int) -> list[SourceImage]:
    """Up to ``most`` images at random, equally many of each class where there are enough."""
    order = np.random.default_rng(StudyStream.IMAGE_CHOICE).permutation(len(known))
    share = -(-most // len(labels))
    return [s for label in labels for s in [known[i] for i in order if known[i].label == label][:share]]


def notebook_image(bgr: UInt8Array, size: int) -> UInt8Array:
    """Scaled to fit and padded black, in the middle: uint8 [H, W, 3] to [size, size, 3], by OpenCV as notebooks do it."""
    height, width = bgr.shape[:2]
    scale = size / max(height, width)
    if scale != 1:
        shape = (max(1, round(width * scale)), max(1, round(height * scale)))
        bgr = np.asarray(
            cv2.resize(bgr, shape, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR), np.uint8
        )
        height, width = bgr.shape[:2]
    top, left = (size - height) // 2, (size - width) // 2
    around = (top, size - height - top, left, size - width - left)
    return np.asarray(cv2.copyMakeBorder(bgr, *around, cv2.BORDER_CONSTANT, value=(0, 0, 0)), np.uint8)


def notebook_rgb(paths: Sequence[Path], size: int) -> UInt8Array:
    """Images as a notebook reads them, channels in our order: uint8 RGB [n, size, size, 3]."""
    images = np.empty((len(paths), size, size, 3), np.uint8)
    for image, path in zip(images, paths, strict=True):
        image[...] = notebook_image(read_rgb(path)[..., ::-1], size)[..., ::-1]
    return images


def training_set(name: str, work: Path, size: int, colour: str, most: int) -> tuple[UInt8Array, np.ndarray, int]:
    """Images uint8 [n, size, size, 3] in the net's colour, classes int [n], and how many slides they are of."""
    labels = COLLECTIONS[name].labels
    chosen = _some([s for s in sources(name, work) if not s.held_out], labels, most)
    images = to_colour(notebook_rgb([s.path for s in chosen], size), colour)
    truth = np.array([labels.index(s.label) for s in chosen])
    order = np.random.default_rng(StudyStream.TRAINING_ORDER).permutation(len(chosen))
    return images[order], truth[order], len({s.group for s in chosen})


def held_slides(slides: Sequence[str]) -> set[str]:
    """Two slides in five, by name."""
    ordered = sorted(set(slides))
    return {*ordered[1::5], *ordered[3::5]}


def _nih(_: Path) -> Iterator[SourceImage]:
    rows = nih_rows()
    held = held_slides([row["slide"] for row in rows])
    place = data_dir() / "nih_cells"
    for row in rows:
        yield SourceImage(place / row["file"], row["file"].split("/")[0], row["slide"], row["slide"] in held)


def _keep(path: Path, rgb: UInt8Array) -> Path:
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(path), np.ascontiguousarray(rgb[..., ::-1]))
    return path


def _iml(cut: Path) -> Iterator[SourceImage]:
    rng = np.random.default_rng(StudyStream.RED_CELLS)
    for number, entry in enumerate(load_iml()):
        red = np.flatnonzero(entry.of((RED_CELL,)))
        rows = np.concatenate([np.flatnonzero(entry.infected), rng.permutation(red)[:_RED_PER_FIELD]])
        crops = crop_cells(entry.read(), entry.boxes[rows], CropSpec(size=_CELL_SIZE))
        for row, crop in zip(rows, crops, strict=True):
            path = _keep(cut / f"b{entry.block}_f{number}_{row}.png", crop)
            yield SourceImage(path, _STAGES[entry.types[row]], f"b{entry.block}", entry.block in _HELD_BLOCKS)


def _mixed(cut: Path) -> Iterator[SourceImage]:
    *organisms, infected, uninfected, iml, chula = COLLECTIONS["mixed"].labels
    for label in organisms:
        for number, path in enumerate(sorted((data_dir() / "micro_organisms" / label).iterdir())[:_PER_CLASS]):
            yield SourceImage(path, label, path.name, number % 2 == 1)
    for label, kind in ((infected, "Parasitized"), (uninfected, "Uninfected")):
        cells = {s.group: s for s in _nih(cut) if s.label == kind}  # one of each slide
        yield from (SourceImage(s.path, label, s.group, s.held_out) for s in list(cells.values())[:_PER_CLASS])
    for number, entry in enumerate(load_iml()[::3][:_PER_CLASS]):
        path = _keep(cut / f"iml_{number}.png", _middle(entry.read()))
        yield SourceImage(path, iml, path.name, entry.block in _HELD_BLOCKS)
    for number, field in enumerate(load_chula()[:_PER_CLASS]):
        path = _keep(cut / f"chula_{number}.png", _middle(field.read()))
        yield SourceImage(path, chula, path.name, number % 2 == 1)


def _middle(rgb: UInt8Array) -> UInt8Array:
    top, left = (rgb.shape[0] - _TILE) // 2, (rgb.shape[1] - _TILE) // 2
    return rgb[top : top + _TILE, left : left + _TILE]
