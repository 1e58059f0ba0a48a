"""One frame every so often is a field; a video that breaks off says so after what could be read."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from edge.errors import NoInputError, UnreadableFieldError
from edge.sources.video import FrameInterval, VideoSource


class FakeVideo:
    """Frames whose grey value is their number."""

    def __init__(
        self, frames: int = 50, fps: float = 10.0, promised: float | None = None, size: int = 64, frame: Any = None
    ) -> None:
        self.frames, self.fps, self.size = frames, fps, size
        self.promised = frames if promised is None else promised
        self.at = -1
        self.scale = 257 if frame is not None and frame.dtype == np.uint16 else 1
        self.released = 0
        self.buffer = np.zeros((64, 64, 3), np.uint8) if frame is None else frame

    def isOpened(self) -> bool:  # noqa: N802
        return self.frames >= 0

    def get(self, what: int) -> float:
        return {
            cv2.CAP_PROP_FPS: self.fps,
            cv2.CAP_PROP_FRAME_COUNT: float(self.promised),
            cv2.CAP_PROP_FRAME_WIDTH: float(self.size),
            cv2.CAP_PROP_FRAME_HEIGHT: float(self.size),
        }[what]

    def grab(self) -> bool:
        self.at += 1
        return self.at < self.frames

    def retrieve(self) -> tuple[bool, Any]:
        self.buffer[:] = (self.at, 0, 200 * self.scale)  # the same memory for every frame, as a driver would
        return True, self.buffer

    def release(self) -> None:
        self.released += 1


def video(tmp_path: Path, every: FrameInterval | None = None, **options: Any) -> VideoSource:
    path = tmp_path / "clip.mp4"
    path.touch()
    return VideoSource([path], every=every, capture=lambda _: FakeVideo(**options))


def frames_of(source: VideoSource) -> list[int]:
    return [int(shot.load().rgb[0, 0, 2]) for shot in source]


def test_one_frame_per_second_unless_told_otherwise(tmp_path: Path) -> None:
    source = video(tmp_path, fps=10.0)
    assert frames_of(source) == [0, 10, 20, 30, 40]
    assert source.total == 5


@pytest.mark.parametrize(
    ("text", "numbers"), [("20", [0, 20, 40]), ("2.5s", [0, 25]), ("0.01s", list(range(50))), ("1000", [0])]
)
def test_every_so_many_frames_or_seconds(tmp_path: Path, text: str, numbers: list[int]) -> None:
    source = video(tmp_path, FrameInterval.parse(text))
    assert frames_of(source) == numbers
    assert source.total == len(numbers)


@pytest.mark.parametrize("text", ["", "0", "0s", "-3", "fast", "1m", "s"])
def test_every_refuses_what_it_does_not_understand(text: str) -> None:
    with pytest.raises(ValueError, match=r"give a number|above zero"):
        FrameInterval.parse(text)


def test_frames_are_rgb_and_keep_their_pixels_while_the_next_is_read(tmp_path: Path) -> None:
    shots = list(video(tmp_path))
    assert [shot.load().rgb[0, 0].tolist() for shot in shots] == [[200, 0, n] for n in (0, 10, 20, 30, 40)]
    assert [shot.name for shot in shots][:2] == ["clip.mp4#000000", "clip.mp4#000010"]
    assert shots[1].load().metadata == {"video_s": 1.0}
    assert {shot.sample for shot in shots} == {"clip"}


def test_deep_frames_are_scaled(tmp_path: Path) -> None:
    shots = list(video(tmp_path, frame=np.zeros((64, 64, 3), np.uint16)))
    assert shots[0].load().rgb[0, 0].tolist() == [200, 0, 0]


def test_several_videos_run_on_in_one_numbering(tmp_path: Path) -> None:
    paths = [tmp_path / name for name in ("a.mp4", "b.mp4")]
    for path in paths:
        path.touch()
    shots = list(VideoSource(paths, capture=lambda _: FakeVideo(frames=20)))
    assert [(s.index, s.sample) for s in shots] == [(0, "a"), (1, "a"), (2, "b"), (3, "b")]
    assert {s.sample for s in VideoSource(paths, sample_id="x", capture=lambda _: FakeVideo(frames=20))} == {"x"}


@pytest.mark.parametrize(
    ("options", "read", "words"),
    [
        ({"frames": 25, "promised": 100}, 3, "breaks off after 25 of about 100"),
        ({"frames": 0, "promised": 100}, 0, "no frame"),
        ({"frames": -1}, 0, "cannot be opened"),
        ({"size": 20_000}, 0, "megapixels"),
        ({"size": 16}, 0, "16x16 are too small for a field"),
        ({"frame": np.zeros((12, 16, 3), np.uint8)}, 0, "16x12 pixels are too few"),
        ({"frame": np.zeros((64, 64, 3), np.float32)}, 0, "float32"),
    ],
)
def test_a_bad_video_ends_with_a_shot_that_says_why(
    tmp_path: Path, options: dict[str, Any], read: int, words: str
) -> None:
    *good, bad = video(tmp_path, **options)
    assert len(good) == read
    with pytest.raises(UnreadableFieldError, match=rf"clip\.mp4: .*{words}"):
        bad.load()


@pytest.mark.parametrize("promised", [-9e18, 0.0, float("inf"), float("nan")])
def test_a_stream_without_an_index_has_no_total(tmp_path: Path, promised: float) -> None:
    source = video(tmp_path, promised=promised)
    assert source.total is None
    assert len(list(source)) == 5


@pytest.mark.parametrize("fps", [0.0, float("nan"), 90_000.0])
def test_an_unknown_rate_is_taken_as_25(tmp_path: Path, fps: float) -> None:
    assert frames_of(video(tmp_path, fps=fps)) == [0, 25]


def test_leaving_early_and_closing_twice_release_the_video(tmp_path: Path) -> None:
    made: list[FakeVideo] = []

    def capture(_: str) -> FakeVideo:
        made.append(FakeVideo())
        return made[-1]

    (tmp_path / "clip.mp4").touch()
    source = VideoSource([tmp_path / "clip.mp4"], capture=capture)
    next(iter(source))
    source.close()
    source.close()
    assert all(v.released for v in made)


def test_a_missing_video_is_said() -> None:
    with pytest.raises(NoInputError, match=r"none\.mp4: no such video"):
        VideoSource(["none.mp4"])
    with pytest.raises(NoInputError, match="give a video"):
        VideoSource([])


@pytest.fixture(scope="module")
def real_avi(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("video") / "clip.avi"
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), 10.0, (64, 64))
    if not writer.isOpened():
        pytest.skip("this OpenCV cannot write AVI")
    for n in range(40):
        writer.write(np.full((64, 64, 3), (n * 5, 0, 0), np.uint8))
    writer.release()
    return path


def test_a_real_file_is_read_to_its_end(real_avi: Path) -> None:
    source = VideoSource([real_avi])
    blues = [int(shot.load().rgb[0, 0, 2]) for shot in source]
    assert source.total == 4
    np.testing.assert_allclose(blues, [0, 50, 100, 150], atol=4)


def test_a_real_file_cut_in_half_is_reported(real_avi: Path, tmp_path: Path) -> None:
    cut = tmp_path / "cut.avi"
    cut.write_bytes(real_avi.read_bytes()[: real_avi.stat().st_size // 2])
    with pytest.raises(UnreadableFieldError, match=r"cut\.avi"):
        [shot.load() for shot in VideoSource([cut])]


def test_what_is_no_video_is_reported(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "a.mp4").write_bytes(b"words" * 100)
    (shot,) = VideoSource([tmp_path / "a.mp4"])
    with pytest.raises(UnreadableFieldError, match="cannot be opened"):
        shot.load()
    assert capfd.readouterr().err == ""
