"""Float and int8 finder on the same fields, by the device's own code: F1, infected cells kept, agreement, speed."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from convert.errors import CellsError
from convert.measure.annotations import AnnotatedField
from convert.measure.bootstrap import FEW_GROUPS, QUICK_RESAMPLES, limits, resampled_sums, sums_by_group
from convert.measure.fields import FieldSet, read_image
from convert.measure.matching import Match, match_boxes, match_points, summarise
from edge.boxes import MATCHED, iou, pairs
from edge.errors import UnreadableFieldError
from edge.finders import Finder
from edge.finders.learned import LearnedFinder
from edge.modelfile import ModelFile
from edge.runtime import Net
from edge.types import Int32Array, UInt8Array

_ROUNDS = 15  # timed rounds; the fastest counts
Progress = Callable[[str, float], None]


@dataclass(frozen=True, slots=True, eq=False)
class FinderComparison:
    """What finders found on the same fields.

    Attributes:
        matches: per finder, one per field.
        boxes: per finder, int32 [n, 4] of what it counts, one per field.
        ms: per finder, milliseconds per field (median): preparing, net and decoding.
        groups: group of each field that was read.
        skipped: fields that could not be read, with the reason.
    """

    matches: Mapping[str, list[Match]]
    boxes: Mapping[str, list[Int32Array]]
    ms: Mapping[str, float]
    groups: tuple[str, ...]
    skipped: tuple[str, ...]


def judge(
    finders: Mapping[str, Finder], fields: FieldSet, positive: tuple[str, ...], progress: Progress
) -> FinderComparison:
    """Run all finders over all fields; raises CellsError where no field can be read or none of them has a cell."""
    matches: dict[str, list[Match]] = {name: [] for name in finders}
    boxes: dict[str, list[Int32Array]] = {name: [] for name in finders}
    took: dict[str, list[float]] = {name: [] for name in finders}
    groups, skipped = [], []
    for number, (field, group) in enumerate(zip(fields.fields, fields.groups, strict=True)):
        progress(f"{' and '.join(finders)} on annotated fields", number / len(fields))
        try:
            rgb = read_image(field)
        except UnreadableFieldError as error:
            skipped.append(str(error))
            continue
        groups.append(group)
        for name, finder in finders.items():
            start = time.perf_counter()
            cells = finder.find(rgb)
            took[name].append((time.perf_counter() - start) * 1e3)
            boxes[name].append(cells.boxes[cells.kind == 0])
            matches[name].append(match(boxes[name][-1], field, positive, (rgb.shape[0], rgb.shape[1])))
    if not groups:
        raise CellsError(f"no readable field to judge on ({len(skipped)} unreadable, the first: {skipped[0]})")
    if not any(one.true for one in next(iter(matches.values()))):
        raise CellsError("no cell is annotated in the fields to judge on (cells at the border do not count)")
    ms = {name: statistics.median(spent) for name, spent in took.items()}
    return FinderComparison(matches, boxes, ms, tuple(groups), tuple(skipped))


def match(boxes: Int32Array, field: AnnotatedField, positive: tuple[str, ...], shape: tuple[int, int]) -> Match:
    """One field's score: boxes at IoU 0.5, or centres against points where there are only these."""
    if field.points is not None:
        return match_points(boxes, field.points, shape)
    return match_boxes(boxes, field.boxes, field.of(positive), shape)


def f1(matches: Iterable[Match]) -> float:
    """Pooled F1, 0 where nothing is found."""
    pooled = list(matches)
    hits = sum(one.hits for one in pooled)
    return 2 * hits / max(1, sum(one.counted + one.true for one in pooled))


def figures(judged: FinderComparison, name: str) -> dict[str, Any]:
    """One finder's figures with 95 % intervals, and F1 of each group: plain values; what there is none of is None."""
    matches = judged.matches[name]
    out: dict[str, Any] = asdict(summarise(matches))
    values = _resampled(matches, judged.groups)
    out["f1_interval"] = limits(values[:, 0])
    if out["infected"]:
        out["infected_kept_interval"] = limits(values[:, 1])
    else:
        out["infected_kept"] = None
    return out


def lost_points(judged: FinderComparison) -> float:
    """Points of F1 that int8 loses against float on the same fields."""
    return (f1(judged.matches["float"]) - f1(judged.matches["int8"])) * 100


