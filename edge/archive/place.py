"""A folder of results, on this machine or wherever fsspec writes: whole files only, under their names when they are complete."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path, PurePosixPath
from typing import Any

from edge.archive.packages import package
from edge.errors import OutputError
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
        self._files, root = package("fsspec.core").url_to_fs(url, use_listings_cache=False)
        self._root = str(root).rstrip("/")

    def names(self, folder: str = "") -> list[str]:
        """Names of the files and folders in it, in order; empty where it is not there. Raises OutputError."""
        path = f"{self._root}/{folder}".rstrip("/")
        with plain_errors(Path(self.url)):
            try:
                found = self._files.ls(path, detail=False)
            except FileNotFoundError:
                return []
            except NotADirectoryError:
                raise OutputError(f"{self.url}: not a folder: give another name for the results") from None
        return sorted(name for one in found if (name := PurePosixPath(str(one)).name) != PurePosixPath(path).name)

    def read(self, name: str) -> bytes | None:
        """The content of a small file; None: it is not there. Raises OSError."""
        try:
            content: bytes = self._files.cat_file(f"{self._root}/{name}")
        except FileNotFoundError:
            return None
        return content

    @contextmanager
    def open(self, name: str) -> Iterator[Any]:
        """A file to read from; raises OSError."""
        if self.local:
            with Path(f"{self._root}/{name}").open("rb") as file:
                yield file
            return
        with self._files.open(f"{self._root}/{name}", "rb") as file:
            yield file

    def write(self, name: str, content: bytes) -> None:
        """Write a small file, whole; raises OutputError."""
        if self.local:
            self._make_folder(name)
            write_bytes(Path(f"{self._root}/{name}"), content)
            return
        with plain_errors(Path(self.url)):
            self._files.pipe_file(f"{self._root}/{name}", content)

    def publish(self, made: Path, name: str) -> None:
        """Give a finished file of this machine its place among the results; raises OutputError."""
        if self.local:
            self._make_folder(name)
            with whole_path(Path(f"{self._root}/{name}")) as place:
                shutil.copyfile(made, place)
            return
        with plain_errors(Path(self.url)):
            self._files.put_file(str(made), f"{self._root}/{name}")

    def remove(self, name: str) -> None:
        """Remove a file; one that is not there is no failure."""
        with suppress(OSError):
            self._files.rm_file(f"{self._root}/{name}")

    def sweep(self, folder: str) -> None:
        """Remove what killed processes left unfinished."""
        for name in self.names(folder):
            if name.startswith(".") and _UNFINISHED in name:
                self.remove(f"{folder}/{name}")

    def _make_folder(self, name: str) -> None:
        with plain_errors(Path(self.url)):
            Path(f"{self._root}/{name}").parent.mkdir(parents=True, exist_ok=True)
