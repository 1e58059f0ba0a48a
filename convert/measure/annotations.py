"""Annotated fields: COCO JSON, the IML form and the Chula form; what is in the file decides which it is.

| form | JSON |
|---|---|
| COCO | ``{"images": [...], "annotations": [{"image_id", "category_id", "bbox"}], "categories": [...]}`` |
| IML | ``[{"image_name", "objects": [{"type", "bbox": {"x", "y", "w", "h"}}]}]`` |
| Chula | ``[{"image_name", "points": [[x, y]]}]``: centres only |

COCO is what ``edge-run --detections`` writes and what annotation tools correct. Boxes of a category whose name says that it was
set aside are no cells (annotation tools keep names and drop the rest).
A COCO image may name its slide, or whatever else is never split, as ``group``.
Images lie beside the annotations or in a folder ``images`` there. Names that lead out of the folder and impossible boxes are
refused.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np

from convert.errors import CellsError
from edge.types import FloatArray, Int32Array
from edge.words import is_set_aside

MAX_BYTES = 512 * 2**20
"""No honest annotation file comes near."""

_FARTHEST = 1e6  # pixels; no field is that wide


@dataclass(frozen=True, slots=True, eq=False)
class AnnotatedField:
    """One field with its truth: boxes, or points where only centres are known.

    Attributes:
        path: of the image.
        boxes: int32 [n, 4], x, y, w, h in pixels.
        types: n names, as the annotators gave them; of points none.
        block: number of the block of consecutive images it belongs to.
        points: None, or float32 [m, 2], x, y in pixels; then there are no boxes.
        size: (width, height) the annotations were made for, where the file says so.
        scored: annotations have a confidence: a program drew them.
        group: the slide or other group of images that a COCO image's ``group`` names; None where the file does not say it.
    """

    path: Path
    boxes: Int32Array
    types: tuple[str, ...]
    block: int = 0
    points: FloatArray | None = field(default=None)
    size: tuple[int, int] | None = field(default=None)
    scored: bool = False
    group: str | None = field(default=None)

    def of(self, names: Iterable[str]) -> np.ndarray:
        """Bool [n]: annotated as one of these."""
        wanted = frozenset(names)
        return np.array([kind in wanted for kind in self.types], bool)


def find_annotations(folder: Path, given: Path | None = None) -> Path:
    """The annotation file: ``given``, else the only ``*.json`` in the folder; raises CellsError."""
    if not folder.is_dir():
        raise CellsError(f"{folder}: there is no such folder of fields")
    if given is not None:
        if not given.is_file():
            raise CellsError(f"{given}: there is no such annotation file")
        return given
    found = sorted(path for path in folder.glob("*.json") if not path.name.startswith("."))
    if len(found) == 1:
        return found[0]
    names = f"several: {', '.join(path.name for path in found[:4])}" if found else "none"
    raise CellsError(f"{folder}: one annotation file (*.json) is needed, there are {names}: name it with --annotations")


def read_annotations(
    folder: Path, file: Path, length: int | None = None, gap: int | None = None
) -> list[AnnotatedField]:
    """All annotated fields in the order of their names, numbered by blocks; no image is opened.

    Args:
        folder: where the images are.
        file: the annotations.
        length: consecutive images per block; None: as many as give about six blocks, 35 at most.
        gap: numbers missing before a new block starts; None: ``length``.

    Raises:
        CellsError: the file is unreadable, of no known form, or holds nothing.
    """
    try:
        if file.stat().st_size > MAX_BYTES:
            raise CellsError(f"{file}: larger than {MAX_BYTES >> 20} MiB: no annotation file")
        raw = json.loads(file.read_bytes())
    except OSError as error:
        raise CellsError(f"{file}: cannot be read: {error.strerror}") from error
    except (ValueError, RecursionError) as error:
        raise CellsError(f"{file}: no JSON: {error}") from error
    try:
        read = _coco(raw, folder) if isinstance(raw, Mapping) else _listed(raw, folder)
    except CellsError as error:
        raise CellsError(f"{file}: {error}") from error
    except (KeyError, TypeError, ValueError, AttributeError, IndexError, OverflowError) as error:
        raise CellsError(f"{file}: neither COCO nor a list of fields ({type(error).__name__}: {error})") from error
    if not read:
        raise CellsError(f"{file}: no field is annotated in it")
    read.sort(key=lambda one: (str(one.path.parent), _natural(one.path.name)))
    length = length or int(np.clip(len(read) // 6, 1, 35))
    numbers = block_numbers([one.path.name for one in read], length, length if gap is None else gap)
    return [replace(one, block=number) for one, number in zip(read, numbers, strict=True)]


def block_numbers(names: Sequence[str], length: int, gap: int = 1) -> list[int]:
    """Blocks of consecutive images: neighbours show the same film, so blocks are never split.

    Args:
        names: in order; the last number in a name counts the images. Names without one follow each other.
        length: a new block starts after so many numbers.
        gap: and where the number is not within so many of the last one.
    """
    out = []
    block, first, last = -1, 0, -2 - gap
    for name in names:
        digits = re.findall(r"\d+", name)
        number = int(digits[-1]) if digits else last + 1
        if block < 0 or not last < number <= last + gap or number - first >= length:
            block, first = block + 1, number
        last = number
        out.append(block)
    return out


def locate(folder: Path, name: str) -> Path:
    """Where an image of that name is: in the folder, or in ``images`` below it. Raises CellsError for a name that leads out."""
    pure = PurePosixPath(name.replace("\\", "/"))
    if pure.is_absolute() or ".." in pure.parts or not pure.name or not name.isprintable():
        raise CellsError(f"the image name {name[:80]!r} leads out of the folder")
    inside = folder / "images" / pure
    return inside if inside.is_file() else folder / pure


def _coco(raw: Mapping[str, Any], folder: Path) -> list[AnnotatedField]:
    categories = {int(one["id"]): str(one["name"]) for one in raw["categories"]}
    aside = {int(one["id"]) for one in raw["categories"] if is_set_aside(str(one["name"]), one.get("supercategory"))}
    boxes: dict[int, list[list[float]]] = {int(one["id"]): [] for one in raw["images"]}
    types: dict[int, list[str]] = {number: [] for number in boxes}
    scored: set[int] = set()
    for one in raw["annotations"]:
        number = int(one["image_id"])
        if number not in boxes:
            raise CellsError(f"an annotation is of image {number}, which is not among the images")
        name = categories.get(int(one["category_id"]))
        if name is None:
            raise CellsError(f"an annotation is of category {one['category_id']}, which is not among the categories")
        if int(one["category_id"]) in aside or one.get("iscrowd"):
            continue
        boxes[number].append(list(one["bbox"]))
        types[number].append(name)
        if "score" in one:
            scored.add(number)
    out = []
    for image in raw["images"]:
        number = int(image["id"])
        size = (int(image["width"]), int(image["height"])) if image.get("width") and image.get("height") else None
        path = locate(folder, str(image["file_name"]))
        rows = _boxes(boxes[number], path)
        group = image.get("group")
        named = None if group in (None, "") else str(group)
        out.append(AnnotatedField(path, rows, tuple(types[number]), size=size, scored=number in scored, group=named))
    return out


def _listed(raw: Sequence[Any], folder: Path) -> list[AnnotatedField]:
    out = []
    for name, entry in {str(entry["image_name"]): entry for entry in raw}.items():
        path = locate(folder, name)
        if "points" in entry:
            points = np.array(entry["points"], np.float32).reshape(-1, 2)
            if not np.isfinite(points).all():
                raise CellsError(f"{path.name}: a point that is not finite")
            out.append(AnnotatedField(path, np.empty((0, 4), np.int32), (), points=points))
            continue
        objects = entry["objects"]
        boxes = _boxes([[o["bbox"][k] for k in "xywh"] for o in objects], path)
        out.append(AnnotatedField(path, boxes, tuple(str(o["type"]) for o in objects)))
    return out


def _boxes(rows: list[list[float]], path: Path) -> Int32Array:
    for row in rows:
        sound = len(row) == 4 and all(math.isfinite(value) and abs(value) < _FARTHEST for value in row)
        if not sound or min(row[2:]) <= 0:
            raise CellsError(f"{path.name}: an impossible box: {str(row)[:80]}")
    return np.rint(np.array(rows, np.float64).reshape(-1, 4)).astype(np.int32)


def _natural(name: str) -> list[tuple[int, int, str]]:
    """Sorts 9 before 10."""
    return [(0, int(part), "") if part.isdigit() else (1, 0, part) for part in re.split(r"(\d+)", name) if part]
