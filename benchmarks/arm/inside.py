"""The program that runs on both sides, on this machine and in a root: ``python -m benchmarks.arm.inside WHAT FOLDER OUT``.

``nets`` runs every net of the shelf on the same inputs, ``fields`` the whole pipeline on the same files, ``operations`` single
operations on the same picture. Each writes its outputs to files, which the host compares.
"""

from __future__ import annotations

import hashlib
import json
import os
import sys
from collections.abc import Iterator, Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from benchmarks.arm import operations as single
from edge import shelf
from edge.analysis import Analyser
from edge.classifier import BATCH, Classifier
from edge.crops import crop_cells
from edge.finders import Finder
from edge.finders.classical import ClassicalFinder
from edge.finders.learned import GUESS_PX, LearnedFinder, prepare
from edge.modelfile import ModelFile
from edge.pixels import Pyramid
from edge.runtime import Net
from edge.sources.decode import decode_image
from edge.types import Field, FieldResult, UInt8Array

PACKAGES = ("ai-edge-litert", "tflite-runtime", "numpy", "opencv-python-headless")
CONFIDENCE = "confidence"


def models(task: str | None = None) -> Iterator[tuple[str, ModelFile]]:
    """The shelf's models of one task, or all, by name."""
    for entry in shelf.entries():
        model = shelf.load(entry.name)
        if model.card is not None and task in (None, model.card.task):
            yield entry.name, model


def finders() -> dict[str, Finder]:
    """Every finder there is, by name."""
    learned: dict[str, Finder] = {name: LearnedFinder(model) for name, model in models("find")}
    return {**learned, "classical": ClassicalFinder()}


def versions() -> dict[str, str]:
    """What the answer may depend on: package to version, for those installed."""
    found = {}
    for package in PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return {**found, "opencv": str(cv2.__version__)}


def nets(folder: Path, out: Path) -> None:
    """Run every net on ``FOLDER/NAME.npy`` (uint8 [n, h, w, c]); its outputs go to ``OUT/NAME.npz``."""
    for name, model in models():
        net = Net(model)
        images: UInt8Array = np.load(folder / f"{name}.npy")
        step = BATCH if net.input_shape[1] <= 2 * BATCH else 1
        rows = [net.run(images[first : first + step]) for first in range(0, len(images), step)]
        np.savez(out / f"{name}.npz", *(np.concatenate(output) for output in zip(*rows, strict=True)))
        (out / f"{name}.delegated").write_text(str(net.delegated()))


def fields(folder: Path, out: Path) -> None:
    """Analyse every picture in ``FOLDER`` with every finder and classifier; the record goes to ``OUT/fields.json``."""
    paths = sorted(path for path in folder.rglob("*") if path.suffix.lower() in (".png", ".jpg"))
    classifiers = {name: Classifier(model) for name, model in models("classify")}
    pairs = {
        f"{finder_name} {name}": (finder, classifier)
        for finder_name, finder in finders().items()
        for name, classifier in classifiers.items()
        if classifier.card.crop.mask == "none"
    }
    records: dict[str, Any] = {}
    for path in paths:
        rgb = decode_image(path)
        records[str(path.relative_to(folder))] = {
            pair: _record(rgb, finder, classifier) for pair, (finder, classifier) in pairs.items()
        }
    (out / "fields.json").write_text(json.dumps({"versions": versions(), "fields": records}, indent=1))


def operations(_folder: Path, out: Path) -> None:
    """Do every single operation; what came of it goes to ``OUT/operations.npz``."""
    done: dict[str, Any] = {name: np.asarray(operation()) for name, operation in single.operations().items()}
    np.savez(out / "operations.npz", **done)


def _record(rgb: UInt8Array, finder: Finder, classifier: Classifier) -> dict[str, Any]:
    """The result of one field, stage by stage: hashes, and the counts in full."""
    result = Analyser(finder, classifier)(Field(rgb, 0, "s", "f"))
    levels = Pyramid(rgb)
    whole = result.cells.boxes[result.cells.kind == 0]
    return {
        "decode": _hash(rgb),
        "halves": _hash(levels.level(1), levels.level(2)),
        "gate": [_exact(value) for value in result.quality],
        "finder's input": _hash(prepare(levels, GUESS_PX / max(rgb.shape[:2]))),
        "boxes": _hash(result.cells.boxes),
        CONFIDENCE: [round(float(value), 7) for value in result.cells.confidence],
        "kinds": _hash(result.cells.kind),
        "crops": _hash(crop_cells(levels, whole, classifier.card.crop)),
        "scores": _hash(result.scores),
        "classes": _hash(result.classes),
        "counts": _counts(result, classifier.card.labels),
    }


def _exact(value: float | bytes) -> str:
    """A measure to its last bit."""
    return repr(value) if isinstance(value, int) else value.hex()


def _counts(result: FieldResult, labels: tuple[str, ...]) -> Mapping[str, int]:
    return {label: int((result.classes == number).sum()) for number, label in enumerate(labels)}


def _hash(*arrays: np.ndarray) -> str:
    digest = hashlib.sha256()
    for array in arrays:
        digest.update(repr((array.shape, array.dtype.str)).encode())
        digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()[:16]


def main() -> None:
    """Do what the command line says."""
    cv2.setNumThreads(1)
    what, folder, out = sys.argv[1:4]
    os.makedirs(out, exist_ok=True)  # noqa: PTH103
    {"nets": nets, "fields": fields, "operations": operations}[what](Path(folder), Path(out))


if __name__ == "__main__":
    main()
