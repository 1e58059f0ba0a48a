"""What goes out, read by the programs' own code and written anew by it, comes back as it was."""

from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np
import pytest
import roifile
import tifffile
from pycocotools.coco import COCO

from edge.exchange.formats import FORMATS, kind_of
from edge.exchange.naming import category_of, name_of, stem_of
from edge.exchange.records import Corrections, ExchangeBox, ExchangeField, ExchangeSample
from edge.safe_file import write_bytes
from tests.exchange.made import FIELDS, MODEL, SAMPLE, as_corrected, as_read
from tests.exchange.programs.install import missing, run

Fields = tuple[ExchangeField, ...]


def needs(*which: str) -> pytest.MarkDecorator:
    return pytest.mark.skipif(bool(missing(*which)), reason=missing(*which))


def sent(kind: str, folder: Path, sample: ExchangeSample = SAMPLE, fields: Fields = FIELDS) -> Path:
    way, path = FORMATS[kind], folder / ("S" if FORMATS[kind].folder else "S.zip")
    assert way.write is not None
    way.write(sample, fields, path)
    return path


def read(kind: str, path: Path) -> Corrections:
    way = FORMATS[kind].read
    assert way is not None
    return way(path)


def boxes(fields: Fields) -> list[tuple[object, ...]]:
    """Fields with something in them, without the ids of cells."""
    return [(f.index, f.width, f.height, [(c.box, category_of(c)) for c in f.cells]) for f in fields if f.cells]


def boxes_read(back: Corrections) -> list[tuple[object, ...]]:
    return [(f.index, f.width, f.height, [(c.box, c.label) for c in f.cells]) for f in back.fields if f.cells]


def within(box: ExchangeBox, field: ExchangeField) -> bool:
    """Whether whole pixels of the picture fill a box."""
    x, y, w, h = box
    return (
        x >= 0
        and y >= 0
        and x + w <= field.width
        and y + h <= field.height
        and all(v.is_integer() for v in map(float, box))
    )


def through_roifile(folder: Path, sample: ExchangeSample, fields: Fields) -> None:
    path = sent("fiji", folder, sample, fields)
    rois = roifile.roiread(path / "RoiSet.zip")
    told = [roi for roi in rois if not roi.name.startswith("field ")]
    assert len(rois) == len(told) + len(fields)
    for roi, (field, cell) in zip(told, ((f, c) for f in fields for c in f.cells), strict=True):
        x, y, w, h = cell.box
        assert roi.roitype == roifile.ROI_TYPE.RECT
        whole = (roi.left, roi.top, roi.right - roi.left, roi.bottom - roi.top)
        exact = (roi.xd, roi.yd, roi.widthd, roi.heightd)
        assert (exact if roi.subpixelrect else whole) == (x, y, w, h), cell.cell
        assert f" {category_of(cell)}" in roi.name
        assert f"edge_field: {field.index}\n" in roi.props
    again = folder / "again.zip"
    roifile.roiwrite(again, rois)
    assert kind_of(again) == "fiji"
    assert as_read(read("fiji", again)) == as_corrected(fields)
    for field in fields:
        file = path / "fields" / f"{stem_of(field)}.tif"
        assert len(roifile.roiread(file)) == len(field.cells) + 1
        with tifffile.TiffFile(file) as tiff:
            assert (tiff.asarray() == field.pixels()).all()
            wide, over = tiff.pages.first.tags["XResolution"].value
            assert tiff.imagej_metadata is not None
            if field.um_per_pixel is not None:
                assert tiff.imagej_metadata["unit"] == "um"
                assert over / wide == pytest.approx(field.um_per_pixel, rel=1e-6)


def through_pycocotools(folder: Path, sample: ExchangeSample, fields: Fields) -> None:
    path = sent("coco", folder, sample, fields)
    coco = COCO(str(path))
    assert sorted(coco.getImgIds()) == [f.index for f in fields]
    for field in fields:
        known = coco.loadAnns(coco.getAnnIds(imgIds=[field.index]))
        names = [coco.loadCats(one["category_id"])[0]["name"] for one in known]
        assert [(tuple(one["bbox"]), name) for one, name in zip(known, names, strict=True)] == [
            (c.box, category_of(c)) for c in field.cells
        ]
        inside = [within(c.box, field) for c in field.cells]
        whole = [one for one, full in zip(known, inside, strict=True) if full]
        assert [int(coco.annToMask(one).sum()) for one in whole] == [round(one["area"]) for one in whole]


def through_datumaro(folder: Path, sample: ExchangeSample, fields: Fields) -> None:
    path = sent("cvat", folder, sample, fields)
    with zipfile.ZipFile(path) as archive:
        archive.extractall(folder / "in")
    told = run("with_datumaro", folder / "in", folder / "out", sets=("base", "datumaro"))
    assert told == {"items": len(fields), "kinds": ["bbox"], "pictures": len(fields)}
    back = folder / "back.zip"
    with zipfile.ZipFile(back, "w") as archive:
        archive.write(folder / "out" / "annotations" / "instances_default.json", "annotations/instances_default.json")
    assert kind_of(back) == "cvat"
    assert sorted(as_read(read("cvat", back)), key=str) == sorted(as_corrected(fields), key=str)


