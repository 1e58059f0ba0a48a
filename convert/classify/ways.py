"""The ways to the device, each giving a net that takes the device's crop: as it is, rebuilt, enlarged in the graph, distilled.

The device cuts 32 x 32. A net of another size that is not rebuilt, enlarged or distilled may have the device cut its own size (way
``native``): its function is then exact and its cost its own. For nets larger than ``LARGEST`` the device cuts that, and the graph
enlarges it: cells seldom have more pixels on a field.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from convert.measure.cells import CellSet
from convert.net.rewrite import SIZE, ShapeError, device_model, has_head, net_input
from convert.net.values import ValueRange
from convert.reading.wrappers import learnt_ranges
from edge.types import FloatArray

LARGEST = 96
"""Side in pixels of the largest crop that the device cuts for a classifier: nine times the bytes of the usual one."""

WAYS = ("native", "rebuild", "upscale", "distill")


@dataclass(frozen=True, slots=True)
class Way:
    """One way to the device.

    Attributes:
        name: one of ``WAYS``.
        make: (batch, from_bytes) to the Keras model [batch, size, size, c] to [batch, k].
        logits: the outputs are logits.
        values: value range of its input, where it is not the trained net's.
        colour: likewise.
        size: side of the device's crop in pixels.
        held_out: where the way learnt from cells: scores float32 [n, labels] of such cells by nets that did not learn from them.
        learnt: ranges of layers' outputs (name, lowest, highest) that training with rounding learnt.
    """

    name: str
    make: Callable[[int | None, bool], Any]
    logits: bool
    values: ValueRange | None = None
    colour: str | None = None
    size: int = SIZE
    held_out: Callable[[CellSet], FloatArray] | None = None
    learnt: tuple[tuple[str, float, float], ...] = ()


def ways_for(
    model: Any, values: ValueRange, asked: str, *, logits: bool, keep_head: bool
) -> tuple[list[Way], list[str]]:
    """Rebuild, upscale and native as far as they apply and were asked for, the dearest last, and why others do not apply.

    A sigmoid or softmax at the end is left to the device, which applies it in float (``keep_head``: stays in the file): an
    int8 probability has 256 steps, and the cells that decide a flag all share the topmost.

    Raises:
        ShapeError: ``rebuild`` was asked for and does not apply.
    """
    found, notes = _apply(model, values, asked, logits=logits, keep_head=keep_head)
    known = tuple((name, *both) for name, both in learnt_ranges(model).items())
    return [replace(way, learnt=known) for way in found], notes


def _apply(model: Any, values: ValueRange, asked: str, *, logits: bool, keep_head: bool) -> tuple[list[Way], list[str]]:
    taken = net_input(model)
    side = max(taken.height, taken.width)
    found: list[Way] = []
    notes: list[str] = []
    bare = not keep_head and has_head(model)
    logits = logits or bare
    if (taken.height, taken.width) == (SIZE, SIZE) and asked in ("auto", "native", "rebuild", "upscale"):
        return [Way("native", _maker(model, values, None, bare=bare), logits)], notes
    if asked in ("auto", "rebuild"):
        try:
            device_model(model, SIZE, values, batch=None)
        except ShapeError as error:
            if asked == "rebuild":
                raise
            notes.append(f"rebuild does not apply: {error}")
        else:
            found.append(Way("rebuild", _maker(model, values, None, bare=bare), logits))
    if asked in ("auto", "upscale"):
        found.append(Way("upscale", _maker(model, values, (taken.height, taken.width), bare=bare), logits))
    if asked == "native" or (asked == "auto" and side != SIZE):
        size = min(side, LARGEST)
        whole = (taken.height, taken.width)  # where the crop is not so already
        found.append(Way("native", _maker(model, values, whole, bare=bare, size=size), logits, size=size))
    return found, notes


def _maker(
    model: Any, values: ValueRange, resize_to: tuple[int, int] | None, *, bare: bool, size: int = SIZE
) -> Callable[[int | None, bool], Any]:
    def make(batch: int | None, from_bytes: bool) -> Any:
        return device_model(model, size, values, resize_to=resize_to, batch=batch, from_bytes=from_bytes, bare=bare)

    return make
