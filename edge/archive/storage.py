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
from typing import Protocol

from edge.archive.records import ArchivedFile
from edge.archive.remote import Storage, storage_at
from edge.archive.storage_words import NoPermissionError
from edge.archive.web_list import WEB, WebList, is_web_list, read_web_list
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
        """Where it lies, until the next one is asked for; raises OSError or UnreadableFieldError that says why it
        cannot be fetched, ArchiveError where the storage cannot be reached.

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
    if is_web_list(url):
        return ListedStorage(url)
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
    """What fsspec opens by its URL; errors are those of ``edge.archive.remote``."""

    def __init__(self, url: str) -> None:
        self.place = storage_at(url)
        self.url = self.place.shown
        self.name = self.place.name

    def check(self) -> None:
        """See ``ArchiveStorage``."""
        self.folder("")

    def folder(self, below: str) -> FolderListing:
        """See ``ArchiveStorage``. Raises ArchiveError too: of the archive itself, or where the storage cannot be reached."""
        try:
            found = self.place.folder(self.place.child(below) if below else None)
        except (NoInputError, NoPermissionError) as error:
            if not below:
                raise
            raise OSError(str(error)) from error  # the listing names it
        return FolderListing(found.files, tuple(PurePosixPath(path).name for path in found.folders))

    def once(self, files: Sequence[ArchivedFile]) -> Iterable[ArchivedFile]:
        """See ``ArchiveStorage``."""
        return files

    @contextmanager
    def opened(self) -> Iterator[LocalFiles]:
        """See ``ArchiveStorage``: files are fetched when they are asked for."""
        with tempfile.TemporaryDirectory(prefix="edge-recount-") as folder:
            yield _Fetched(self.place, folder)


class ListedStorage(RemoteStorage):
    """The addresses of a list (``edge.archive.web_list``). Only who lists the archive reads it; workers fetch what they are told."""

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self._list: WebList | None = None

    def check(self) -> None:
        """See ``ArchiveStorage``; the package that fetches what a list names is there too."""
        first = self.folder("").folders[0]
        storage_at(self.folder(first).files[0].path)

    def folder(self, below: str) -> FolderListing:
        """See ``ArchiveStorage``: the archive has the samples of the list as its folders, whatever is in their names."""
        self._list = self._list or read_web_list(self.place.address)
        return FolderListing(self._list.files(below), ()) if below else FolderListing((), self._list.folders)

    @contextmanager
    def opened(self) -> Iterator[LocalFiles]:
        """See ``ArchiveStorage``: files are fetched when they are asked for."""
        with tempfile.TemporaryDirectory(prefix="edge-recount-") as folder:
            yield _Fetched(storage_at(WEB[0]), folder)


class _Fetched:
    """Files fetched one by one; the one before is removed."""

    def __init__(self, place: Storage, folder: str) -> None:
        self._place = place
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
        self._place.fetch(file, path)
        if keep:
            self._kept.add(name)
        else:
            self._last = path
        return str(path)
