"""The samples of an archive: every folder that holds images is one, listed lazily, one folder at a time.

Which files are fields and their order are those of ``edge-run FOLDER`` (``edge.sources.listing``). Nothing is opened.
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import PurePosixPath

from edge.archive.records import ArchivedFile, ArchivedSample
from edge.archive.storage import ArchiveStorage
from edge.errors import EdgeError, NoInputError
from edge.sources.decode import shown
from edge.sources.listing import FIELD_SUFFIXES
from edge.sources.names import natural_key
from edge.sources.video import VIDEO_SUFFIXES

_NAME_DIGITS = 6
"""Hexadecimal digits that tell two folders apart whose names look the same on a terminal."""

_PATIENCE_S = 2.0  # that the end waits for a folder that is being listed


class ArchiveListing:
    """The samples of an archive, in natural order; iterate once.

    Args:
        storage: where it lies.

    Attributes:
        fields: files found so far that are fields.
        videos: found so far; they are left out.
        left_out: folders that could not be listed, and why.
        ended: whether all of it has been listed.
    """

    def __init__(self, storage: ArchiveStorage) -> None:
        self._storage = storage
        self.fields = 0
        self.videos = 0
        self.left_out: list[tuple[str, str]] = []
        self.ended = False

    def __iter__(self) -> Iterator[ArchivedSample]:
        """Yield each sample.

        Raises:
            NoInputError: there is no such archive, or it may not be listed.
        """
        waiting = [""]  # folders below the archive
        while waiting:
            folder = waiting.pop()
            try:
                found = self._storage.folder(folder)
            except OSError as error:
                why = error.strerror or str(error)
                if not folder:
                    raise NoInputError(f"{shown(self._storage.url)}: {why}; check the path") from None
                self.left_out.append((shown(folder), why))
                continue
            waiting += [
                f"{folder}/{name}" if folder else name
                for name in sorted(found.folders, key=natural_key, reverse=True)
                if not name.startswith(".")
            ]
            files = self._fields_of(found.files)
            self.fields += len(files)
            if files:
                yield ArchivedSample(self._name(folder), files, digest_of(files))
        self.ended = True

    def _fields_of(self, files: Iterable[ArchivedFile]) -> tuple[ArchivedFile, ...]:
        kept = []
        for file in files:
            name = PurePosixPath(file.path).name
            suffix = PurePosixPath(name).suffix.lower()
            if name.startswith("."):
                continue
            if suffix in FIELD_SUFFIXES:
                kept.append(file)
            elif suffix in VIDEO_SUFFIXES:
                self.videos += 1
        kept.sort(key=lambda file: natural_key(shown(PurePosixPath(file.path).name)))
        return tuple(self._storage.once(kept))

    def _name(self, folder: str) -> str:
        name = folder or self._storage.name
        said = shown(name)
        if said == name:
            return name
        digest = hashlib.sha256(name.encode("utf-8", "surrogateescape")).hexdigest()
        return f"{said}~{digest[:_NAME_DIGITS]}"


class FieldsAhead:
    """How many fields an archive holds, counted by a thread of its own while the first of them are being analysed already.

    Nothing of the listing is kept, so memory stays flat.

    Args:
        storage: of its own, where the archive lies.

    Attributes:
        fields: found so far.
        ended: whether all of the archive has been looked through.
    """

    def __init__(self, storage: ArchiveStorage) -> None:
        self.fields = 0
        self.ended = False
        self._listing = ArchiveListing(storage)
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._count, name="edge-fields-ahead", daemon=True)

    def start(self) -> None:
        """Begin; once."""
        self._thread.start()

    def stop(self) -> None:
        """End, at the next folder; waits a moment for it."""
        self._stopped.set()
        if self._thread.is_alive():
            self._thread.join(_PATIENCE_S)

    def _count(self) -> None:
        with suppress(EdgeError, OSError):  # who lists the archive for the count says what is wrong with it
            for _ in self._listing:
                self.fields = self._listing.fields
                if self._stopped.is_set():
                    return
            self.ended = True


def digest_of(files: Iterable[ArchivedFile]) -> str:
    """SHA-256 over names, sizes and stamps, 64 hexadecimal digits."""
    digest = hashlib.sha256()
    for file in files:
        told = f"{PurePosixPath(file.path).name}\0{file.size}\0{file.stamp}\0"
        digest.update(told.encode("utf-8", "surrogateescape"))
    return digest.hexdigest()
