"""Fields of a camera under run control: a field when run control takes one, an unreadable one for a stretch without the camera."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from time import monotonic
from typing import NoReturn, Protocol

from edge.camera.records import Frame, LostFrames
from edge.errors import UnreadableFieldError
from edge.types import CountedField, Field, Shot, UInt8Array, after_last


class FieldTaker(Protocol):
    """What takes fields; ``edge.control.run.RunControl`` is the real one."""

    def next_field(self) -> Frame | LostFrames | None:
        """The next field, a stretch without the camera in its place, or None where the sample is to end. Waits."""
        ...

    def interrupt(self) -> None:
        """Let ``next_field`` end soon. Takes no lock."""
        ...


class CameraSource:
    """Fields of one sample, until run control ends it.

    Args:
        taker: takes the fields; the camera is its affair.
        sample: the sample they belong to.
        correct: makes the field of a frame (flat field, dust): uint8 [H, W, 3] in and out; runs in a worker's thread.
        checked: what a profile says of a frame; goes into the field's metadata. Called in field order.
    """

    total: int | None

    def __init__(
        self,
        taker: FieldTaker,
        sample: str,
        *,
        correct: Callable[[UInt8Array], UInt8Array] | None = None,
        checked: Callable[[Frame], Mapping[str, object]] | None = None,
    ) -> None:
        self.total = None
        self.samples: tuple[str, ...] = (sample,)
        self._taker = taker
        self._sample = sample
        self._correct = correct
        self._checked = checked
        self._first = 0

    def __iter__(self) -> Iterator[Shot]:
        """Yield a shot for each field that is taken; raises CameraError when the camera stays away for too long."""
        for index in itertools.count(self._first):
            taken = self._taker.next_field()
            if taken is None:
                return
            name = f"camera-{index:06d}"
            load = _raising(taken.words) if isinstance(taken, LostFrames) else self._loading(taken, index, name)
            yield Shot(index, self._sample, name, load)

    def go_on(self, counted: Sequence[CountedField], complete: Collection[str]) -> tuple[str, ...]:
        """Number the next frame after the last one that was counted."""
        del complete  # there is one sample
        self._first = after_last(counted)
        return ()

    def close(self) -> None:
        """Take no further field."""
        self._taker.interrupt()

    def _loading(self, frame: Frame, index: int, name: str) -> Callable[[], Field]:
        told = {"captured": round(frame.captured, 3), "frame": frame.number, **frame.metadata}
        if self._checked is not None:
            told |= self._checked(frame)

        def load() -> Field:
            began = monotonic()
            rgb = frame.rgb if self._correct is None else self._correct(frame.rgb)
            return Field(rgb, index, self._sample, name, told, (monotonic() - began) * 1e3)

        return load


def _raising(words: str) -> Callable[[], Field]:
    def load() -> NoReturn:
        raise UnreadableFieldError(words)

    return load
