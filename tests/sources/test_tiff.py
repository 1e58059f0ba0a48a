"""A TIFF is read by its metadata: channels become colour, pages become fields, of a stack one plane is read; the rest is said."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import tifffile

from edge.errors import UnreadableFieldError
from edge.sources.decode import ReadOptions, decode_field, decode_image
from edge.sources.files import FileSource

Save = Callable[..., str]
_PREDICTOR = 317  # TIFF's tag; older OpenCV has no name for it


@pytest.fixture(scope="module")
def picture() -> np.ndarray:
    """uint8 [70, 90, 3], no two channels alike, structure everywhere."""
    rng = np.random.default_rng(3)
    rough = rng.integers(30, 220, (70, 90, 3), dtype=np.uint8)
    return np.asarray(cv2.GaussianBlur(rough, (0, 0), 1.0))


@pytest.fixture
def save(tmp_path: Path) -> Save:
    def write(pixels: np.ndarray, name: str = "a.tif", **options: Any) -> str:
        tifffile.imwrite(tmp_path / name, pixels, **options)
        return str(tmp_path / name)

    return write


def fields(path: str, reading: ReadOptions | None = None) -> list[np.ndarray]:
    source = FileSource([path], reading=reading or ReadOptions())
    shots = list(source)
    assert source.total == len(shots)
    return [shot.load().rgb for shot in shots]


def only(path: str, reading: ReadOptions | None = None) -> np.ndarray:
    (rgb,) = fields(path, reading)
    return rgb


def said(path: str) -> str:
    return "; ".join(FileSource([path]).notes)


def blurred(picture: np.ndarray, *sigmas: float) -> np.ndarray:
    """A stack [z, H, W, 3]; 0 is sharp."""
    return np.stack([picture if not s else np.asarray(cv2.GaussianBlur(picture, (0, 0), s)) for s in sigmas])


def grey_of(picture: np.ndarray) -> np.ndarray:
    return np.repeat(picture[..., 1:2], 3, axis=2)


PLANES_FIRST = (2, 0, 1)
CHANNELS: dict[str, dict[str, Any]] = {
    "OME, a page a channel": {"name": "a.ome.tif", "photometric": "minisblack", "metadata": {"axes": "CYX"}},
    "OME, planar": {"name": "a.ome.tif", "photometric": "rgb", "planarconfig": "separate", "metadata": {"axes": "CYX"}},
    "ImageJ composite": {"imagej": True, "metadata": {"axes": "CYX", "mode": "composite"}},
    "planar": {"photometric": "rgb", "planarconfig": "separate", "metadata": None},
    "planar tiles": {"photometric": "rgb", "planarconfig": "separate", "metadata": None, "tile": (32, 48)},
    "planar, Deflate": {"photometric": "rgb", "planarconfig": "separate", "compression": "zlib", "predictor": True},
}


@pytest.mark.parametrize("case", CHANNELS)
def test_channels_apart_from_each_other_are_put_together(picture: np.ndarray, save: Save, case: str) -> None:
    path = save(picture.transpose(PLANES_FIRST), **CHANNELS[case])
    np.testing.assert_array_equal(only(path), picture)
    assert said(path) == ""


@pytest.mark.parametrize("by", ["names", "colours"])
def test_the_metadata_says_which_channel_is_which_colour(picture: np.ndarray, save: Save, by: str) -> None:
    blue_first = picture.transpose(PLANES_FIRST)[::-1]
    channel = {"Name": ["Blue", "Green", "Red"]} if by == "names" else {"Color": [0xFFFF, 0xFF00FF, 0xFF0000FF - 2**32]}
    metadata = {"axes": "CYX", "Channel": channel}
    path = save(blue_first, "a.ome.tif", photometric="minisblack", metadata=metadata)
    np.testing.assert_array_equal(only(path), picture)


def test_stains_of_a_fluorescence_microscope_are_no_colours(picture: np.ndarray, save: Save) -> None:
    metadata = {"axes": "CYX", "Channel": {"Name": ["DAPI", "FITC", "TRITC"]}}
    path = save(picture.transpose(PLANES_FIRST), "a.ome.tif", photometric="minisblack", metadata=metadata)
    with pytest.raises(UnreadableFieldError, match="channels are DAPI, FITC, TRITC, not red, green and blue"):
        only(path)


STACKS: dict[str, tuple[dict[str, Any], tuple[int, ...]]] = {
    "OME, planar (Z, C, Y, X)": (
        {"name": "a.ome.tif", "photometric": "rgb", "planarconfig": "separate", "metadata": {"axes": "ZCYX"}},
        (0, 3, 1, 2),
    ),
    "OME, a page a channel (Z, C, Y, X)": (
        {"name": "a.ome.tif", "photometric": "minisblack", "metadata": {"axes": "ZCYX"}},
        (0, 3, 1, 2),
    ),
    "OME, channels outside (C, Z, Y, X)": (
        {"name": "a.ome.tif", "photometric": "minisblack", "metadata": {"axes": "CZYX"}},
        (3, 0, 1, 2),
    ),
    "OME, colour pages": ({"name": "a.ome.tif", "photometric": "rgb", "metadata": {"axes": "ZYXS"}}, (0, 1, 2, 3)),
    "ImageJ hyperstack": ({"imagej": True, "metadata": {"axes": "ZCYX"}}, (0, 3, 1, 2)),
    "ImageJ stack in colour": ({"imagej": True, "metadata": {"axes": "ZYXS"}}, (0, 1, 2, 3)),
    "ImageJ, large: one directory": ({"imagej": True, "truncate": True, "metadata": {"axes": "ZCYX"}}, (0, 3, 1, 2)),
}


@pytest.mark.parametrize("case", STACKS)
def test_of_a_stack_the_sharpest_plane_is_read_and_that_is_said(picture: np.ndarray, save: Save, case: str) -> None:
    options, order = STACKS[case]
    stack = blurred(picture, 3, 1, 0, 2)
    path = save(stack.transpose(order), **options)
    np.testing.assert_array_equal(only(path), picture)
    assert "of the 4 planes of a stack the sharpest is read" in said(path)
    np.testing.assert_array_equal(only(path, ReadOptions(z=2)), stack[1])


def test_a_plane_that_is_not_there_is_refused(picture: np.ndarray, save: Save) -> None:
    path = save(blurred(picture, 0, 1), "a.ome.tif", photometric="rgb", metadata={"axes": "ZYXS"})
    with pytest.raises(UnreadableFieldError, match="it has 2 planes, --z 3 is none of them"):
        only(path, ReadOptions(z=3))


def test_of_several_times_the_first_is_read_and_that_is_said(picture: np.ndarray, save: Save) -> None:
    path = save(blurred(picture, 0, 1, 2), "a.ome.tif", photometric="rgb", metadata={"axes": "TYXS"})
    np.testing.assert_array_equal(only(path), picture)
    assert "of the 3 time points of a view the first is read" in said(path)


@pytest.mark.parametrize(
    "options", [{"metadata": None}, {}, {"truncate": True}], ids=["plain", "shaped", "one directory"]
)
def test_pages_are_fields(picture: np.ndarray, save: Save, options: dict[str, Any]) -> None:
    stack = blurred(picture, 1, 0, 2)
    path = save(stack, photometric="rgb", **options)
    for rgb, right in zip(fields(path), stack, strict=True):
        np.testing.assert_array_equal(rgb, right)
    shots = list(FileSource([path]))
    assert [shot.name for shot in shots] == ["a.tif#1", "a.tif#2", "a.tif#3"]
    assert [shot.index for shot in shots] == [0, 1, 2]


def test_several_images_of_an_ome_tiff_are_fields(picture: np.ndarray, tmp_path: Path) -> None:
    with tifffile.TiffWriter(tmp_path / "a.ome.tif", ome=True) as writer:
        for one in blurred(picture, 1, 0):
            writer.write(one, photometric="rgb", metadata={"axes": "YXS"})
    assert len(fields(str(tmp_path / "a.ome.tif"))) == 2


def test_who_asks_for_the_one_image_of_such_a_file_is_refused(picture: np.ndarray, save: Save) -> None:
    with pytest.raises(UnreadableFieldError, match="holds 3 fields"):
        decode_image(save(blurred(picture, 0, 1, 2), photometric="rgb"))


def test_pages_keep_their_order_whatever_their_size(picture: np.ndarray, tmp_path: Path) -> None:
    with tifffile.TiffWriter(tmp_path / "a.tif") as writer:
        for one in (picture, picture[:68], picture):
            writer.write(one, photometric="rgb", metadata=None)
    assert [rgb.shape[0] for rgb in fields(str(tmp_path / "a.tif"))] == [70, 68, 70]


@pytest.mark.parametrize("marked", [True, False])
@pytest.mark.parametrize("first", [True, False])
def test_a_smaller_copy_is_no_field(picture: np.ndarray, tmp_path: Path, marked: bool, first: bool) -> None:
    small = picture[::2, ::2]
    with tifffile.TiffWriter(tmp_path / "a.tif") as writer:
        for one in (small, picture) if first else (picture, small):
            kind = 1 if marked and one is small else 0
            writer.write(one, photometric="rgb", metadata=None, subfiletype=kind)
    np.testing.assert_array_equal(only(str(tmp_path / "a.tif")), picture)
    assert ("smaller copies" in said(str(tmp_path / "a.tif"))) is not marked


def test_the_levels_of_a_pyramid_are_no_fields(picture: np.ndarray, tmp_path: Path) -> None:
    with tifffile.TiffWriter(tmp_path / "a.ome.tif", ome=True) as writer:
        writer.write(picture, photometric="rgb", subifds=1)
        writer.write(picture[::2, ::2], photometric="rgb", subfiletype=1)
    np.testing.assert_array_equal(only(str(tmp_path / "a.ome.tif")), picture)


def test_further_channels_are_left_out_and_that_is_said(picture: np.ndarray, save: Save) -> None:
    five = np.concatenate([picture, picture[..., :2] // 2], axis=2)
    path = save(five, photometric="rgb", extrasamples=["unspecified"] * 2)
    np.testing.assert_array_equal(only(path), picture)
    assert "2 further channels are not read" in said(path)


def test_what_several_files_have_is_said_once(picture: np.ndarray, save: Save, tmp_path: Path) -> None:
    four = np.concatenate([picture, picture[..., :1]], axis=2)
    for number in range(3):
        save(four, f"{number}.tif", photometric="rgb", extrasamples=["unspecified"])
    assert FileSource([str(tmp_path)]).notes == ("0.tif and 2 more: 1 further channel is not read",)


@pytest.mark.parametrize(("kind", "colour"), [("unassalpha", 100), ("assocalpha", 100)])
def test_alpha_is_laid_on_white(save: Save, kind: str, colour: int) -> None:
    half = np.full((70, 90, 4), 128, np.uint8)
    half[..., :3] = colour if kind == "unassalpha" else colour * 128 // 255
    rgb = only(save(half, photometric="rgb", extrasamples=[kind]))
    assert np.abs(rgb.astype(int) - (colour * 128 + 255 * 127) // 255).max() <= 1


@pytest.mark.parametrize("deep", [False, True])
def test_white_may_be_zero(picture: np.ndarray, save: Save, deep: bool) -> None:
    grey = 255 - picture[..., 1]
    path = save(grey.astype(np.uint16) * 257 if deep else grey, photometric="miniswhite")
    np.testing.assert_array_equal(only(path), grey_of(picture))


DEPTHS: dict[str, dict[str, Any]] = {
    "OME's significant bits": {"name": "a.ome.tif", "metadata": {"axes": "YXS", "SignificantBits": 12}},
    "TIFF's largest value": {"extratags": [(281, 3, 3, (4095, 4095, 4095), True)]},
}


@pytest.mark.parametrize("dim", [1, 4], ids=["bright", "dim"])
@pytest.mark.parametrize("case", DEPTHS)
def test_twelve_bits_in_sixteen_are_scaled_by_what_the_file_says(
    picture: np.ndarray, save: Save, case: str, dim: int
) -> None:
    path = save(picture.astype(np.uint16) * 16 // dim, photometric="rgb", **DEPTHS[case])
    np.testing.assert_array_equal(only(path), picture // dim)


def test_the_fields_of_a_sample_are_scaled_as_its_first(picture: np.ndarray, save: Save, tmp_path: Path) -> None:
    said_by_first = {"extratags": [(281, 3, 3, (4095, 4095, 4095), True)]}
    save(picture.astype(np.uint16) * 16, "1.tif", photometric="rgb", **said_by_first)
    save(picture.astype(np.uint16) * 4, "2.tif", photometric="rgb")
    save(picture.astype(np.uint16) * 100, "3.tif", photometric="rgb")
    shots = list(FileSource([str(tmp_path)]))
    np.testing.assert_array_equal(shots[1].load().rgb, picture // 4)  # whoever is loaded first
    np.testing.assert_array_equal(shots[0].load().rgb, picture)
    with pytest.raises(UnreadableFieldError, match="more than the 12 bits"):  # though 16 bits alone could hold it
        shots[2].load()


def test_a_dim_field_among_those_of_sixteen_bits_stays_dim(picture: np.ndarray, save: Save, tmp_path: Path) -> None:
    save(picture.astype(np.uint16) * 257, "1.tif", photometric="rgb")
    save(picture.astype(np.uint16) * 16, "2.tif", photometric="rgb")
    np.testing.assert_array_equal(list(FileSource([str(tmp_path)]))[1].load().rgb, picture // 16)


def test_a_first_field_that_tells_nothing_is_asked_for(picture: np.ndarray, save: Save) -> None:
    path = save(picture.astype(np.uint16) * 4, photometric="rgb")
    with pytest.raises(UnreadableFieldError, match="give --depth 12"):
        only(path)
    np.testing.assert_array_equal(only(path, ReadOptions(depth=12)), picture // 4)


def test_cielab_is_refused(picture: np.ndarray, save: Save) -> None:
    with pytest.raises(UnreadableFieldError, match="CIELAB: save it as RGB"):
        only(save(picture, photometric="cielab"))


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("big", [False, True])
@pytest.mark.parametrize("layout", [{}, {"rowsperstrip": 7}, {"tile": (32, 48)}], ids=["whole", "strips", "tiles"])
def test_every_layout_gives_the_same(
    picture: np.ndarray, save: Save, order: Any, big: bool, layout: dict[str, Any]
) -> None:
    deep = picture.astype(np.uint16) * 257
    for pixels in (picture, deep):
        for packed in ({}, {"compression": "zlib", "predictor": True}):
            path = save(pixels, photometric="rgb", byteorder=order, bigtiff=big, metadata=None, **layout, **packed)
            np.testing.assert_array_equal(decode_image(path), picture)


@pytest.mark.parametrize("deep", [False, True])
@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("compression", [5, 32773])
def test_lzw_and_packbits_are_unpacked(
    picture: np.ndarray, tmp_path: Path, compression: int, channels: int, deep: bool
) -> None:
    bgr = picture[..., ::-1] if channels == 3 else picture[..., 1]
    bgr = bgr.astype(np.uint16) * 257 if deep else bgr
    options = [cv2.IMWRITE_TIFF_COMPRESSION, compression, _PREDICTOR, 2 if compression == 5 else 1]
    assert cv2.imwrite(str(tmp_path / "a.tif"), bgr, options)
    np.testing.assert_array_equal(decode_image(tmp_path / "a.tif"), picture if channels == 3 else grey_of(picture))


def test_a_compression_that_is_not_read_is_named(picture: np.ndarray, save: Save) -> None:
    path = Path(save(picture, photometric="rgb", metadata=None))
    data = path.read_bytes().replace(b"\x03\x01\x03\0\x01\0\0\0\x01\0", b"\x03\x01\x03\0\x01\0\0\0\x50\xc3")
    path.write_bytes(data)
    with pytest.raises(UnreadableFieldError, match="Zstandard, which is not read: save it with LZW"):
        decode_field(path)
