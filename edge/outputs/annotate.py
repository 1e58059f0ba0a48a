"""Annotated fields: boxes coloured by class, with a legend under the image, one JPEG per kept field."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from pathlib import Path

import cv2
import numpy as np

from edge import near, words
from edge.errors import OutputError
from edge.events import FieldEvent, SampleEvent
from edge.outputs.files import safe_name, usable_folder
from edge.safe_file import whole_file
from edge.types import CELL, FieldResult, UInt8Array

_Colour = tuple[int, int, int]

# RGB of positive classes, in their order
_POSITIVE: tuple[_Colour, ...] = ((220, 20, 30), (255, 120, 0), (200, 0, 170))
# RGB of the other classes, in their order
_OTHER: tuple[_Colour, ...] = ((0, 125, 70), (0, 100, 210), (130, 90, 0), (0, 140, 150), (90, 60, 200))
# RGB of what is set aside, by kind
_SET_ASIDE: tuple[_Colour, ...] = (
    (110, 110, 110),
    (190, 150, 90),
    (60, 160, 200),
    (170, 130, 200),
    (30, 30, 30),
)
NEAR: _Colour = (255, 190, 0)
"""Colour of near misses (``edge.near``), which are drawn dashed."""

_RIM: _Colour = (0, 200, 255)  # RGB of the lit region's outline
_INK: _Colour = (30, 30, 30)  # RGB of text
_FONT = cv2.FONT_HERSHEY_SIMPLEX
_QUALITY = 92  # of the JPEG


class AnnotatedImages:
    """Writes ``DIR/<field>-<name>.jpg`` for every kept field. The folder is made when it is missing.

    Args:
        folder: where to.
        labels: the model's classes.
        positive: those that make a sample suspicious.
        threshold: of the run: near misses are drawn; None: near misses are drawn like other cells.
        unit: what is counted.
        pixels: of a field that comes without them, because an earlier part of the run had it, and has no picture yet; None where
            they are gone, and then so is its picture.
    """

    def __init__(
        self,
        folder: Path,
        labels: tuple[str, ...],
        positive: Collection[str],
        threshold: float | None = None,
        unit: str = "cell",
        *,
        pixels: Callable[[FieldEvent], UInt8Array | None] = lambda _: None,
    ) -> None:
        self._folder = folder
        self._labels = labels
        self._positive = frozenset(positive)
        self._threshold = threshold
        self._unit = unit
        self._pixels = pixels
        usable_folder(folder)

    def field(self, event: FieldEvent) -> None:
        """Draw and write a kept field."""
        if event.result is None or not event.kept:
            return
        path = self._folder / f"{event.index:05d}-{safe_name(Path(event.name).stem) or 'field'}.jpg"
        rgb = event.rgb
        if rgb is None and not path.exists():
            rgb = self._pixels(event)
        if rgb is None:
            return
        near = near_misses(event.result, self._labels, self._positive, self._threshold)
        image = draw(rgb, event.result, self._labels, self._positive, near, unit=self._unit)
        done, data = cv2.imencode(".jpg", image[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, _QUALITY])
        if not done:
            raise OutputError(f"{self._folder}: the annotated image of {event.name} could not be encoded")
        with whole_file(path) as stream:
            stream.buffer.write(data.tobytes())

    def sample(self, event: SampleEvent) -> None:
        """Samples have no image."""

    def close(self) -> None:
        """Every image is complete."""

    def discard(self) -> None:
        """Every image is complete."""


def near_misses(
    result: FieldResult, labels: tuple[str, ...], positive: Collection[str], threshold: float | None
) -> list[int]:
    """The near misses that are marked in a field, as places in its cells; none where the threshold is not known."""
    if threshold is None:
        return []
    chosen = np.array([label in positive for label in labels])
    return [int(n) for n in near.just_below(result.scores, result.classes, chosen, threshold, near.MOST)]


def draw(
    rgb: UInt8Array,
    result: FieldResult,
    labels: tuple[str, ...],
    positive: Collection[str],
    near_misses: Sequence[int] = (),
    *,
    unit: str = "cell",
) -> UInt8Array:
    """The field with its boxes and a legend: uint8 [H, W, 3] to uint8 [H + legend, W, 3], both RGB.

    Positive classes are drawn last and thicker, so that nothing covers them; near misses dashed; what is set aside thin.
    """
    image = boxed(rgb, result, labels, positive, near_misses)
    names = names_of(result, labels)
    entries = []
    for name, colour in class_colours(labels, result.cells.kinds, positive).items():
        count = names.count(name)
        if name in labels:
            entries.append((f"{name} {count}", colour))
        elif count:
            entries.append((f"{words.thing(name, count, unit)} {count}, {words.SET_ASIDE}", colour))
    if near_misses:
        entries.append((f"{near.WORDS} {len(near_misses)}", NEAR))
    return np.vstack([image, _legend(entries, image.shape[1], _unit(result))])


def boxed(
    rgb: UInt8Array,
    result: FieldResult,
    labels: tuple[str, ...],
    positive: Collection[str],
    near_misses: Sequence[int] = (),
) -> UInt8Array:
    """The field with boxes and the lit region's rim: uint8 [H, W, 3] to the same, RGB; ``near_misses``: places in its cells."""
    image = np.ascontiguousarray(rgb).copy()
    unit = _unit(result)
    if result.region is not None:
        outline = np.rint(result.region.outline - np.float32(0.5)).astype(np.int32)
        cv2.polylines(image, [outline], isClosed=True, color=_RIM, thickness=2 * unit, lineType=cv2.LINE_AA)
    names = names_of(result, labels)
    colours = class_colours(labels, result.cells.kinds, positive)
    weight = {name: 3 if name in positive else 1 if name in labels else 0 for name in colours}
    weights = [2 if n in near_misses else weight[name] for n, name in enumerate(names)]
    for n in sorted(range(len(names)), key=lambda n: weights[n]):
        x, y, w, h = result.cells.boxes[n].tolist()
        if n in near_misses:
            _dashed(image, (x, y, w, h), NEAR, 2 * unit)
            continue
        thickness = unit * (2 if weights[n] == 3 else 1)
        cv2.rectangle(image, (x, y), (x + w - 1, y + h - 1), colours[names[n]], thickness)
    return image


