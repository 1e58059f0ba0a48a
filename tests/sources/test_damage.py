"""A damaged picture is refused in a line that names it, nothing else is written, and no undamaged one is refused."""

from __future__ import annotations

import io
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import tifffile
from PIL import Image

from edge import jpeg
from edge.errors import UnreadableFieldError
from edge.sources.decode import decode_image
from edge.sources.files import FileSource


def textured(seed: int = 1) -> np.ndarray:
    """uint8 [96, 160, 3], structure everywhere."""
    rough = np.random.default_rng(seed).integers(0, 255, (96, 160, 3), dtype=np.uint8)
    return np.asarray(cv2.GaussianBlur(rough, (0, 0), 1.5))


def jpeg_bytes(**options: Any) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(textured()).save(buffer, "JPEG", **{"quality": 90, **options})
    return buffer.getvalue()


def with_restarts() -> bytes:
    return cv2.imencode(".jpg", textured(), [cv2.IMWRITE_JPEG_RST_INTERVAL, 4])[1].tobytes()


def middle(data: bytes) -> int:
    return data.index(b"\xff\xda") + (len(data) - data.index(b"\xff\xda")) // 2


def cut_with_end_mark(data: bytes) -> bytes:
    return data[: middle(data)] + b"\xff\xd9"


def zeroed(data: bytes) -> bytes:
    at = middle(data)
    return data[:at] + bytes(300) + data[at + 300 :]


def without_an_interval(data: bytes) -> bytes:
    start, end = data.index(b"\xff\xd2"), data.index(b"\xff\xd3")
    return data[:start] + data[end:]


def bits_flipped(data: bytes) -> bytes:
    at = middle(data)
    return data[:at] + bytes(b ^ 0x55 for b in data[at : at + 40]) + data[at + 40 :]


def png_bytes() -> bytes:
    return cv2.imencode(".png", textured())[1].tobytes()


def png_with(data: bytes) -> bytes:
    """A PNG whose checksums fit and whose pixels are ``data``, unpacked."""
    whole = png_bytes()
    packed = zlib.compress(data)
    body = b"IDAT" + packed
    end = whole[-12:]
    return whole[:33] + len(packed).to_bytes(4, "big") + body + zlib.crc32(body).to_bytes(4, "big") + end


def tiff_bytes(**options: Any) -> bytes:
    buffer = io.BytesIO()
    tifffile.imwrite(buffer, textured(), photometric="rgb", metadata=None, **options)
    return buffer.getvalue()


def lzw_bytes() -> bytes:
    return cv2.imencode(".tif", textured(), [cv2.IMWRITE_TIFF_COMPRESSION, 5])[1].tobytes()


def spoilt(data: bytes, at: float, length: int = 200) -> bytes:
    start = int(len(data) * at)
    return data[:start] + bytes(length) + data[start + length :]


