"""Opening a model: a ``.keras`` archive, a whole-model HDF5 file or a SavedModel folder. None of its code runs.

The content decides which of these it is, not the name. TensorFlow is not imported here.
"""

from __future__ import annotations

import hashlib
import stat
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from convert import child
from convert.errors import ModelError, SourceError
from convert.reading import archive, hdf5, savedmodel
from edge.modelfile import read_model

Format = Literal["keras", "h5", "savedmodel"]
NEWEST_KERAS = 3
"""The newest major version of Keras whose files are known here."""

MAX_FILE_BYTES = 6 * 2**30  # no honest model comes near
_ZIP = (b"PK\x03\x04", b"PK\x05\x06")  # how ZIP files begin
_TFLITE = b"TFL3"  # behind the first four bytes
_BLOCK = 2**20  # bytes that are read at a time


@dataclass(frozen=True, slots=True)
class SourceModel:
    """A model file that was read but not trusted.

    Attributes:
        config: the raw architecture; None: a SavedModel with a graph only.
        sha256: of the file, or of names and contents of a folder's files.
        size: bytes, all files of a folder together.
        signature: shapes of inputs and of outputs of such a graph, -1 where open.
    """

    path: Path
    format: Format
    keras_version: str | None
    config: dict[str, Any] | None
    sha256: str
    size: int
    signature: tuple[tuple[tuple[int, ...], ...], tuple[tuple[int, ...], ...]] = field(default=((), ()))

    @property
    def keras_major(self) -> int:
        """The major version of the Keras that wrote it, 2 where it does not say."""
        head = (self.keras_version or "2").split(".", maxsplit=1)[0]
        return int(head) if head.isdecimal() else 2

    @property
    def too_new(self) -> str | None:
        """What to say of a file of a Keras that is newer than any known here; None: it is not."""
        if self.keras_major <= NEWEST_KERAS:
            return None
        return (
            f"written by Keras {self.keras_version}; {NEWEST_KERAS} is the newest known here, so it may be misread: compare the "
            f"float figures with your own, or save it with Keras {NEWEST_KERAS}"
        )


def open_source(path: Path | str) -> SourceModel:
    """Read what is at ``path``; raises SourceError in one clear line, or UntrustedError for a graph that reaches outside."""
    path = Path(path)
    try:
        info = path.stat()
        if stat.S_ISDIR(info.st_mode):
            return _folder(path)
        if not stat.S_ISREG(info.st_mode):
            raise SourceError(f"{path}: neither a file nor a folder")
        return _file(path, info.st_size)
    except FileNotFoundError as error:
        raise SourceError(f"{path}: there is no such file or folder") from error
    except OSError as error:
        raise SourceError(f"{path}: cannot be read: {error.strerror or error}") from error
    except ValueError as error:  # a zero byte in the name
        raise SourceError(f"{path}: not a usable path") from error


def _file(path: Path, size: int) -> SourceModel:
    if size == 0:
        raise SourceError(f"{path}: the file is empty: copy it again")
    if size > MAX_FILE_BYTES:
        raise SourceError(f"{path}: larger than {MAX_FILE_BYTES >> 30} GiB: refused")
    head = _head(path)
    kind: Format
    if head[:8] == hdf5.MAGIC:
        kind, facts = "h5", _h5_facts(path)
    elif head[:4] in _ZIP:
        kind, facts = "keras", archive.read_facts(path)
    else:
        raise SourceError(f"{path}: {_what_else(path, head)}")
    if not facts.has_weights:
        raise SourceError(f"{path}: it holds the architecture but no weights: save the trained model again")
    return SourceModel(path, kind, facts.keras_version, _model(path, facts.config), _digest([path], path), size)


def _h5_facts(path: Path) -> archive.FileFacts:
    """The HDF5 library is large and in C, and a broken file may make it crash or spin: it works in a child process."""
    if child.inside():
        return hdf5.read_facts(path)
    work = "convert.reading.hdf5:facts_in_child"
    return archive.FileFacts(**child.run_in_child(work, {"path": str(path)}, memory_mb=4096, seconds=20))


