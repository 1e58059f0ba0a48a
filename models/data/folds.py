"""Which slides and blocks each fold holds out, and where the files of the folds stand. The rules are here and nowhere else.

NIH slides are divided into five by their names, every fifth to a fold. Blocks of IML fields are divided into four in the same way.
A classifier therefore has five folds; the net of the last one has seen all blocks of fields.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from pathlib import Path

from models.data import sets
from models.data.fields import ImlField, load_iml
from models.data.nih import nih_rows

CLASSIFIER = "malaria-thin-32"
CLASSIFIERS = (CLASSIFIER,)
"""Classifiers of infected and uninfected cells on the shelf, the one to use first."""

FINDER = "finder-thin"

SLIDE_FOLDS = 5
"""Folds that the NIH slides are divided into."""

BLOCK_FOLDS = 4
"""Folds that the blocks of IML fields are divided into."""


def slides_held_out(fold: int | None) -> set[str]:
    """NIH slides that a fold's net never learned from; of the shipped net (None) there are none."""
    return set() if fold is None else set(sorted({row["slide"] for row in nih_rows()})[fold::SLIDE_FOLDS])


def held_out_blocks(fold: int | None) -> list[int]:
    """Numbers of the IML blocks that a fold's net never learned from: none for the shipped net (None) and from the fifth fold on."""
    return [] if fold is None or fold >= BLOCK_FOLDS else blocks_by_fold(load_iml())[fold]


def part_of(name: str, file: str) -> str:
    """The part of a set of images in no order that an image is in, by the digits of its name's hash: every fold holds out one."""
    return f"{name}/part {zlib.crc32(file.encode()) % BLOCK_FOLDS}"


def _parts_held_out(name: str, fold: int | None) -> Iterable[str]:
    """The held-out part of such a set, by its name and by those of its images."""
    if fold is None or fold >= BLOCK_FOLDS:
        return
    part = f"{name}/part {fold}"
    yield part
    data = sets.get(name)
    if data.present:
        yield from (f"{name}/{group}" for group in data.fields().groups if part_of(name, group) == part)


RULES: Mapping[str, Callable[[int | None], Iterable[str]]] = {
    "nih_cells": lambda fold: (f"nih_cells/{slide}" for slide in slides_held_out(fold)),
    "iml_fields": lambda fold: (f"iml_fields/block {block}" for block in held_out_blocks(fold)),
    "raabin_fields": partial(_parts_held_out, "raabin_fields"),
    "pbc_fields": partial(_parts_held_out, "pbc_fields"),
}
"""Per data set that is divided into folds: the names of the groups that a fold holds out."""


def groups_held_out(fold: int | None, of: Iterable[str]) -> frozenset[str]:
    """Names of the groups of these data sets that a fold's net never learned from, as ``LabelledCells`` names them."""
    return frozenset(group for name in of for group in RULES[name](fold))


def blocks_by_fold(fields: list[ImlField]) -> list[list[int]]:
    """Block numbers that each fold holds out; every block is held out exactly once."""
    blocks = sorted({field.block for field in fields})
    return [blocks[i::BLOCK_FOLDS] for i in range(BLOCK_FOLDS)]


def path_without(folder: Path, name: str, left_out: Iterable[str]) -> Path:
    """The file of a model's net that learned from none of these sets: ``malaria-thin-32-without-nih-iml.tflite``."""
    short = "-".join(one.removesuffix("_fields").removesuffix("_cells") for one in left_out)
    return folder / f"{name}-without-{short}.tflite"


def paths_without(folder: Path, name: str) -> list[Path]:
    """The files of a model's nets that were trained without a microscope, those that are there."""
    return sorted(folder.glob(f"{name}-without-*.tflite"))


def fold_paths(folder: Path, name: str) -> list[Path]:
    """The fold files of a model, in order: a classifier has one more than there are folds of blocks."""
    count = BLOCK_FOLDS if name == FINDER else SLIDE_FOLDS
    return [folder / f"{name}-fold{i}.tflite" for i in range(count)]
