"""Fields to fill a book with: virtual ones or a folder's, read and analysed as ``edge-run`` does, told under rising numbers."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import cv2

from benchmarks.errors import NoInputError
from benchmarks.fields import virtual_folder
from edge import shelf
from edge.analysis import Analyser
from edge.classifier import Classifier
from edge.description import ModelLine, RunDescription
from edge.events import FieldEvent, SampleEvent
from edge.finders.learned import LearnedFinder
from edge.heap import keep_freed_memory
from edge.modelfile import Card
from edge.sample import Sample
from edge.sources.files import FileSource
from edge.types import FieldIdentity, FieldResult, Shot, UInt8Array
from edge.verdict.calibration import Bound
from edge.verdict.flag import decide

SIZE: Final = "1280x960"
"""Pixels of a virtual field."""

CELLS: Final = 120
"""Red cells of a virtual field."""

SECONDS_EACH: Final = 0.25
"""Run time that a field is said to take."""


@dataclass(frozen=True, slots=True, eq=False)
class FieldMaker:
    """Reads and analyses fields on one thread.

    Attributes:
        shots: of the fields, again and again.
        analyser: with the shelf's nets.
        about: what a run of it would say of itself.
    """

    shots: tuple[Shot, ...]
    analyser: Analyser
    about: RunDescription

    @property
    def card(self) -> Card:
        """The classifier's."""
        return self.about.card

    def make(self, number: int) -> tuple[FieldResult, UInt8Array]:
        """One field: its result and its pixels, uint8 [H, W, 3]."""
        field = self.shots[number % len(self.shots)].load()
        return self.analyser(field), field.rgb


def field_maker(folder: Path | None, most: int) -> FieldMaker:
    """Prepare to analyse fields.

    Args:
        folder: of pictures; None: virtual fields.
        most: fields taken of it.

    Raises:
        NoInputError: the folder holds no picture.
        ModelError: a model of the shelf is missing.
    """
    keep_freed_memory()  # as edge-run does
    cv2.setNumThreads(1)
    shots = tuple(FileSource([str(virtual_folder(SIZE, CELLS) if folder is None else folder)]))[:most]
    if not shots:
        raise NoInputError(f"{folder}: no image in it")
    model, finder = shelf.load(shelf.CLASSIFIER), LearnedFinder(shelf.load(shelf.FINDER))
    classifier = Classifier(model)
    line = ModelLine(classifier.card.name, model.sha256, finder.name, model.card_sha256)
    about = RunDescription(line, classifier.card, Bound(classifier.card.name, model.sha256, finder.name))
    return FieldMaker(shots, Analyser(finder, classifier), about)


class Telling:
    """Tells a sample's fields as a session does whose gate lets all of them count.

    Args:
        card: of the classifier.
        name: of the sample.
    """

    def __init__(self, card: Card, name: str) -> None:
        self._card = card
        self._name = name
        self._adding = Sample(name, card.labels)
        self._count = 0

    def field(self, result: FieldResult, rgb: UInt8Array | None) -> FieldEvent:
        """The next field, as if it came from a file of its own."""
        index = self._count
        self._count += 1
        path = f"/media/slides/{self._name}/field-{index:06d}.jpg"
        identity = FieldIdentity(path, 400_000 + index, hashlib.sha256(path.encode()).hexdigest())
        result = replace(result, index=index, sample=self._name, name=Path(path).name, identity=identity)
        self._adding.add(result, None)
        told = (index, self._name, result.name, result, rgb, None, self._adding.tally(), ())
        return FieldEvent(*told, result, SECONDS_EACH * index, identity)

    def end(self) -> SampleEvent:
        """The sample's end."""
        tally = self._adding.tally()
        seconds = SECONDS_EACH * self._count
        return SampleEvent(tally, decide(tally, self._card), seconds, appearance=self._adding.appearance())
