"""Each format gives the colours that were put in, and what does not fit a format is no picture."""

from __future__ import annotations

from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from edge.camera.formats import FORMATS, KNOWN, BadFrameError, FrameConverter
from edge.camera.records import CameraTrouble

SIZE = (96, 64)
RIGHT = np.zeros((64, 96, 3), np.uint8)
for at, colour in enumerate(
    [(200, 40, 30), (30, 180, 60), (40, 60, 190), (128, 128, 128), (230, 220, 210), (20, 25, 30)]
):
    RIGHT[:, at * 16 : at * 16 + 16] = colour


def yuv(standard: str, *, full: bool) -> tuple[NDArray[Any], NDArray[Any], NDArray[Any]]:
    """The picture as luma and two planes of chroma, by the definitions of ITU-R BT.601 and BT.709."""
    red, green, blue = (RIGHT[..., i] / 255 for i in range(3))
    kr, kb = {"601": (0.299, 0.114), "709": (0.2126, 0.0722)}[standard]
    luma = kr * red + (1 - kr - kb) * green + kb * blue
    cb, cr = (blue - luma) / (2 * (1 - kb)), (red - luma) / (2 * (1 - kr))
    y, chroma = (luma * 255, 255) if full else (16 + luma * 219, 224)
    return tuple(np.rint(one).astype(np.uint8) for one in (y, 128 + cb * chroma, 128 + cr * chroma))  # type: ignore[return-value]


def nv12(standard: str, *, full: bool) -> NDArray[Any]:
    y, cb, cr = yuv(standard, full=full)
    pairs = np.dstack([cb[::2, ::2], cr[::2, ::2]]).reshape(32, 96)
    return np.vstack([y, pairs])


def yuv420(standard: str, *, full: bool) -> NDArray[Any]:
    y, cb, cr = yuv(standard, full=full)
    return np.vstack([y, cb[::2, ::2].reshape(16, 96), cr[::2, ::2].reshape(16, 96)])


def yuyv(standard: str, *, full: bool) -> NDArray[Any]:
    y, cb, cr = yuv(standard, full=full)
    out = np.empty((64, 96, 2), np.uint8)
    out[..., 0], out[:, ::2, 1], out[:, 1::2, 1] = y, cb[:, ::2], cr[:, ::2]
    return out


def with_fourth(pixels: NDArray[Any]) -> NDArray[Any]:
    return np.dstack([pixels, np.full((64, 96), 7, np.uint8)])


def deep(bits: int) -> NDArray[Any]:
    return RIGHT[..., 1].astype(np.uint16) << (bits - 8)


BGR = RIGHT[..., ::-1]
GREY = np.repeat(RIGHT[..., 1:2], 3, axis=2)
ROWS: dict[str, tuple[NDArray[Any], NDArray[Any], int]] = {
    "BGR888": (RIGHT, RIGHT, 0),
    "RGB888": (BGR, RIGHT, 0),
    "XBGR8888": (with_fourth(RIGHT), RIGHT, 0),
    "XRGB8888": (with_fourth(BGR), RIGHT, 0),
    "GREY": (RIGHT[..., 1], GREY, 0),
    "Y10": (deep(10), GREY, 0),
    "Y12": (deep(12), GREY, 0),
    "Y14": (deep(14), GREY, 0),
    "Y16": (deep(16), GREY, 0),
    "RGB161616": (BGR.astype(np.uint16) << 8, RIGHT, 0),
    "MJPG": (cv2.imencode(".jpg", BGR, [cv2.IMWRITE_JPEG_QUALITY, 100])[1].reshape(1, -1), RIGHT, 12),
}
for name, make in {"NV12": nv12, "YUV420": yuv420, "YUYV": yuyv}.items():
    for ending, standard, full in (
        ("", "601", False),
        ("-full", "601", True),
        ("-709", "709", False),
        ("-709-full", "709", True),
    ):
        ROWS[name + ending] = (make(standard, full=full), RIGHT, 4)


def converted(name: str, raw: NDArray[Any], depth: int | None = None) -> NDArray[Any]:
    out = np.full((64, 96, 3), 99, np.uint8)
    FrameConverter(name, SIZE, depth).convert(raw, out)
    return out


def test_every_format_has_a_row_here() -> None:
    assert set(ROWS) == set(KNOWN)


@pytest.mark.parametrize("name", ROWS)
def test_a_format_gives_the_colours_that_were_put_in(name: str) -> None:
    raw, right, within = ROWS[name]
    inside = np.ones(96, bool)
    inside[[at + i for at in range(16, 96, 16) for i in (-2, -1, 0, 1)]] = within == 0  # chroma is shared at an edge
    off = np.abs(converted(name, raw).astype(int) - right)[:, inside]
    assert off.max() <= within


