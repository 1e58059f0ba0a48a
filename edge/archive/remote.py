"""Where an archive lies and where results go: a folder of this machine, or what fsspec speaks (s3://, gs://, sftp://, ...).

A ``Storage`` is an address only: it can be sent to the workers of a cluster, and each process opens it for itself with the
credentials that it has there. Errors come out in three kinds. What the whole archive suffers from (no such bucket, no permission to
list it, wrong credentials, a package that is missing) is an ``ArchiveError`` or a ``NoInputError`` in one line. What one file suffers
from (gone since it was listed, forbidden) is an ``UnreadableFieldError``: the field is named and the count goes on. A connection that
fails is tried again and is an ``ArchiveError`` then, never an unreadable field: it says nothing of the field.
"""

from __future__ import annotations

import os
import random
import shlex
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path, PurePosixPath
from typing import Any, Final
from uuid import uuid4

from edge.archive.records import ArchivedFile
from edge.archive.storage_folders import StorageFolder, listed_folder, local_folder
from edge.archive.storage_words import (
    PACKAGE,
    TRIES,
    StorageTrouble,
    protocol_of,
    shown_address,
    storage_error,
    trouble,
)
from edge.errors import ArchiveError, EdgeError, NoInputError, UnreadableFieldError
from edge.extras import how_to_install
from edge.safe_file import ReplacedFile, write_bytes
from edge.sources.decode import shown

_FIRST_PAUSE: Final = (
    0.5  # seconds before the second try; doubled each time, between half of it and all of it by chance
)
_CHUNK: Final = 1 << 20  # bytes copied at once

_WHOLE_PUTS: Final = frozenset({"s3", "s3a", "gs", "gcs", "abfs", "az", "memory", "oss", "oci"})
"""Object stores: a file appears whole when its put is done. Elsewhere it is written under another name and renamed."""

_NO_CACHE: Final = {"use_listings_cache": False}  # memory stays flat and nothing is stale
_SSH: Final = {
    "timeout": 20,
    "banner_timeout": 20,
    "auth_timeout": 20,
}  # seconds; all others bring time-outs of their own
_OPTIONS: Final[dict[str, dict[str, Any]]] = {"sftp": _SSH, "ssh": _SSH, "ftp": {"timeout": 20}, "smb": {}}
"""What a protocol is opened with besides what its user has set up, where it does not know ``_NO_CACHE``."""


