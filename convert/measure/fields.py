"""Annotated fields as ``quantize --task finder`` uses them: whole blocks or groups calibrate, the others judge."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from convert.errors import CellsError
from convert.measure.annotations import AnnotatedField, find_annotations, read_annotations
from convert.measure.cells import draws
from convert.measure.listing import compiled, group_name
from edge.errors import UnreadableFieldError
from edge.sources.decode import decode_image
from edge.types import UInt8Array
from edge.virtual_slide import FieldTruth, SlideSpec, render_field

SHARE = 1 / 3
"""The largest share of the fields that calibrates; a hundred are plenty, and the others make the figures."""

_FIRST_SEED = 7000  # of the virtual slides, one field of each
_VIRTUAL = 24  # of them


@dataclass(frozen=True, slots=True, eq=False)
class FieldSet:
    """Fields with their truth; images stay on disk.

    Attributes:
        fields: in the order of their names.
        groups: str [n]: what is never split: the slide, or the block of consecutive fields.
        grouped: whether the groups are the user's (``--group-by``, or each image's ``group`` in the annotations).
    """

    fields: tuple[AnnotatedField, ...]
    groups: tuple[str, ...]
    grouped: bool

    def __len__(self) -> int:
        return len(self.fields)

    def take(self, rows: Sequence[int] | np.ndarray) -> FieldSet:
        """Some of the fields: int or bool [n]."""
        chosen = np.arange(len(self))[np.asarray(rows)]
        return replace(self, fields=tuple(self.fields[i] for i in chosen), groups=tuple(self.groups[i] for i in chosen))

    @property
    def pointed(self) -> bool:
        """Whether cells are marked by their centres only."""
        return any(one.points is not None for one in self.fields)

    @property
    def scored(self) -> bool:
        """Whether a program drew the annotations, as ``edge-run --detections`` does."""
        return any(one.scored for one in self.fields)

    @property
    def types(self) -> tuple[str, ...]:
        """Names of all that is annotated, the most frequent first."""
        names = [kind for one in self.fields for kind in one.types]
        return tuple(sorted(set(names), key=lambda name: (-names.count(name), name)))


def read_fields(folder: Path, annotations: Path | None, group_by: str | None) -> FieldSet:
    """The annotated fields of a folder; no image is opened.

    ``group_by`` finds the group in a file's name. Without it the group is what the annotations say of the image, else its block.

    Raises:
        CellsError: no annotations, of no known form, no image of theirs is there, or ``group_by`` does not fit.
    """
    file = find_annotations(folder, annotations)
    pattern = compiled(group_by)
    fields = read_annotations(folder, file)
    if not any(one.path.is_file() for one in fields):
        raise CellsError(f"{folder}: none of the {len(fields)} annotated images is there, e.g. {fields[0].path.name}")
    if pattern is None:
        said = tuple(one.group or f"block {one.block}" for one in fields)
        return FieldSet(tuple(fields), said, grouped=all(one.group for one in fields))
    names = [one.path.relative_to(folder).as_posix() for one in fields]
    groups = tuple(found for name in names if (found := group_name(name, pattern)) is not None)
    if lost := len(fields) - len(groups):
        raise CellsError(f"--group-by {group_by!r} is not found in {lost} of {len(fields)} file names, e.g. {names[0]}")
    return FieldSet(tuple(fields), groups, grouped=True)


def split(fields: FieldSet, positive: tuple[str, ...], seed: int) -> tuple[FieldSet, FieldSet]:
    """(calibration, check): whole groups by the hash of their name; the check keeps infected cells where there are any.

    Raises CellsError where there is one group only.
    """
    if len(set(fields.groups)) < 2:
        what = f"{'group' if fields.grouped else 'block of consecutive fields'} ({fields.groups[0]})"
        raise CellsError(f"all {len(fields)} fields are one {what}: none is left to check the result on")
    infected = np.array([one.of(positive).any() for one in fields.fields], bool)
    calibrates = np.zeros(len(fields), bool)
    for calibrates in draws(fields.groups, str(seed), SHARE):
        if not infected.any() or infected[~calibrates].any():
            break
    return fields.take(calibrates), fields.take(~calibrates)


def spread(fields: FieldSet, count: int) -> FieldSet:
    """Up to ``count`` fields, evenly over the order."""
    return fields.take(np.unique(np.linspace(0, len(fields) - 1, min(count, len(fields))).round().astype(int)))


def read_image(field: AnnotatedField) -> UInt8Array:
    """The image, uint8 [H, W, 3]; raises UnreadableFieldError, also where the annotations were made for another size."""
    if not field.path.is_file():
        raise UnreadableFieldError(f"{field.path}: there is no such image")
    rgb = decode_image(field.path)
    size = (rgb.shape[1], rgb.shape[0])
    if field.size is not None and field.size != size:
        there, wanted = (f"{width}x{height}" for width, height in (size, field.size))
        raise UnreadableFieldError(f"{field.path}: {there} pixels, annotated at {wanted}")
    return rgb


def virtual_fields(progress: Callable[[str, float], None]) -> list[UInt8Array]:
    """Fields of virtual slides of different stain, lamp and lens, uint8 [480, 640, 3]: to calibrate on, of no known worth."""
    images = []
    for number in range(_VIRTUAL):
        progress("drawing fields of virtual slides", number / _VIRTUAL)
        images.append(virtual_field(_FIRST_SEED + number, cell_px=33.0, parasitaemia=0.1)[0])
    return images


def virtual_field(seed: int, *, cell_px: float, parasitaemia: float) -> tuple[UInt8Array, FieldTruth]:
    """The first field of a virtual slide, uint8 [480, 640, 3], and what is on it."""
    spec = SlideSpec(seed=seed, width=640, height=480, cell_px=cell_px, parasitaemia=parasitaemia, bad_fields=0.0)
    return render_field(spec, 0)
