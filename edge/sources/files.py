"""Images on disk: folders, files and glob patterns, each folder one sample, in the order people number files."""

from __future__ import annotations

import glob
import os
import re
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from edge.errors import NoInputError
from edge.sources import Source
from edge.sources.decode import decode_image, shown
from edge.sources.video import VIDEO_SUFFIXES, Every, VideoSource
from edge.types import Field, Shot

IMAGE_SUFFIXES = frozenset({".jpg", ".jpeg", ".jpe", ".png", ".tif", ".tiff", ".bmp"})
"""What is read from a folder."""

_FOREIGN_SUFFIXES = frozenset(
    {".gif", ".webp", ".heic", ".heif", ".avif", ".jp2", ".jxl", ".dng", ".cr2", ".cr3", ".nef", ".arw", ".czi", ".nd2"}
)
# Pictures that cannot be decoded here. A field left out in silence would falsify the count, so they are tried, fail and
# stand in the summary. Everything else in a folder (reports, tables, notes) is not a field and is passed over.

PICTURE_SUFFIXES = IMAGE_SUFFIXES | _FOREIGN_SUFFIXES | VIDEO_SUFFIXES
"""Everything that is taken for a field or a film of fields, readable or not."""


def natural_key(text: str) -> tuple[list[tuple[int, int, str]], str]:
    """Sort key that puts img2 before img10 and pays no heed to upper case; ties are broken by the text itself."""
    parts = re.split(r"([0-9]+)", text)
    return [(0, int(p), "") if i % 2 else (1, 0, p.casefold()) for i, p in enumerate(parts) if p or i % 2], text


@dataclass(frozen=True, slots=True)
class _Item:
    sample: str
    name: str
    path: Path


class FileSource:
    """Shots from image files; an image is opened only when its shot is loaded.

    One folder is one sample, named after the folder; loose files are one sample, named after the folder they share.
    Folders are not searched deeper. Within a sample fields come in natural order; the same file given twice counts once.

    Args:
        inputs: folders, files and glob patterns, as typed.
        sample_id: put everything into one sample of this name.
        sample_per_folder: every sub-folder of a given folder is a sample (and the folder's own images are one).

    Raises:
        NoInputError: a path is missing or nothing in it can be a field; the message says what to do.
        ValueError: both ``sample_id`` and ``sample_per_folder`` are given.
    """

    total: int | None

    def __init__(self, inputs: Sequence[str], *, sample_id: str | None = None, sample_per_folder: bool = False) -> None:
        if sample_id is not None and sample_per_folder:
            raise ValueError("sample_id names one sample, sample_per_folder makes many: give one of them")
        self._items = _items(expand(inputs), sample_id, sample_per_folder)
        self.total = len(self._items)

    def __iter__(self) -> Iterator[Shot]:
        """Yield one shot per file, in order."""
        for index, item in enumerate(self._items):
            yield Shot(index, item.sample, item.name, _Load(index, item))

    def close(self) -> None:
        """Nothing is held open."""


@dataclass(frozen=True, slots=True)
class _Load:
    """Decodes one file when called; raises UnreadableFieldError."""

    index: int
    item: _Item

    def __call__(self) -> Field:
        start = time.perf_counter()
        rgb = decode_image(self.item.path)
        ms = (time.perf_counter() - start) * 1e3
        return Field(rgb, self.index, self.item.sample, self.item.name, decode_ms=ms)


def open_source(
    inputs: Sequence[str],
    *,
    sample_id: str | None = None,
    sample_per_folder: bool = False,
    every: Every | None = None,
) -> Source:
    """Open what the user typed: videos by their suffix, everything else as images.

    Args:
        inputs: folders, files and glob patterns, or videos; not both kinds in one run.
        sample_id: see ``FileSource``; a video's sample is otherwise named after its file.
        sample_per_folder: see ``FileSource``; of no effect on videos.
        every: which frames of a video are taken; None for one per second.

    Raises:
        NoInputError: nothing there, or images and videos mixed.
        ValueError: see ``FileSource``.
    """
    paths = expand(inputs)
    videos = [p for p in paths if p.suffix.lower() in VIDEO_SUFFIXES and not p.is_dir()]
    if not videos:
        return FileSource(inputs, sample_id=sample_id, sample_per_folder=sample_per_folder)
    if len(videos) < len(paths):
        raise NoInputError(f"{shown(videos[0])} is a video and other inputs are not: run them one after the other")
    return VideoSource(videos, every=every, sample_id=sample_id)