@dataclass(frozen=True, slots=True)
class Storage:
    """Files at an address. Make it by ``storage_at``; paths are those of its file system, without the protocol.

    Attributes:
        address: as it was given; it may hold a password, so show ``shown``.
        protocol: empty: this machine.
        root: the path that the address names.
    """

    address: str
    protocol: str
    root: str

    def __repr__(self) -> str:
        return f"Storage({self.shown!r})"

    @property
    def shown(self) -> str:
        """The address as it may stand in a line or a record: no password, no signature."""
        return shown(shown_address(self.address))

    @property
    def local(self) -> bool:
        """Whether its files can be read in place."""
        return not self.protocol

    @property
    def name(self) -> str:
        """The last part of its path, for an archive that is a sample itself."""
        return PurePosixPath(self.root).name or self.protocol or "archive"

    def below(self, path: str) -> str:
        """The part of a path below the root, with ``/``; empty for the root itself."""
        return path[len(self.root.rstrip("/")) :].strip("/")

    def child(self, name: str) -> str:
        """The path of what has this name (parts with ``/``) below the root."""
        return f"{self.root.rstrip('/')}/{name}"

    def shown_path(self, path: str) -> str:
        """A path of its file system as it may stand in a line, with the protocol and the host."""
        if not self.protocol or "://" in path:
            return shown(shown_address(path))
        if path.startswith(self.root):
            return f"{self.shown.rstrip('/')}{shown(path[len(self.root) :])}"
        return shown(shown_address(f"{self.protocol}://{path}"))

    def folder(self, path: str | None = None) -> StorageFolder:
        """List one folder, nothing below it; None: the root.

        Raises:
            NoInputError: there is no such folder or bucket.
            ArchiveError: it may not be listed, credentials are wrong, or the storage cannot be reached.
        """
        path = self.root if path is None else path
        if self.local:
            return local_folder(path)
        found: StorageFolder = self._tried(lambda files: listed_folder(files, path), path)
        return found

    def is_file(self, path: str | None = None) -> bool:
        """Whether this is a file; raises ArchiveError where that cannot be told."""
        path = self.root if path is None else path
        if self.local:
            return os.path.isfile(path)  # noqa: PTH113 - a text, and no error for a name too long
        return bool(self._tried(lambda files: files.isfile(path), path))

    def exists(self, path: str) -> bool:
        """Whether there is such a file or folder; raises ArchiveError where that cannot be told."""
        if self.local:
            return os.path.exists(path)  # noqa: PTH110 - a text, and no error for a name too long
        return bool(self._tried(lambda files: files.exists(path), path))

    def fetch(self, file: ArchivedFile, to: Path) -> None:
        """Copy a file of the archive to this machine.

        Raises:
            UnreadableFieldError: it is gone or forbidden.
            ArchiveError: credentials are wrong, the storage cannot be reached, or this machine's disk refuses.
        """
        try:
            self._tried(lambda files: files.get_file(file.path, str(to)), file.path, field=True)
        except BaseException:
            with suppress(OSError):
                to.unlink()
            raise

    def read(self, path: str) -> bytes:
        """The bytes of a small file; raises NoInputError where there is none, else as ``folder``."""
        if self.local:
            try:
                return Path(path).read_bytes()
            except OSError as error:
                raise storage_error(error, shown(path), self.protocol) from error
        return bytes(self._tried(lambda files: files.cat_file(path), path))

    def write(self, path: str, data: bytes) -> None:
        """Write a whole file: who reads it sees the old one, none or all of it. Raises ArchiveError, locally OutputError."""
        if self.local:
            os.makedirs(os.path.dirname(path), exist_ok=True)  # noqa: PTH103, PTH120 - a text
            write_bytes(Path(path), data)
            return
        self._put(path, lambda files, name: files.pipe_file(name, data))

    def put(self, local: Path, path: str) -> None:
        """Copy a whole file of this machine there; as ``write``."""
        if not self.local:
            self._put(path, lambda files, name: files.put_file(str(local), name))
            return
        os.makedirs(os.path.dirname(path), exist_ok=True)  # noqa: PTH103, PTH120 - a text
        target = ReplacedFile(Path(path))
        try:
            with local.open("rb") as source:
                while chunk := source.read(_CHUNK):
                    target.stream.buffer.write(chunk)
            target.close()
        except BaseException:
            target.discard()
            raise

    def remove(self, path: str) -> None:
        """Remove a file; that there is none is no error. Raises ArchiveError."""
        if self.local:
            try:
                Path(path).unlink(missing_ok=True)
            except OSError as error:
                raise storage_error(error, shown(path), self.protocol) from error
            return
        with suppress(NoInputError):
            self._tried(lambda files: files.rm_file(path), path)

    def _put(self, path: str, put: Callable[[Any, str], object]) -> None:
        if self.protocol in ("http", "https"):
            raise ArchiveError(
                f"{self.shown}: nothing can be written to {self.protocol}; name a folder, s3://, gs:// or sftp://"
            )
        if self.protocol in _WHOLE_PUTS:
            self._tried(lambda files: put(files, path), path)
            return

        def renamed(files: Any) -> None:
            part = f"{path}.{uuid4().hex[:8]}.part"
            try:
                put(files, part)
                files.mv(part, path)
            except BaseException:
                with suppress(Exception):
                    files.rm_file(part)
                raise

        folder = path.rpartition("/")[0]
        self._tried(lambda files: files.makedirs(folder, exist_ok=True), folder)
        self._tried(renamed, path)

    def _tried(self, work: Callable[[Any], Any], path: str, *, field: bool = False) -> Any:
        """Do something with the file system, again where the other side was away; errors in this program's words."""
        pause = _FIRST_PAUSE
        for left in reversed(range(TRIES)):
            try:
                return work(_opened(self.address, self.protocol, threading.get_ident()))
            except EdgeError:
                raise
            except Exception as error:
                away = trouble(error) is StorageTrouble.AWAY
                if away and left:
                    _opened.cache_clear()  # a connection that broke is not used again
                    time.sleep(pause * random.uniform(0.5, 1.0))
                    pause *= 2
                    continue
                where = self.shown_path(path)
                if field and trouble(error) in (StorageTrouble.GONE, StorageTrouble.FORBIDDEN):
                    gone = (
                        "it is gone since it was listed"
                        if trouble(error) is StorageTrouble.GONE
                        else "no permission to read it"
                    )
                    raise UnreadableFieldError(f"{where}: {gone}") from error
                raise storage_error(error, where, self.protocol) from error
        raise AssertionError(path)  # pragma: no cover


def storage_at(address: str) -> Storage:
    """The storage that an address names; nothing is looked at but the address. Relative paths become absolute.

    Raises:
        NoInputError: the address is empty.
        ArchiveError: nothing speaks its protocol, or the package that does is not installed (the line says how to).
    """
    if not address.strip():
        raise NoInputError("an input is empty: give a folder, or an address such as s3://bucket/folder")
    protocol = protocol_of(address)
    if not protocol or os.path.exists(address):  # noqa: PTH110 - a text, and no error for a name too long
        path = address.partition("://")[2] if address.startswith(("file://", "local://")) else address
        return Storage(address, "", os.path.abspath(os.path.expanduser(path)))  # noqa: PTH100, PTH111 - texts
    root = str(_kind(address, protocol)._strip_protocol(address))  # noqa: SLF001 - fsspec's own way; no look at the storage
    return Storage(address, protocol, root if protocol in ("http", "https") else root.rstrip("/"))


def _kind(address: str, protocol: str) -> Any:
    """The class of file system that speaks a protocol."""
    where = shown(shown_address(address))
    if find_spec("fsspec") is None:
        raise ArchiveError(f"archives need the packages of the extra archive: {how_to_install('archive')}")
    import fsspec  # noqa: PLC0415 - only where an archive is elsewhere

    try:
        return fsspec.get_filesystem_class(protocol)
    except ImportError as error:
        package = PACKAGE.get(protocol)
        how = shlex.join([sys.executable or "python3", "-m", "pip", "install", package]) if package else str(error)
        raise ArchiveError(f"{where}: {protocol}:// needs a package that is not installed here: {how}") from error
    except ValueError as error:
        raise ArchiveError(
            f"{where}: nothing here speaks {protocol}://; use a folder, s3://, gs:// or sftp://"
        ) from error


@lru_cache(maxsize=8)
def _opened(address: str, protocol: str, _thread: int) -> Any:
    """The file system of an address, one per thread."""
    kind = _kind(address, protocol)
    options = {**kind._get_kwargs_from_urls(address), **_OPTIONS.get(protocol, _NO_CACHE)}  # noqa: SLF001 - as fsspec's own url_to_fs
    return kind(**options, skip_instance_cache=True)
