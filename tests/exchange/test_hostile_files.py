"""Files that may come from anybody: each is refused in one plain line, quickly, and nothing is opened or written because of it."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from edge.errors import ReviewError
from edge.exchange.formats import FORMATS, kind_of
from edge.exchange.imagej_roi import ImageJRegion, encode_region
from edge.exchange.untrusted import LARGEST
from tests.exchange.made import FIELDS, SAMPLE

DEEP = "[" * 100_000
COCO = {
    "images": [{"id": 0, "file_name": "../../../etc/passwd", "width": 64, "height": 48}],
    "annotations": [{"id": 1, "image_id": 0, "category_id": 1, "bbox": [1, 1, 5, 5]}],
    "categories": [{"id": 1, "name": "parasitized"}],
}
REGION = ImageJRegion("cell 0-0 parasitized", (1, 1, 5, 5), 1, 2, (0, 0, 0), {"edge_class": "parasitized"})
OBJECT = {
    "type": "Feature",
    "geometry": {"type": "Polygon", "coordinates": [[[1, 1], [5, 1], [5, 5], [1, 1]]]},
    "properties": {"name": "cell 0-0", "classification": {"name": "parasitized"}},
}
REGION_OF_TASK = {
    "id": "cell-0-0",
    "original_width": 64,
    "original_height": 48,
    "type": "rectanglelabels",
    "value": {"x": 1, "y": 1, "width": 9, "height": 9, "rotation": 0, "rectanglelabels": ["parasitized"]},
}
OME = (
    '<OME xmlns="http://www.openmicroscopy.org/Schemas/OME/2016-06"><Image><Pixels SizeX="64" SizeY="48"/></Image>'
    '<ROI Name="cell 0-0"><Union>{}</Union></ROI></OME>'
)
BOMB = '<!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;">]><x>&b;</x>'
HEAD = "object_id\tobject_annotation_category\tobject_annotation_status\n"


def broken(path: Path) -> None:
    """The first bytes of an archive."""
    path.write_bytes(b"PK\x03\x04")


def coco(**changes: object) -> bytes:
    return json.dumps({**COCO, **changes}).encode()


def annotation(**changes: object) -> bytes:
    return coco(annotations=[{**COCO["annotations"][0], **changes}])


def geo(**changes: object) -> bytes:
    return json.dumps({"type": "FeatureCollection", "features": [{**OBJECT, **changes}]}).encode()


def task(*results: object, **changes: object) -> bytes:
    said = [{"completed_by": n, "result": result} for n, result in enumerate(results)]
    return json.dumps([{"data": {"image": "a.png", "edge_field": 0}, "annotations": said, **changes}]).encode()


def region(**changes: object) -> bytes:
    return task([{**REGION_OF_TASK, **changes}])


CASES: dict[str, tuple[str, bytes, str]] = {
    "no JSON": ("coco", b"{", "not JSON"),
    "nested without end": ("coco", DEEP.encode(), "nested too deep"),
    "a list instead of an object": ("coco", b"[]", "not a JSON object"),
    "HTML in a class": ("coco", coco(categories=[{"id": 1, "name": "<script>alert(1)</script>"}]), "markup"),
    "a class that jumps a line": ("coco", coco(categories=[{"id": 1, "name": "a\nb"}]), "printable"),
    "an endless box": ("coco", annotation(bbox=[1, 1, float("inf"), 5]), "not a number"),
    "no number in a box": ("coco", annotation(bbox=[1, 1, "5", 5]), "not a number"),
    "an empty box": ("coco", annotation(bbox=[1, 1, 0, 5]), "empty"),
    "a box of three": ("coco", annotation(bbox=[1, 1, 5]), "not x, y, width, height"),
    "a picture that is not there": ("coco", annotation(image_id=9), "image 9"),
    "a class that is not there": ("coco", annotation(category_id=9), "category 9"),
    "two pictures of one number": ("coco", coco(images=COCO["images"] * 2), "two images"),
    "a cell that is none": ("coco", annotation(cell="12-7; DROP"), "is no cell"),
    "an object that is a point": ("qupath", geo(geometry={"type": "Point", "coordinates": [1, 1]}), "is a Point"),
    "an outline without corners": ("qupath", geo(geometry={"type": "Polygon", "coordinates": []}), "no outline"),
    "an object without a class": ("qupath", geo(properties={"name": "x"}), "has no class"),
    "an object without a shape": ("qupath", geo(geometry=None), "not a JSON object"),
    "corners that are text": ("qupath", geo(geometry={"type": "Polygon", "coordinates": [["ab"]]}), "not a"),
    "nobody has annotated": ("label-studio", task(), "no task in it has an annotation yet"),
    "two people's annotations": ("label-studio", task([], []), "by 2 people"),
    "a brush mask": ("label-studio", region(type="brushlabels", value={"brushlabels": ["a"]}), "not a rectangle"),
    "two classes at once": (
        "label-studio",
        region(value={**REGION_OF_TASK["value"], "rectanglelabels": ["a", "b"]}),  # type: ignore[dict-item]
        "has 2 of a class",
    ),
    "a region of no size": ("label-studio", region(original_width=None), "how large its picture is"),
    "a cell that is a date": ("csv", b"cell,answer\n12-Jul,no cell\n", "line 2: '12-Jul' is no cell"),
    "neither cell nor place": ("csv", b"cell,answer\n,no cell\n", "neither which cell nor where"),
    "more columns than names": ("csv", b"cell,answer\ncell 0-0,no cell,x\n", "more columns"),
    "decimal commas": ("csv", b"cell;field;x;y;w;h;answer\n;0;1,5;2;3;4;a\n", "numbers with a point"),
    "no text": ("csv", b"cell,answer\n\xff\xfe\n", "not text in UTF-8"),
    "several models": ("csv", b"cell,answer,model\ncell 0-0,a,m\ncell 0-1,a,n\n", "several models"),
    "an object without cell or field": (
        "ecotaxa",
        f"{HEAD}x\ta\tvalidated\n".encode(),
        "neither which cell nor which field",
    ),
    "a short row": ("ecotaxa", f"{HEAD}S_cell-0-0\ta\n".encode(), "number of columns"),
    "entities": ("ome", BOMB.encode(), "document type"),
    "entities in UTF-16": ("ome", BOMB.encode("utf-16"), "UTF-8"),
    "a line": ("ome", OME.format('<Line X1="0" Text="a"/>').encode(), "is a Line"),
    "a region without a class": (
        "ome",
        OME.format('<Rectangle X="0" Y="0" Width="5" Height="5"/>').encode(),
        "no class",
    ),
    "a corner that is no number": (
        "ome",
        OME.format('<Rectangle X="nan" Y="x" Width="5" Height="5" Text="a"/>').encode(),
        "no number",
    ),
    "a TIFF cut short": ("ome", b"II*\0\xff\xff\xff\xff", "cannot be read as OME-TIFF"),
}
NAMES = {"ome": "x.ome.xml"}


@pytest.mark.parametrize(("kind", "data", "said"), CASES.values(), ids=list(CASES))
def test_it_is_refused_in_one_line(kind: str, data: bytes, said: str, tmp_path: Path) -> None:
    path = tmp_path / NAMES.get(kind, "file")
    path.write_bytes(data)
    refuse(kind, path, said)


def refuse(kind: str, path: Path, said: str) -> None:
    read = FORMATS[kind].read
    assert read is not None
    with pytest.raises(ReviewError, match=said) as caught:
        read(path)
    line = str(caught.value)
    assert line.startswith(f"{path}: ")
    assert "\n" not in line
    assert len(line) < 600


def archive(*entries: tuple[str, bytes]) -> Callable[[Path], None]:
    def write(path: Path) -> None:
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as out:
            for name, data in entries:
                out.writestr(name, data)

    return write


def lying(path: Path) -> None:
    """An archive whose directory says that a file is small."""
    archive(("annotations/instances_default.json", b" " * (LARGEST + 2)))(path)
    data = bytearray(path.read_bytes())
    at = data.rfind(b"PK\x01\x02")
    data[at + 24 : at + 28] = (100).to_bytes(4, "little")
    path.write_bytes(data)


GOOD = encode_region(REGION)
ARCHIVES: dict[str, tuple[str, Callable[[Path], None], str]] = {
    "a bomb": ("cvat", archive(("annotations/instances_default.json", b" " * (LARGEST + 2))), "MB when unpacked"),
    "a bomb that lies": ("cvat", lying, "cannot be read as COCO of CVAT"),
    "many small bombs": ("fiji", archive(*((f"{i}.roi", GOOD + b"0" * 2**20) for i in range(66))), "MB when unpacked"),
    "a name that leads out": ("fiji", archive(("../../x.roi", GOOD)), "leads out of it"),
    "a name from the root": ("fiji", archive(("/etc/x.roi", GOOD)), "leads out of it"),
    "a name with a drive's strokes": ("fiji", archive(("..\\x.roi", GOOD)), "leads out of it"),
    "no boxes": ("cvat", archive(("images/a.png", b"")), "0 files annotations"),
    "two sets of boxes": (
        "cvat",
        archive(("annotations/instances_a.json", b"{}"), ("annotations/instances_b.json", b"{}")),
        "2 files annotations",
    ),
    "no region": ("fiji", archive(("a.roi", b"nothing")), "is no region of ImageJ"),
    "a region cut short": ("fiji", archive(("a.roi", GOOD[:70])), "does not say which field|has no class"),
    "a region of no field": (
        "fiji",
        archive(("a.roi", encode_region(replace(REGION, name="0001-0002")))),
        "which field",
    ),
    "no archive": ("fiji", broken, "cannot be read as regions of Fiji"),
    "two tables": ("ecotaxa", archive(("a.tsv", b""), ("b.tsv", b"")), "2 tables"),
}


@pytest.mark.parametrize(("kind", "write", "said"), ARCHIVES.values(), ids=list(ARCHIVES))
def test_an_archive_is_refused_in_one_line(kind: str, write: Callable[[Path], None], said: str, tmp_path: Path) -> None:
    write(tmp_path / "a.zip")
    refuse(kind, tmp_path / "a.zip", said)
    assert [file.name for file in tmp_path.iterdir()] == ["a.zip"]


def test_a_huge_file_is_not_read(tmp_path: Path) -> None:
    with (tmp_path / "huge").open("wb") as stream:
        stream.write(b"{")
        stream.truncate(LARGEST * 4)  # a sparse file: nothing is on the disk
    for kind in ("coco", "qupath", "label-studio", "csv", "ecotaxa"):
        refuse(kind, tmp_path / "huge", "larger than 64 MB")


def test_a_path_in_a_file_is_but_its_last_part(tmp_path: Path) -> None:
    (tmp_path / "c.json").write_bytes(coco())
    read = FORMATS["coco"].read
    assert read is not None
    assert [(field.index, field.name) for field in read(tmp_path / "c.json").fields] == [(None, "passwd")]


def test_what_is_none_of_the_kinds_is_said_to_be_none(tmp_path: Path) -> None:
    for name, data in {"a": b"", "b": b"\x00\x01", "c": b"{}", "d": b"[1]", "e": b"a,b\n1,2\n"}.items():
        (tmp_path / name).write_bytes(data)
        with pytest.raises(ReviewError, match="none of these: csv, coco, cvat"):
            kind_of(tmp_path / name)
    with pytest.raises(ReviewError, match="No such file"):
        kind_of(tmp_path / "not there")


@pytest.mark.parametrize("kind", [kind for kind, one in FORMATS.items() if one.write])
def test_nothing_that_is_there_is_written_over_by_a_folder_and_no_name_leads_out(kind: str, tmp_path: Path) -> None:
    write = FORMATS[kind].write
    assert write is not None
    evil = [replace(FIELDS[0], name="../../x\x00y/..\\z.png"), FIELDS[1], FIELDS[2]]
    write(replace(SAMPLE, name="../S", scope="<b>"), evil, tmp_path / "out")
    assert [one.name for one in tmp_path.iterdir()] == ["out"]
    if FORMATS[kind].folder:
        with pytest.raises(Exception, match="it is there already"):
            write(SAMPLE, FIELDS, tmp_path / "out")
