"""Videos: one frame every so often is a field. Frames are read in order by whoever iterates; workers only take them."""

from __future__ import annotations

import math
import re
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

import cv2

from edge.depth import SMALLEST, check_size, frame_to_rgb
from edge.errors import NoInputError, UnreadableFieldError
from edge.refusal import RefusedError
from edge.sources.decode import max_megapixels, quiet_opencv, shown
from edge.types import CountedField, Field, Shot, UInt8Array, after_last

VIDEO_SUFFIXES = frozenset({".mp4", ".m4v", ".avi", ".mov", ".mkv", ".h264", ".webm"})
_FPS_UNKNOWN = 25.0  # frames per second taken where a file does not say
_WHOLE = 0.9  # the frame count of a container is an estimate; well below it the file was cut


@dataclass(frozen=True, slots=True)
class FrameInterval:
    """How often a frame is taken: every ``frames`` frames where given, else every ``seconds`` seconds of video."""

    frames: int | None = None
    seconds: float = 1.0

    @staticmethod
    def parse(text: str) -> FrameInterval:
        """Read ``25`` (frames) or ``0.5s`` (seconds).

        Raises:
            ValueError: neither of the two, or not above zero.
        """
        match = re.fullmatch(r"([0-9]+)|([0-9]*\.?[0-9]+) *s", text.strip())
        if match is None:
            raise ValueError(f"{text!r}: give a number of frames (25) or seconds of video (0.5s)")
        every = FrameInterval(frames=int(match[1])) if match[1] else FrameInterval(seconds=float(match[2]))
        if every.frames == 0 or every.seconds <= 0:
            raise ValueError(f"{text!r}: must be above zero")
        return every

    def step(self, fps: float) -> int:
        """Frames from one field to the next, at least 1, at ``fps`` frames per second."""
        if self.frames is not None:
            return max(1, self.frames)
        return max(1, round(self.seconds * fps))


class VideoSource:
    """Fields from video files, one sample per file.

    A video that cannot be opened, holds no frame or breaks off early yields a last shot whose ``load`` raises
    UnreadableFieldError, so that the run goes on with the next one and the summary names it.

    Args:
        paths: video files.
        every: which frames are taken; None for one per second of video.
        sample_id: put every video into one sample of this name; else each is named after its file.
        capture: opens a path; for tests.

    Raises:
        NoInputError: no path given, or one is not there.
    """

    total: int | None

    def __init__(
        self,
        paths: Sequence[str | Path],
        *,
        every: FrameInterval | None = None,
        sample_id: str | None = None,
        capture: Callable[[str], Any] | None = None,
    ) -> None:
        if not paths:
            raise NoInputError("no input: give a video file")
        for path in paths:
            if not Path(path).is_file():
                raise NoInputError(f"{shown(path)}: no such video file; check the path")
        self._paths = [Path(p) for p in paths]
        self._every = every or FrameInterval()
        self._sample_id = sample_id
        self._capture: Callable[[str], Any] = capture or cv2.VideoCapture
        self._open: list[Any] = []
        self._first = 0
        self._complete: frozenset[str] = frozenset()
        quiet_opencv()
        self.total = self._estimate()
        self.samples = tuple(dict.fromkeys(self._sample_of(path) for path in self._paths))

    def __iter__(self) -> Iterator[Shot]:
        """Yield the chosen frames in order, read as the iteration goes."""
        index = 0
        for path in self._paths:
            for shot in self._shots(path, index):
                if shot.index >= self._first and shot.sample not in self._complete:
                    yield shot
                index = shot.index + 1

    def go_on(self, counted: Sequence[CountedField], complete: Collection[str]) -> tuple[str, ...]:
        """Begin with the frame after the last one that was counted: frames are known by their place in the run."""
        self._first = after_last(counted)
        self._complete = frozenset(complete)
        return ()

    def close(self) -> None:
        """Release every video; safe to call twice."""
        while self._open:
            self._open.pop().release()

    def _estimate(self) -> int | None:
        total = 0
        for path in self._paths:
            video = self._capture(str(path))
            try:
                frames, step = _frame_count(video), self._every.step(_fps(video))
            finally:
                video.release()
            if frames is None:
                return None
            total += math.ceil(frames / step)
        return total

    def _sample_of(self, path: Path) -> str:
        return self._sample_id if self._sample_id is not None else shown(path.stem)

    def _shots(self, path: Path, index: int) -> Iterator[Shot]:
        sample = self._sample_of(path)
        video = self._capture(str(path))
        self._open.append(video)
        try:
            problem = _refusal(video)
            if problem is None:
                fps, expected = _fps(video), _frame_count(video)
                step, number = self._every.step(fps), 0
                start = time.perf_counter()
                while video.grab():
                    if number % step == 0:
                        try:
                            rgb = _frame(video)
                        except RefusedError as error:
                            problem = str(error)
                            break
                        if rgb is None:
                            break
                        ms = (time.perf_counter() - start) * 1e3
                        name = f"{shown(path.name)}#{number:06d}"
                        made = Field(rgb, index, sample, name, metadata={"video_s": number / fps}, decode_ms=ms)
                        yield Shot(index, sample, name, lambda made=made: made)  # type: ignore[misc]
                        index += 1
                        start = time.perf_counter()
                    number += 1
                problem = problem or _shortfall(number, expected)
            if problem is not None:
                yield Shot(index, sample, shown(path.name), _Refuse(f"{shown(path)}: {problem}"))
        finally:
            if video in self._open:
                self._open.remove(video)
            video.release()


@dataclass(frozen=True, slots=True)
class _Refuse:
    """The ``load`` of a shot that says what is wrong with a video."""

    message: str

    def __call__(self) -> NoReturn:
        raise UnreadableFieldError(self.message)


def _refusal(video: Any) -> str | None:
    if not video.isOpened():
        return "cannot be opened as a video; if its recording was cut off, its index is missing"
    limit = max_megapixels()
    width, height = video.get(cv2.CAP_PROP_FRAME_WIDTH), video.get(cv2.CAP_PROP_FRAME_HEIGHT)
    if width * height > limit * 1e6:
        return f"frames of {width:.0f}x{height:.0f} are above the limit of {limit:g} megapixels"
    if 0 < min(width, height) < SMALLEST:
        return f"frames of {width:.0f}x{height:.0f} are too small for a field: {SMALLEST} pixels a side at least"
    return None


def _shortfall(number: int, expected: int | None) -> str | None:
    if number == 0:
        return "no frame in it can be decoded"
    if expected is not None and number < _WHOLE * expected - 1:
        return f"breaks off after {number} of about {expected} frames; what came before is counted"
    return None


def _fps(video: Any) -> float:
    fps = float(video.get(cv2.CAP_PROP_FPS))
    return fps if 0.01 < fps < 1e4 else _FPS_UNKNOWN


def _frame_count(video: Any) -> int | None:
    """Frames the container promises, None where it does not say (raw H.264 has no index)."""
    frames = float(video.get(cv2.CAP_PROP_FRAME_COUNT))
    return int(frames) if 0 < frames < 1e9 else None


def _frame(video: Any) -> UInt8Array | None:
    """The grabbed frame, uint8 [H, W, 3] RGB, in memory of its own: a worker may still hold it while the next is read.

    Raises RefusedError for one that is no field.
    """
    ok, bgr = video.retrieve()
    if not ok or bgr is None or bgr.size == 0:
        return None
    return check_size(frame_to_rgb(bgr, None, bgr=True))