@pytest.mark.parametrize("name", [n for n in ROWS if n != "MJPG"])
def test_a_frame_of_another_size_type_or_shape_is_no_picture_of_a_format(name: str) -> None:
    raw = ROWS[name][0]
    others: dict[CameraTrouble, list[NDArray[Any]]] = {
        CameraTrouble.WRONG_SIZE: [raw[::2], raw[:, ::2], raw[:-1], raw[:12]],
        CameraTrouble.WRONG_FORMAT: [
            raw.astype(np.float32),
            raw.astype(np.uint8) if raw.dtype == np.uint16 else raw.astype(np.uint16),
            raw[..., None, None],
            raw.reshape(-1),
            raw[..., :2] if raw.ndim == 3 and raw.shape[2] > 2 else np.dstack([raw] * 3),
            raw[:0].reshape(-1),
        ],
    }
    for trouble, frames in others.items():
        for frame in frames:
            with pytest.raises(BadFrameError) as caught:
                converted(name, frame)
            assert caught.value.trouble is trouble, frame.shape


PADDED = ["GREY", "Y12", "NV12", "NV12-full", "YUV420", "YUV420-709-full"]


@pytest.mark.parametrize("name", PADDED)
def test_what_drivers_add_at_the_end_of_rows_is_left_out(name: str) -> None:
    raw, _, _ = ROWS[name]
    if name.startswith("YUV420"):
        chroma = np.hstack([raw[64:].reshape(64, 48), np.full((64, 16), 99, np.uint8)]).reshape(32, 128)
        padded = np.vstack([np.hstack([raw[:64], np.full((64, 32), 99, np.uint8)]), chroma])
    else:
        padded = np.hstack([raw, np.full((len(raw), 32), 99, raw.dtype)])
    assert (converted(name, padded) == converted(name, raw)).all()


def test_a_depth_that_is_given_counts_and_a_value_above_it_is_no_picture() -> None:
    assert (converted("Y16", deep(12), 12) == GREY).all()
    with pytest.raises(BadFrameError, match="more than the 10 bits"):
        converted("Y16", deep(12), 10)
    with pytest.raises(BadFrameError, match="give --depth"):
        converted("Y16", deep(10))


def test_the_scale_of_16_bits_holds_from_frame_to_frame() -> None:
    converter, out = FrameConverter("Y16", SIZE), np.empty((64, 96, 3), np.uint8)
    converter.convert(deep(16), out)
    converter.convert(deep(16) // 16, out)
    assert out.max() == RIGHT[..., 1].max() // 16


JPEG = ROWS["MJPG"][0].reshape(-1)
BROKEN = {
    "its end is missing": (JPEG[: len(JPEG) * 2 // 3], CameraTrouble.TORN),
    "a hole": (np.concatenate([JPEG[: len(JPEG) // 2], np.zeros(900, np.uint8), JPEG[-2:]]), CameraTrouble.TORN),
    "its head is missing": (JPEG[20:], CameraTrouble.WRONG_FORMAT),
    "nothing": (JPEG[:0], CameraTrouble.WRONG_FORMAT),
    "the start alone": (JPEG[:2], CameraTrouble.TORN),
    "a picture": (RIGHT, CameraTrouble.WRONG_FORMAT),
    "another size": (cv2.imencode(".jpg", RIGHT[:32])[1].reshape(-1), CameraTrouble.WRONG_SIZE),
}


@pytest.mark.parametrize("case", BROKEN)
def test_a_jpeg_that_is_not_whole_is_no_picture(case: str) -> None:
    raw, trouble = BROKEN[case]
    with pytest.raises(BadFrameError) as caught:
        converted("MJPG", raw)
    assert caught.value.trouble is trouble


def test_a_grey_jpeg_is_a_picture_too() -> None:
    grey = cv2.imencode(".jpg", RIGHT[..., 1], [cv2.IMWRITE_JPEG_QUALITY, 100])[1]
    assert np.abs(converted("MJPG", grey.reshape(-1)).astype(int) - GREY).mean() < 3


def test_unknown_formats_and_sizes_too_small_for_a_field_are_said_at_once() -> None:
    with pytest.raises(BadFrameError, match="gives SRGGB10, which is not read"):
        FrameConverter("SRGGB10", SIZE)
    with pytest.raises(BadFrameError, match="16x12 pixels are too few"):
        FrameConverter("GREY", (16, 12))


def test_pixels_are_written_where_they_are_wanted_in_one_pass() -> None:
    out = np.zeros((64, 96, 3), np.uint8)
    before = out.ctypes.data
    for name, (raw, _, _) in ROWS.items():
        out[:] = 0
        FrameConverter(name, SIZE).convert(raw, out)
        assert out.any(), name
    assert out.ctypes.data == before
    assert FORMATS
