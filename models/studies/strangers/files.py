"""The file that a stranger brings: written as Keras 3 does, or as Keras 2 laid its ``.h5`` files out."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from models.studies.founding.nets import save
from models.studies.strangers.nets import FileForm

_KERAS_2 = "2.11.0"
_ENDINGS = {FileForm.KERAS: ".keras", FileForm.SAVED_MODEL: ".savedmodel"}
_OLD_NAMES = {"LeakyReLU": {"negative_slope": "alpha"}}


def file_name(name: str, form: FileForm) -> str:
    """Name of a net's file."""
    return f"{name}{_ENDINGS.get(form, '.h5')}"


def write(net: Any, path: Path, form: FileForm) -> None:
    """Write the net in that form; of Keras 2 only a Sequential can be.

    Raises:
        TypeError: the net is no Sequential and Keras 2's layout was asked for.
    """
    if form is FileForm.H5_KERAS_2:
        _write_keras_2(net, path)
    else:
        save(net, path)


def _write_keras_2(net: Any, path: Path) -> None:
    import h5py  # noqa: PLC0415

    if type(net).__name__ != "Sequential":
        raise TypeError(f"{path}: only a Sequential is written as Keras 2 did")
    first = {
        "class_name": "InputLayer",
        "config": {
            "batch_input_shape": list(net.input_shape),
            "dtype": "float32",
            "name": "input_1",
            "sparse": False,
            "ragged": False,
        },
    }
    config = {"name": net.name, "layers": [first, *(_old(layer) for layer in net.layers)]}
    with h5py.File(path, "w") as file:
        file.attrs.update(
            keras_version=_KERAS_2,
            backend="tensorflow",
            model_config=json.dumps({"class_name": "Sequential", "config": config}),
        )
        weights = file.create_group("model_weights")
        weights.attrs.update(keras_version=_KERAS_2, backend="tensorflow", layer_names=[one.name for one in net.layers])
        for layer in net.layers:
            group = weights.create_group(layer.name)
            named = [(f"{layer.name}/{weight.name}:0", weight) for weight in layer.weights if "seed" not in weight.name]
            group.attrs["weight_names"] = [name for name, _ in named]
            for name, weight in named:
                group.create_dataset(name, data=weight.numpy())


def _old(layer: Any) -> dict[str, Any]:
    """A layer's config as Keras 2 wrote it."""
    kind = type(layer).__name__
    renamed = _OLD_NAMES.get(kind, {})
    config = {renamed.get(key, key): _plain(value) for key, value in layer.get_config().items()}
    return {"class_name": kind, "config": {**config, "dtype": "float32"}}


def _plain(value: Any) -> Any:
    """Without what only Keras 3 says of a class: its module and its registered name."""
    if isinstance(value, dict):
        return {
            key: _plain(one) for key, one in value.items() if key not in ("module", "registered_name", "build_config")
        }
    return list(value) if isinstance(value, tuple) else value