def _folder(path: Path) -> SourceModel:
    if not any(path.iterdir()):
        raise SourceError(f"{path}: the folder is empty")
    facts = savedmodel.read_facts(path)
    files = savedmodel.files_of(path)
    size = sum(file.stat().st_size for file in files)
    if size > MAX_FILE_BYTES:
        raise SourceError(f"{path}: larger than {MAX_FILE_BYTES >> 30} GiB: refused")
    config, shapes = _model(path, facts.config) if facts.config else None, (facts.inputs, facts.outputs)
    return SourceModel(path, "savedmodel", facts.keras_version, config, _digest(files, path), size, shapes)


def _model(path: Path, config: Any) -> dict[str, Any]:
    if isinstance(config, list):  # Keras 1: a Sequential was a bare list of layers
        return {"class_name": "Sequential", "config": config}
    if not isinstance(config, dict) or not {"class_name", "config"} <= config.keys():
        raise SourceError(f"{path}: its config describes no model: save the model again with model.save()")
    return config


_KNOWN_STARTS = (
    (
        (b"\x80\x02", b"\x80\x03", b"\x80\x04", b"\x80\x05"),
        "a pickle, which is never opened here: save the model with model.save()",
    ),
    ((b"\x93NUMPY",), "a NumPy array, not a model"),
    ((b"\x1f\x8b", b"7z\xbc\xaf", b"Rar!"), "a compressed archive: unpack it and give the model inside"),
    ((b"\x89PNG", b"\xff\xd8\xff"), "an image, not a model"),
    ((b"version https://git-lfs",), "a Git LFS pointer, not the file itself: fetch it with git lfs pull"),
    ((b"<",), "a web page or XML, not a model: download the file itself"),
    ((b"{",), "a JSON file (an architecture without weights?): give the file that model.save() wrote"),
)
_OTHER_TOOLS = {
    ".onnx": "an ONNX file",
    ".pt": "a PyTorch file",
    ".pth": "a PyTorch file",
    ".ckpt": "a checkpoint, weights without an architecture",
    ".index": "part of a checkpoint, weights without an architecture",
    ".safetensors": "a file of weights without an architecture",
    ".pb": "a frozen graph of TensorFlow 1, perhaps",
    ".pkl": "a pickle, which is never opened here",
    ".joblib": "a pickle, which is never opened here",
}


def refuse_tflite(path: Path | str) -> None:
    """Raise SourceError for a TFLite file, with a card or without; anything else is left to ``open_source``.

    For commands that check their outputs before they read: FILE.tflite would be written beside the model, so over it.
    """
    path = Path(path)
    if path.is_file() and _head(path)[4:8] == _TFLITE:
        raise SourceError(f"{path}: {_of_tflite(path)}")


def _head(path: Path) -> bytes:
    with path.open("rb") as stream:
        return stream.read(24)


def _of_tflite(path: Path) -> str:
    try:
        card = read_model(path).card
    except ModelError as error:
        return f"already a TFLite file, and not one for the device: {error}"
    if card is not None:
        return "already a device file, with a card: edge-run takes it, edge-convert evaluate judges it"
    return (
        "already a TFLite file, without a card: convert the Keras model it was made from. No command adds a card; in Python: "
        "edge.modelfile.write_model(Path('new.tflite'), read_model(path).flatbuffer, Card('name', 'classify', ('a', 'b')))"
    )


def _what_else(path: Path, head: bytes) -> str:
    if head[4:8] == _TFLITE:
        return _of_tflite(path)
    if path.name == savedmodel.GRAPH:
        return "part of a SavedModel: give the folder it is in"
    for starts, what in _KNOWN_STARTS:
        if head.startswith(starts):
            return what
    other = _OTHER_TOOLS.get(path.suffix.lower())
    if other is not None:
        return f"{other}: give the Keras model that was trained (.keras, .h5 or a SavedModel folder)"
    return "not a Keras model (.keras, .h5 or a SavedModel folder)"


def _digest(files: list[Path], base: Path) -> str:
    digest = hashlib.sha256()
    for file in files:
        if file != base:
            digest.update(file.relative_to(base).as_posix().encode() + b"\0")
        with file.open("rb") as stream:
            while block := stream.read(_BLOCK):
                digest.update(block)
    return digest.hexdigest()
