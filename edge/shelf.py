"""The shelf: models shipped with this project, one folder each, found by name as package data.

No code of ``models`` is imported: ``find_spec`` of a package without parents only says where it lies.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from edge.errors import ModelError
from edge.modelfile import ModelFile, read_model

CLASSIFIER = "malaria-thin-32"
"""The classifier used when none is asked for."""

FINDER = "finder-thin"
"""The finder used when none is asked for; where it is missing, the classical one."""

ENVIRONMENT = "EDGE_SHELF"
"""Environment variable: a folder that is used instead of the shipped shelf."""


@dataclass(frozen=True, slots=True)
class ShelfEntry:
    """One model on the shelf."""

    name: str
    path: Path


def folders() -> list[Path]:
    """Where shelves are."""
    if own := os.environ.get(ENVIRONMENT):
        return [Path(own)]
    spec = find_spec("models")
    places = spec.submodule_search_locations if spec is not None else None
    return [Path(place) / "shelf" for place in places or ()]


def entries() -> list[ShelfEntry]:
    """All models on the shelf, by name."""
    found: dict[str, Path] = {}
    for folder in folders():
        for path in sorted(folder.glob("*/*.tflite")):
            if path.stem == path.parent.name:
                found.setdefault(path.stem, path)
    return [ShelfEntry(name, found[name]) for name in sorted(found)]


def has(name: str) -> bool:
    """Whether the shelf holds this model."""
    return any(entry.name == name for entry in entries())


def is_path(name_or_path: str) -> bool:
    """Whether this is a model's path, not its name on the shelf."""
    return "/" in name_or_path or name_or_path.endswith(".tflite")


def load(name_or_path: str) -> ModelFile:
    """A model by its name on the shelf, or by its path (anything with a slash, or that ends in ``.tflite``).

    Raises:
        ModelError: the model does not exist, or it is damaged.
    """
    if is_path(name_or_path):
        return read_model(Path(name_or_path))
    shelf = entries()
    for entry in shelf:
        if entry.name == name_or_path:
            return read_model(entry.path)
    known = ", ".join(entry.name for entry in shelf) or "none"
    raise ModelError(
        f"{name_or_path or 'an empty name'}: no such model on the shelf (there: {known}); a path must end in .tflite"
    )
