"""Cells for the founding nets: to train on, read as each notebook reads them; to convert with and to judge on, folders of links.

Each collection is divided into three parts that share no image: one to train on, one for the converter, one to judge on. There
are two protocols. By slide no slide is in two parts. The notebook's is a random split of the cells: patients are in all parts.
Nets whose own data is not here are given the shared images:

| set | classes | divided by slide means by |
|---|---|---|
| ``nih`` | uninfected, parasitized: three slides in five are trained on | slide |
| ``iml`` | red cells, early stages (ring, trophozoite), late stages (schizont, gametocyte) | block of 35 fields |
| ``mixed`` | 4 micro-organisms and, for the 4 missing ones, NIH cells of either kind and tiles of IML and Chula fields | image |
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
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
_TEST_CELLS = 2600  # of the notebook's test set; the converter gets as many at most
_RANDOM_SHARE = 0.2  # of the images, for the converter and to judge on, where the author's test set is not known


class Protocol(StrEnum):
    """How the cells are divided."""

    NOTEBOOK = "notebook"
    """At random, as the notebook did: cells of one patient are in all parts."""
    SLIDES = "slides"
    """By slide (block, file): no slide is in two parts."""


class Part(StrEnum):
    """What cells are for."""

    TRAINING = "training"
    CONVERSION = "conversion"
    """The converter calibrates, chooses and gates on them."""
    JUDGING = "judging"
    """Neither training nor converter sees them."""


_TURNS = (Part.TRAINING, Part.CONVERSION, Part.TRAINING, Part.JUDGING, Part.TRAINING)
"""Of slides (blocks, images) in order, over and over."""


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
    """One image.

    Attributes:
        path: of its file.
        label: its class.
        group: slide, block or file.
        part: what it is for where slides are not divided.
        second_label: the class in the notebook author's test set; None: the image is not in it, or it is not known.
    """

    path: Path
    label: str
    group: str
    part: Part
    second_label: str | None = None


def sources(name: str, work: Path) -> list[SourceImage]:
    """All images of a collection; what must be cut out first is written below ``work``, outside the repository."""
    return list({"nih": _nih, "iml": _iml, "mixed": _mixed}[name](work / "cut" / name))


def divided(name: str, work: Path, protocol: Protocol) -> dict[Part, list[SourceImage]]:
    """The images of each part of a collection."""
    known = sources(name, work)
    parts = [one.part for one in known] if protocol is Protocol.SLIDES else _random_parts(known)
    return {part: [one for one, its in zip(known, parts, strict=True) if its is part] for part in Part}


def _random_parts(known: Sequence[SourceImage]) -> list[Part]:
    """A random part for each image; the author's test set is judged on where it is known, filled up to its full size."""
    order = np.random.default_rng(StudyStream.RANDOM_SPLIT).permutation(len(known))
    test = [i for i in order if known[i].second_label is not None]
    others = [i for i in order if known[i].second_label is None]
    share = round(_RANDOM_SHARE * len(known))
    judged = min(_TEST_CELLS, share) - len(test)
    parts = [Part.TRAINING] * len(known)
    for i in [*test, *others[: max(0, judged)]]:
        parts[i] = Part.JUDGING
    for i in others[max(0, judged) :][: min(_TEST_CELLS, share)]:
        parts[i] = Part.CONVERSION
    return parts


def folder(name: str, work: Path, protocol: Protocol, part: Part, most: int | None = None) -> Path:
    """A folder of links to the images of a part, ``<class>/*``, as ``convert`` takes it; made where it is not there.

    With ``most`` only that many, equally many of each class where there are enough: large nets take seconds for each.
    """
    target = work / "cells" / f"{name}-{protocol}-{part}{'' if most is None else f'-{most}'}"
    if not target.exists():
        target.parent.mkdir(parents=True, exist_ok=True)
        held = divided(name, work, protocol)[part]
        with tempfile.TemporaryDirectory(dir=target.parent) as partial:
            for source in held if most is None else _some(held, COLLECTIONS[name].labels, most):
                link = Path(partial, "cells", source.label, source.path.name)
                link.parent.mkdir(parents=True, exist_ok=True)
                link.symlink_to(source.path.resolve())
            Path(partial, "cells").rename(target)  # all or nothing
    return target


def second_labels(name: str, work: Path) -> dict[str, str]:
    """The class that the notebook's author gave an image of his test set, by file name."""
    return {one.path.name: one.second_label for one in sources(name, work) if one.second_label is not None}


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


def training_set(
    name: str, work: Path, size: int, colour: str, protocol: Protocol
) -> tuple[UInt8Array, np.ndarray, int]:
    """Images uint8 [n, size, size, 3] in the net's colour, classes int [n], and how many slides they are of."""
    labels = COLLECTIONS[name].labels
    chosen = divided(name, work, protocol)[Part.TRAINING]
    images = to_colour(notebook_rgb([s.path for s in chosen], size), colour)
    truth = np.array([labels.index(s.label) for s in chosen])
    order = np.random.default_rng(StudyStream.TRAINING_ORDER).permutation(len(chosen))
    return images[order], truth[order], len({s.group for s in chosen})


def _turn(number: int) -> Part:
    return _TURNS[number % len(_TURNS)]


def _nih(_: Path) -> Iterator[SourceImage]:
    rows = nih_rows()
    part = {slide: _turn(number) for number, slide in enumerate(sorted({row["slide"] for row in rows}))}
    place = data_dir() / "nih_cells"
    for row in rows:
        second = row.get("second_label", "").strip().capitalize() or None
        yield SourceImage(place / row["file"], row["file"].split("/")[0], row["slide"], part[row["slide"]], second)


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
            yield SourceImage(path, _STAGES[entry.types[row]], f"b{entry.block}", _turn(entry.block))


def _mixed(cut: Path) -> Iterator[SourceImage]:
    *organisms, infected, uninfected, iml, chula = COLLECTIONS["mixed"].labels
    for label in organisms:
        for number, path in enumerate(sorted((data_dir() / "micro_organisms" / label).iterdir())[:_PER_CLASS]):
            yield SourceImage(path, label, path.name, _turn(number))
    for label, kind in ((infected, "Parasitized"), (uninfected, "Uninfected")):
        cells = {s.group: s for s in _nih(cut) if s.label == kind}  # one of each slide
        yield from (SourceImage(s.path, label, s.group, s.part) for s in list(cells.values())[:_PER_CLASS])
    for number, entry in enumerate(load_iml()[::3][:_PER_CLASS]):
        path = _keep(cut / f"iml_{number}.png", _middle(entry.read()))
        yield SourceImage(path, iml, path.name, _turn(entry.block))
    for number, field in enumerate(load_chula()[:_PER_CLASS]):
        path = _keep(cut / f"chula_{number}.png", _middle(field.read()))
        yield SourceImage(path, chula, path.name, _turn(number))


def _middle(rgb: UInt8Array) -> UInt8Array:
    top, left = (rgb.shape[0] - _TILE) // 2, (rgb.shape[1] - _TILE) // 2
    return rgb[top : top + _TILE, left : left + _TILE]
