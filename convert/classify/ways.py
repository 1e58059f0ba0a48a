"""The ways to 32 x 32, each giving a net that takes the device's crop: as it is, rebuilt, enlarged in the graph, distilled."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from convert.errors import UnsupportedError
from convert.net.rewrite import SIZE, ShapeError, device_model, has_head, net_input
from convert.net.values import ValueRange

WAYS = ("native", "rebuild", "upscale", "distill")


@dataclass(frozen=True, slots=True)
class Way:
    """One way to 32 x 32.

    Attributes:
        name: one of ``WAYS``.
        make: (batch, from_bytes) to the Keras model [batch, 32, 32, c] to [batch, k].
        logits: the outputs are logits.
        values: value range of its input, where it is not the trained net's.
        colour: likewise.
    """

    name: str
    make: Callable[[int | None, bool], Any]
    logits: bool
    values: ValueRange | None = None
    colour: str | None = None


def ways_for(
    model: Any, values: ValueRange, asked: str, *, logits: bool, keep_head: bool
) -> tuple[list[Way], list[str]]:
    """Native, rebuild and upscale as far as they apply and were asked for, and why others do not apply.

    A sigmoid or softmax at the end is left to the device, which applies it in float (``keep_head``: stays in the file): an
    int8 probability has 256 steps, and the cells that decide a flag all share the topmost.

    Raises:
        UnsupportedError: the one way that was asked for does not apply.
    """
    taken = net_input(model)
    native = (taken.height, taken.width) == (SIZE, SIZE)
    found: list[Way] = []
    notes: list[str] = []
    bare = not keep_head and has_head(model)
    logits = logits or bare
    if native and asked in ("auto", "native", "rebuild", "upscale"):
        return [Way("native", _maker(model, values, None, bare=bare), logits)], notes
    if asked == "native":
        size = f"{taken.height}x{taken.width}"
        raise UnsupportedError(f"the net takes {size}, not {SIZE}x{SIZE}: --input native does not apply")
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
    return found, notes


def _maker(
    model: Any, values: ValueRange, resize_to: tuple[int, int] | None, *, bare: bool
) -> Callable[[int | None, bool], Any]:
    def make(batch: int | None, from_bytes: bool) -> Any:
        return device_model(model, SIZE, values, resize_to=resize_to, batch=batch, from_bytes=from_bytes, bare=bare)

    return make
