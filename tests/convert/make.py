"""Configs and files as notebooks and strangers write them, made on the fly; no TensorFlow needed."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path
from typing import Any

from convert.reading.source import SourceModel

H5_MAGIC = b"\x89HDF\r\n\x1a\n"
JSON = dict[str, Any]


def node(class_name: str, /, module: str | None = "keras.layers", registered: str | None = None, **config: Any) -> JSON:
    """A layer as Keras 3 writes it."""
    config.setdefault("name", class_name.rsplit(">", 1)[-1].lower())
    return {"module": module, "class_name": class_name, "config": config, "registered_name": registered}


def old(class_name: str, /, **config: Any) -> JSON:
    """A layer as Keras 2 writes it into HDF5: no module."""
    config.setdefault("name", class_name.lower())
    return {"class_name": class_name, "config": config}


def sequential(*layers: JSON, shape: tuple[int | None, ...] = (32, 32, 3)) -> JSON:
    first = node("InputLayer", name="input", batch_shape=[None, *shape])
    return node("Sequential", "keras", name="net", layers=[first, *layers])


def conv(name: str = "conv", filters: Any = 4, **config: Any) -> JSON:
    return node("Conv2D", **{"name": name, "filters": filters, "kernel_size": [3, 3], **config})


def dense(name: str = "dense", units: Any = 2, **config: Any) -> JSON:
    return node("Dense", name=name, units=units, **config)


def tensor(layer: str, call: int = 0, output: int = 0) -> JSON:
    config = {"shape": [None], "dtype": "float32", "keras_history": [layer, call, output]}
    return {"class_name": "__keras_tensor__", "config": config}


def called(layer: JSON, *args: Any, **kwargs: Any) -> JSON:
    """A layer of a functional net, called once."""
    values = [tensor(a) if isinstance(a, str) else a for a in args]
    return {**layer, "name": layer["config"]["name"], "inbound_nodes": [{"args": values, "kwargs": kwargs}]}


def functional(*layers: JSON, output: str, shape: tuple[int | None, ...] = (32, 32, 3)) -> JSON:
    first = {**node("InputLayer", name="input", batch_shape=[None, *shape]), "name": "input", "inbound_nodes": []}
    config: JSON = {
        "name": "net",
        "layers": [first, *layers],
        "input_layers": [["input", 0, 0]],
        "output_layers": [[output, 0, 0]],
    }
    return node("Functional", "keras.src.models.functional", **config)


def opened(config: JSON | None, version: str = "3.15.1") -> SourceModel:
    """What open_source would give for that config."""
    return SourceModel(Path("model.keras"), "keras", version, config, "0" * 64, 1000)


def archive(
    path: Path, config: Any = None, weights: bytes | None = H5_MAGIC, extra: dict[str, bytes] | None = None
) -> Path:
    """A .keras file; ``config`` may be bytes, to be written as they are."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        if config is not None:
            file.writestr("config.json", config if isinstance(config, bytes) else json.dumps(config))
        file.writestr("metadata.json", json.dumps({"keras_version": "3.15.1"}))
        if weights is not None:
            file.writestr("model.weights.h5", weights)
        for name, content in (extra or {}).items():
            file.writestr(name, content)
    return path


def varint(value: int) -> bytes:
    out = b""
    while value > 0x7F:
        out += bytes([value & 0x7F | 0x80])
        value >>= 7
    return out + bytes([value])


def field(number: int, value: bytes) -> bytes:
    """A length-delimited protobuf field."""
    return varint(number << 3 | 2) + varint(len(value)) + value


def graph_node(op: str, name: str = "x") -> bytes:
    return field(1, name.encode()) + field(2, op.encode())


def saved_model(folder: Path, ops: tuple[str, ...] = ("Placeholder", "Relu"), *, variables: bool = True) -> Path:
    """A SavedModel folder with a graph of those operations and nothing in its variables."""
    folder.mkdir()
    graph = b"".join(field(1, graph_node(op)) for op in ops)
    (folder / "saved_model.pb").write_bytes(field(2, field(2, graph)))
    if variables:
        (folder / "variables").mkdir()
        (folder / "variables" / "variables.index").write_bytes(b"x")
        (folder / "variables" / "variables.data-00000-of-00001").write_bytes(b"x")
    return folder
