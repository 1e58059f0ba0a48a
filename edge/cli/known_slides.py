"""Scores of every cell of known slides: from folders through the pipeline of ``edge-run``, or from its COCO files."""

from __future__ import annotations

import hashlib
import os
from dataclasses import replace
from pathlib import Path
from time import monotonic

import cv2

from edge.cli.field_source import gate_of, open_fields, register_of, say_what_is_left_out
from edge.cli.outlets import progress_line
from edge.cli.pipeline import CellPipeline, make_pipeline
from edge.cli.run_settings import RunSettings
from edge.cli.scoped import scoped_files
from edge.cli.settings import InputSettings
from edge.cli.slides import Slide, load_slides, read_coco, save_slides, slide_of
from edge.door import StoppedError, stop_on_signals
from edge.errors import NoInputError
from edge.events import FieldEvent, Output, SampleEvent
from edge.modelfile import Card
from edge.safe_file import plain_errors
from edge.scope.file import facts as settled_facts
from edge.session import Ending, Session
from edge.types import FloatArray, Int32Array, SampleAppearance
from edge.verdict.calibration import Bound
from edge.workers import Workers


class _Keeper:
    """An output that keeps the counted cells of each sample as a slide."""

    def __init__(self, classes: int) -> None:
        self.slides: list[Slide] = []
        self._classes = classes
        self._parts: list[tuple[str, Int32Array, FloatArray]] = []

    def field(self, event: FieldEvent) -> None:
        if event.result is not None and event.kept:
            counted = event.result.classes >= 0
            self._parts.append((event.name, event.result.cells.boxes[counted], event.result.scores[counted]))

    def sample(self, event: SampleEvent) -> None:
        looks = event.appearance.values if event.appearance else {}
        self.slides.append(slide_of(event.tally.sample, self._parts, self._classes, looks))
        self._parts = []

    def close(self) -> None:
        """Nothing is held open."""

    discard = close


class SlideReader:
    """Runs folders through one pipeline, set up once.

    Args:
        settings: as of ``edge-run``; only nets, fields and process matter.
        scope: name of the microscope, or None.
        cache: folder that keeps finished inputs, or None.

    Raises:
        EdgeError: as ``edge-run`` does for its models.
    """

    def __init__(self, settings: RunSettings, scope: str | None, cache: Path | None) -> None:
        cv2.setNumThreads(1)
        gate, process = settings.fields.gate, settings.process
        pipeline = make_pipeline(settings.nets, process, gate=gate, scope=scope)
        self.card: Card = pipeline.card
        self.bound: Bound = pipeline.bound
        self._pipeline = pipeline
        self._fitness = pipeline.fitness()
        self._settled = "" if pipeline.settled is None else repr(settled_facts(pipeline.settled))
        self._settings = settings
        self._cache = cache
        if cache is not None:
            with plain_errors(cache):
                cache.mkdir(parents=True, exist_ok=True)

    def slides(self, text: str) -> list[Slide]:
        """Return the slides of one input: a folder (or its sub-folders, if it holds no images itself), a video, or a COCO file.

        Raises:
            NoInputError: there is nothing in it.
            StoppedError: somebody stopped it; finished inputs are in the cache.
        """
        if text.lower().endswith(".json"):
            return read_coco(Path(text), self.card, self.bound)
        kept = self._kept_file(text)
        if kept is not None and kept.exists():
            return load_slides(kept, len(self.card.labels))
        slides = self._run(text)
        if kept is not None:
            save_slides(kept, slides)
        return slides

    def doubts(self, slide: Slide) -> tuple[str, ...]:
        """Say why this slide is not what the models were made for; empty: nothing speaks against it, or it was not measured."""
        if not slide.appearance:
            return ()
        return self._fitness(SampleAppearance(len(slide.names), len(slide.scores), slide.appearance))

    def _run(self, text: str) -> list[Slide]:
        source_settings = InputSettings(inputs=(text,), sample_per_folder=holds_folders(text))
        settings = replace(self._settings, input=source_settings)
        keeper, began = _Keeper(len(self.card.labels)), monotonic()
        ending, stopped = run_through(settings, self._pipeline, keeper, "edge calibrate")
        if stopped:
            cache = self._cache
            kept = f"finished slides are kept in {cache}" if cache else "--cache DIR would keep finished slides"
            raise StoppedError(f"no calibration is written; {kept}")
        if ending.error is not None:
            raise ending.error
        if ending.unreadable:
            raise NoInputError(
                f"{text}: {ending.unreadable} of its images cannot be read: a calibration needs them all"
            )
        # Slides of one run share the workers: their times overlap, and each has its part of the whole.
        pace = (monotonic() - began) / max(sum(len(slide.names) for slide in keeper.slides), 1)
        return [replace(slide, seconds=pace * len(slide.names)) for slide in keeper.slides]

    def _kept_file(self, text: str) -> Path | None:
        if self._cache is None:
            return None
        files = sorted(p for p in Path(text).rglob("*") if p.is_file()) if Path(text).is_dir() else [Path(text)]
        fields, grid = self._settings.fields, self._settings.nets.grid
        facts = [f"overlap {fields.overlap}", self._settled]
        facts += [repr(self.bound), repr(self.card.threshold) if grid else "", os.path.realpath(text)]
        facts += [f"z {fields.z} depth {fields.depth}"] if fields.z or fields.depth else []
        facts += [f"{p} {p.stat().st_size} {p.stat().st_mtime_ns}" for p in files if p.exists()]
        return self._cache / f"{hashlib.sha256(os.fsencode(chr(10).join(facts))).hexdigest()[:24]}.npz"


def run_through(settings: RunSettings, pipeline: CellPipeline, keeper: Output, program: str) -> tuple[Ending, bool]:
    """Run all fields of these settings' input through a pipeline, gate and register.

    Args:
        settings: input, nets and fields are used.
        pipeline: what finds and classifies.
        keeper: gets every event.
        program: name that lines for a person begin with.

    Returns:
        How it ended, and whether somebody stopped it.
    """
    source = scoped_files(open_fields(settings.input, settings.fields), settings.input, pipeline.profile)
    say_what_is_left_out(source, program)
    outputs: list[Output] = [keeper, *progress_line(settings, pipeline.card, source.total)]
    gate, register = gate_of(settings.fields, settings.nets), register_of(settings.fields, settings.nets)
    session = Session(pipeline.card, outputs, gate, unit=settings.nets.unit, register=register)
    workers = None
    try:
        with Workers(source, pipeline.analysers()) as workers, stop_on_signals(workers.stop) as stopped:
            ending = session.run(workers)
    finally:
        if workers is None or workers.idle:
            source.close()
    return ending, stopped.is_set()


def holds_folders(text: str) -> bool:
    """Whether this is a folder of folders, each a sample, and holds no images itself."""
    from edge.sources.files import PICTURE_SUFFIXES  # noqa: PLC0415 - comes with OpenCV's limits set

    path = Path(text)
    if not path.is_dir():
        return False
    entries = [entry for entry in path.iterdir() if not entry.name.startswith(".")]
    images = any(entry.suffix.lower() in PICTURE_SUFFIXES and not entry.is_dir() for entry in entries)
    return not images and any(entry.is_dir() for entry in entries)
