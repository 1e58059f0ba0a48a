"""Decoding real pictures: the bytes are OpenCV's, no undamaged one is refused, damaged ones are, odd TIFFs come out right."""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from PIL import Image

from benchmarks.damage.files import DAMAGES, FORMATS, harm, ours
from edge.errors import UnreadableFieldError
from edge.sources.decode import ReadOptions, decode_image
from edge.sources.files import FileSource

DATA = Path(os.environ.get("EDGE_DATA") or Path(__file__).resolve().parents[3] / "shared" / "data")
CASES = DATA.parent / "cases"
IML = DATA / "iml_fields" / "images"
SUFFIXES = (".jpg", ".jpeg", ".png", ".tif", ".tiff", ".bmp")

pytestmark = [pytest.mark.real, pytest.mark.skipif(not IML.is_dir(), reason=f"no real fields in {DATA}")]
needs_cases = pytest.mark.skipif(not CASES.is_dir(), reason=f"no odd pictures in {CASES}")


def by_opencv(path: Path) -> np.ndarray:
    return np.asarray(cv2.imread(str(path)))[..., ::-1]


def test_undamaged_files_give_the_bytes_that_opencv_gives() -> None:
    """Counts rest on these bytes. All fields, and every tenth of the folders of single cells."""
    seen = 0
    for folder in sorted(p for p in DATA.iterdir() if p.is_dir()):
        files = sorted(p for p in folder.rglob("*") if p.suffix.lower() in SUFFIXES)
        for path in files[:: 10 if len(files) > 1000 else 1]:
            assert np.array_equal(decode_image(path), by_opencv(path)), path
            seen += 1
    assert seen > 1000


def encodings() -> list[tuple[str, str, dict[str, Any]]]:
    """(suffix, mode, options) as cameras, microscope programs and photo programs write pictures."""
    jpegs = [
        (".jpg", mode, {"quality": quality, "subsampling": sampling, "progressive": progressive, "optimize": optimised})
        for mode, quality, sampling, progressive, optimised in itertools.product(
            ("RGB", "L"), (60, 90, 98), ("4:4:4", "4:2:2", "4:2:0"), (False, True), (False, True)
        )
    ]
    marks = [(".jpg", "RGB", {"restart_marker_blocks": n}) for n in (1, 7, 100)]
    pngs = [(".png", mode, {"compress_level": n}) for mode, n in itertools.product(("RGB", "RGBA", "L", "P"), (1, 6))]
    packings = (None, "packbits", "tiff_lzw", "tiff_adobe_deflate", "jpeg")
    tiffs = [(".tif", mode, {"compression": packing}) for mode, packing in itertools.product(("RGB", "L"), packings)]
    tiled = [
        (".tif", "RGB", {"compression": p, "tiffinfo": {278: 16}}) for p in (None, "tiff_lzw", "tiff_adobe_deflate")
    ]
    return [*jpegs, *marks, *pngs, *tiffs, *tiled, *((".bmp", mode, {}) for mode in ("RGB", "L", "P", "RGBA"))]


def test_of_two_thousand_undamaged_pictures_none_is_refused(tmp_path: Path) -> None:
    fields = sorted(IML.iterdir())
    done = 0
    for number, (suffix, mode, options) in zip(range(2000), itertools.cycle(encodings()), strict=False):
        with Image.open(fields[number % len(fields)]) as field:
            cut = field.crop((320, 240, 960, 720))
        path = tmp_path / f"field{suffix}"
        (cut.quantize(128) if mode == "P" else cut.convert(mode)).save(path, **options)
        assert decode_image(path).shape == (480, 640, 3), (fields[number % len(fields)], suffix, mode, options)
        done += 1
    assert done == 2000


NOTICED = [
    (name, kind)
    for name in FORMATS
    for kind in DAMAGES
    if kind == "cut" or (kind == "zeroed" and not name.endswith(("TIFF", "BMP")))
]


@pytest.mark.parametrize(("name", "kind"), NOTICED)
def test_what_is_cut_or_zeroed_is_noticed(tmp_path: Path, name: str, kind: str) -> None:
    """Zeros in uncompressed pixels are pixels to a decoder: the gate looks for those."""
    suffix, options = FORMATS[name]
    rng = np.random.default_rng(5)
    missed = 0
    fields = sorted(IML.iterdir())[:40]
    for field in fields:
        path = tmp_path / f"field{suffix}"
        data = cv2.imencode(suffix, np.asarray(cv2.imread(str(field))), options)[1].tobytes()
        path.write_bytes(data)
        truth = decode_image(path)
        path.write_bytes(DAMAGES[kind](data, rng))
        rgb = ours(path)
        missed += rgb is not None and harm(rgb, truth) > 1e-3
    assert missed <= (0 if kind == "cut" else len(fields) // 20)


PLAIN: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "channel_pages.ome.tif": lambda plain: plain,
    "extrachannel.tif": lambda plain: plain,
    "thumb_first.tif": lambda plain: plain,
    "plain.png": lambda plain: plain,
    "orient6_alpha.png": lambda plain: np.rot90(plain, -1),
    "whiteiszero16.tif": lambda plain: np.repeat(cv2.cvtColor(plain, cv2.COLOR_RGB2GRAY)[..., None], 3, axis=2),
}


@needs_cases
@pytest.mark.parametrize("name", PLAIN)
def test_odd_pictures_come_out_right(name: str) -> None:
    right = PLAIN[name](decode_image(CASES / "plain.png"))
    (shot,) = FileSource([str(CASES / name)])
    np.testing.assert_array_equal(shot.load().rgb, right)


@needs_cases
def test_three_pages_are_three_fields() -> None:
    source = FileSource([str(CASES / "three_pages.tif")])
    first, second, third = (shot.load().rgb for shot in source)
    assert source.total == 3
    np.testing.assert_array_equal(first, decode_image(CASES / "plain.png"))
    assert not np.array_equal(second, first)
    assert not np.array_equal(third, second)


@needs_cases
@pytest.mark.parametrize(
    ("name", "words"),
    [("cut_with_end_mark.jpg", "premature end"), ("lab.tif", "CIELAB"), ("dim12.tif", "give --depth 12")],
)
def test_what_cannot_be_read_rightly_is_refused(name: str, words: str) -> None:
    (shot,) = FileSource([str(CASES / name)])
    with pytest.raises(UnreadableFieldError, match=rf"{name}: .*{words}"):
        shot.load()


@needs_cases
def test_a_dim_picture_of_twelve_bits_stays_dim() -> None:
    (shot,) = FileSource([str(CASES / "dim12.tif")], reading=ReadOptions(depth=12))
    assert np.abs(shot.load().rgb.astype(int) - decode_image(CASES / "plain.png") // 4).max() <= 1