def through_label_studio(folder: Path, sample: ExchangeSample, fields: Fields) -> None:
    path = sent("label-studio", folder, sample, fields)
    assert not any(run("with_label_studio", path, folder)["errors"])
    file = folder / "json" / "result.json"
    assert kind_of(file) == "label-studio"
    back = read("label-studio", file)
    assert as_read(back) == as_corrected(fields)
    assert (back.reader, back.model) == ("reader@example.org", sample.model)
    small = read("label-studio", folder / "min" / "result.json")
    assert [f.index for f in small.fields] == [f.index for f in fields]
    assert boxes_read(small) == boxes(fields)
    assert kind_of(folder / "coco" / "result.json") == "coco"
    assert boxes_read(read("coco", folder / "coco" / "result.json")) == boxes(fields)


def through_ome_types(folder: Path, sample: ExchangeSample, fields: Fields) -> None:
    path = sent("ome", folder, sample, fields)
    for told, field in zip(run("with_ome", path), fields, strict=True):
        assert (told["name"], told["shape"]) == (stem_of(field), [field.height, field.width, 3])
        assert told["scale"] == [field.um_per_pixel, "µm"]
        said = [
            [name_of(c), f"{category_of(c)} / {c.stage}" if c.stage else category_of(c), list(c.box)]
            for c in field.cells
        ]
        assert told["regions"] == said
        assert (tifffile.imread(path / f"{stem_of(field)}.ome.tif") == field.pixels()).all()


def through_qubalab(folder: Path, sample: ExchangeSample, fields: Fields) -> None:
    path, again = sent("qupath", folder, sample, fields), folder / "again"
    again.mkdir()
    told = run("with_qubalab", path, again)
    assert told["wrong"] == []
    scores = [{} if c.score is None else {"positive score": round(c.score, 4)} for f in fields for c in f.cells]
    found = [one for one in told["objects"] if one[0] == "DETECTION"]
    assert [one[1:3] for one in found] == [[name_of(c), category_of(c)] for f in fields for c in f.cells]
    assert [one[3] for one in found] == scores
    assert kind_of(again) == "qupath"
    assert as_read(read("qupath", again)) == as_corrected(fields)


def through_pyecotaxa(folder: Path, sample: ExchangeSample, fields: Fields) -> None:
    path = sent("ecotaxa", folder, sample, fields)
    told = run("with_pyecotaxa", path)
    assert [(row[1], float(row[4]), float(row[5])) for row in told] == [
        (category_of(c), c.box[0], c.box[2]) for f in fields for c in f.cells
    ]
    assert len({row[0] for row in told}) == len(told)


PROGRAMS = {
    "roifile": (through_roifile, ()),
    "pycocotools": (through_pycocotools, ()),
    "datumaro": (through_datumaro, ("base", "datumaro")),
    "label-studio": (through_label_studio, ("base",)),
    "ome-types": (through_ome_types, ("base",)),
    "qubalab": (through_qubalab, ("base",)),
    "pyecotaxa": (through_pyecotaxa, ("base",)),
}
ALL = [pytest.param(way, marks=needs(*sets), id=name) for name, (way, sets) in PROGRAMS.items()]


@pytest.mark.filterwarnings("ignore:__array__ implementation")  # pycocotools with NumPy 2
@pytest.mark.parametrize("way", ALL)
def test_a_made_up_sample_goes_through_a_program_unchanged(way: object, tmp_path: Path) -> None:
    assert callable(way)
    way(tmp_path, SAMPLE, FIELDS)


def test_a_region_drawn_by_fiji_on_the_stack_is_in_the_field_of_its_slice(tmp_path: Path) -> None:
    path = sent("fiji", tmp_path)
    rois = roifile.roiread(path / "RoiSet.zip")
    drawn = roifile.ImagejRoi.frompoints(
        np.array([[10, 10], [20, 10], [20, 22], [10, 22]]), name="0003-0016-0015", position=2
    )
    drawn.group = 2
    by_name = roifile.ImagejRoi.frompoints(np.array([[1, 1], [5, 1], [5, 4]]), name="added 9-9 parasitized / ring")
    by_name.props, by_name.position = "edge_field: 0\nedge_class: uninfected\n", 1
    kept = [roi for roi in rois if not roi.name.startswith("cell 12-0")]
    kept[1].group = 3
    roifile.roiwrite(tmp_path / "back.zip", [*kept, drawn, by_name])
    first, _, last = read("fiji", tmp_path / "back.zip").fields
    assert (first.cells[0].cell, first.cells[0].label) == ("0-0", "no cell")
    assert [(c.cell, c.box, c.label, c.stage) for c in first.cells[3:]] == [("", (1, 1, 5, 4), "parasitized", "ring")]
    assert [c.cell for c in last.cells] == ["12-1", "12-7", "", ""]
    assert (last.cells[3].box, last.cells[3].label) == ((10, 10, 11, 13), "parasitized")
    assert last.whole


def test_a_point_is_refused_in_one_line(tmp_path: Path) -> None:
    point = roifile.ImagejRoi.frompoints(np.array([[10, 10]]), name="p")
    point.roitype = roifile.ROI_TYPE.POINT
    write_bytes(tmp_path / "p.roi", point.tobytes())
    with zipfile.ZipFile(tmp_path / "p.zip", "w") as archive:
        archive.write(tmp_path / "p.roi", "p.roi")
    with pytest.raises(Exception, match="is a point, which encloses no cell"):
        read("fiji", tmp_path / "p.zip")


def test_the_model_comes_back(tmp_path: Path) -> None:
    for kind in ("fiji", "qupath", "ome", "coco"):
        (tmp_path / kind).mkdir()
        assert read(kind, sent(kind, tmp_path / kind)).model == MODEL
