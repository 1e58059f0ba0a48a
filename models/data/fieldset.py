"""Cells of annotated fields, as the project's own finder and crops give them: what the device will show the net.

A find is what the annotated box says that it overlaps by at least half (intersection over union); a find without a box is background
(annotators leave out cells, and what is no cell at all is a hard negative). To learn from, the annotated boxes of all but the
background are added with the jitter of a finder, several times where they are few. An annotated cell without a find is lost.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from convert.errors import CellsError
from convert.measure.annotations import AnnotatedField
from convert.measure.fields import FieldSet, read_fields, read_image
from convert.measure.matching import assign
from convert.measure.reading import Progress, check_readable
from convert.measure.typicals import CellTypicals, middle, typicals_of
from edge import shelf
from edge.analysis import set_aside_cut
from edge.boxes import inside
from edge.crops import compared, crop_cells
from edge.door import quiet_native_stderr
from edge.errors import UnreadableFieldError
from edge.finders import Finder
from edge.finders.classical import ClassicalFinder
from edge.finders.learned import LearnedFinder
from edge.modelfile import CropSpec
from edge.types import Int32Array, UInt8Array
from models.data.cells import BOX, FOUND, HARD, LabelledCells, join
from models.data.classes import ClassScheme
from models.data.crops import jitter, varied, with_slack
from models.data.second_reading import Amend
from models.data.streams import RandomStream

CLASSICAL = "classical"
COPIES = 8
"""Times a box of a rare class is learned from, each time moved otherwise."""

_RARE = 4000  # boxes of a class that need no copies


def finder_of(name: str) -> Finder:
    """``classical``, or a learned finder by its name on the shelf or its path; raises ModelError."""
    with quiet_native_stderr():
        return ClassicalFinder() if name == CLASSICAL else LearnedFinder(shelf.load(name))


@dataclass(frozen=True, slots=True, eq=False)
class Fields:
    """Annotated fields and the finder that looks at them; no image is opened yet.

    Attributes:
        name: of the folder.
        fields: with groups.
        finder: finds the cells.
        notes: what was noticed, in words.
        finders: by group, the finder that looks at its fields instead: one that never learned from them.
        boxes: annotated boxes are learned from too.
        amend: what a second reading changes in the annotations, to learn from.
    """

    name: str
    fields: FieldSet
    finder: Finder
    notes: tuple[str, ...] = ()
    finders: Mapping[str, Finder] = field(default_factory=dict)
    boxes: bool = True
    amend: Amend | None = None

    def names(self) -> Counter[str]:
        """How often each name is annotated."""
        return Counter(kind for one in self.fields.fields for kind in one.types)

    def group_names(self) -> list[str]:
        """Groups, each once."""
        return sorted(set(self.fields.groups))

    def read(
        self, plan: ClassScheme, spec: CropSpec, progress: Progress, *, learn: bool = False
    ) -> tuple[LabelledCells, list[str]]:
        """The cells, and what was noticed.

        Args:
            plan: the classes; it needs a background.
            spec: of the crops.
            progress: gets progress.
            learn: crops to learn from: uncoloured and with slack (``models.data.crops``), with the annotated boxes of all
                but the background.
        """
        if plan.background is None:
            raise CellsError("fields need a class for what is found and not annotated: --background NAME")
        counts = self.names()
        copies = np.ones(len(plan.labels), int)
        for label in range(len(plan.labels)):
            mine = sum(count for name, count in counts.items() if plan.index(name) == label)
            copies[label] = int(np.clip(_RARE // max(mine, 1), 1, COPIES))
        parts: list[LabelledCells] = []
        unreadable: list[str] = []
        faults: Counter[str] = Counter()
        seen: set[bytes] = set()
        for number, (one, group) in enumerate(zip(self.fields.fields, self.fields.groups, strict=True)):
            progress(f"finding the cells of {self.name}", number / len(self.fields))
            try:
                digest = hashlib.sha256(one.path.read_bytes()).digest() if one.path.is_file() else b""
                if digest in seen:
                    faults["fields are copies of others there: left out"] += 1
                    continue
                rgb = read_image(one)
            except UnreadableFieldError as error:
                unreadable.append(str(error))
                continue
            seen.add(digest)
            truth = sound(one, rgb, faults)
            if learn and self.amend is not None:
                truth = self.amend(truth)
            known = _One(rgb, truth, f"{self.name}/{group}", np.random.default_rng([number, RandomStream.FIELD_BOXES]))
            found = _found(self.finders.get(group, self.finder), rgb, truth, plan)
            parts.append(_cells(found, known, plan, spec, learn=learn, copies=copies if learn and self.boxes else None))
        notes = [*self.notes, *check_readable(unreadable, len(self.fields), self.name)]
        notes += [f"{count} {what} ({self.name})" for what, count in faults.items()]
        parts = [part for part in parts if len(part) or len(part.lost_truth)]
        if not sum(len(part) for part in parts):
            raise CellsError(f"{self.name}: no cell is found in its fields")
        return join(parts), notes


def open_fields(folder: Path, annotations: Path | None, group_by: str | None, finder: str) -> Fields:
    """The annotated fields of a folder; raises CellsError, and ModelError where there is no such finder."""
    fields = read_fields(folder, annotations, group_by)
    notes = []
    if fields.pointed:
        raise CellsError(f"{folder}: cells are marked by points, which have no class: boxes are needed")
    if fields.scored:
        count = sum(one.scored for one in fields.fields)
        notes.append(
            f"annotations of {count} of {len(fields)} fields of {folder.resolve().name} carry a score: a program drew them. If "
            "nobody has corrected them, what is learned or measured here is the program's own opinion"
        )
    return Fields(folder.resolve().name, fields, finder_of(finder), tuple(notes))


def sound(one: AnnotatedField, rgb: UInt8Array, faults: Counter[str]) -> AnnotatedField:
    """The field with boxes that lie in it: those whose middle is outside are left out, others cut at the border; both are counted."""
    height, width = rgb.shape[:2]
    middle = one.boxes[:, :2] + one.boxes[:, 2:] / 2
    stays = np.asarray(((middle >= 0) & (middle < (width, height))).all(axis=1), bool)
    if not stays.all():
        faults["annotated boxes lie outside their image: left out"] += int((~stays).sum())
    corners = np.hstack([one.boxes[:, :2], one.boxes[:, :2] + one.boxes[:, 2:]])
    clipped = np.clip(corners, 0, (width, height, width, height)).astype(np.int32)
    cut = stays & (clipped != corners).any(axis=1)
    if cut.any():
        faults["annotated boxes overrun their image: cut at its border"] += int(cut.sum())
    boxes = np.hstack([clipped[:, :2], clipped[:, 2:] - clipped[:, :2]])[stays]
    types = tuple(kind for kind, stay in zip(one.types, stays.tolist(), strict=True) if stay)
    return replace(one, boxes=boxes.astype(np.int32), types=types)


@dataclass(frozen=True, slots=True, eq=False)
class _Finds:
    """What a finder found in one field.

    Attributes:
        boxes: int32 [n, 4], all that the device would classify.
        use: which of them count here, bool [n].
        truth: class, int32 [n].
        role: int8 [n].
        lost: class of each annotated cell that has no find, int32 [m].
    """

    boxes: Int32Array
    use: np.ndarray
    truth: Int32Array
    role: np.ndarray
    lost: Int32Array


@dataclass(frozen=True, slots=True, eq=False)
class _One:
    """One field: its image, its sound annotations, its group, and the chance that moves its boxes."""

    rgb: UInt8Array
    truth: AnnotatedField
    group: str
    rng: np.random.Generator


def _found(finder: Finder, rgb: UInt8Array, known: AnnotatedField, plan: ClassScheme) -> _Finds:
    """Finds with their classes. Truth near the border does not count, nor does what matches it or lies there itself."""
    shape = (rgb.shape[0], rgb.shape[1])
    cells = set_aside_cut(finder.find(rgb), shape)
    boxes = cells.boxes[cells.kind == 0]
    annotated = plan.indices(known.types)
    match = assign(boxes, known.boxes, shape, annotated >= 0)
    truth = match.of_finds(annotated, plan.background_index).astype(np.int32)
    role = np.where(match.of >= 0, FOUND, HARD).astype(np.int8)
    return _Finds(boxes, match.counts, truth, role, annotated[match.lost])


def _cells(
    found: _Finds, one: _One, plan: ClassScheme, spec: CropSpec, *, learn: bool, copies: np.ndarray | None
) -> LabelledCells:
    """Crops of one field; they are compared with the typical cell of all that was found, as on the device."""
    rgb, known = one.rgb, one.truth
    cutting = with_slack(spec) if learn else replace(spec, normalise="none")
    plain = crop_cells(rgb, found.boxes, cutting)
    truth, role = found.truth[found.use], found.role[found.use]
    parts = [plain[found.use]]
    if copies is not None:
        annotated = plan.indices(known.types)
        whole = inside(known.boxes, (rgb.shape[0], rgb.shape[1]), 1)
        rare = (annotated >= 0) & (annotated != plan.background_index) & whole
        repeat = copies[annotated[rare]]
        moved = jitter(np.repeat(known.boxes[rare].astype(np.float32), repeat, axis=0), one.rng)
        parts.append(crop_cells(rgb, moved, cutting))
        truth = np.concatenate([truth, np.repeat(annotated[rare], repeat)])
        role = np.concatenate([role, np.full(len(moved), BOX, np.int8)])
    crops = np.concatenate(parts)
    seen, classes = (plain, found.truth) if len(plain) else (crops, truth)
    healthy = classes == plan.background_index
    typical = _typical(middle(seen, spec.size), healthy, len(crops), one.rng if learn else None)
    return LabelledCells(
        crops if learn else compared(crops, spec, None if typical is None else typical.typical),
        truth.astype(np.int32),
        plan.labels,
        np.full(len(crops), one.group),
        np.zeros(len(crops), np.int32),
        role,
        found.lost,
        np.full(len(found.lost), one.group),
        np.zeros(len(found.lost), np.int32),
        typical,
    )


def _typical(seen: UInt8Array, healthy: np.ndarray, count: int, rng: np.random.Generator | None) -> CellTypicals | None:
    """The typical cell of a field for ``count`` cells: to learn from, that of its healthy ones with variants, else of all."""
    if not len(seen):
        return None
    if rng is not None:
        return varied(seen, healthy, count, rng)
    return replace(typicals_of(seen, np.zeros(len(seen), np.int32)), of=np.zeros(count, np.int32))
