"""What lies in one folder: of this machine by ``os.scandir``, elsewhere by fsspec, whose entries each protocol fills differently."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any, Final

from edge.archive.records import ArchivedFile
from edge.archive.storage_words import storage_error
from edge.sources.decode import shown

_STAMPS: Final = (
    "ETag",
    "etag",
    "md5Hash",
    "generation",
    "mtime",
    "LastModified",
    "last_modified",
    "modified",
    "created",
)
"""What listings call that which changes with the content, the surest first."""


@dataclass(frozen=True, slots=True)
class StorageFolder:
    """What lies in a folder; hidden entries are left out.

    Attributes:
        folders: paths of the folders in it.
        files: of all kinds, in the order of the listing.
    """

    folders: tuple[str, ...]
    files: tuple[ArchivedFile, ...]


def listed_folder(files: Any, path: str) -> StorageFolder:
    """One folder by fsspec's listing."""
    folders: list[str] = []
    found: list[ArchivedFile] = []
    for entry in files.ls(path, detail=True):
        name = str(entry["name"]).rstrip("/")
        if name == path.rstrip("/"):
            if entry["type"] != "directory" and not entry.get("size"):
                continue  # the empty object that stands for the folder itself
            if entry["type"] == "directory":
                continue
        if PurePosixPath(name).name.startswith("."):
            continue
        if entry["type"] == "directory":
            folders.append(name)
        else:
            size = entry.get("size")
            found.append(ArchivedFile(name, -1 if size is None else int(size), _stamp(entry)))
    return StorageFolder(tuple(folders), tuple(found))


def _stamp(entry: dict[str, Any]) -> str:
    value = next((entry[name] for name in _STAMPS if entry.get(name)), "")
    return str(getattr(value, "isoformat", lambda: value)()).strip('"')


def local_folder(path: str) -> StorageFolder:
    """One folder of this machine. Links are followed, but not to a folder that the link itself lies in."""
    folders: list[str] = []
    found: list[ArchivedFile] = []
    try:
        with os.scandir(path) as entries:
            for entry in entries:
                if entry.name.startswith("."):
                    continue
                try:
                    if entry.is_dir():
                        if not (entry.is_symlink() and _leads_back(path, entry.path)):
                            folders.append(entry.path)
                    elif entry.is_file():
                        about = entry.stat()
                        found.append(ArchivedFile(entry.path, about.st_size, str(about.st_mtime_ns)))
                    elif entry.is_symlink():  # its file is gone: reading it will say so
                        found.append(ArchivedFile(entry.path, -1, ""))
                except FileNotFoundError:
                    continue  # removed while the folder was listed
    except OSError as error:
        raise storage_error(error, shown(path), "") from error
    return StorageFolder(tuple(folders), tuple(found))


def _leads_back(folder: str, link: str) -> bool:
    real = os.path.realpath(link)
    parts = [folder, *map(str, PurePosixPath(folder).parents)]
    return any(os.path.realpath(part) == real for part in parts)
