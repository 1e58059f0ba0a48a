"""Fiji: ``RoiSet.zip`` for the ROI Manager, and the fields as TIFFs with their scale and the same regions as an overlay.

A region's name says cell and class, its group the class: 1 is the first of the model's. Each field has one more region, its frame,
which tells a field without anything from one that is not in the file, and a scaled picture from the one that was counted.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import tifffile

from edge import checked_json
from edge.errors import OutputError
from edge.exchange.imagej_roi import ImageJRegion, decode_region, encode_region
from edge.exchange.naming import category_of, choices_of, colour_of, last_part, name_of, split_name, stem_of
from edge.exchange.outgoing import Outgoing, Written, put, whole_archive, whole_folder
from edge.exchange.records import (
    CorrectedCell,
    CorrectedField,
    Corrections,
    ExchangeField,
    ExchangeSample,
)
from edge.exchange.untrusted import label, members, not_too_many, refused
from edge.types import UInt8Array

ROI_SET = "RoiSet.zip"
PICTURES = "fields"
"""Folder of the TIFFs: File > Import > Image Sequence makes a stack of it, whose slices the regions name."""

_FRAME = "field"
_STAGE = " / "
_BETWEEN = "|"


def write_fiji(sample: ExchangeSample, fields: Iterable[ExchangeField], out: Path) -> Written:
    """A folder with ``RoiSet.zip`` and TIFFs; if ``out`` ends in ``.zip``, the regions alone. Raises OutputError."""
    going = Outgoing(fields)
    if out.suffix.lower() == ".zip":
        with whole_archive(out) as archive:
            for number, one in enumerate(going, 1):
                _put_regions(archive, _regions(sample, one, number))
        return going.written()
    with whole_folder(out) as folder:
        (folder / PICTURES).mkdir()
        with whole_archive(folder / ROI_SET) as archive:
            slices = 0
            for one in going:
                rgb = going.pixels(one)
                slices += rgb is not None
                found = list(_regions(sample, one, slices if rgb is not None else 0))
                _put_regions(archive, found)
                if rgb is not None:
                    _write_tiff(folder / PICTURES / f"{stem_of(one)}.tif", one, rgb, found)
    return going.written()


def _put_regions(archive: Any, regions: Iterable[ImageJRegion]) -> None:
    for one in regions:
        try:
            data = encode_region(one)
        except ValueError as error:
            raise OutputError(f"{one.name}: {error}") from error
        put(archive, f"{one.name.replace('/', '_').replace(chr(92), '_')}.roi", data)


def _regions(sample: ExchangeSample, one: ExchangeField, position: int) -> Iterator[ImageJRegion]:
    choices = choices_of(sample)
    about = {"edge_field": str(one.index), "edge_model": sample.model, "edge_classes": _BETWEEN.join(choices)}
    about["edge_name"] = stem_of(one)
    yield ImageJRegion(
        f"{_FRAME} {one.index}", (0.0, 0.0, float(one.width), float(one.height)), position, 0, (110, 110, 110), about
    )
    unnamed = 0
    for cell in one.cells:
        category = category_of(cell)
        unnamed += not cell.cell
        name = name_of(cell) if cell.cell else f"added {one.index}-{unnamed}"
        group = choices.index(category) + 1 if category in choices else 0
        told = {"edge_cell": cell.cell, "edge_class": category, "edge_field": str(one.index), "edge_group": str(group)}
        if cell.score is not None:
            told["edge_score"] = f"{cell.score:.4f}"
        words = f"{category}{_STAGE}{cell.stage}" if cell.stage else category
        yield ImageJRegion(f"{name} {words}", cell.box, position, group, colour_of(category, sample), told)


def _write_tiff(path: Path, one: ExchangeField, rgb: UInt8Array, regions: list[ImageJRegion]) -> None:
    scale = one.um_per_pixel
    told: dict[str, object] = {"Overlays": [encode_region(region) for region in regions]}
    if scale is not None:
        told["unit"] = "um"
    resolution = None if scale is None else (1 / scale, 1 / scale)
    tifffile.imwrite(path, rgb, imagej=True, metadata=told, photometric="rgb", resolution=resolution)


@dataclass
class _Slide:
    """What the regions of a file say of its fields, gathered region by region."""

    cells: dict[int, list[CorrectedCell]] = field(default_factory=dict)
    sizes: dict[int, tuple[int, int]] = field(default_factory=dict)
    names: dict[int, str] = field(default_factory=dict)
    models: set[str] = field(default_factory=set)
    choices: tuple[str, ...] = ()
    slices: dict[int, Counter[int]] = field(default_factory=dict)


def read_fiji(path: Path) -> Corrections:
    """The regions of a ``RoiSet.zip``, or of the folder that was written; raises ReviewError."""
    with refused(path, "regions of Fiji"):
        file = path / ROI_SET if path.is_dir() else path
        found = [decode_region(data, last_part(name)[:-4]) for name, data in members(file, is_region)]
        not_too_many(len(found))
        slide = _Slide()
        for one in found:
            _take_frame(slide, one)
        if len(slide.models) > 1:
            raise ValueError("its fields are of several models")
        for one in found:
            if not _is_frame(one):
                index = _index(slide, one)
                slide.cells.setdefault(index, []).append(_cell(slide, one))
        fields = (
            CorrectedField(
                index,
                slide.names.get(index, ""),
                *slide.sizes.get(index, (0, 0)),
                tuple(cells),
                whole=index in slide.sizes,
            )
            for index, cells in sorted(slide.cells.items())
        )
        return Corrections("fiji", path, "", next(iter(slide.models), ""), tuple(fields))


def is_region(name: str) -> bool:
    """Whether a file of an archive is a region."""
    return name.lower().endswith(".roi")


def _is_frame(one: ImageJRegion) -> bool:
    return "edge_classes" in one.properties


def _take_frame(slide: _Slide, one: ImageJRegion) -> None:
    said = one.properties.get("edge_field")
    if said is None:
        return
    index = _whole(said)
    if one.position:
        slide.slices.setdefault(one.position, Counter())[index] += 1
    if _is_frame(one):
        if index in slide.sizes:
            raise ValueError(f"two frames of field {index}")
        slide.sizes[index] = (round(one.box[2]), round(one.box[3]))
        slide.names[index] = last_part(checked_json.text(one.properties.get("edge_name", ""), "a field's name"))
        slide.cells.setdefault(index, [])
        slide.models.add(label(one.properties.get("edge_model", ""), "a model"))
        slide.choices = tuple(label(each) for each in one.properties["edge_classes"].split(_BETWEEN))


def _whole(text: str) -> int:
    if not (text.isascii() and text.isdigit()) or len(text) > 9:
        raise ValueError(f"{text[:20]!r} is no field")
    return int(text)


def _index(slide: _Slide, one: ImageJRegion) -> int:
    """The field that a region is in: as it says, by its cell, or by its slice."""
    if "edge_field" in one.properties:
        return _whole(one.properties["edge_field"])
    cell, _ = split_name(one.name)
    if cell:
        return _whole(cell.partition("-")[0])
    if one.position in slide.slices:
        return slide.slices[one.position].most_common(1)[0][0]
    if len(slide.sizes) == 1:
        return next(iter(slide.sizes))
    raise ValueError(
        f"the region {one.name[:60]!r} does not say which field it is in: draw it on the stack of all fields"
    )


def _cell(slide: _Slide, one: ImageJRegion) -> CorrectedCell:
    cell, rest = split_name(checked_json.text(one.name, "a region's name"))
    told = one.properties
    written, group = told.get("edge_class", ""), _whole(told.get("edge_group", "0"))
    if not cell and one.name.startswith("added ") and "edge_class" in told:
        rest = one.name.partition(" ")[2].partition(" ")[2]
    elif not cell and not told:
        rest = ""  # Fiji's own name of it
    renamed, _, stage = rest.partition(_STAGE)
    if one.group != group or (not written and not renamed):
        if not 0 < one.group <= len(slide.choices):
            known = ", ".join(f"{i} {name}" for i, name in enumerate(slide.choices, 1))
            raise ValueError(f"the region {one.name[:60]!r} has no class: give it a group ({known})")
        return CorrectedCell(cell, one.box, slide.choices[one.group - 1], label(stage, "a stage"))
    return CorrectedCell(cell, one.box, label(renamed or written), label(stage, "a stage"))
