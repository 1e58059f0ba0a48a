"""Nets to start from: a device file with its card, and the Keras file beside it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from convert.net.int8 import file_digest
from convert.reading.layers import keras_classes
from edge import shelf
from edge.errors import ModelError
from edge.modelfile import Card, ModelFile


@dataclass(frozen=True, slots=True, eq=False)
class StartingNet:
    """A net to go on from."""

    file: ModelFile
    card: Card
    keras: Path

    def model(self) -> Any:
        """A fresh copy of the Keras model."""
        import keras  # noqa: PLC0415

        keras_classes()  # registers the finder's own layer
        return keras.models.load_model(self.keras, compile=False)


def open_start(name: str, task: str) -> StartingNet:
    """A net by its name on the shelf, its path, or the folder that ``train`` wrote; raises ModelError.

    Args:
        name: as given.
        task: ``classify`` or ``find``.
    """
    folder = Path(name)
    if folder.is_dir():
        name = str(folder / f"{folder.resolve().name}.tflite")
    file = shelf.load(name)
    if file.card is None or file.card.task != task:
        wanted = {"classify": "classifier", "find": "finder"}[task]
        raise ModelError(f"{name}: is no {wanted} with a card")
    keras_file = file.path.with_suffix(".keras")
    if not keras_file.is_file():
        raise ModelError(f"{name}: its Keras file must stand beside it to be trained on: {keras_file} is missing")
    if file_digest(keras_file) != file.card.source_sha256:
        raise ModelError(f"{keras_file}: is not the Keras file that {file.path.name} was made of")
    return StartingNet(file, file.card, keras_file)
