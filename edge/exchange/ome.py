"""OME-TIFF: a field with its scale and its regions in OME-XML (schema 2016-06), as OMERO, Bio-Formats and QuPath read it."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from xml.etree import ElementTree as ET

import tifffile

from edge.exchange.naming import category_of, colour_of, index_of, last_part, name_of, split_name, stem_of
from edge.exchange.outgoing import Outgoing, Written, whole_folder
from edge.exchange.records import (
    CorrectedCell,
    CorrectedField,
    Corrections,
    ExchangeBox,
    ExchangeCell,
    ExchangeField,
    ExchangeSample,
)
from edge.exchange.untrusted import LARGEST, box, field_by_field, label, parse_xml, refused
from edge.types import UInt8Array

ENDINGS = (".ome.tif", ".ome.tiff", ".ome.xml")
_SCHEMA = "http://www.openmicroscopy.org/Schemas/OME/2016-06"
_STAGE = " / "
_FACTS = "openmicroscopy.org/edge"
"""Namespace of what a field says of its run."""


def write_ome(sample: ExchangeSample, fields: Iterable[ExchangeField], out: Path) -> Written:
    """A folder with ``NAME.ome.tif`` per field; ``NAME.ome.xml`` where its picture is gone. Raises OutputError."""
    going = Outgoing(fields)
    with whole_folder(out) as folder:
        for field in going:
            rgb = going.pixels(field)
            xml = _xml(field, sample)
            if rgb is None:
                (folder / f"{stem_of(field)}.ome.xml").write_bytes(xml)
            else:
                _write(folder / f"{stem_of(field)}.ome.tif", rgb, xml)
    return going.written()


def write_picture(path: Path, field: ExchangeField, rgb: UInt8Array) -> None:
    """A field with its scale, without regions."""
    _write(path, rgb, _xml(field, None))


def _write(path: Path, rgb: UInt8Array, xml: bytes) -> None:
    told = xml.decode("ascii")
    tifffile.imwrite(path, rgb, photometric="rgb", compression="zlib", description=told, metadata=None)


def _xml(field: ExchangeField, sample: ExchangeSample | None) -> bytes:
    """OME-XML in ASCII; the order of elements is the schema's."""
    top = ET.Element("OME", {"xmlns": _SCHEMA})
    image = ET.SubElement(top, "Image", {"ID": "Image:0", "Name": stem_of(field)})
    if field.at:
        ET.SubElement(image, "AcquisitionDate").text = field.at.removesuffix("Z")
    size = {"SizeX": field.width, "SizeY": field.height, "SizeC": 3, "SizeZ": 1, "SizeT": 1}
    told = {"ID": "Pixels:0", "DimensionOrder": "XYCZT", "Type": "uint8", "Interleaved": "true"}
    told |= {key: str(value) for key, value in size.items()}
    if field.um_per_pixel is not None:
        told |= {"PhysicalSizeX": repr(field.um_per_pixel), "PhysicalSizeY": repr(field.um_per_pixel)}  # µm unless said
    pixels = ET.SubElement(image, "Pixels", told)
    ET.SubElement(pixels, "Channel", {"ID": "Channel:0:0", "SamplesPerPixel": "3"})
    ET.SubElement(pixels, "TiffData", {"IFD": "0", "PlaneCount": "1"})
    if sample is not None:
        for n in range(len(field.cells)):
            ET.SubElement(image, "ROIRef", {"ID": f"ROI:{n}"})
        ET.SubElement(image, "AnnotationRef", {"ID": "Annotation:0"})
        facts = {"field": str(field.index), "model": sample.model, "threshold": repr(sample.threshold)}
        structured = ET.SubElement(top, "StructuredAnnotations")
        mapped = ET.SubElement(structured, "MapAnnotation", {"ID": "Annotation:0", "Namespace": _FACTS})
        value = ET.SubElement(mapped, "Value")
        for key, said in facts.items():
            ET.SubElement(value, "M", {"K": key}).text = said
        for n, cell in enumerate(field.cells):
            _add_region(top, n, cell, sample)
    return bytes(ET.tostring(top, encoding="us-ascii", xml_declaration=True))


def _add_region(top: ET.Element, n: int, cell: ExchangeCell, sample: ExchangeSample) -> None:
    category = category_of(cell)
    region = ET.SubElement(top, "ROI", {"ID": f"ROI:{n}", "Name": name_of(cell)})
    x, y, w, h = (repr(float(one)) for one in cell.box)
    red, green, blue = colour_of(category, sample)
    colour = int.from_bytes((red, green, blue, 255), "big", signed=True)
    told = {"ID": f"Shape:{n}:0", "X": x, "Y": y, "Width": w, "Height": h, "StrokeColor": str(colour)}
    told["Text"] = f"{category}{_STAGE}{cell.stage}" if cell.stage else category
    ET.SubElement(ET.SubElement(region, "Union"), "Rectangle", told)
    said = f"machine: {cell.label}" + ("" if cell.score is None else f", positive score {cell.score:.4f}")
    ET.SubElement(region, "Description").text = said if cell.cell else "added by a reader"


