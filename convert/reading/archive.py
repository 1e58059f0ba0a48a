"""Reading a ``.keras`` archive of unknown origin: every size is bounded, no name is trusted, nothing is unpacked to disk."""

from __future__ import annotations

import json
import stat
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO, Any

from convert.errors import SourceError

CONFIG = "config.json"
METADATA = "metadata.json"
WEIGHTS = "model.weights.h5"
# Bounds that no honest model comes near
MAX_ENTRIES, MAX_WEIGHTS_BYTES = 4096, 4 * 2**30
MAX_JSON_BYTES, MAX_JSON_DEPTH, MAX_JSON_NODES = 64 * 2**20, 200, 4_000_000  # of its config
_BLOCK = 2**20  # bytes that are unpacked at a time
_BROKEN = (zipfile.BadZipFile, zlib.error, EOFError, OSError, RuntimeError, ValueError, NotImplementedError)


@contextmanager
def opened(path: Path) -> Iterator[zipfile.ZipFile]:
    """The archive, its table of contents checked."""
    try:
        with zipfile.ZipFile(path) as archive:
            _check_names(path, archive)
            yield archive
    except _BROKEN as error:
        raise SourceError(f"{path}: the archive is damaged or truncated ({error}): copy or save it again") from error


@dataclass(frozen=True, slots=True)
class FileFacts:
    """What a model file says of itself: its config as parsed JSON, the Keras version that wrote it, whether it holds weights."""

    config: Any
    keras_version: str | None
    has_weights: bool


def read_facts(path: Path) -> FileFacts:
    """Read config and version of a ``.keras`` archive; raises SourceError."""
    with opened(path) as archive:
        names = set(archive.namelist())
        if CONFIG not in names:
            if WEIGHTS in names or any(n.endswith(".npz") for n in names):
                raise SourceError(f"{path}: {CONFIG} is missing from it: save the model again with model.save()")
            if any(PurePosixPath(n).name == "data.pkl" for n in names):
                raise SourceError(f"{path}: a PyTorch file: convert takes Keras models (.keras, .h5, SavedModel)")
            inside = next((n for n in sorted(names) if n.endswith((".keras", ".h5", ".hdf5", "saved_model.pb"))), None)
            if inside is not None:
                raise SourceError(f"{path}: a ZIP file with {inside[:80]} in it: unpack it and give what is inside")
            raise SourceError(f"{path}: a ZIP file, but no Keras model: it holds no {CONFIG}")
        config = parse_json(path, _member(path, archive, CONFIG))
        version = None
        if METADATA in names:
            metadata = parse_json(path, _member(path, archive, METADATA))
            if isinstance(metadata, dict) and isinstance(metadata.get("keras_version"), str):
                version = metadata["keras_version"][:40]
        weights = WEIGHTS in names and archive.getinfo(WEIGHTS).file_size > 0
        if weights:
            with archive.open(WEIGHTS) as stream:  # real bytes, not what the entry claims
                weights = stream.read(8) == b"\x89HDF\r\n\x1a\n"
    return FileFacts(config, version, weights)


def copy_weights(path: Path, target: Path) -> None:
    """Write the weights member to ``target``, checking its sum; raises SourceError, also where it is longer than allowed."""
    with opened(path) as archive, archive.open(WEIGHTS) as stream, target.open("wb") as out:
        total = 0
        while block := stream.read(_BLOCK):
            total += len(block)
            if total > MAX_WEIGHTS_BYTES:
                raise SourceError(f"{path}: the weights unpack to more than {MAX_WEIGHTS_BYTES >> 30} GiB: refused")
            out.write(block)


def parse_json(path: Path, text: bytes | str) -> Any:
    """JSON of bounded depth and size."""
    if len(text) > MAX_JSON_BYTES:
        raise SourceError(f"{path}: its config is larger than {MAX_JSON_BYTES >> 20} MiB: refused")
    try:
        value = json.loads(text, parse_constant=float)
    except (ValueError, RecursionError) as error:
        kind = "nested too deep" if isinstance(error, RecursionError) else "no valid JSON"
        raise SourceError(f"{path}: its config is {kind}: the file is damaged or no Keras model") from error
    _check_tree(path, value)
    return value


def _check_tree(path: Path, value: Any) -> None:
    level, depth, seen = [value], 0, 0
    while level:
        depth += 1
        seen += len(level)
        if depth > MAX_JSON_DEPTH or seen > MAX_JSON_NODES:
            raise SourceError(f"{path}: its config is nested too deep or too large: refused")
        below: list[Any] = []
        for item in level:
            if isinstance(item, dict):
                below.extend(item.values())
            elif isinstance(item, list):
                below.extend(item)
        level = below


def _check_names(path: Path, archive: zipfile.ZipFile) -> None:
    entries: list[zipfile.ZipInfo] = archive.infolist()
    if len(entries) > MAX_ENTRIES:
        raise SourceError(f"{path}: {len(entries)} entries in the archive: refused")
    seen: set[str] = set()
    for entry in entries:
        name = entry.filename
        pure = PurePosixPath(name.replace("\\", "/"))
        if pure.is_absolute() or ".." in pure.parts or ":" in name or "\0" in entry.orig_filename:
            raise SourceError(f"{path}: the archive names a path outside itself ({name[:80]!r}): refused")
        if stat.S_ISLNK(entry.external_attr >> 16):
            raise SourceError(f"{path}: the archive holds a symbolic link ({name[:80]!r}): refused")
        if name in seen:
            raise SourceError(f"{path}: the archive holds {name[:80]!r} twice: refused")
        if entry.flag_bits & 1:
            raise SourceError(f"{path}: the archive is encrypted: save it without a password")
        seen.add(name)


def _member(path: Path, archive: zipfile.ZipFile, name: str) -> bytes:
    stream: IO[bytes]
    with archive.open(name) as stream:
        text = stream.read(MAX_JSON_BYTES + 1)  # no more is unpacked, whatever size the entry claims
    if len(text) > MAX_JSON_BYTES:
        raise SourceError(f"{path}: {name} unpacks to more than {MAX_JSON_BYTES >> 20} MiB: refused")
    return text