def expand(inputs: Sequence[str]) -> list[Path]:
    """Turn what was typed into existing paths; patterns the shell left alone are expanded, in natural order.

    Raises:
        NoInputError: nothing was given, a path is missing, or a pattern matches nothing.
    """
    if not inputs:
        raise NoInputError("no input: give a folder of images, image files or a video")
    out: list[Path] = []
    for text in inputs:
        path = _typed(text)
        if _exists(path):  # first, for a name may hold brackets
            out.append(path)
        elif glob.has_magic(text):
            found = [Path(p) for p in glob.glob(str(path), recursive=True)]  # noqa: PTH207 - absolute patterns too
            found = [p for p in found if _is_folder(p) or _may_be_field(p) or p.suffix.lower() in VIDEO_SUFFIXES]
            if not found:
                raise NoInputError(f"{shown(text)}: no image matches this pattern; check the folder and the spelling")
            out += sorted(found, key=lambda p: natural_key(str(p)))
        else:
            raise NoInputError(f"{shown(text)}: no such file or folder; check the path")
    return out


def _typed(text: str) -> Path:
    if not text:  # a shell variable that is not set; as a path it would be the current folder
        raise NoInputError("an input is empty: give a folder of images, image files or a video")
    try:
        return Path(text).expanduser()
    except RuntimeError:  # ~nobody: there is no such home
        return Path(text)


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except OSError as error:  # a name too long, a folder that may not be entered
        raise NoInputError(f"{shown(path)}: {error.strerror}; check the path") from None


def _is_folder(path: Path) -> bool:
    return os.path.isdir(path)  # noqa: PTH112 - says no, where Path.is_dir raises for a link to where one may not look


def _may_be_field(path: Path) -> bool:
    return not path.name.startswith(".") and path.suffix.lower() in IMAGE_SUFFIXES | _FOREIGN_SUFFIXES


def _listing(folder: Path) -> list[Path]:
    try:
        return sorted((p for p in folder.iterdir() if not p.name.startswith(".")), key=lambda p: natural_key(p.name))
    except OSError as error:
        raise NoInputError(f"{shown(folder)}: {error.strerror}; check the folder's permissions") from None


def _fields_of(folder: Path) -> list[Path]:
    return [p for p in _listing(folder) if _may_be_field(p) and not _is_folder(p)]


def _groups(paths: list[Path], sample_per_folder: bool) -> dict[Path | None, list[Path]]:
    """Files by the folder that is their sample; loose files under None. Every file once, however it was reached."""
    groups: dict[Path | None, list[Path]] = {}
    seen: set[str] = set()

    def add(key: Path | None, files: list[Path]) -> None:
        for file in files:
            real = os.path.realpath(file)
            if real not in seen:
                seen.add(real)
                groups.setdefault(key, []).append(file)

    for path in paths:
        if not path.is_dir():
            add(None, [path])
            continue
        folders = [path, *(p for p in _listing(path) if _is_folder(p))] if sample_per_folder else [path]
        for folder in folders:
            add(folder.resolve(), _fields_of(folder))
    return groups


def _items(paths: list[Path], sample_id: str | None, sample_per_folder: bool) -> list[_Item]:
    groups = _groups(paths, sample_per_folder)
    if not groups:
        where = ", ".join(shown(p) for p in paths[:3]) + (" ..." if len(paths) > 3 else "")
        deeper = not sample_per_folder and any(_is_folder(q) for p in paths for q in _listing(p))
        hint = (
            "its sub-folders are samples only when that is asked for" if deeper else "a video is given by its own name"
        )
        raise NoInputError(f"{where}: no images in it (looked for {' '.join(sorted(IMAGE_SUFFIXES))}); {hint}")
    if sample_id is not None:
        groups = {None: [file for files in groups.values() for file in files]}
    roots = {key: key or _common_parent(files) for key, files in groups.items()}
    names = _sample_names([roots[key] for key in groups])
    items = []
    for key, files in groups.items():
        root = roots[key]
        sample = sample_id if sample_id is not None else names[root]
        named = [_Item(sample, _name_in(root, file), file) for file in files]
        items += sorted(named, key=lambda item: natural_key(item.name))
    return items


def _common_parent(files: list[Path]) -> Path:
    return Path(os.path.commonpath([_absolute(file).parent for file in files]))


def _absolute(path: Path) -> Path:
    # The folder is resolved, the file is not: a link keeps the name it has here.
    return path.parent.resolve() / path.name


def _name_in(root: Path, file: Path) -> str:
    return shown(_absolute(file).relative_to(root).as_posix())


def _sample_names(folders: Sequence[Path]) -> dict[Path, str]:
    """A name per folder: its own, with as many parents before it as it takes to tell two folders apart."""
    names: dict[Path, str] = {}
    for folder in folders:
        parts = [shown(p) for p in folder.parts[1:]] or ["sample"]
        depth = 1
        others = [list(o.parts[1:]) for o in folders if o != folder]
        while depth < len(parts) and any(o[-depth:] == list(folder.parts[1:])[-depth:] for o in others):
            depth += 1
        names[folder] = "-".join(parts[-depth:])
    return names
