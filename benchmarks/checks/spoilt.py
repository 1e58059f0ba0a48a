"""Fields as they go wrong, made of good ones: seen through a mask, damaged on the way, or odd but whole.

Every maker takes a field, uint8 [H, W, 3], another of the same size, and a generator, and gives a field. ``MASKS`` are shapes that
eyepieces, phone adapters and films leave lit; ``SURROUNDS`` what is outside; ``DAMAGES`` are to be rejected as incomplete,
``WHOLE`` are not.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import cv2
import numpy as np

from edge.types import UInt8Array

Shape = tuple[int, int]
Maker = Callable[[UInt8Array, UInt8Array, np.random.Generator], UInt8Array]
BLACK, GREY, GREEN = (0, 0, 0), (128, 128, 128), (0, 135, 0)
"""Colours that a decoder leaves where data is missing; green is zeros in YUV."""


def circle(x: float, y: float, radius: float) -> Callable[[Shape], np.ndarray]:
    """A disc in widths of the field; its middle in shares of width and height."""

    def lit(shape: Shape) -> np.ndarray:
        rows, columns = np.ogrid[0.5 : shape[0], 0.5 : shape[1]]
        away = np.square(columns - x * shape[1]) + np.square(rows - y * shape[0])
        return np.asarray(away <= (radius * shape[1]) ** 2)

    return lit


def rectangle(left: float, top: float, right: float, bottom: float, radius: float = 0) -> Callable[[Shape], np.ndarray]:
    """A rectangle in shares of width and height, its corners rounded by ``radius`` in widths."""

    def lit(shape: Shape) -> np.ndarray:
        rows, columns = np.ogrid[0.5 : shape[0], 0.5 : shape[1]]
        round_ = radius * shape[1]
        middle = (left + right) / 2 * shape[1], (top + bottom) / 2 * shape[0]
        half = (right - left) / 2 * shape[1] - round_, (bottom - top) / 2 * shape[0] - round_
        over_x = np.maximum(np.abs(columns - middle[0]) - half[0], 0)
        over_y = np.maximum(np.abs(rows - middle[1]) - half[1], 0)
        return np.asarray(np.square(over_x) + np.square(over_y) <= round_**2)

    return lit


MASKS: Final = {
    "circle": circle(0.5, 0.5, 0.36),
    "small circle": circle(0.5, 0.5, 0.25),
    "large circle": circle(0.5, 0.5, 0.47),
    "circle cutting the corners": circle(0.5, 0.5, 0.55),
    "circle off centre": circle(0.37, 0.58, 0.36),
    "circle partly outside": circle(0.15, 0.2, 0.5),
    "circle around a corner": circle(1.0, 1.0, 0.7),
    "rounded rectangle": rectangle(0.1, 0.1, 0.9, 0.9, 0.08),
    "rounded corners": rectangle(0, 0, 1, 1, 0.1),
    "letterbox": rectangle(-1, 0.12, 2, 0.88),
    "pillarbox": rectangle(0.15, -1, 0.85, 2),
    "window": rectangle(0.08, 0.1, 0.93, 0.87),
}
"""Shapes that are left lit, by name."""


def through(rgb: UInt8Array, lit: np.ndarray, surround: str, rng: np.random.Generator) -> UInt8Array:
    """The field where ``lit``, bool [H, W], and one of ``SURROUNDS`` elsewhere."""
    share = lit.astype(np.float32)
    dark = np.array(_DARK.get(surround, BLACK), np.float32)
    bright = rgb.astype(np.float32)
    if surround == "soft rim":
        share = np.asarray(cv2.GaussianBlur(share, (0, 0), 0.006 * rgb.shape[1]), np.float32)
    elif surround == "noisy":
        dark = 12 + rng.normal(0, 8, rgb.shape).astype(np.float32)
    elif surround == "vignetted":
        rows, columns = np.nonzero(lit)
        y, x = np.ogrid[: rgb.shape[0], : rgb.shape[1]]
        away = np.hypot(x - columns.mean(), y - rows.mean())
        bright *= (1 - 0.5 * np.minimum(away / away[lit].max(), 1.2) ** 2).astype(np.float32)[..., None]
    mixed = (bright * share[..., None] + dark * (1 - share[..., None])).clip(0, 255).round().astype(np.uint8)
    return jpeg(mixed, 75) if surround in {"JPEG", "noisy", "soft rim"} else mixed


SURROUNDS: Final = ("black", "JPEG", "noisy", "dark grey", "dark blue", "soft rim", "vignetted")
_DARK: Final = {"dark grey": (60, 60, 60), "dark blue": (15, 20, 55)}
"""Colours outside the mask, where it is not black."""


def jpeg(rgb: UInt8Array, quality: int) -> UInt8Array:
    """There and back through JPEG."""
    done, data = cv2.imencode(".jpg", rgb[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, quality])
    if not done:
        raise ValueError("OpenCV could not encode a JPEG")
    return np.ascontiguousarray(np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR), np.uint8)[..., ::-1])


def _tail(colour: tuple[int, int, int], *, quality: int = 0, at_end: bool = True) -> Maker:
    def make(rgb: UInt8Array, _: UInt8Array, rng: np.random.Generator) -> UInt8Array:
        out = rgb.copy()
        pixels = out.reshape(-1, 3)
        cut = int(len(pixels) * rng.uniform(0.08, 0.94))
        pixels[slice(cut, None) if at_end else slice(0, cut)] = colour
        return jpeg(out, quality) if quality else out

    return make


def _block(colour: tuple[int, int, int]) -> Maker:
    def make(rgb: UInt8Array, _: UInt8Array, rng: np.random.Generator) -> UInt8Array:
        out = rgb.copy()
        height, width = out.shape[:2]
        side = max(48, int(min(width, height) * rng.uniform(0.08, 0.4)))
        x, y = int(rng.integers(0, width - side)), int(rng.integers(0, height - side))
        out[y : y + side, x : x + side] = colour
        return out

    return make


def _zero_bytes(rgb: UInt8Array, _: UInt8Array, rng: np.random.Generator) -> UInt8Array:
    out = rgb.copy()
    data = out.reshape(-1)
    length = min(65536, data.size // 10)
    start = int(rng.integers(0, data.size - length))
    data[start : start + length] = 0
    return out


def _repeated(quality: int = 0) -> Maker:
    def make(rgb: UInt8Array, _: UInt8Array, rng: np.random.Generator) -> UInt8Array:
        out = rgb.copy()
        row = int(len(out) * rng.uniform(0.08, 0.92))
        out[row:] = out[row]
        return jpeg(out, quality) if quality else out

    return make


def _other_frame(rgb: UInt8Array, other: UInt8Array, rng: np.random.Generator) -> UInt8Array:
    row = int(len(rgb) * rng.uniform(0.08, 0.92))
    return np.concatenate([rgb[:row], other[row:]])


def _shifted(rgb: UInt8Array, _: UInt8Array, rng: np.random.Generator) -> UInt8Array:
    return _other_frame(rgb, np.roll(rgb, rgb.shape[1] // 3, axis=1), rng)


DAMAGES: Final[dict[str, Maker]] = {
    "zeros to the end": _tail(BLACK),
    "zeros from the start": _tail(BLACK, at_end=False),
    "64 kB of zeros": _zero_bytes,
    "black block": _block(BLACK),
    "grey block": _block(GREY),
    "grey to the end": _tail(GREY),
    "green to the end": _tail(GREEN),
    "black to the end, JPEG": _tail(BLACK, quality=80),
    "green to the end, JPEG": _tail(GREEN, quality=80),
    "last line repeated": _repeated(),
    "last line repeated, JPEG": _repeated(80),
    "goes on with another frame": _other_frame,
    "goes on shifted": _shifted,
}
"""Damages that the check is to reject, by name."""


def _over(rgb: UInt8Array, _: UInt8Array, rng: np.random.Generator) -> UInt8Array:
    slope = np.linspace(80, 0, len(rgb))[:, None, None]
    return np.asarray((rgb * rng.uniform(1.3, 2) + slope).clip(0, 255), np.uint8)


def _scale_bar(rgb: UInt8Array, _: UInt8Array, __: np.random.Generator) -> UInt8Array:
    out = rgb.copy()
    height, width = out.shape[:2]
    cv2.rectangle(out, (int(0.6 * width), int(0.92 * height)), (int(0.9 * width), int(0.935 * height)), BLACK, -1)
    cv2.putText(out, "10 um", (int(0.65 * width), int(0.9 * height)), 0, width / 900, BLACK, 2)
    return out


def _label(rgb: UInt8Array, _: UInt8Array, __: np.random.Generator) -> UInt8Array:
    out = rgb.copy()
    height, width = out.shape[:2]
    cv2.rectangle(out, (0, 0), (width // 4, height // 14), (255, 255, 255), -1)
    cv2.putText(out, "slide 7", (width // 60, height // 18), 0, width / 900, BLACK, 2)
    return out


def _masked(surround: str) -> Maker:
    def make(rgb: UInt8Array, _: UInt8Array, rng: np.random.Generator) -> UInt8Array:
        shape = list(MASKS)[int(rng.integers(len(MASKS)))]
        return through(rgb, MASKS[shape](rgb.shape[:2]), surround, rng)

    return make


def _empty(rgb: UInt8Array, _: UInt8Array, rng: np.random.Generator) -> UInt8Array:
    paper = np.percentile(rgb[::8, ::8].reshape(-1, 3), 90, axis=0)
    return np.asarray((paper + rng.normal(0, 2, rgb.shape)).clip(0, 255), np.uint8)


def _grey(rgb: UInt8Array, _: UInt8Array, __: np.random.Generator) -> UInt8Array:
    return np.asarray(cv2.cvtColor(cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB), np.uint8)


def _enlarged(times: int, how: int) -> Maker:
    def make(rgb: UInt8Array, _: UInt8Array, __: np.random.Generator) -> UInt8Array:
        part = rgb[: len(rgb) // times, : rgb.shape[1] // times]
        return np.asarray(cv2.resize(part, None, fx=times, fy=times, interpolation=how), np.uint8)

    return make


def _at_30(maker: Maker) -> Maker:
    return lambda rgb, other, rng: jpeg(maker(rgb, other, rng), 30)


def _as_is(rgb: UInt8Array, _: UInt8Array, __: np.random.Generator) -> UInt8Array:
    return rgb


WHOLE: Final[dict[str, Maker]] = {
    "as it is": _as_is,
    "JPEG at 30": _at_30(_as_is),
    "grey": _grey,
    "grey, JPEG at 30": _at_30(_grey),
    "over-exposed": _over,
    "over-exposed, JPEG at 30": _at_30(_over),
    "scale bar": _scale_bar,
    "scale bar, JPEG at 30": _at_30(_scale_bar),
    "white label": _label,
    "mask, exact zeros": _masked("black"),
    "mask, JPEG": _masked("JPEG"),
    "mask, noisy": _masked("noisy"),
    "twice, nearest": _enlarged(2, cv2.INTER_NEAREST),
    "three times, cubic": _enlarged(3, cv2.INTER_CUBIC),
    "four times, nearest": _enlarged(4, cv2.INTER_NEAREST),
    "cropped": lambda rgb, _, __: rgb[len(rgb) // 3 :, rgb.shape[1] // 4 : rgb.shape[1] * 3 // 4].copy(),
    "empty": _empty,
    "empty, JPEG at 30": _at_30(_empty),
    "blurred": lambda rgb, _, __: np.asarray(cv2.GaussianBlur(rgb, (0, 0), 8), np.uint8),
    "dark": lambda rgb, _, __: np.asarray(rgb * 0.15, np.uint8),
    "contrasty": lambda rgb, _, __: np.asarray((rgb * 1.8 - 150).clip(0, 255), np.uint8),
}
"""Odd fields that are whole and must not be rejected, by name."""
