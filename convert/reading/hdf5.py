"""Reading an HDF5 file of unknown origin: attributes and the shapes of its datasets, never what a link points to outside."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

from convert.errors import SourceError, ToolError
from convert.reading.archive import MAX_JSON_BYTES, MAX_WEIGHTS_BYTES, FileFacts, parse_json
from edge.extras import how_to_install

MAGIC = b"\x89HDF\r\n\x1a\n"
MAX_OBJECTS, MAX_DEPTH = 200_000, 60  # no honest model comes near
_WEIGHTS_V3 = {"layers", "_layer_checkpoint_dependencies", "vars"}


def read_facts(path: Path) -> FileFacts:
    """Check the file's links and sizes and read its attributes; raises SourceError for what is no whole model."""
    with opened(path) as file:
        check_objects(path, file)
        config = _text(path, file, "model_config")
        version = _text(path, file, "keras_version")
        if config is None:
            raise SourceError(f"{path}: {_what_is_missing(file)}")
        group = file.get("model_weights")
        has_weights = group is not None and _holds_dataset(group)
    return FileFacts(parse_json(path, config), version[:40] if version else None, has_weights)


def facts_in_child(payload: dict[str, str]) -> dict[str, Any]:
    """``read_facts`` for ``run_in_child``."""
    return asdict(read_facts(Path(payload["path"])))


def check_weights(path: Path) -> None:
    """Check links and sizes of a weights file before Keras reads it."""
    with opened(path) as file:
        check_objects(path, file)


@contextmanager
def opened(path: Path) -> Iterator[Any]:
    """The file, read only; what the library raises becomes SourceError."""
    try:
        import h5py  # noqa: PLC0415 - comes with Keras
    except ImportError as error:
        raise ToolError(f"h5py, which comes with Keras, is not installed: {how_to_install('convert')}") from error
    try:
        with h5py.File(path, "r") as file:
            yield file
    except (OSError, RuntimeError, KeyError, ValueError, TypeError, AttributeError) as error:
        raise SourceError(f"{path}: the HDF5 file is damaged or truncated: copy or save it again") from error


def check_objects(path: Path, file: Any) -> None:
    """Walk every link without following one: no external or soft links, external storage or huge datasets."""
    import h5py  # noqa: PLC0415

    pending = [(file, "", 0)]
    seen = total = 0
    addresses: set[Any] = set()
    while pending:
        group, prefix, depth = pending.pop()
        for name in group:
            seen += 1
            if seen > MAX_OBJECTS or depth > MAX_DEPTH:
                raise SourceError(f"{path}: too many objects in the HDF5 file: refused")
            where = f"{prefix}/{name}"[-80:]
            if not isinstance(group.get(name, getlink=True), h5py.HardLink):
                raise SourceError(f"{path}: {where} is a link to elsewhere, another file perhaps: refused")
            item = group[name]
            if isinstance(item, h5py.Group):
                address = h5py.h5o.get_info(item.id).addr
                if address in addresses:
                    raise SourceError(f"{path}: {where} is linked in twice: refused")
                addresses.add(address)
                pending.append((item, where, depth + 1))
            elif isinstance(item, h5py.Dataset):
                total += _dataset_bytes(path, item, where)
    if total > 3 * MAX_WEIGHTS_BYTES:  # the optimizer's two moments stand beside the weights
        raise SourceError(f"{path}: its datasets claim {total >> 30} GiB: refused")


def _dataset_bytes(path: Path, item: Any, where: str) -> int:
    if item.external or item.is_virtual:
        raise SourceError(f"{path}: {where} keeps its data in another file: refused")
    if item.dtype.kind not in "fiubSOVU":
        raise SourceError(f"{path}: {where} holds data of an unknown type: refused")
    claimed = int(item.size or 0) * int(item.dtype.itemsize)
    stored = int(item.id.get_storage_size())
    if claimed > 2**20 and claimed > 1100 * max(1, stored):  # deflate cannot do better than about 1,030
        raise SourceError(f"{path}: {where} claims {claimed >> 20} MiB but holds {stored} bytes: truncated or made up")
    return claimed


def _text(path: Path, file: Any, key: str) -> str | None:
    """An attribute as text, or None."""
    if key not in file.attrs:
        return None
    if file.attrs.get_id(key).get_storage_size() > MAX_JSON_BYTES:
        raise SourceError(f"{path}: its {key} is larger than {MAX_JSON_BYTES >> 20} MiB: refused")
    value = file.attrs[key]
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    return value if isinstance(value, str) else str(value)


def _what_is_missing(file: Any) -> str:
    if "layer_names" in file.attrs or _WEIGHTS_V3 & set(file):
        return (
            "weights only, no architecture: run the code that builds the net, then model.load_weights of this file, then "
            'model.save("name.keras"), and give that'
        )
    if "model_weights" in file or "optimizer_weights" in file:
        return 'its architecture (model_config) is missing: save the model again with model.save("name.keras")'
    return "an HDF5 file, but no Keras model"


def _holds_dataset(group: Any) -> bool:
    import h5py  # noqa: PLC0415

    pending = [group]
    while pending:
        for item in pending.pop().values():
            if isinstance(item, h5py.Dataset):
                return True
            pending.append(item)
    return False
