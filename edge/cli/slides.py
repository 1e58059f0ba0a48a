"""The counted cells of known slides, and the files they are kept in: a cache of ``edge calibrate``, COCO of ``edge-run``."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from edge.appearance import MEASURES
from edge.errors import NoInputError
from edge.lines import plain
from edge.modelfile import Card
from edge.safe_file import whole_file
from edge.types import FloatArray, Int32Array
from edge.verdict.calibration import Bound
from edge.verdict.choose import SlideScores
from edge.words import is_set_aside

_LARGEST_JSON = 2**30
"""Bytes of a COCO file that is read into memory: about a million cells need a third of it."""


@dataclass(frozen=True, slots=True, eq=False)
class Slide:
    """The counted cells of one slide.

    Attributes:
        names: names of its kept fields.
        of: int32 [n], for each cell its field's place in ``names``.
        boxes: int32 [n, 4], x, y, w, h in field pixels.
        scores: float32 [n, k] in the model's class order.
        seconds: time that counting took; None: not measured.
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
        """Return what the statistics need."""
        return SlideScores(self.name, len(self.names), self.scores, self.appearance)


def slide_of(
    name: str, parts: Sequence[tuple[str, Int32Array, FloatArray]], classes: int, appearance: Mapping[str, float]
) -> Slide:
    """Put a slide together from its fields: (name, boxes int32 [n, 4], scores float32 [n, k])."""
    of = np.repeat(np.arange(len(parts), dtype=np.int32), [len(boxes) for _, boxes, _ in parts])
    boxes = np.concatenate([np.empty((0, 4), np.int32), *(boxes for _, boxes, _ in parts)])
    scores = np.concatenate([np.empty((0, classes), np.float32), *(scores for _, _, scores in parts)])
    return Slide(name, tuple(field for field, _, _ in parts), of, boxes, scores, appearance=appearance)


def save_slides(path: Path, slides: list[Slide]) -> None:
    """Write slides to the cache; raises OutputError."""
    arrays: dict[str, np.ndarray] = {}
    for i, slide in enumerate(slides):
        arrays |= {f"of{i}": slide.of, f"boxes{i}": slide.boxes, f"scores{i}": slide.scores}
    words = json.dumps([[slide.name, slide.names, slide.seconds, dict(slide.appearance)] for slide in slides])
    with whole_file(path) as stream:
        np.savez_compressed(stream.buffer, words=np.array(words), **arrays)  # type: ignore[arg-type]


def load_slides(path: Path, classes: int) -> list[Slide]:
    """Read slides of the cache, of a model with so many classes; raises NoInputError for a damaged file or another model's."""
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
    """Read slides from a file that ``edge-run --detections`` wrote: one per sample in it.

    Raises:
        NoInputError: it cannot be read, is another kind of file, or comes from another model or finder.
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
