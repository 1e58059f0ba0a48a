"""The work of ``edge recount``: the fields of a sample once more, as a source, and the settings they were counted with."""

from __future__ import annotations

import os
import shlex
import tomllib
from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from edge.book.folder import folder_of
from edge.book.standing import fields_of
from edge.cli.book_reading import open_existing
from edge.cli.book_settings import BookSettings, Keep, default_book
from edge.cli.counting import count
from edge.cli.options import RecordOption, options_of
from edge.cli.run_settings import RUN_RECORDS, RunSettings
from edge.cli.scoped import profile_named
from edge.door import say
from edge.errors import BookError, UnreadableFieldError
from edge.scope.applied import FieldCorrection
from edge.scope.check import FINGERPRINT, SCOPE
from edge.sources.decode import ReadOptions, decode_image, shown
from edge.sources.files import FileSource
from edge.sources.identity import file_of
from edge.types import CountedField, Field, Shot

_PROGRAM = "edge recount"
_READ_AS_THEN = frozenset({"z", "depth", "gate", "overlap", "tiling", "tile_px", "tile_overlap"})
"""Settings that a recount has from the first count."""


def recounted(sample: str, number: int | None, book: Path | None, given: RunSettings) -> int:
    """Count a sample of the book once more and return the exit code.

    Args:
        sample: its name.
        number: which of several counts gives the fields; None: the newest.
        book: that it is in; None: the usual one.
        given: nets, card, judging, outputs and process of the new count.

    Raises:
        EdgeError: no such sample, or what ``edge-run`` raises.
    """
    path = book or default_book()
    _refuse_archive(sample, path)
    with open_existing(path, _PROGRAM) as opened:
        row = opened.sample(sample, number)
        then = _read_then(opened.about(row.run).config)
        fields = fields_of(opened, row.id)
        pictures = {one.field: one.file for one in opened.pictures(row.id)}
        if looked := opened.reviewed().get(row.id):
            answers = f"{looked:,} {row.unit}{'s' * (looked != 1)} of count {row.count} were looked at"
            say(f"note: {answers}: answers stay with that count, the new one begins without", _PROGRAM)
    settings = RunSettings.of({**given.values(), **then, "sample_id": sample})
    settings = replace(settings, book=BookSettings(path, again=True, keep=Keep.NONE))
    reading = ReadOptions(settings.fields.z, settings.fields.depth)
    return count(settings, lambda: RecountSource(fields, folder_of(path), pictures, reading))


def _refuse_archive(sample: str, book: Path) -> None:
    """Say how an archive is counted where its folder or address is given, and no results."""
    folder = "://" in sample or Path(sample).expanduser().is_dir()
    if not folder:
        return
    if book.is_file():
        with open_existing(book, _PROGRAM) as opened:
            if opened.samples(name=sample):
                return
    how = shlex.join(["edge", "recount", sample, "-o", "counts.parquet"])
    raise BookError(f"{sample} is no sample of the book: to count an archive, name a folder for the results: {how}")


def _read_then(config: str) -> dict[str, Any]:
    """How fields were read and cut up in the first count, from its settings in the book; raises BookError."""
    try:
        given = tomllib.loads(config)
    except (ValueError, RecursionError):
        raise BookError("the settings of the first count cannot be read: edge book check") from None
    options = {option.key: option for option in options_of(*RUN_RECORDS).values()}
    return {
        options[key].name: _value(options[key], value)
        for key, value in given.items()
        if key in options and options[key].name in _READ_AS_THEN
    }


def _value(option: RecordOption, value: Any) -> Any:
    try:
        return option.kind(value)
    except (TypeError, ValueError):
        raise BookError(f"the settings of the first count make no sense: {option.key}: edge book check") from None


class RecountSource:
    """The fields of a sample in the book once more: from their files, while the content fits, or from kept pictures.

    Args:
        fields: in field order; there is one at least.
        folder: of kept pictures.
        pictures: names in it, by the field's place in the run.
        reading: what the user said of the pictures in the first count.
    """

    def __init__(
        self, fields: Sequence[CountedField], folder: Path, pictures: dict[int, str], reading: ReadOptions
    ) -> None:
        self.total: int | None = len(fields)
        self.samples: tuple[str, ...] = (fields[0].sample,)
        self._fields = fields
        self._folder = folder
        self._pictures = pictures
        paths = dict.fromkeys(str(file_of(one.identity)) for one in fields if one.identity is not None)
        there = [path for path in paths if os.path.isfile(path)]  # noqa: PTH113 - says no, where Path raises
        self._files: dict[str, Shot] = {}
        self._correction: FieldCorrection | None = None
        if there:
            source = FileSource(there, sample_id=self.samples[0], reading=reading)
            self._files = dict(zip(source.places(), source, strict=True))

    def __iter__(self) -> Iterator[Shot]:
        for one in self._fields:
            yield Shot(one.index, one.sample, one.name, lambda one=one: self._load(one))  # type: ignore[misc]

    def go_on(self, counted: Sequence[CountedField], complete: Collection[str]) -> tuple[str, ...]:
        """Leave out what was counted; a recount is never gone on with."""
        done = {one.index for one in counted}
        self._fields = [one for one in self._fields if one.index not in done and one.sample not in complete]
        return ()

    def close(self) -> None:
        """Nothing is held open."""

    def _load(self, one: CountedField) -> Field:
        if one.identity is None:
            return self._kept(one)
        shot = self._files.get(one.identity.path)
        if shot is None:
            raise UnreadableFieldError(f"{shown(one.identity.path)}: not there any more")
        field = shot.load()
        if field.identity is None or field.identity.sha256 != one.identity.sha256:
            raise UnreadableFieldError(f"{shown(one.identity.path)}: changed since it was counted")
        return self._corrected(replace(field, index=one.index, name=one.name), one)

    def _corrected(self, field: Field, one: CountedField) -> Field:
        """A file's field as it was counted: corrected by the profile, where one was there. Kept pictures are corrected already."""
        then, scope = one.metadata.get(FINGERPRINT), one.metadata.get(SCOPE)
        if not isinstance(then, str) or not isinstance(scope, str):
            return field
        if self._correction is None:
            profile = profile_named(scope)
            if profile is None or profile.fingerprint != then:
                raise UnreadableFieldError(
                    f"{field.name}: counted with a profile of {scope} that is not there any more"
                )
            self._correction = FieldCorrection(profile)
        return self._correction(field)

    def _kept(self, one: CountedField) -> Field:
        name = self._pictures.get(one.index)
        if name is None:
            raise UnreadableFieldError(f"{one.name}: no picture of it was kept (--keep)")
        picture = decode_image(self._folder / Path(name).name)
        return Field(picture, one.index, one.sample, one.name, dict(one.metadata))