def read_ome(path: Path) -> Corrections:
    """The regions of an OME-TIFF or OME-XML, or of all in a folder, a field each; raises ReviewError."""
    with refused(path, "OME-TIFF"):
        files = sorted(file for file in path.iterdir() if is_ome(file)) if path.is_dir() else [path]
        return field_by_field("ome", path, files, _field)


def is_ome(file: Path) -> bool:
    """Whether a file's name is that of OME-TIFF or OME-XML."""
    return file.name.lower().endswith(ENDINGS)


def _field(file: Path) -> tuple[CorrectedField, str]:
    top = parse_xml(_description(file))
    image, pixels = top.find(f"{{{_SCHEMA}}}Image"), top.find(f".//{{{_SCHEMA}}}Pixels")
    if image is None or pixels is None:
        raise ValueError(f"{file.name}: no image in its OME-XML")
    facts = {each.get("K"): each.text or "" for each in top.iter(f"{{{_SCHEMA}}}M")}
    said = facts.get("field", "")
    index = int(said) if said.isascii() and said.isdigit() and len(said) < 10 else index_of(file.name)
    size = [pixels.get(key, "0") for key in ("SizeX", "SizeY")]
    width, height = (int(one) if one.isascii() and one.isdigit() and len(one) < 7 else 0 for one in size)
    cells = tuple(_cell(region) for region in top.iter(f"{{{_SCHEMA}}}ROI"))
    model = label(facts.get("model", ""), "a model")
    name = last_part(label(image.get("Name", ""), "an image's name")) if said else file.name
    return CorrectedField(index, name, width, height, cells, whole=bool(said)), model


def _description(file: Path) -> bytes:
    """The OME-XML of a file, read to a limit."""
    with file.open("rb") as stream:
        if stream.read(2) not in (b"II", b"MM"):
            stream.seek(0)
            data = stream.read(LARGEST + 1)
            if len(data) > LARGEST:
                raise ValueError(f"larger than {LARGEST >> 20} MB")
            return data
    try:
        with tifffile.TiffFile(file) as tiff:
            tag = tiff.pages.first.tags.get("ImageDescription")
            if tag is None or tag.count > LARGEST:
                raise ValueError(f"{file.name}: no OME-XML in it, or too much")
            return str(tag.value).encode()
    except (IndexError, KeyError, TypeError, AttributeError, OverflowError, MemoryError) as error:
        raise ValueError(f"{file.name}: a damaged TIFF") from error


def _cell(region: ET.Element) -> CorrectedCell:
    name = label(region.get("Name", ""), "a region's name")
    union = region.find(f"{{{_SCHEMA}}}Union")
    shapes = [] if union is None else list(union)
    if len(shapes) != 1:
        raise ValueError(f"the region {name!r} has {len(shapes)} shapes, not one")
    category, _, stage = shapes[0].get("Text", "").partition(_STAGE)
    if not category:
        raise ValueError(f"the region {name!r} has no class: its shape's text")
    return CorrectedCell(split_name(name)[0], _bounds(shapes[0], name), label(category), label(stage, "a stage"))


def _bounds(shape: ET.Element, name: str) -> ExchangeBox:
    kind = shape.tag.rpartition("}")[2]
    if kind == "Rectangle":
        x, y, w, h = (_number(shape.get(key), name) for key in ("X", "Y", "Width", "Height"))
        return box(x, y, w, h, what=f"the region {name}")
    if kind == "Ellipse":
        x, y, rx, ry = (_number(shape.get(key), name) for key in ("X", "Y", "RadiusX", "RadiusY"))
        return box(x - rx, y - ry, 2 * rx, 2 * ry, what=f"the region {name}")
    if kind == "Polygon":
        pairs = [pair.split(",") for pair in shape.get("Points", "").split()]
        xs, ys = ([_number(pair[i] if len(pair) == 2 else None, name) for pair in pairs] for i in (0, 1))
        if xs:
            return box(min(xs), min(ys), max(xs) - min(xs), max(ys) - min(ys), what=f"the region {name}")
    raise ValueError(f"the region {name!r} is a {kind[:20]}, which encloses no cell: delete it")


def _number(text: str | None, name: str) -> float:
    try:
        return float(text or "")
    except ValueError as error:
        raise ValueError(f"the region {name!r} has a corner that is no number") from error
