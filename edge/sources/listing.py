"""Turns folders, files and glob patterns into the files that are fields, in natural order, and counts the files that are not."""

from __future__ import annotations

import glob
import os
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from edge.errors import NoInputError
from edge.sources.decode import RAW_SUFFIXES, shown
from edge.sources.identity import FileDigest, identity_of
from edge.sources.names import natural_key, sample_names
from edge.sources.video import VIDEO_SUFFIXES
from edge.types import FieldIdentity

if TYPE_CHECKING:
    from edge.sources.tiff import FieldPlan

JPEG_SUFFIXES = frozenset({".jpg", ".jpeg", ".jpe"})
TIFF_SUFFIXES = frozenset({".tif", ".tiff"})
IMAGE_SUFFIXES = JPEG_SUFFIXES | TIFF_SUFFIXES | {".png", ".bmp"}
"""What is read from a folder."""

_FOREIGN_SUFFIXES = frozenset(
    {".gif", ".webp", ".heic", ".heif", ".avif", ".jp2", ".jxl", ".czi", ".nd2", *RAW_SUFFIXES}
)
# Pictures that cannot be decoded here. A field left out in silence would falsify the count, so they are tried, fail and
# stand in the summary. Everything else in a folder (reports, tables, notes) is not a field and is passed over.

FIELD_SUFFIXES = IMAGE_SUFFIXES | _FOREIGN_SUFFIXES
"""Endings of files in a folder that are its fields, readable or not."""

_SYSTEM_FILES = frozenset({"Thumbs.db", "desktop.ini"})

PICTURE_SUFFIXES = FIELD_SUFFIXES | VIDEO_SUFFIXES
"""Endings of all files that count as a field or a video of fields, readable or not."""


@dataclass(frozen=True, slots=True)
class FieldEntry:
    """One field of a file.

    Attributes:
        sample: the sample it belongs to; ``name`` is its name in it.
        path: its file.
        plan: which field of a TIFF; None: read it as it comes.
        number: which of several fields, from 1; None: it is the only one.
        digest: of the file, which all of its fields share.
    """

    sample: str
    name: str
    path: Path
    plan: FieldPlan | None = None
    number: int | None = None
    digest: FileDigest | None = None

    def identity(self) -> FieldIdentity:
        """What the field is known by; reads the file once. Raises OSError."""
        digest = self.digest or FileDigest(self.path)
        return identity_of(self.path, self.number, *digest.get())


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
    return not path.name.startswith(".") and path.suffix.lower() in FIELD_SUFFIXES


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


def items(paths: list[Path], sample_id: str | None, sample_per_folder: bool) -> list[FieldEntry]:
    """Every file that is a field, sample by sample; raises NoInputError where there is none."""
    groups = _groups(paths, sample_per_folder)
    if not groups:
        where = ", ".join(shown(p) for p in paths[:3]) + (" ..." if len(paths) > 3 else "")
        deeper = not sample_per_folder and any(_is_folder(q) for p in paths for q in _listing(p))
        hint = "its sub-folders are samples with --sample-per-folder" if deeper else "a video is given by its own name"
        raise NoInputError(f"{where}: no images in it (looked for {' '.join(sorted(IMAGE_SUFFIXES))}); {hint}")
    if sample_id is not None:
        groups = {None: [file for files in groups.values() for file in files]}
    roots = {key: key or _common_parent(files) for key, files in groups.items()}
    names = sample_names([roots[key] for key in groups])
    out = []
    for key, files in groups.items():
        root = roots[key]
        sample = sample_id if sample_id is not None else names[root]
        named = [FieldEntry(sample, _name_in(root, file), file) for file in files]
        out += sorted(named, key=lambda item: natural_key(item.name))
    return out


def _common_parent(files: list[Path]) -> Path:
    return Path(os.path.commonpath([_absolute(file).parent for file in files]))


def _absolute(path: Path) -> Path:
    # The folder is resolved, the file is not: a link keeps the name it has here.
    return path.parent.resolve() / path.name


def _name_in(root: Path, file: Path) -> str:
    return shown(_absolute(file).relative_to(root).as_posix())


def passed_over(paths: list[Path], sample_per_folder: bool) -> Iterator[str]:
    """Lines that count the files and folders in the given folders that are not fields."""
    suffixes: Counter[str] = Counter()
    deeper = 0
    for folder in {path.resolve() for path in paths if path.is_dir()}:
        entries = _listing(folder)
        inner = [p for p in entries if _is_folder(p)]
        searched = [folder, *(inner if sample_per_folder else [])]
        below = [_listing(f) for f in searched[1:]]
        deeper += sum(_is_folder(p) for listing in below for p in listing) if sample_per_folder else len(inner)
        files = [p for listing in (entries, *below) for p in listing if not _is_folder(p) and not _may_be_field(p)]
        suffixes.update(p.suffix.lower() or "without a suffix" for p in files if p.name not in _SYSTEM_FILES)
    if suffixes:
        kinds = ", ".join(f"{n} {shown(suffix)}" for suffix, n in suffixes.most_common(6))
        hint = "; a video is given by its own name" if any(suffix in VIDEO_SUFFIXES for suffix in suffixes) else ""
        n = suffixes.total()
        yield f"passed over {n} {'files that are no images' if n > 1 else 'file that is no image'}: {kinds}{hint}"
    if deeper:
        hint = "" if sample_per_folder else " (--sample-per-folder makes each a sample)"
        yield f"passed over {deeper} sub-folder{'s' * (deeper != 1)}{hint}"