DAMAGED: dict[str, tuple[str, Callable[[], bytes]]] = {
    "JPEG, cut, its end mark in place": ("jpg", lambda: cut_with_end_mark(jpeg_bytes())),
    "progressive JPEG, cut, its end mark in place": ("jpg", lambda: cut_with_end_mark(jpeg_bytes(progressive=True))),
    "grey JPEG, cut, its end mark in place": ("jpg", lambda: cut_with_end_mark(with_restarts())),
    "JPEG, zeroed within": ("jpg", lambda: zeroed(jpeg_bytes())),
    "JPEG, bits flipped within": ("jpg", lambda: bits_flipped(jpeg_bytes())),
    "JPEG, a restart interval missing": ("jpg", lambda: without_an_interval(with_restarts())),
    "PNG, a byte changed": ("png", lambda: spoilt(png_bytes(), 0.5, 1)),
    "PNG, a chunk of text changed": ("png", lambda: png_bytes()[:33] + b"\0\0\0\1tEXtxabcd" + png_bytes()[33:]),
    "PNG, cut": ("png", lambda: png_bytes()[: len(png_bytes()) // 2]),
    "BMP, cut by one byte": ("bmp", lambda: cv2.imencode(".bmp", textured())[1].tobytes()[:-1]),
    "TIFF, cut by one byte": ("tif", lambda: tiff_bytes()[:-1]),
    "TIFF in tiles, cut": ("tif", lambda: tiff_bytes(tile=(32, 32))[:-1]),
    "TIFF in strips, cut": ("tif", lambda: tiff_bytes(rowsperstrip=8)[:-2000]),
    "TIFF, Deflate, a byte changed": ("tif", lambda: spoilt(tiff_bytes(compression="zlib"), 0.5, 1)),
    "TIFF, LZW, zeroed within": ("tif", lambda: spoilt(lzw_bytes(), 0.5)),
    "TIFF, PackBits, zeroed within": ("tif", lambda: spoilt(packbits_bytes(), 0.5, 2000)),
    "TIFF, JPEG, zeroed within": ("tif", lambda: spoilt(tiff_jpeg_bytes(), 0.5)),
}


def tiff_jpeg_bytes() -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(textured()).save(buffer, "TIFF", compression="jpeg")
    return buffer.getvalue()


def packbits_bytes() -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(textured()).save(buffer, "TIFF", compression="packbits")
    return buffer.getvalue()


@pytest.mark.parametrize("case", DAMAGED)
def test_a_damaged_file_is_refused_and_only_we_say_so(
    tmp_path: Path, case: str, capfd: pytest.CaptureFixture[str]
) -> None:
    suffix, make = DAMAGED[case]
    if "JPEG" in case and not jpeg.strict():
        pytest.skip("simplejpeg is not installed: damage within a JPEG is not noticed")
    path = tmp_path / f"field 7.{suffix}"
    path.write_bytes(make())
    with pytest.raises(UnreadableFieldError, match=rf"field 7\.{suffix}: (damaged|truncated), .") as caught:
        decode_image(path)
    assert "\n" not in str(caught.value)
    assert capfd.readouterr().err == ""


def test_a_png_with_too_few_pixels_is_refused_though_its_checksums_fit(tmp_path: Path) -> None:
    rows = bytes(96 * (1 + 3 * 160))
    (tmp_path / "a.png").write_bytes(png_with(rows))
    assert decode_image(tmp_path / "a.png").shape == (96, 160, 3)
    (tmp_path / "a.png").write_bytes(png_with(rows[: len(rows) // 2]))
    with pytest.raises(UnreadableFieldError, match=r"a\.png: damaged"):
        decode_image(tmp_path / "a.png")


def test_what_no_pixel_depends_on_is_no_damage(tmp_path: Path) -> None:
    data = jpeg_bytes()
    at = data.index(b"JFIF\0")
    (tmp_path / "a.jpg").write_bytes(data[: at + 5] + b"\7" + data[at + 6 :])  # a revision nobody has heard of
    (tmp_path / "b.jpg").write_bytes(data)
    np.testing.assert_array_equal(decode_image(tmp_path / "a.jpg"), decode_image(tmp_path / "b.jpg"))
    scan = data.index(b"\xff\xda") + 2 + 10  # its last bytes mean nothing but in a progressive JPEG
    (tmp_path / "a.jpg").write_bytes(data[: scan - 1] + b"\0\0" + data[scan + 1 :])
    np.testing.assert_array_equal(decode_image(tmp_path / "a.jpg"), decode_image(tmp_path / "b.jpg"))


def test_without_simplejpeg_a_cut_is_noticed_all_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = jpeg_bytes()
    path = tmp_path / "a.jpg"
    path.write_bytes(whole)
    strict = decode_image(path)
    monkeypatch.setattr(jpeg, "_strict", None)
    np.testing.assert_array_equal(decode_image(path), strict)
    assert "of damaged JPEGs only those cut short" in FileSource([str(path)]).notes[0]
    path.write_bytes(cut_with_end_mark(whole))
    with pytest.raises(UnreadableFieldError, match="ends before its picture does"):
        decode_image(path)


def encodings() -> list[tuple[str, str, dict[str, Any]]]:
    """(suffix, mode, options) of undamaged files as Pillow writes them."""
    jpegs = [
        ("jpg", mode, {"quality": quality, "subsampling": sampling, "progressive": progressive, "optimize": optimised})
        for mode in ("RGB", "L", "CMYK")
        for quality in (30, 75, 95, 100)
        for sampling in ("4:4:4", "4:2:2", "4:2:0")
        for progressive in (False, True)
        for optimised in (False, True)
    ]
    pngs = [("png", mode, {"compress_level": n}) for mode in ("RGB", "RGBA", "L", "LA", "P", "1") for n in (1, 6, 9)]
    tiffs = [
        ("tif", mode, {"compression": packed})
        for mode in ("RGB", "RGBA", "L", "P")
        for packed in (None, "raw", "packbits", "tiff_lzw", "tiff_adobe_deflate", "tiff_deflate")
    ]
    return [*jpegs, *pngs, *tiffs, *(("bmp", mode, {}) for mode in ("RGB", "L", "P", "1", "RGBA"))]


def test_no_undamaged_picture_is_refused(tmp_path: Path) -> None:
    picture = Image.fromarray(textured())
    for number, (suffix, mode, options) in enumerate(encodings()):
        path = tmp_path / f"{number}.{suffix}"
        image = picture.quantize(64) if mode == "P" else picture.convert(mode)
        image.save(path, **options)
        right = np.asarray(image.convert("RGB"), int)
        if "A" in mode:
            right = np.asarray(image.convert("RGBA").convert("RGB"), int)
        off = np.abs(decode_image(path) - right).mean()
        assert off < (25 if suffix == "jpg" else 1), (suffix, mode, options)


@pytest.mark.skipif(not hasattr(cv2, "IMWRITE_JPEG_SAMPLING_FACTOR"), reason="this OpenCV writes no other sampling")
@pytest.mark.parametrize("interval", [1, 3, 10, 1000])
@pytest.mark.parametrize("sampling", [0x411111, 0x221111, 0x211111, 0x121111, 0x111111])
def test_nor_a_jpeg_of_any_sampling_with_restart_marks(tmp_path: Path, interval: int, sampling: int) -> None:
    options = [cv2.IMWRITE_JPEG_RST_INTERVAL, interval, cv2.IMWRITE_JPEG_SAMPLING_FACTOR, sampling]
    path = tmp_path / "a.jpg"
    assert cv2.imwrite(str(path), textured()[..., ::-1], options)
    np.testing.assert_array_equal(decode_image(path), np.asarray(cv2.imread(str(path)))[..., ::-1])


@pytest.fixture(params=["simplejpeg", "OpenCV"])
def decoder(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Each of the two decoders in turn."""
    if request.param == "OpenCV":
        monkeypatch.setattr(jpeg, "_strict", None)
    elif not jpeg.strict():
        pytest.skip("simplejpeg is not installed")
    return str(request.param)


REFUSED: dict[str, Callable[[], bytes]] = {
    "cut": lambda: jpeg_bytes()[: middle(jpeg_bytes())],
    "cut, its end mark in place": lambda: cut_with_end_mark(jpeg_bytes()),
    "grey, cut, its end mark in place": lambda: cut_with_end_mark(with_restarts()),
    "progressive, cut": lambda: jpeg_bytes(progressive=True)[: middle(jpeg_bytes(progressive=True))],
    "cut within its header": lambda: jpeg_bytes()[:40],
    "nothing but a header": lambda: jpeg_bytes()[: jpeg_bytes().index(b"\xff\xda")] + b"\xff\xd9",
    "too large": lambda: jpeg_bytes().replace(b"\x00\x60\x00\xa0", b"\xff\xf0\xff\xf0", 1),
}
"""Files that are refused whichever decoder there is."""


@pytest.mark.parametrize("case", REFUSED)
def test_both_decoders_refuse_the_same_files(tmp_path: Path, case: str, decoder: str) -> None:
    path = tmp_path / "field 7.jpg"
    path.write_bytes(REFUSED[case]())
    with pytest.raises(UnreadableFieldError, match=r"field 7\.jpg: .") as caught:
        decode_image(path)
    assert "\n" not in str(caught.value), decoder


WHOLE: list[dict[str, Any]] = [
    {"mode": mode, "subsampling": sampling, "progressive": progressive}
    for mode in ("RGB", "L", "CMYK")
    for sampling in ("4:4:4", "4:2:2", "4:2:0")
    for progressive in (False, True)
]


@pytest.mark.parametrize("orientation", [1, 2, 6])
def test_both_decoders_give_the_same_bytes(tmp_path: Path, orientation: int, monkeypatch: pytest.MonkeyPatch) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    for options in WHOLE:
        path = tmp_path / "a.jpg"
        written = {name: value for name, value in options.items() if name != "mode"}
        Image.fromarray(textured()).convert(options["mode"]).save(path, exif=exif, **written)
        with monkeypatch.context() as without:
            with_simplejpeg = decode_image(path)
            without.setattr(jpeg, "_strict", None)
            np.testing.assert_array_equal(decode_image(path), with_simplejpeg, str(options))
