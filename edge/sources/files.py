"""Images on disk: folders, files and glob patterns, each folder one sample, in the order people number files."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from threading import Lock

from edge.depth import check_size
from edge.errors import NoInputError, UnreadableFieldError
from edge.jpeg import strict
from edge.refusal import RefusedError
from edge.sources import Source
from edge.sources.decode import AS_IT_IS, Picture, ReadOptions, UnknownDepthError, decode_field, fields_in, shown
from edge.sources.identity import FileDigest, identity_of, identity_of_unread, place_of
from edge.sources.listing import (
    IMAGE_SUFFIXES,
    JPEG_SUFFIXES,
    PICTURE_SUFFIXES,
    TIFF_SUFFIXES,
    FieldEntry,
    expand,
    items,
    passed_over,
)
from edge.sources.names import natural_key
from edge.sources.remaining import remaining
from edge.sources.video import VIDEO_SUFFIXES, FrameInterval, VideoSource
from edge.types import CountedField, Field, FieldIdentity, Shot

__all__ = ["IMAGE_SUFFIXES", "PICTURE_SUFFIXES", "FileSource", "expand", "natural_key", "open_source"]


class FileSource:
    """Shots from image files; an image is opened only when its shot is loaded, but for TIFFs that may hold several.

    One folder is one sample, named after the folder; loose files are one sample, named after the folder they share.
    Folders are not searched deeper. Within a sample fields come in natural order; the same file given twice counts once.
    A TIFF of several fields gives a shot for each, named ``file#1``, ``file#2`` and so on.

    Args:
        inputs: folders, files and glob patterns, as typed.
        sample_id: put everything into one sample of this name.
        sample_per_folder: every sub-folder of a given folder is a sample (and the folder's own images are one).
        reading: what the user says of the pictures.

    Raises:
        NoInputError: a path is missing or nothing in it can be a field; the message says what to do.
        ValueError: both ``sample_id`` and ``sample_per_folder`` are given.
    """

    total: int | None
    notes: tuple[str, ...]
    """What is passed over or not read, one line each."""

    def __init__(
        self,
        inputs: Sequence[str],
        *,
        sample_id: str | None = None,
        sample_per_folder: bool = False,
        reading: ReadOptions = AS_IT_IS,
    ) -> None:
        if sample_id is not None and sample_per_folder:
            raise ValueError("sample_id names one sample, sample_per_folder makes many: give one of them")
        paths = expand(inputs)
        files = items(paths, sample_id, sample_per_folder)
        unread: dict[str, list[str]] = {}
        self._items = [part for item in files for part in _parts(item, unread)]
        self._reading = reading
        self._left = list(enumerate(self._items))
        self.total = len(self._items)
        self.samples = tuple(dict.fromkeys(item.sample for item in self._items))
        self.notes = (*passed_over(paths, sample_per_folder), *said_once(unread), *_lenient(self._items))

    def __iter__(self) -> Iterator[Shot]:
        """Yield one shot per field, in order."""
        firsts: dict[str, FieldEntry] = {}
        for item in self._items:
            firsts.setdefault(item.sample, item)
        depth: _SampleDepth | None = None
        first: FieldEntry | None = None
        for index, item in self._left:
            if depth is None or first is None or first.sample != item.sample:
                first = firsts[item.sample]
                depth = _SampleDepth(partial(_itself, first), self._reading)
            read = replace(
                item, path=Path(item.path)
            )  # a path remembers its text: the list of all files must not grow by it
            yield Shot(index, item.sample, item.name, _Load(index, read, self._reading, depth, begins=item == first))

    def places(self) -> list[str]:
        """What the path of each shot's identity will be, in order."""
        return [place_of(item.path, item.number) for _, item in self._left]

    def go_on(self, counted: Sequence[CountedField], complete: Collection[str]) -> tuple[str, ...]:
        """Leave out what an earlier part of the run had, and say what became of its files: a line each.

        Reads the files whose size is that of a counted one.

        Args:
            counted: what it had, in field order.
            complete: samples to which nothing is added any more.
        """
        rest = remaining(self._items, counted, complete)
        self._left = list(rest.fields)
        return rest.notes

    def close(self) -> None:
        """Nothing is held open."""


def _itself(entry: FieldEntry) -> FieldEntry:
    return entry


def _parts(item: FieldEntry, unread: dict[str, list[str]]) -> Iterator[FieldEntry]:
    """The fields of one file; what is not read of it is added to ``unread``."""
    layout = fields_in(item.path) if item.path.suffix.lower() in TIFF_SUFFIXES else None
    if layout is None:
        yield item
        return
    for note in layout.notes:
        unread.setdefault(note, []).append(item.name)
    digest = FileDigest(item.path)
    if len(layout.fields) == 1:
        yield replace(item, plan=layout.fields[0], digest=digest)
        return
    for number, plan in enumerate(layout.fields, 1):
        yield replace(item, name=f"{item.name}#{number}", plan=plan, number=number, digest=digest)


def _lenient(items: list[FieldEntry]) -> Iterator[str]:
    if any(item.path.suffix.lower() in JPEG_SUFFIXES for item in items):
        yield from lenient_jpegs()


def lenient_jpegs() -> Iterator[str]:
    """Say so where damaged JPEGs are hardly noticed."""
    if not strict():
        yield "simplejpeg is not installed, so of damaged JPEGs only those cut short are noticed (apt install python3-simplejpeg)"


def said_once(unread: dict[str, list[str]]) -> Iterable[str]:
    """What of files is not read, a line for each kind of it: to the names of the files."""
    for note, names in unread.items():
        more = f" and {len(names) - 1} more" if len(names) > 1 else ""
        yield f"{names[0]}{more}: {note}"


@dataclass(slots=True, eq=False)
class _SampleDepth:
    """How deep the 16-bit pixels of a sample are where a file does not say: as its first field has it, found out once."""

    first: Callable[[], FieldEntry | None]
    reading: ReadOptions
    _lock: Lock = field(default_factory=Lock)
    _known: bool = False
    _depth: int | None = None

    def get(self) -> int | None:
        """The depth; None where the first field does not tell either."""
        with self._lock:
            if not self._known:
                first = self.first()
                try:
                    self._depth = None if first is None else _read(first, self.reading).depth
                except UnreadableFieldError:
                    self._depth = None
                self._known = True
            return self._depth


@dataclass(frozen=True, slots=True)
class _Load:
    """Decodes one field when called; raises UnreadableFieldError."""

    index: int
    item: FieldEntry
    reading: ReadOptions
    sample: _SampleDepth
    begins: bool
    """It is known to be the first of its sample, which is read as it says itself."""

    def __call__(self) -> Field:
        start = time.perf_counter()
        item = self.item
        try:
            picture = self._picture()
            rgb = check_size(picture.rgb)
            identity = _identity(item, picture)
        except (RefusedError, OSError) as error:
            raise self._unreadable(UnreadableFieldError(f"{shown(item.path)}: {error}")) from None
        except UnreadableFieldError as error:
            raise self._unreadable(error) from None
        ms = (time.perf_counter() - start) * 1e3
        return Field(rgb, self.index, item.sample, item.name, decode_ms=ms, identity=identity)

    def _unreadable(self, error: UnreadableFieldError) -> UnreadableFieldError:
        error.identity = identity_of_unread(self.item.path, self.item.number)
        return error

    def _picture(self) -> Picture:
        """The field as it says itself; where it does not say how deep it is, as the first of its sample."""
        if self.begins or self.reading.depth is not None:
            return _read(self.item, self.reading)
        try:
            picture = _read(self.item, self.reading)
        except UnknownDepthError:
            depth = self.sample.get()
            if depth is None:
                raise
        else:
            depth = self.sample.get() if picture.guessed else None
            if depth is None or depth == picture.depth:
                return picture
        return _read(self.item, ReadOptions(self.reading.z, depth))


def listed_shots(
    sample: str,
    files: Iterable[tuple[str, Path | None]],
    reading: ReadOptions,
    first: Callable[[], Path | None],
    unread: dict[str, list[str]],
) -> Iterator[Shot]:
    """Shots of files that somebody has listed already, in their order; each file is looked at when its turn comes.

    Args:
        sample: that they belong to.
        files: their names in it, and where they lie; None: it is not there, and its shot is unreadable.
        reading: see ``FileSource``.
        first: the sample's first file, asked for where the depth of pixels hangs on it; None: it is not there.
        unread: gets what of a file is not read, in words, to the names of such files.
    """

    def found() -> FieldEntry | None:
        path = first()
        return None if path is None else next(_parts(FieldEntry(sample, path.name, path), {}), None)

    depth = _SampleDepth(found, reading)
    index = 0
    for name, path in files:
        if path is None:
            yield Shot(index, sample, name, partial(_gone, name))
            index += 1
            continue
        for item in _parts(FieldEntry(sample, name, path), unread):
            yield Shot(index, sample, item.name, _Load(index, item, reading, depth, begins=False))
            index += 1


def _gone(name: str) -> Field:
    raise UnreadableFieldError(f"{name}: not there")


def _identity(item: FieldEntry, picture: Picture) -> FieldIdentity:
    if picture.sha256 is None:
        return item.identity()
    return identity_of(item.path, item.number, picture.size, picture.sha256)


def _read(item: FieldEntry, reading: ReadOptions) -> Picture:
    return decode_field(item.path, reading, item.plan, _said_name(item), whole=item.number is None)


def _said_name(item: FieldEntry) -> str:
    return shown(item.path) + ("" if item.number is None else f"#{item.number}")


def open_source(
    inputs: Sequence[str],
    *,
    sample_id: str | None = None,
    sample_per_folder: bool = False,
    every: FrameInterval | None = None,
    reading: ReadOptions = AS_IT_IS,
) -> Source:
    """Open what the user typed: videos by their suffix, everything else as images.

    Args:
        inputs: folders, files and glob patterns, or videos; not both kinds in one run.
        sample_id: see ``FileSource``; a video's sample is otherwise named after its file.
        sample_per_folder: see ``FileSource``; of no effect on videos.
        every: which frames of a video are taken; None for one per second.
        reading: see ``FileSource``; of no effect on videos.

    Raises:
        NoInputError: nothing there, or images and videos mixed.
        ValueError: see ``FileSource``.
    """
    paths = expand(inputs)
    videos = [p for p in paths if p.suffix.lower() in VIDEO_SUFFIXES and not p.is_dir()]
    if not videos:
        return FileSource(inputs, sample_id=sample_id, sample_per_folder=sample_per_folder, reading=reading)
    if len(videos) < len(paths):
        raise NoInputError(f"{shown(videos[0])} is a video and other inputs are not: run them one after the other")
    return VideoSource(videos, every=every, sample_id=sample_id)
