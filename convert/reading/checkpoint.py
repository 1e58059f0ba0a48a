"""Weights from a SavedModel's checkpoint into a Keras model that was rebuilt from its config. Needs TensorFlow."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from convert.errors import SourceError
from convert.reading import protobuf

_GRAPH = "_CHECKPOINTABLE_OBJECT_GRAPH"


def restore(folder: Path, model: Any) -> None:
    """Set all of the model's weights; raises SourceError where one is missing or has another shape."""
    import tensorflow as tf  # noqa: PLC0415

    try:
        reader = tf.train.load_checkpoint(str(folder / "variables" / "variables"))
        objects = _objects(reader.get_tensor(_GRAPH))
        shapes = reader.get_variable_to_shape_map()
    except Exception as error:
        raise SourceError(f"{folder}: its variables are damaged: copy the whole folder again") from error
    for path, variable in _expected(model, ()):
        names = (variable.name, f"depthwise_{variable.name}")  # Keras 3 calls the depthwise kernel plainly kernel
        key = next((key for name in names if (key := _key(objects, (*path, name)))), None)
        if key is None or tuple(shapes.get(key, (-1,))) != tuple(variable.shape):
            where = "/".join((*path, variable.name))
            raise SourceError(f"{folder}: its variables do not fit its architecture at {where}: save the model again")
        variable.assign(reader.get_tensor(key))
    for layer in model._flatten_layers():  # noqa: SLF001 - nested nets too
        if hasattr(layer, "finalize_state"):  # a Normalization works with what it derives from its weights
            layer.finalize_state()


@dataclass(frozen=True, slots=True)
class _Object:
    children: dict[str, int]
    key: str | None


def _objects(data: bytes) -> list[_Object]:
    """The checkpoint's own table: which object holds which, and under what key a value is stored."""
    found = []
    for node in protobuf.messages(data, 1):
        children = {
            (protobuf.first(child, 2) or b"").decode("utf-8", "replace"): protobuf.integer(child, 1)
            for child in protobuf.messages(node, 1)
        }
        attribute = protobuf.first(node, 2)
        key = protobuf.first(attribute, 3) if attribute is not None else None
        found.append(_Object(children, key.decode("utf-8", "replace") if key else None))
    return found


def _key(objects: list[_Object], path: tuple[str, ...]) -> str | None:
    at = 0
    for name in path:
        following = objects[at].children.get(name) if at < len(objects) else None
        if following is None or not 0 <= following < len(objects):
            return None
        at = following
    return objects[at].key


def _expected(model: Any, prefix: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Any]]:
    """(path in the table, variable): Keras 2 numbers the layers that have weights, net by net."""
    number = 0
    for layer in model.layers:
        if not layer.weights:
            continue
        here = (*prefix, f"layer_with_weights-{number}")
        number += 1
        if hasattr(layer, "layers"):
            yield from _expected(layer, here)
        else:
            inside = (*here, "layer") if hasattr(layer, "layer") else here  # TimeDistributed
            yield from ((inside, variable) for variable in layer.weights)
