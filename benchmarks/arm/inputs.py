"""The inputs of both sides: fields as files, and inputs of the nets, made on this machine and kept in the cache.

Fields are virtual ones, in the sizes and the kinds of file a camera writes; and some real ones where there are any.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np

from benchmarks.arm import host
from benchmarks.arm.inside import models
from benchmarks.places import real_images
from edge import shelf
from edge.crops import crop_cells, net_channels, to_colour
from edge.errors import EdgeError
from edge.finders.learned import GUESS_PX, LearnedFinder, prepare
from edge.modelfile import Card
from edge.pixels import pyramid
from edge.sources.decode import decode_image
from edge.types import UInt8Array
from edge.virtual_slide import SlideSpec, render_field

SUFFIXES = (".png", ".jpg")
CELLS = 1024
"""Cells a net is compared on."""

_REAL = 3  # fields of each folder of real ones
_SIZES = ((1280, 960, 3), (640, 480, 4), (2028, 1520, 1), (1000, 750, 2))  # the last is halved to odd sides
_OPTIONS: dict[str, list[int]] = {
    "fine.jpg": [cv2.IMWRITE_JPEG_QUALITY, 92],
    "coarse.jpg": [cv2.IMWRITE_JPEG_QUALITY, 70, cv2.IMWRITE_JPEG_PROGRESSIVE, 1],
    "plain.png": [],
}
"""How the virtual fields are written: as cameras do, coarser and progressive, and without loss."""


@dataclass(frozen=True, slots=True)
class Inputs:
    """Where the inputs lie.

    Attributes:
        fields: pictures of fields.
        nets: one ``NAME.npy`` per net of the shelf, uint8 [n, h, w, c].
    """

    fields: Path
    nets: Path


def make(work: Path, *, few: bool = False) -> Inputs:
    """Make fields and nets' inputs in ``work``, unless they are there.

    Args:
        work: a folder in the cache.
        few: only the fields that are needed for the nets' inputs.
    """
    inputs = Inputs(work / "fields", work / "nets")
    stamp = work / ".inputs"
    wanted = json.dumps({"few": few, "sizes": _SIZES, "real": str(real_images()), "models": _hashes(), "cells": CELLS})
    if stamp.exists() and stamp.read_text() == wanted:
        return inputs
    stamp.unlink(missing_ok=True)
    for folder in (inputs.fields, inputs.nets):
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
    host.say("drawing fields")
    _draw(inputs.fields, _SIZES[:1] if few else _SIZES)
    if not few:
        _borrow(inputs.fields)
    _net_inputs(inputs)
    stamp.write_text(wanted)
    return inputs


def _hashes() -> list[str]:
    code = hashlib.sha256(Path(__file__).read_bytes()).hexdigest()
    return [code, *(model.sha256 for _, model in models())]


def _draw(folder: Path, sizes: tuple[tuple[int, int, int], ...]) -> None:
    base = SlideSpec(seed=41, cells_per_field=130.0, parasitaemia=0.05, bad_fields=0.0)
    for slide, (width, height, count) in enumerate(sizes):
        spec = replace(base, seed=base.seed + slide, width=width, height=height, cell_px=66.0 * width / 1280)
        for index in range(count):
            rgb, _ = render_field(spec, index)
            kind = list(_OPTIONS)[index % len(_OPTIONS)]
            cv2.imwrite(str(folder / f"{width}x{height}-{index}-{kind}"), rgb[..., ::-1], _OPTIONS[kind])


def _borrow(folder: Path) -> None:
    """Copy some real fields into the cache, which is outside the repository."""
    for source in sorted(real_images().glob("*_fields")):
        paths = sorted(path for path in source.rglob("*") if path.suffix.lower() in SUFFIXES)
        for path in paths[:: max(1, len(paths) // _REAL)][:_REAL]:
            shutil.copy(path, folder / f"real-{source.name}-{path.name}")


def _net_inputs(inputs: Inputs) -> None:
    """Crops for the classifiers and whole fields for the finders."""
    fields = [decode_image(path) for path in sorted(inputs.fields.iterdir())]
    finder = LearnedFinder(shelf.load(shelf.FINDER))
    found = [(rgb, cells.boxes[cells.kind == 0]) for rgb in fields for cells in [finder.find(rgb)]]
    for name, model in models():
        card = model.card
        if card is not None:
            images = _prepared(fields) if card.task == "find" else _crops(found, card)
            np.save(inputs.nets / f"{name}.npy", images)


def _prepared(fields: list[UInt8Array]) -> UInt8Array:
    """Fields as the finder's net sees them, of the commonest shape."""
    images = [prepare(rgb, GUESS_PX / max(rgb.shape[:2])) for rgb in fields]
    shape = images[0].shape
    return np.stack([image for image in images if image.shape == shape])


def _crops(found: list[tuple[UInt8Array, np.ndarray]], card: Card) -> UInt8Array:
    """``CELLS`` crops, the same cells moved a little where there are not as many."""
    spec = replace(card.crop, mask="none")
    batches: list[UInt8Array] = []
    count = shift = 0
    while count < CELLS:
        for rgb, boxes in found:
            moved = boxes + np.array([shift, -shift, 0, 0], np.int32)
            batches.append(to_colour(crop_cells(pyramid(rgb), moved, spec), card.colour))
            count += len(boxes)
        shift += 3
        if count == 0:
            raise EdgeError("the finder finds no cell on a virtual slide")
    crops = np.concatenate(batches)[:CELLS]
    return crops.reshape(len(crops), spec.size, spec.size, net_channels(card))
