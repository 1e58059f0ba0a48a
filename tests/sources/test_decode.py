"""Every kind of picture becomes uint8 RGB, or is refused in one line that says why."""

from __future__ import annotations

import io
import os
import struct
import time
import zlib
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from PIL import Image

from edge.errors import UnreadableFieldError
from edge.sources.decode import ReadOptions, UnknownDepthError, decode_field, decode_image


@pytest.fixture(scope="module")
def picture() -> np.ndarray:
    ramp = np.linspace(20, 250, 96)
    return (
        np.stack([np.add.outer(ramp[:64] * k, ramp) / 2 for k in (1.0, 0.6, 0.3)], axis=2).clip(0, 255).astype(np.uint8)
    )


def save(path: Path, pixels: np.ndarray | Image.Image, **options: object) -> Path:
    image = pixels if isinstance(pixels, Image.Image) else Image.fromarray(pixels)
    image.save(path, **options)  # type: ignore[arg-type]
    return path


def chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def png_of_nothing(width: int, height: int) -> bytes:
    """A valid black 1-bit PNG of any size in a few kilobytes."""
    packer = zlib.compressobj(9)
    row = bytes(1 + (width + 7) // 8)
    body = b"".join(packer.compress(row * 100) for _ in range(height // 100)) + packer.flush()
    header = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", body) + chunk(b"IEND", b"")


def refusal(path: Path) -> str:
    with pytest.raises(UnreadableFieldError) as caught:
        decode_image(path)
    message = str(caught.value)
    assert path.name in message
    assert "\n" not in message
    return message


@pytest.mark.parametrize(
    ("suffix", "options", "close"),
    [
        ("jpg", {"quality": 98}, 12),
        ("jpg", {"quality": 98, "progressive": True}, 12),
        ("png", {}, 0),
        ("bmp", {}, 0),
        ("tif", {}, 0),
        ("tif", {"compression": "tiff_lzw"}, 0),
        ("tif", {"compression": "tiff_deflate"}, 0),
    ],
)
def test_every_format_gives_the_same_rgb(
    tmp_path: Path, picture: np.ndarray, suffix: str, options: dict[str, object], close: int
) -> None:
    rgb = decode_image(save(tmp_path / f"a.{suffix}", picture, **options))
    assert rgb.dtype == np.uint8
    assert rgb.flags.c_contiguous
    assert rgb.shape == picture.shape
    assert np.abs(rgb.astype(int) - picture).max() <= close


def test_a_plain_jpeg_is_what_opencv_itself_reads(tmp_path: Path, picture: np.ndarray) -> None:
    path = save(tmp_path / "a.jpg", picture)
    np.testing.assert_array_equal(decode_image(path), np.asarray(cv2.imread(str(path)))[..., ::-1])


def test_the_content_decides_not_the_name(tmp_path: Path, picture: np.ndarray) -> None:
    save(tmp_path / "a.png", picture).rename(tmp_path / "a.jpg")
    np.testing.assert_array_equal(decode_image(tmp_path / "a.jpg"), picture)


@pytest.mark.parametrize("suffix", ["png", "tif", "bmp", "jpg"])
def test_grey_is_repeated_into_three_channels(tmp_path: Path, suffix: str) -> None:
    rgb = decode_image(save(tmp_path / f"a.{suffix}", np.full((20, 30), 77, np.uint8)))
    assert rgb.shape == (20, 30, 3)
    assert (rgb == 77).all()


@pytest.mark.parametrize("suffix", ["png", "tif"])
@pytest.mark.parametrize(("bits", "top"), [(16, 65535), (16, 30000), (14, 16383), (12, 4095), (12, 900), (10, 1023)])
def test_deep_pixels_are_scaled_by_the_depth_that_is_given(tmp_path: Path, suffix: str, bits: int, top: int) -> None:
    deep = np.linspace(0, top, 64).astype(np.uint16).reshape(8, 8)
    rgb = decode_field(save(tmp_path / f"a.{suffix}", deep), ReadOptions(depth=bits)).rgb
    np.testing.assert_array_equal(rgb[..., 0], deep >> (bits - 8))


@pytest.mark.parametrize("suffix", ["png", "tif"])
@pytest.mark.parametrize("top", [255, 900, 1023, 4095, 16383])
def test_a_depth_that_nothing_tells_is_asked_for(tmp_path: Path, suffix: str, top: int) -> None:
    path = save(tmp_path / f"a.{suffix}", np.linspace(0, top, 64).astype(np.uint16).reshape(8, 8))
    with pytest.raises(UnknownDepthError, match=rf"{top:,} and nothing .* give --depth"):
        decode_image(path)


@pytest.mark.parametrize("suffix", ["png", "tif"])
def test_values_above_a_quarter_of_16_bits_can_only_be_16_bits(tmp_path: Path, suffix: str) -> None:
    deep = np.linspace(0, 16384, 64).astype(np.uint16).reshape(8, 8)
    rgb = decode_image(save(tmp_path / f"a.{suffix}", deep))
    np.testing.assert_array_equal(rgb[..., 0], deep >> 8)


@pytest.mark.parametrize("suffix", ["png", "tif"])
def test_values_beyond_the_depth_that_is_given_are_refused_not_wrapped(tmp_path: Path, suffix: str) -> None:
    path = save(tmp_path / f"a.{suffix}", np.full((8, 8), 4096, np.uint16))
    with pytest.raises(UnreadableFieldError, match="reach 4,096, more than the 12 bits"):
        decode_field(path, ReadOptions(depth=12))


@pytest.mark.parametrize("suffix", ["png", "tiff"])
def test_deep_colour_keeps_its_channel_order(tmp_path: Path, picture: np.ndarray, suffix: str) -> None:
    path = tmp_path / f"a.{suffix}"
    cv2.imwrite(str(path), cv2.cvtColor(picture, cv2.COLOR_RGB2BGR).astype(np.uint16) * 257)
    np.testing.assert_array_equal(decode_image(path), picture)


def test_opaque_alpha_changes_nothing(tmp_path: Path, picture: np.ndarray) -> None:
    path = save(tmp_path / "a.png", Image.fromarray(picture).convert("RGBA"))
    np.testing.assert_array_equal(decode_image(path), picture)


@pytest.mark.parametrize("suffix", ["png", "tif"])
def test_what_is_transparent_shows_white(tmp_path: Path, suffix: str) -> None:
    rgba = np.zeros((10, 10, 4), np.uint8)
    rgba[:5] = (200, 100, 50, 255)
    rgb = decode_image(save(tmp_path / f"a.{suffix}", rgba))
    assert (rgb[:5] == (200, 100, 50)).all()
    assert (rgb[5:] == 255).all()


def test_deep_alpha_is_composited_too(tmp_path: Path) -> None:
    bgra = np.zeros((10, 10, 4), np.uint16)
    bgra[:5] = (50 << 8, 100 << 8, 200 << 8, 65535)
    cv2.imwrite(str(tmp_path / "a.png"), bgra)
    rgb = decode_image(tmp_path / "a.png")
    assert (rgb[:5] == (200, 100, 50)).all()
    assert (rgb[5:] == 255).all()


def test_a_palette_becomes_colour(tmp_path: Path) -> None:
    pixels = np.zeros((10, 10, 3), np.uint8)
    pixels[:, :5] = (200, 30, 60)
    path = save(tmp_path / "a.png", Image.fromarray(pixels).convert("P", palette=Image.Palette.ADAPTIVE))
    np.testing.assert_array_equal(decode_image(path), pixels)


def test_cmyk_becomes_colour(tmp_path: Path) -> None:
    pixels = np.full((32, 32, 3), (200, 80, 120), np.uint8)
    rgb = decode_image(save(tmp_path / "a.jpg", Image.fromarray(pixels).convert("CMYK"), quality=95))
    assert np.abs(rgb.astype(int) - pixels).max() < 12


UPRIGHT: dict[int, Callable[[np.ndarray], np.ndarray]] = {
    1: lambda a: a,
    2: lambda a: a[:, ::-1],
    3: lambda a: a[::-1, ::-1],
    4: lambda a: a[::-1],
    5: lambda a: a.transpose(1, 0, 2),
    6: lambda a: np.rot90(a, -1),
    7: lambda a: a[::-1, ::-1].transpose(1, 0, 2),
    8: lambda a: np.rot90(a, 1),
}


@pytest.mark.parametrize("orientation", UPRIGHT)
@pytest.mark.parametrize("kind", ["jpg", "png", "png with alpha", "tif", "tif with alpha"])
def test_the_orientation_is_honoured(tmp_path: Path, picture: np.ndarray, kind: str, orientation: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    image = Image.fromarray(picture).convert("RGBA" if "alpha" in kind else "RGB")
    path = save(tmp_path / f"a.{kind[:3]}", image, exif=exif)
    rgb = decode_image(path)
    assert rgb.flags.c_contiguous
    upright = UPRIGHT[orientation](picture)
    assert rgb.shape == upright.shape
    assert np.abs(rgb.astype(int) - upright).mean() < 3


def jpeg(picture: np.ndarray, **options: object) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(picture).save(buffer, "JPEG", quality=95, **options)
    return buffer.getvalue()


@pytest.mark.parametrize("share", [0.02, 0.3, 0.7, 0.99])
@pytest.mark.parametrize("progressive", [False, True])
@pytest.mark.parametrize("padding", [b"", b"\0" * 5000], ids=["cut", "cut and padded with zeros"])
def test_a_truncated_jpeg_is_refused(
    tmp_path: Path, picture: np.ndarray, share: float, progressive: bool, padding: bytes
) -> None:
    data = jpeg(picture, progressive=progressive)
    path = tmp_path / "half.jpg"
    path.write_bytes(data[: int(len(data) * share)] + padding)
    assert "truncated" in refusal(path) or "damaged" in refusal(path)


def test_the_end_of_the_exif_thumbnail_is_not_the_end_of_the_picture(tmp_path: Path, picture: np.ndarray) -> None:
    data = jpeg(picture)
    thumbnail = b"Exif\0\0" + jpeg(picture[:16, :16])
    with_thumbnail = data[:2] + b"\xff\xe1" + struct.pack(">H", len(thumbnail) + 2) + thumbnail + data[2:]
    whole, cut = tmp_path / "whole.jpg", tmp_path / "cut.jpg"
    whole.write_bytes(with_thumbnail)
    cut.write_bytes(with_thumbnail[:-200])
    assert decode_image(whole).shape == picture.shape
    assert "truncated" in refusal(cut)


@pytest.mark.parametrize("tail", [b"\0" * 999, b"trailing words", "preview"])
def test_what_follows_the_end_of_a_jpeg_is_of_no_concern(
    tmp_path: Path, picture: np.ndarray, tail: bytes | str
) -> None:
    path = tmp_path / "a.jpg"
    path.write_bytes(jpeg(picture) + (tail if isinstance(tail, bytes) else jpeg(picture[:32, :32])))
    assert decode_image(path).shape == picture.shape


@pytest.mark.parametrize("suffix", ["png", "tif", "bmp"])
@pytest.mark.parametrize("share", [0.01, 0.5, 0.95])
def test_other_truncated_files_are_refused(tmp_path: Path, picture: np.ndarray, suffix: str, share: float) -> None:
    path = save(tmp_path / f"a.{suffix}", picture)
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * share)])
    refusal(path)


def test_an_empty_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").touch()
    assert "empty" in refusal(tmp_path / "a.jpg")


def test_text_with_an_image_name_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.jpg").write_text("not a picture")
    assert "not a JPEG, PNG, TIFF or BMP" in refusal(tmp_path / "a.jpg")


@pytest.mark.parametrize(("kind", "words"), [(np.float32, "32-bit floating-point"), (np.int32, "32-bit signed")])
def test_pixels_of_no_known_scale_are_refused_with_what_to_do(tmp_path: Path, kind: type, words: str) -> None:
    message = refusal(save(tmp_path / "a.tif", np.ones((8, 8), kind)))
    assert words in message
    assert "save it with 8 bits per channel" in message


@pytest.mark.parametrize(
    ("name", "start", "kind"),
    [
        ("a.heic", b"\0\0\0\x18ftypheic", "HEIC"),
        ("phone.jpg", b"\0\0\0\x18ftypmif1", "HEIC"),
        ("a.avif", b"\0\0\0\x18ftypavif", "AVIF"),
        ("a.cr3", b"\0\0\0\x18ftypcrx ", "camera raw"),
        ("a.nef", b"MM\0*\0\0\0\x08", "camera raw"),
        ("a.DNG", b"II*\0\x08\0\0\0", "camera raw"),
        ("a.webp", b"RIFF\0\0\0\0WEBPVP8 ", "WebP"),
        ("a.gif", b"GIF89a", "GIF"),
    ],
)
def test_a_picture_of_a_kind_that_is_not_read_says_how_to_export_it(
    tmp_path: Path, name: str, start: bytes, kind: str
) -> None:
    (tmp_path / name).write_bytes(start + bytes(100))
    assert f"{kind} is not read: export it as JPEG (or PNG)" in refusal(tmp_path / name)


def test_a_missing_file_and_a_folder_are_refused(tmp_path: Path) -> None:
    assert "No such file" in refusal(tmp_path / "none.jpg")
    assert "not a regular file" in refusal(tmp_path)


def test_a_pipe_does_not_block(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a.jpg")
    assert "not a regular file" in refusal(tmp_path / "a.jpg")


def test_a_name_with_a_line_break_still_gives_one_line(tmp_path: Path) -> None:
    path = tmp_path / "a\nb.jpg"
    path.touch()
    with pytest.raises(UnreadableFieldError) as caught:
        decode_image(path)
    assert "\n" not in str(caught.value)


def test_a_decompression_bomb_is_refused_in_milliseconds(tmp_path: Path) -> None:
    path = tmp_path / "bomb.png"
    path.write_bytes(png_of_nothing(30_000, 30_000))
    assert path.stat().st_size < 200_000
    start = time.perf_counter()
    message = refusal(path)
    assert time.perf_counter() - start < 0.1
    assert "30000x30000" in message
    assert "900 megapixels" in message


def header_only(suffix: str) -> bytes:
    """Files that claim 10000 x 6000 pixels and hold none."""
    if suffix == "jpg":
        frame = struct.pack(">HBHHB", 17, 8, 6000, 10_000, 3) + bytes([1, 17, 0, 2, 17, 0, 3, 17, 0])
        return b"\xff\xd8\xff\xc0" + frame + b"\xff\xda\0\x02\xff\xd9"
    if suffix == "bmp":
        return (
            b"BM" + struct.pack("<IHHI", 54, 0, 0, 54) + struct.pack("<IiiHHIIiiII", 40, 10_000, -6000, 1, 24, *[0] * 6)
        )
    order = "<" if suffix == "little.tif" else ">"
    entries = struct.pack(order + "HHII", 256, 4, 1, 10_000) + struct.pack(order + "HHIHH", 257, 3, 1, 6000, 0)
    magic = b"II*\0" if order == "<" else b"MM\0*"
    return magic + struct.pack(order + "IH", 8, 2) + entries + bytes(4)


@pytest.mark.parametrize("suffix", ["jpg", "bmp", "little.tif", "big.tif"])
def test_sixty_megapixels_are_refused_and_the_limit_is_named(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"large.{suffix}"
    path.write_bytes(header_only(suffix))
    message = refusal(path)
    assert "60 megapixels" in message
    assert "the limit is 50" in message
    assert "EDGE_MAX_MEGAPIXELS" in message


def test_the_limit_can_be_moved(tmp_path: Path, picture: np.ndarray, monkeypatch: pytest.MonkeyPatch) -> None:
    path = save(tmp_path / "a.png", picture)
    monkeypatch.setenv("EDGE_MAX_MEGAPIXELS", "0.001")
    assert "the limit is 0.001" in refusal(path)
    monkeypatch.setenv("EDGE_MAX_MEGAPIXELS", "100")
    assert decode_image(path).shape == picture.shape


@pytest.mark.parametrize("value", ["many", "-1", "nan"])
def test_a_limit_that_is_no_number_is_said(
    tmp_path: Path, picture: np.ndarray, monkeypatch: pytest.MonkeyPatch, value: str
) -> None:
    path = save(tmp_path / "a.png", picture)
    monkeypatch.setenv("EDGE_MAX_MEGAPIXELS", value)
    with pytest.raises(UnreadableFieldError, match="EDGE_MAX_MEGAPIXELS"):
        decode_image(path)


@pytest.mark.parametrize("suffix", ["jpg", "png", "tif", "bmp"])
def test_random_damage_gives_a_picture_or_a_refusal(tmp_path: Path, picture: np.ndarray, suffix: str) -> None:
    path = save(tmp_path / f"a.{suffix}", picture)
    whole = path.read_bytes()
    rng = np.random.default_rng(1)
    for _ in range(150):
        data = bytearray(whole)
        for at in rng.integers(0, min(len(data), 400), 3):
            data[at] = rng.integers(256)
        path.write_bytes(data)
        try:
            rgb = decode_image(path)
        except UnreadableFieldError:
            continue
        assert rgb.dtype == np.uint8
        assert rgb.ndim == 3


def test_opencv_says_nothing_of_its_own(tmp_path: Path, picture: np.ndarray, capfd: pytest.CaptureFixture[str]) -> None:
    path = save(tmp_path / "a.tif", picture)
    path.write_bytes(path.read_bytes()[:-2000])
    refusal(path)
    assert capfd.readouterr().err == ""
