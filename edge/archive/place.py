"""A folder of results, on this machine or wherever fsspec writes: whole files only, under their names when they are complete."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from io import BytesIO
from pathlib import Path, PurePosixPath
from typing import Any

from edge.archive.remote import storage_at
from edge.errors import NoInputError, OutputError
from edge.safe_file import plain_errors, whole_path, write_bytes

_UNFINISHED = ".part"
"""What is in the hidden name of a file that is not complete."""


class ResultsPlace:
    """Args:
    url: path or URL of the folder; it need not be there.
    """

    def __init__(self, url: str) -> None:
        self.url = url
        self.local = "://" not in url
        if self.local:
            url = os.path.abspath(Path(url).expanduser())  # noqa: PTH100 - a text
        self._place = storage_at(url)
        self._root = self._place.root.rstrip("/")

    def names(self, folder: str = "") -> list[str]:
        """Names of the files and folders in it, in order; empty where it is not there. Raises OutputError."""
        path = f"{self._root}/{folder}".rstrip("/")
        if not self.local:
            try:
                found = self._place.folder(path)
            except NoInputError:
                return []
            return sorted(PurePosixPath(one).name for one in (*found.folders, *(file.path for file in found.files)))
        with plain_errors(Path(self.url)):
            try:
                return sorted(os.listdir(path))  # noqa: PTH208 - names are wanted, and a folder may hold many
            except FileNotFoundError:
                return []
            except NotADirectoryError:
                raise OutputError(f"{self.url}: not a folder: give another name for the results") from None

    def read(self, name: str) -> bytes | None:
        """The content of a small file; None: it is not there. Raises OSError, elsewhere ArchiveError."""
        try:
            return Path(f"{self._root}/{name}").read_bytes() if self.local else self._place.read(f"{self._root}/{name}")
        except (FileNotFoundError, NoInputError):
            return None

    @contextmanager
    def open(self, name: str) -> Iterator[Any]:
        """A file to read from; raises OSError."""
        if self.local:
            with Path(f"{self._root}/{name}").open("rb") as file:
                yield file
            return
        try:
            yield BytesIO(self._place.read(f"{self._root}/{name}"))  # parts are some megabytes
        except NoInputError as error:
            raise FileNotFoundError(str(error)) from error

    def write(self, name: str, content: bytes) -> None:
        """Write a small file, whole; raises OutputError."""
        if self.local:
            self._make_folder(name)
            write_bytes(Path(f"{self._root}/{name}"), content)
            return
        self._place.write(f"{self._root}/{name}", content)

    def publish(self, made: Path, name: str) -> None:
        """Give a finished file of this machine its place among the results; raises OutputError."""
        if self.local:
            self._make_folder(name)
            with whole_path(Path(f"{self._root}/{name}")) as place:
                shutil.copyfile(made, place)
            return
        self._place.put(made, f"{self._root}/{name}")

    def remove(self, name: str) -> None:
        """Remove a file; one that is not there is no failure."""
        if not self.local:
            self._place.remove(f"{self._root}/{name}")
            return
        with suppress(OSError):
            os.unlink(f"{self._root}/{name}")  # noqa: PTH108 - a text

    def sweep(self, folder: str) -> None:
        """Remove what killed processes left unfinished."""
        for name in self.names(folder):
            if name.startswith(".") and _UNFINISHED in name:
                self.remove(f"{folder}/{name}")

    def _make_folder(self, name: str) -> None:
        with plain_errors(Path(self.url)):
            Path(f"{self._root}/{name}").parent.mkdir(parents=True, exist_ok=True)
