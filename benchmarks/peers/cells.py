"""The same cells for everybody: crops that the project's own finder and crops make, once, kept in the cache; and our own cases."""

from __future__ import annotations

import hashlib
import importlib
import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import numpy as np

from benchmarks.errors import NoInputError
from benchmarks.fields import virtual_folder
from benchmarks.places import cache
from benchmarks.workload import Step, StepResult
from edge import shelf
from edge.classifier import Classifier
from edge.crops import crop_cells
from edge.finders.learned import LearnedFinder
from edge.modelfile import ModelFile
from edge.pixels import pyramid
from edge.sources.decode import decode_image
from edge.types import FloatArray, UInt8Array

SIZE: Final = "1280x960"
PER_FIELD: Final = 200
"""Size and cells of the virtual fields that cells are cut from."""

Net = Callable[[UInt8Array], FloatArray]
"""Crops uint8 [n, h, w, 3] to the net's raw outputs, float32 [n, k], whatever it takes in between."""


def folder_of(fields: str) -> Path:
    """The folder of images: ``fields``, else that of virtual fields."""
    return Path(fields) if fields else virtual_folder(SIZE, PER_FIELD)


def images(fields: str) -> list[Path]:
    """Image files in order; raises NoInputError where there is none."""
    folder = folder_of(fields)
    found = sorted(path for path in folder.glob("*") if path.suffix.lower() in (".jpg", ".jpeg", ".png", ".bmp"))
    if not found:
        raise NoInputError(f"{folder}: no image in it")
    return found


def cells(model: str, fields: str, count: int) -> UInt8Array:
    """``count`` crops as the model's card asks for, uint8 [count, size, size, 3]; made once per model and folder.

    Raises:
        NoInputError: there is no image, or no cell in any of them.
    """
    file = shelf.load(model)
    paths = images(fields)
    names = "".join(f"{path.name}{path.stat().st_size}" for path in paths)
    key = hashlib.sha256(f"{file.sha256} {names} {_version()}".encode()).hexdigest()[:16]
    kept = cache() / f"cells-{key}-{count}.npy"
    if kept.is_file():
        return np.asarray(np.load(kept), np.uint8)
    found = _cut(file, paths, count)
    kept.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=kept.parent, suffix=".npy", delete=False) as part:
        np.save(part, found)
    Path(part.name).replace(kept)
    return found


def _version() -> str:
    digest = hashlib.sha256(shelf.load(shelf.FINDER).sha256.encode())
    for name in ("edge.crops", "edge.pixels", "edge.finders.learned"):
        digest.update(Path(str(importlib.import_module(name).__file__)).read_bytes())
    return digest.hexdigest()


def _cut(file: ModelFile, paths: list[Path], count: int) -> UInt8Array:

    card = file.card
    if card is None:
        raise NoInputError(f"{file.path}: a model without a card does not say how cells are cut")
    finder = LearnedFinder(shelf.load(shelf.FINDER))
    batches: list[UInt8Array] = []
    for path in paths:
        levels = pyramid(decode_image(path))
        found = finder.find(levels)
        batches.append(crop_cells(levels, found.boxes[found.kind == 0], card.crop))
        if sum(map(len, batches)) >= count:
            break
    whole = np.concatenate(batches)
    if not len(whole):
        raise NoInputError(f"no cell found in {len(paths)} images")
    return whole[np.arange(count) % len(whole)]


class Rule:
    """From raw outputs to classes, by the card: the same code for every peer, our own."""

    def __init__(self, file: ModelFile) -> None:
        self._classifier = Classifier(file)

    def __call__(self, raw: FloatArray) -> np.ndarray:
        """Raw outputs float32 [n, k] to classes int32 [n]."""
        return self._classifier.classes(self._classifier._probabilities(raw))  # noqa: SLF001 - not written twice


def make(net: str, model: str, **options: Any) -> Net:
    """A peer's net by its name in ``benchmarks.peers.nets``."""
    factory: Callable[..., Net] = getattr(importlib.import_module("benchmarks.peers.nets"), net)
    return factory(model, **options)


def classify(net: str, model: str, fields: str, count: int, **options: Any) -> Step:
    """Set-up of every classify case: ``count`` cells a step, from crops in memory to classes.

    Args:
        net: a function of ``benchmarks.peers.nets``.
        model: name on the shelf or path.
        fields: folder of images; empty for virtual fields.
        count: cells per step.
        options: further options of the net.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    crops = cells(model, fields, count)
    run, rule = make(net, model, **options), Rule(shelf.load(model))
    done = StepResult(count)

    def step() -> StepResult:
        rule(run(crops))
        return done

    return step


def ours(model: str, fields: str, count: int) -> Step:
    """``edge.classifier`` on the same cells."""
    crops = cells(model, fields, count)
    classifier = Classifier(shelf.load(model))
    done = StepResult(count)

    def step() -> StepResult:
        classifier.classes(classifier.scores(crops))
        return done

    return step