def _dashed(image: UInt8Array, box: tuple[int, int, int, int], colour: _Colour, thickness: int) -> None:
    """A box whose lines are interrupted, on a dark line: it stands out from pale film and from dark cells."""
    x, y, w, h = box
    right, bottom = x + w - 1, y + h - 1
    dash = max(3 * thickness, 4)
    cv2.rectangle(image, (x, y), (right, bottom), _INK, max(1, thickness // 2))
    for left in range(x, right + 1, 2 * dash):
        for level in (y, bottom):
            cv2.line(image, (left, level), (min(left + dash, right), level), colour, thickness)
    for top in range(y, bottom + 1, 2 * dash):
        for side in (x, right):
            cv2.line(image, (side, top), (side, min(top + dash, bottom)), colour, thickness)


def names_of(result: FieldResult, labels: tuple[str, ...]) -> list[str]:
    """The class that each thing in a field counts as, or the kind it is set aside as."""
    return [
        labels[klass] if klass >= 0 else result.cells.kinds[kind]
        for klass, kind in zip(result.classes.tolist(), result.cells.kind.tolist(), strict=True)
    ]


def _unit(result: FieldResult) -> int:
    """Width of a thin line in pixels."""
    return max(1, round(max(result.shape) / 1000))


def class_colours(labels: tuple[str, ...], kinds: tuple[str, ...], positive: Collection[str]) -> dict[str, _Colour]:
    """One colour per class and per set-aside kind, the same in every field."""
    groups = (
        ([label for label in labels if label in positive], _POSITIVE),
        ([label for label in labels if label not in positive], _OTHER),
        ([kind for kind in kinds if kind != CELL], _SET_ASIDE),
    )
    return {name: palette[i % len(palette)] for names, palette in groups for i, name in enumerate(names)}


def _legend(entries: list[tuple[str, _Colour]], width: int, unit: int) -> UInt8Array:
    """A white band of as many rows as the entries need: uint8 [h, width, 3]."""
    scale, row, pad = 0.5 * unit, 22 * unit, 8 * unit
    x, y = pad, 0
    places = []
    for text, colour in entries:
        (length, _), _ = cv2.getTextSize(_ascii(text), _FONT, scale, unit)
        if x > pad and x + row + length > width:
            x, y = pad, y + row
        places.append((x, y, text, colour))
        x += row + length + 2 * pad
    band = np.full((y + row, width, 3), 255, np.uint8)
    for left, top, text, colour in places:
        box = (left, top + row // 4), (left + row // 2, top + 3 * row // 4)
        if colour == NEAR:
            _dashed(band, (box[0][0], box[0][1], row // 2, row // 2), colour, 2 * unit)
        else:
            cv2.rectangle(band, *box, colour, -1)
        cv2.putText(
            band, _ascii(text), (left + 3 * row // 4, top + 3 * row // 4), _FONT, scale, _INK, unit, cv2.LINE_AA
        )
    return band


def _ascii(text: str) -> str:
    return text.encode("ascii", "replace").decode()  # the drawing font has no other letters
