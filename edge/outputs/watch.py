"""Warns in one line, with the likely cause, when several fields in a row do not count.

The gate says why a field does not count, not what is wrong with the microscope: a black frame is "under-exposed", a green
one "empty", noise "out of focus". What the field looks like tells more, and the gate's measures hold enough of it.
"""

from __future__ import annotations

import re
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from edge.events import FieldEvent, SampleEvent
from edge.no_picture import NoPicture, no_picture
from edge.types import Quality

CAMERA_PATIENCE = 5  # fields in a row that do not count before a camera is said to be bad
FILES_PATIENCE = 20  # the same for files, which cannot be corrected on the spot

_THUMBNAIL = (24, 32)  # rows, columns; ``edge.gate`` makes it

BLACK = "they are black: is the lamp on, and the lens cap off?"
WHITE = "they are white: too much light, or too long an exposure"
EVEN = (
    "they show one even colour and nothing else: look at cable, camera and driver, and for a slide under the objective"
)
NOISE = "they show nothing but noise: look at cable, camera and driver"
FROZEN = "each is exactly the same picture: the camera hangs, or one file was copied many times"
OTHER = "they were left out as {reason}"
UNREADABLE = "they cannot be read ({reason})"
_BY_LOOK = {NoPicture.BLACK: BLACK, NoPicture.WHITE: WHITE, NoPicture.EVEN: EVEN, NoPicture.NOISE: NOISE}
_BY_REASON = {
    "out of focus": "they are out of focus: turn the focus knob; is the objective clean, the slide the right way up?",
    "under-exposed": "they are too dark: turn the lamp up, or lengthen the exposure",
    "over-exposed": "they are too bright: turn the lamp down, or shorten the exposure",
    "empty": "there is nothing in them: no cells in view, or far out of focus",
    "same as": "they show the same view again and again: the stage does not move",
    "incomplete": "parts of them are missing: look at the cable, or copy the files again",
}


@dataclass(frozen=True, slots=True)
class NothingCounted:
    """A sample in which nothing was counted: how many ``fields`` were seen, and the likeliest ``cause`` in words."""

    sample: str
    fields: int
    cause: str


class Watch:
    """Warns after several fields in a row that do not count; again when the cause changes, not for every field.

    A cause that comes back after fields that count must last twice as long each time to be said again.

    Args:
        tell: takes one line for a person.
        patience: fields in a row until it speaks.

    Attributes:
        samples: how many were completed.
        nothing: those of which no field counted, in order.
    """

    def __init__(self, tell: Callable[[str], None], patience: int) -> None:
        self.samples = 0
        self.nothing: list[NothingCounted] = []
        self._tell = tell
        self._patience = patience
        self._recent: deque[str] = deque(maxlen=patience)
        self._row = 0
        self._said: Counter[str] = Counter()
        self._said_in_row: set[str] = set()
        self._of_sample: Counter[str] = Counter()
        self._before = b""

    def field(self, event: FieldEvent) -> None:
        """Take one field."""
        quality = None if event.result is None else event.result.quality
        again = quality is not None and len(quality.signature) > 0 and quality.signature == self._before
        self._before = quality.signature if quality is not None else b""
        if event.reject_reason is None:
            self._row = 0
            self._recent.clear()
            self._said_in_row.clear()
            return
        seen = cause(event.reject_reason, quality, again=again)
        self._row += 1
        self._recent.append(seen)
        self._of_sample[seen] += 1
        likely, times = Counter(self._recent).most_common(1)[0]
        if likely in self._said_in_row or self._row < self._patience * 2 ** self._said[likely]:
            return
        if not self._said_in_row or 2 * times >= self._patience:
            self._said_in_row.add(likely)
            self._said[likely] += 1
            self._tell(f"{self._row:,} fields in a row do not count: {likely}")

    def sample(self, event: SampleEvent) -> None:
        """Take one sample."""
        self.samples += 1
        if event.tally.kept == 0 and self._of_sample:
            likely = self._of_sample.most_common(1)[0][0]
            self.nothing.append(NothingCounted(event.tally.sample, self._of_sample.total(), likely))
        self._of_sample.clear()

    def close(self) -> None:
        """Nothing to complete."""

    discard = close


def cause(reason: str, quality: Quality | None, *, again: bool) -> str:
    """What is likely wrong, in words.

    Args:
        reason: why the field does not count.
        quality: its measures, None where it could not be read.
        again: whether it looks exactly as the field before.
    """
    if quality is None:
        return UNREADABLE.format(reason=_without_name(reason))
    seen = np.frombuffer(quality.signature, np.uint8)
    if len(seen) == _THUMBNAIL[0] * _THUMBNAIL[1]:
        look = no_picture(seen.reshape(_THUMBNAIL))
        if look is not None:
            return _BY_LOOK[look]
    if again:
        return FROZEN
    words = next((words for start, words in _BY_REASON.items() if reason.startswith(start)), None)
    return words or OTHER.format(
        reason=re.sub(r"\d[\d,]*", "N", reason)
    )  # causes that differ only in a number are the same


def _without_name(reason: str) -> str:
    """``unreadable: a.png: empty file`` says of many inputs: empty file."""
    return reason.rsplit(": ", 1)[-1]