def drop(judged: FinderComparison) -> tuple[float, tuple[float, float]]:
    """``lost_points`` with the 95 % interval of the paired difference."""
    both = [_resampled(judged.matches[name], judged.groups)[:, 0] for name in ("float", "int8")]
    return lost_points(judged), limits((both[0] - both[1]) * 100)


def drawn_over(groups: Sequence[str]) -> str:
    """What the intervals resample: groups, or fields where groups are too few to say anything."""
    return "groups" if len(set(groups)) >= FEW_GROUPS else "fields"


def per_group(judged: FinderComparison, name: str) -> dict[str, float]:
    """F1 of each group, in order."""
    return {
        group: f1(one for one, own in zip(judged.matches[name], judged.groups, strict=True) if own == group)
        for group in dict.fromkeys(judged.groups)
    }


def agreement(one: Sequence[Int32Array], other: Sequence[Int32Array]) -> dict[str, float]:
    """How alike two finders' finds are: F1 of one against the other at IoU 0.5, and the median overlap of what agrees."""
    shared, overlaps, total = 0, [], 0
    for first, second in zip(one, other, strict=True):
        overlap = iou(first, second)
        matched = pairs(overlap, MATCHED)
        shared += len(matched)
        total += len(first) + len(second)
        overlaps += [float(overlap[pair]) for pair in matched]
    return {"boxes": 2 * shared / max(1, total), "median_iou": statistics.median(overlaps) if overlaps else 0.0}


def latency(files: Mapping[str, ModelFile], size: tuple[int, int]) -> dict[str, float]:
    """Microseconds of the net alone on one field of that (height, width), one thread: the fastest of 15 rounds.

    The files take turns, and whatever else the machine does only adds.
    """
    image = np.random.default_rng(0).integers(0, 256, (1, *size, 3), dtype=np.uint8)
    nets = {name: Net(file) for name, file in files.items()}
    times: dict[str, list[float]] = {name: [] for name in nets}
    for _ in range(_ROUNDS):
        for name, net in nets.items():
            start = time.perf_counter()
            net.run(image)
            times[name].append((time.perf_counter() - start) * 1e6)
    return {name: min(spent) for name, spent in times.items()}


class _Listening(Net):
    """A net that tells what it is fed."""

    def __init__(self, model: ModelFile, tell: Callable[[UInt8Array], None]) -> None:
        super().__init__(model)
        self._tell = tell

    def run(self, images: UInt8Array) -> list[Any]:
        self._tell(images[0])
        return super().run(images)


def as_fed(model: ModelFile, fields: Iterable[UInt8Array], size: tuple[int, int], seed: int) -> list[UInt8Array]:
    """What the device feeds the net of these fields, cut to one size: uint8 [h, w, 3] each.

    The finder settles on a scale by itself; its last input is taken, a random part where that is larger, mirrored on where
    it is smaller.
    """
    heard: list[UInt8Array] = []
    finder = LearnedFinder(model, lambda file: _Listening(file, heard.append))
    rng = np.random.default_rng([seed, 31])
    images = []
    for rgb in fields:
        finder.find(rgb)
        images.append(cut(heard[-1], size, rng))
        heard.clear()
    return images


def cut(image: UInt8Array, size: tuple[int, int], rng: np.random.Generator) -> UInt8Array:
    """A random part of that (height, width), mirrored on where the image is smaller: uint8 [H, W, 3] to [h, w, 3]."""
    short = [max(0, want - have) for want, have in zip(size, image.shape[:2], strict=True)]
    if any(short):
        image = np.pad(image, ((0, short[0]), (0, short[1]), (0, 0)), mode="symmetric")
    top, left = (int(rng.integers(have - want + 1)) for want, have in zip(size, image.shape[:2], strict=True))
    return np.ascontiguousarray(image[top : top + size[0], left : left + size[1]])


def _resampled(matches: Sequence[Match], groups: Sequence[str]) -> np.ndarray:
    """F1 and infected kept of each bootstrap resample, float [resamples, 2]; the resamples are the same for every finder."""
    counts = np.array([(m.hits, m.counted + m.true, m.infected, m.infected_lost) for m in matches], float)
    if drawn_over(groups) == "groups":
        counts = sums_by_group(counts, np.array(groups))
    hits, both, infected, lost = resampled_sums(counts, QUICK_RESAMPLES).T
    kept = np.where(infected > 0, 1 - lost / np.maximum(infected, 1), np.nan)
    return np.stack([2 * hits / np.maximum(both, 1), kept], axis=1)
