"""Scores of every cell of known slides: from folders through the same pipeline as ``edge-run``, or from its COCO files."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from pathlib import Path
from time import monotonic

import cv2
import numpy as np

from edge import shelf
from edge.analysis import Analyser
from edge.appearance import MEASURES
from edge.cli import build
from edge.cli.judging import bound_of
from edge.cli.outlets import progress_line
from edge.door import StoppedError, quiet_native_stderr, stop_on_signals
from edge.errors import NoInputError
from edge.lines import plain
from edge.modelfile import Card
from edge.outputs import FieldEvent, Output, SampleEvent
from edge.safe_file import plain_errors, whole_file
from edge.session import Session
from edge.types import FloatArray, Int32Array, SampleAppearance
from edge.verdict.calibration import Bound
from edge.verdict.choose import SlideScores
from edge.words import is_set_aside
from edge.workers import Workers

_LARGEST_JSON = 2**30


@dataclass(frozen=True, slots=True, eq=False)
class Slide:
    """A slide's counted cells.

    Attributes:
        names: of its kept fields; ``of`` int32 [n] says which of them each cell is on.
        boxes: int32 [n, 4], x, y, w, h in field pixels.
        scores: float32 [n, k] in the model's class order.
        seconds: what it took; None: not measured.
        appearance: what its kept fields look like (``edge.appearance``); empty: not measured.
    """

    name: str
    names: tuple[str, ...]
    of: Int32Array
    boxes: Int32Array
    scores: FloatArray
    seconds: float | None = None
    appearance: Mapping[str, float] = field(default_factory=dict)

    def plain(self) -> SlideScores:
        """What the statistics need of it."""
        return SlideScores(self.name, len(self.names), self.scores, self.appearance)


class _Keeper:
    """An output that keeps what fields hold, sample by sample."""

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


def slide_of(
    name: str, parts: Sequence[tuple[str, Int32Array, FloatArray]], classes: int, appearance: Mapping[str, float]
) -> Slide:
    """A slide from its fields: (name, boxes int32 [n, 4], scores float32 [n, k])."""
    of = np.repeat(np.arange(len(parts), dtype=np.int32), [len(boxes) for _, boxes, _ in parts])
    boxes = np.concatenate([np.empty((0, 4), np.int32), *(boxes for _, boxes, _ in parts)])
    scores = np.concatenate([np.empty((0, classes), np.float32), *(scores for _, _, scores in parts)])
    return Slide(name, tuple(field for field, _, _ in parts), of, boxes, scores, appearance=appearance)


class Collector:
    """Runs folders through one pipeline, set up once.

    Args:
        options: as for ``edge-run``; its inputs are replaced.
        cache: folder in which finished inputs are kept, or None.

    Raises:
        EdgeError: as ``edge-run`` does for its models.
    """

    def __init__(self, options: build.Options, cache: Path | None) -> None:
        cv2.setNumThreads(1)
        model = shelf.load(shelf.CLASSIFIER if options.model is None else options.model)
        with nullcontext() if options.debug else quiet_native_stderr():
            self.card: Card = build.classifier_card(model, options)
            pairs = build.finders_and_classifiers(model, self.card, options)
        merge = build.merger(options)
        self._analysers = [Analyser(finder, classifier, merge) for finder, classifier in pairs]
        self.bound: Bound = bound_of(options, model, self.card, pairs[0][0].name)
        self._fitness = build.fitness_of(self.card, pairs[0][0], None, options)
        self._options = options
        self._cache = cache
        if cache is not None:
            with plain_errors(cache):
                cache.mkdir(parents=True, exist_ok=True)

    def slides(self, text: str) -> list[Slide]:
        """The slides of one input: a folder (or its sub-folders, where it holds no images itself), a video, or a COCO file.

        Raises:
            NoInputError: there is nothing in it.
            StoppedError: somebody stopped it; what was finished before is in the cache.
        """
        if text.lower().endswith(".json"):
            return read_coco(Path(text), self.card, self.bound)
        kept = self._kept_file(text)
        if kept is not None and kept.exists():
            return _load(kept, len(self.card.labels))
        slides = self._run(text)
        if kept is not None:
            _save(kept, slides)
        return slides

    def doubts(self, slide: Slide) -> tuple[str, ...]:
        """Why this slide is not what the models were made for, in sentences; empty: nothing speaks against it, or not measured."""
        if not slide.appearance:
            return ()
        return self._fitness(SampleAppearance(len(slide.names), len(slide.scores), slide.appearance))

    def _run(self, text: str) -> list[Slide]:
        options = replace(self._options, inputs=(text,), sample_per_folder=_holds_folders(text))
        source = build.open_fields(options)
        build.say_what_is_left_out(source, "edge calibrate")
        keeper = _Keeper(len(self.card.labels))
        outputs: list[Output] = [keeper, *progress_line(options, self.card, source.total)]
        gate, register = build.gate_of(options), build.register_of(options)
        session = Session(self.card, outputs, gate, unit=options.unit, register=register)
        workers, began = None, monotonic()
        try:
            with Workers(source, self._analysers) as workers, stop_on_signals(workers.stop) as stopped:
                ending = session.run(workers)
        finally:
            if workers is None or workers.idle:
                source.close()
        if stopped.is_set():
            kept = (
                f"finished slides are kept in {self._cache}"
                if self._cache
                else "--cache DIR would keep finished slides"
            )
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
        facts = [f"overlap {self._options.overlap}"]
        facts += [repr(self.bound), repr(self.card.threshold) if self._options.grid else "", os.path.realpath(text)]
        facts += [f"z {self._options.z} depth {self._options.depth}"] if self._options.z or self._options.depth else []
        facts += [f"{p} {p.stat().st_size} {p.stat().st_mtime_ns}" for p in files if p.exists()]
        return self._cache / f"{hashlib.sha256(os.fsencode(chr(10).join(facts))).hexdigest()[:24]}.npz"


def _holds_folders(text: str) -> bool:
    from edge.sources.files import PICTURE_SUFFIXES  # noqa: PLC0415 - comes with OpenCV's limits set

    path = Path(text)
    if not path.is_dir():
        return False
    entries = [entry for entry in path.iterdir() if not entry.name.startswith(".")]
    images = any(entry.suffix.lower() in PICTURE_SUFFIXES and not entry.is_dir() for entry in entries)
    return not images and any(entry.is_dir() for entry in entries)


def _save(path: Path, slides: list[Slide]) -> None:
    arrays: dict[str, np.ndarray] = {}
    for i, slide in enumerate(slides):
        arrays |= {f"of{i}": slide.of, f"boxes{i}": slide.boxes, f"scores{i}": slide.scores}
    words = json.dumps([[slide.name, slide.names, slide.seconds, dict(slide.appearance)] for slide in slides])
    with whole_file(path) as stream:
        np.savez_compressed(stream.buffer, words=np.array(words), **arrays)  # type: ignore[arg-type]


def _load(path: Path, classes: int) -> list[Slide]:
    try:
        with np.load(path, allow_pickle=False) as kept:
            words = json.loads(str(kept["words"]))
            slides = [
                Slide(name, tuple(names), kept[f"of{i}"], kept[f"boxes{i}"], kept[f"scores{i}"], seconds, looks)
                for i, (name, names, seconds, looks) in enumerate(words)
            ]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise NoInputError(f"{path}: this cached file is damaged: remove it") from error
    if any(slide.scores.shape[1:] != (classes,) for slide in slides):
        raise NoInputError(f"{path}: this cached file is of another model: remove it")
    return slides


def read_coco(path: Path, card: Card, bound: Bound) -> list[Slide]:
    """Slides from a file that ``edge-run --detections`` wrote; one per sample in it.

    Raises:
        NoInputError: it cannot be read, is no such file, or is of another model or finder.
    """
    try:
        if path.stat().st_size > _LARGEST_JSON:
            raise NoInputError(f"{path}: too large")
        raw = json.loads(path.read_bytes())
        info = raw["info"]
        made_by = str(info["model"]["sha256"]), str(info["finder"])
        if made_by != (bound.model_sha256, bound.finder):
            raise NoInputError(f"{path}: made with another model or finder ({made_by[0][:12]}, {plain(made_by[1])})")
        return _coco_slides(raw, card)
    except OSError as error:
        raise NoInputError(f"{path}: cannot be read: {error.strerror}") from error
    except (ValueError, KeyError, TypeError, IndexError, OverflowError, RecursionError) as error:
        raise NoInputError(f"{path}: not a file that edge-run --detections wrote") from error


def _coco_slides(raw: dict[str, object], card: Card) -> list[Slide]:
    classes = [c for c in raw["categories"] if not is_set_aside(c["name"], c.get("supercategory"))]  # type: ignore[attr-defined]
    counted = {c["id"] for c in classes if c["name"] in card.labels}
    cells: dict[int, list[tuple[list[int], list[float]]]] = {}
    for a in raw["annotations"]:  # type: ignore[attr-defined]
        if a["category_id"] in counted:
            cells.setdefault(a["image_id"], []).append((a["bbox"], a["scores"]))
    samples: dict[str, list[tuple[str, Int32Array, FloatArray]]] = {}
    for image in raw["images"]:  # type: ignore[attr-defined]
        mine = cells.get(image["id"], [])
        boxes = np.array([box for box, _ in mine], np.int32).reshape(-1, 4)
        scores = np.array([s for _, s in mine], np.float32).reshape(-1, len(card.labels))
        if len(scores) != len(boxes) or not np.isfinite(scores).all():
            raise ValueError("scores")
        samples.setdefault(str(image["sample"]), []).append((str(image["file_name"]), boxes, scores))
    measured = {str(s["name"]): s["appearance"] for s in raw.get("samples", [])}  # type: ignore[attr-defined]
    looks = {name: {m: float(values[m]) for m in MEASURES if m in values} for name, values in measured.items()}
    return [slide_of(plain(name), parts, len(card.labels), looks.get(name, {})) for name, parts in samples.items()]
