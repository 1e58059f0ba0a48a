"""Where archives lie: folders of this machine, and whatever fsspec opens.

A local archive is read in place. Files of any other are fetched to a temporary folder of the worker, one after the other, and removed
when they are counted.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, Protocol

from edge.archive.packages import package
from edge.archive.records import ArchivedFile
from edge.errors import NoInputError
from edge.sources.names import natural_key


@dataclass(frozen=True, slots=True)
class FolderListing:
    """What a folder holds: its files, and the names of the folders in it."""

    files: tuple[ArchivedFile, ...]
    folders: tuple[str, ...]


class LocalFiles(Protocol):
    """Local paths of some files of an archive, asked for in order."""

    def path(self, file: ArchivedFile, *, keep: bool = False) -> str:
        """Where it lies, until the next one is asked for; raises OSError that says why it cannot be fetched.

        Args:
            file: of the archive.
            keep: it stays until the context ends.
        """
        ...


class ArchiveStorage(Protocol):
    """An archive.

    Attributes:
        url: as it was given.
        name: its own: the last part of its path.
    """

    url: str
    name: str

    def check(self) -> None:
        """Raise NoInputError unless there is such an archive; a glance, before anything is loaded."""
        ...

    def folder(self, below: str) -> FolderListing:
        """What lies in a folder below the archive; empty: the archive itself. Raises OSError."""
        ...

    def once(self, files: Sequence[ArchivedFile]) -> Iterable[ArchivedFile]:
        """The files of the folder that was listed last, in order, without those that are another one's second name."""
        ...

    def opened(self) -> AbstractContextManager[LocalFiles]:
        """While inside, files have local paths."""
        ...


def open_storage(url: str) -> ArchiveStorage:
    """The archive at a path or URL; nothing of it is looked at yet. Raises ArchiveError where a package is missing."""
    if "://" in url:
        return RemoteStorage(url)
    return LocalStorage(url)


class LocalStorage:
    """A folder of this machine. Links are followed; a folder that two links lead to is listed once."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._root = os.path.abspath(Path(url).expanduser())  # noqa: PTH100 - a link keeps its name
        self._real = os.path.realpath(self._root)
        self.name = PurePosixPath(self._root).name or "archive"
        self._followed: set[str] = set()
        self._links = False

    def check(self) -> None:
        """See ``ArchiveStorage``."""
        try:
            with os.scandir(self._root):
                return
        except NotADirectoryError:
            raise NoInputError(f"{self.url}: a file, and an archive is a folder: give the folder") from None
        except OSError as error:
            raise NoInputError(f"{self.url}: {error.strerror}; check the path") from None

    def folder(self, below: str) -> FolderListing:
        """See ``ArchiveStorage``."""
        path = f"{self._root}/{below}" if below else self._root
        files, folders, links = [], [], []
        self._links = False
        with os.scandir(path) as entries:
            for entry in entries:
                self._links |= entry.is_symlink()
                if not self._is_folder(entry):
                    files.append(_local_file(entry))
                elif entry.is_symlink():
                    links.append(entry.name)
                else:
                    folders.append(entry.name)
        folders += [name for name in sorted(links, key=natural_key) if self._new(f"{path}/{name}")]
        return FolderListing(tuple(files), tuple(folders))

    def once(self, files: Sequence[ArchivedFile]) -> Iterable[ArchivedFile]:
        """See ``ArchiveStorage``: links to a file beside it are left out, as ``edge-run`` does."""
        return _first_of_each(files) if self._links else files

    @contextmanager
    def opened(self) -> Iterator[LocalFiles]:
        """See ``ArchiveStorage``: files are read in place."""
        yield _InPlace()

    @staticmethod
    def _is_folder(entry: os.DirEntry[str]) -> bool:
        try:
            return entry.is_dir()
        except OSError:  # a link to where one may not look: reading it says why
            return False

    def _new(self, link: str) -> bool:
        """Whether a link leads to a folder that is not listed anyway."""
        real = os.path.realpath(link)
        places = (self._real, *self._followed)
        if any(real == place or real.startswith(f"{place}/") for place in places):
            return False
        self._followed.add(real)
        return True


def _first_of_each(files: Sequence[ArchivedFile]) -> Iterator[ArchivedFile]:
    seen: set[str] = set()
    for file in files:
        real = os.path.realpath(file.path)
        if real not in seen:
            seen.add(real)
            yield file


def _local_file(entry: os.DirEntry[str]) -> ArchivedFile:
    try:
        info = entry.stat()
    except OSError:  # a broken link
        return ArchivedFile(entry.path, -1, "")
    return ArchivedFile(entry.path, info.st_size, f"{info.st_mtime_ns:x}")


class _InPlace:
    def path(self, file: ArchivedFile, *, keep: bool = False) -> str:
        del keep
        return file.path


class RemoteStorage:
    """What fsspec opens by its URL."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._files, self._root = package("fsspec.core").url_to_fs(url, use_listings_cache=False)
        self._root = str(self._root).rstrip("/")
        self.name = PurePosixPath(self._root).name or "archive"

    def check(self) -> None:
        """See ``ArchiveStorage``."""
        try:
            self.folder("")
        except OSError as error:
            raise NoInputError(f"{self.url}: {error.strerror or error}; check the address") from None

    def folder(self, below: str) -> FolderListing:
        """See ``ArchiveStorage``."""
        path = f"{self._root}/{below}" if below else self._root
        files, folders = [], []
        for one in self._files.ls(path, detail=True):
            name = str(one["name"]).rstrip("/")
            if one["type"] == "directory":
                folders.append(PurePosixPath(name).name)
            elif name != path:
                files.append(ArchivedFile(name, _size(one), _stamp(one)))
        return FolderListing(tuple(files), tuple(folders))

    def once(self, files: Sequence[ArchivedFile]) -> Iterable[ArchivedFile]:
        """See ``ArchiveStorage``."""
        return files

    @contextmanager
    def opened(self) -> Iterator[LocalFiles]:
        """See ``ArchiveStorage``: files are fetched when they are asked for."""
        with tempfile.TemporaryDirectory(prefix="edge-recount-") as folder:
            yield _Fetched(self._files, folder)


class _Fetched:
    """Files fetched one by one; the one before is removed."""

    def __init__(self, files: Any, folder: str) -> None:
        self._files = files
        self._folder = Path(folder)
        self._kept: set[str] = set()
        self._last: Path | None = None

    def path(self, file: ArchivedFile, *, keep: bool = False) -> str:
        name = PurePosixPath(file.path).name
        path = self._folder / name
        if name in self._kept:
            return str(path)
        if self._last is not None and not keep:
            with suppress(OSError):
                self._last.unlink()
        self._files.get_file(file.path, str(path))
        if keep:
            self._kept.add(name)
        else:
            self._last = path
        return str(path)


def _size(told: Any) -> int:
    size = told.get("size")
    return -1 if size is None else int(size)


def _stamp(told: Any) -> str:
    """ETag or time of change, whichever the file system has."""
    for key in ("ETag", "etag", "md5Hash", "mtime", "LastModified", "last_modified", "created"):
        if told.get(key) is not None:
            return str(told[key])
    return ""
