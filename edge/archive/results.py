"""The folder of results: what counted them, which samples are there, and what an interrupted call left.

``_edge.json`` says what counted, ``samples/``, ``fields/`` and ``cells/`` are the tables, ``_slices/`` holds slices of large samples
until these are decided. **A sample is there when its part of ``samples`` is there**: it is published last.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from edge.archive.packages import package
from edge.archive.part_reading import read_part
from edge.archive.partitions import slice_hash
from edge.archive.place import ResultsPlace
from edge.archive.records import CountsDescription, SampleSlice
from edge.archive.storage_words import shown_address
from edge.archive.tables import TABLES
from edge.errors import ArchiveError
from edge.record_json import from_text, to_text
from edge.safe_file import plain_errors

HEAD = "_edge.json"
SLICES = "_slices"
VERSION = 1  # of the folder's layout
_ENDING = ".parquet"
_PART = "part-"
_MOST_NAMED = 3  # settings that one line names


@dataclass(frozen=True, slots=True)
class ResultsHead:
    """What ``_edge.json`` holds; ``format`` and ``version`` say what it is."""

    description: CountsDescription
    format: str = "edge-recount"
    version: int = VERSION


@dataclass(frozen=True, slots=True)
class PresentSample:
    """A sample that is in the results: digest of its listing, fields, cells, fields that could not be read."""

    name: str
    digest: str
    fields: int
    cells: int
    unreadable: int


class Results:
    """Args:
    url: path or URL of the folder.
    """

    def __init__(self, url: str) -> None:
        self.url = shown_address(url)
        self.place = ResultsPlace(url)
        self._held = ExitStack()

    def hold(self) -> None:
        """Lock the folder until ``let_go`` or the end of this process: two recounts at once would sweep what the other is writing.

        Makes the folder. Only folders of this machine can be held.

        Raises:
            ArchiveError: another process writes there, or it is a file.
            OutputError: the folder cannot be made.
        """
        if not self.place.local:
            return
        path = Path(self.url).expanduser()
        if path.exists() and not path.is_dir():
            raise ArchiveError(f"{self.url}: a file, and results are a folder: give another name (-o)")
        with plain_errors(path):
            path.mkdir(parents=True, exist_ok=True)
            handle = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        self._held.callback(os.close, handle)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            self.let_go()
            raise ArchiveError(f"{self.url}: another recount writes there: wait until it ends, or stop it") from None
        except OSError:  # a file system without locks
            self.let_go()

    def let_go(self) -> None:
        """Let another process write there."""
        self._held.close()

    def described(self) -> CountsDescription:
        """What counted them; raises ArchiveError where this is no folder of results."""
        found = self._head()
        if found is None:
            raise ArchiveError(f"{self.url}: no results of edge recount: give the folder that -o named")
        return found

    def begin(self, description: CountsDescription) -> CountsDescription:
        """Make the folder, or go on with one of the same count, and remove what an interrupted call left unfinished.

        Returns:
            what is written in it.

        Raises:
            ArchiveError: it holds something else, or was counted otherwise; the line says in what.
            OutputError: it cannot be written.
        """
        found = self._head()
        if found is None:
            if self.place.names():
                raise ArchiveError(f"{self.url}: not empty, and no results of edge recount: give another folder (-o)")
            self.place.write(HEAD, to_text(ResultsHead(description)).encode())
            return description
        if found.fingerprint != description.fingerprint:
            differing = _differing(found.binding, description.binding)
            raise ArchiveError(
                f"{self.url}: counted otherwise: {differing}: give another folder (-o), or the settings it was counted with"
            )
        self._sweep()  # its samples are counted anew, if they had any
        return found

    def samples(self) -> Iterator[PresentSample]:
        """The samples that are there, part by part; raises ArchiveError for a damaged part."""
        columns = ["sample", "digest", "fields", "cells", "unreadable"]
        for name in self.parts():
            for row in self._read(name, columns):
                yield PresentSample(row["sample"], row["digest"], row["fields"], row["cells"], row["unreadable"])

    def parts(self) -> list[str]:
        """Names of the parts that are there."""
        return [name for name in self.place.names("samples") if name.startswith(_PART) and name.endswith(_ENDING)]

    def publish(self, made: Path, part: str) -> None:
        """Add a part whose three files are in a folder of this machine; raises OutputError."""
        for table in TABLES:
            self.place.publish(made / f"{table}{_ENDING}", f"{table}/{part_name(part)}")

    def end(self) -> None:
        """Leave no sample twice and nothing unfinished: for the end of a call that has come through.

        Raises:
            ArchiveError: a part was not whole, and is removed: the next call counts its samples again.
        """
        self._drop_doubles()
        if broken := self._sweep():
            parts = f"{broken} part{'s' * (broken != 1)}"
            raise ArchiveError(f"{self.url}: {parts} lost a table while being written: call again, to count them anew")
        for name in self.place.names(SLICES):
            self.place.remove(f"{SLICES}/{name}")

    def slices(self) -> set[str]:
        """Names of the slices that are there."""
        return {name.removesuffix(_ENDING) for name in self.place.names(SLICES) if name.endswith(_ENDING)}

    def _head(self) -> CountsDescription | None:
        try:
            data = self.place.read(HEAD)
            if data is None:
                return None
            head = from_text(ResultsHead, data.decode(), HEAD)
        except NotADirectoryError:
            raise ArchiveError(f"{self.url}: a file, and results are a folder: give another name (-o)") from None
        except (OSError, ValueError) as error:
            raise ArchiveError(f"{self.url}/{HEAD}: cannot be read: {error}") from None
        if head.format != "edge-recount":
            raise ArchiveError(f"{self.url}/{HEAD}: not of edge recount")
        if head.version > VERSION:
            raise ArchiveError(f"{self.url}: results of a newer version of this program: update this one")
        return head.description

    def _sweep(self) -> int:
        """Remove files that are not complete, and parts of which a table is missing; returns how many of these had samples.

        A part without samples was cut off. One with samples alone comes from a worker that was thought dead: while it published, what
        it had published was removed by a later call.
        """
        for table in TABLES:
            self.place.sweep(table)
        names = {table: {name for name in self.place.names(table) if name.startswith(_PART)} for table in TABLES}
        whole = set.intersection(*names.values())
        for table in reversed(TABLES):
            for name in names[table] - whole:
                self.place.remove(f"{table}/{name}")
        self.place.sweep(SLICES)
        return len(names["samples"] - whole)

    def _drop_doubles(self) -> None:
        """A worker that was thought dead may have published a sample that another one counted again: it goes from the later part."""
        seen: set[str] = set()
        for part in self.parts():
            names = [row["sample"] for row in self._read(part, ["sample"])]
            double = [name for name in names if name in seen]
            seen.update(names)
            if double:
                self._without(part, double)

    def _without(self, part: str, samples: list[str]) -> None:
        """Write a part again without these samples; its own table of samples last: cut off before, it is done again."""
        arrow, parquet = package("pyarrow"), package("pyarrow.parquet")
        compute = package("pyarrow.compute")
        with TemporaryDirectory(prefix="edge-recount-") as folder:
            for table in TABLES:
                with self.place.open(f"{table}/{part}") as file:
                    rows = parquet.read_table(file)
                kept = rows.filter(compute.invert(compute.is_in(rows["sample"], arrow.array(samples))))
                made = Path(folder) / f"{table}{_ENDING}"
                parquet.write_table(kept, made, compression="zstd")
                self.place.publish(made, f"{table}/{part}")
        if len(kept) == 0:
            for table in reversed(TABLES):
                self.place.remove(f"{table}/{part}")

    def _read(self, part: str, columns: list[str]) -> list[dict[str, Any]]:
        arrow = package("pyarrow")
        types = {"fields": arrow.int32(), "unreadable": arrow.int32(), "cells": arrow.int64()}
        wanted = {name: types.get(name, arrow.string()) for name in columns}
        rows: list[dict[str, Any]] = read_part(self.place, "samples", part, wanted).to_pylist()
        return rows


def part_name(part: str) -> str:
    """The name of a part's file."""
    return f"{_PART}{part}{_ENDING}"


def slice_name(sample: str, part: SampleSlice) -> str:
    """The name of a slice's file: of the large sample's id, the slice's number, and where it begins and ends.

    A slice that was cut otherwise has another name, so that slices of two cuts are never mixed.
    """
    return f"{sample}-{part.number:06d}-{slice_hash(part)}"


def beginning(description: CountsDescription, archive: str, at: str) -> CountsDescription:
    """The description with what is counted, and since when."""
    return replace(description, archive=shown_address(archive), made=at)


def _differing(then: Mapping[str, str], now: Mapping[str, str]) -> str:
    names = [name for name in (*then, *(name for name in now if name not in then)) if then.get(name) != now.get(name)]
    told = [f"{name} {then.get(name, 'not noted')} (now {now.get(name, 'not noted')})" for name in names]
    more = len(told) - _MOST_NAMED
    return "; ".join(told[:_MOST_NAMED]) + (f"; and {more} more" if more > 0 else "") or "by other settings"
