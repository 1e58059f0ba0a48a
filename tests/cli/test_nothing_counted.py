"""A microscope that shows nothing that counts: said while it runs, and told by the exit code. The gate is the real one."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from typer.testing import CliRunner

from edge.cli import edge_run_app
from edge.types import Field, UInt8Array
from tests.cli.fake_edge_run import fakes
from tests.cli.terminal import on_a_terminal
from tests.cli.test_run import textured
from tests.fakes import FakeSource

ROOT = Path(__file__).parents[2]
SHAPE = (240, 320, 3)
Frame = Callable[[int], UInt8Array]


def black(index: int) -> UInt8Array:
    return np.zeros(SHAPE, np.uint8)


def lens_cap(index: int) -> UInt8Array:
    return np.random.default_rng(index).integers(0, 9, SHAPE, dtype=np.uint8)


def white(index: int) -> UInt8Array:
    return np.full(SHAPE, 255, np.uint8)


def green(index: int) -> UInt8Array:
    frame = np.zeros(SHAPE, np.uint8)
    frame[..., 1] = 135
    return frame


def noise(index: int) -> UInt8Array:
    return np.random.default_rng(index).integers(0, 256, SHAPE, dtype=np.uint8)


def noise_as_jpeg(index: int) -> UInt8Array:
    return np.asarray(cv2.imdecode(cv2.imencode(".jpg", noise(index))[1], cv2.IMREAD_COLOR), np.uint8)


def blurred(index: int) -> UInt8Array:
    return np.asarray(cv2.GaussianBlur(textured(index), (0, 0), 9), np.uint8)


def same_frame(index: int) -> UInt8Array:
    return np.asarray(textured(0), np.uint8)


def same_view(index: int) -> UInt8Array:
    shaken = textured(0).astype(np.int16) + np.random.default_rng(index).integers(-9, 10, SHAPE)
    return np.asarray(np.clip(shaken, 0, 255), np.uint8)


def good(index: int) -> UInt8Array:
    return np.asarray(textured(index), np.uint8)


class Camera(FakeSource):
    """Frames made by kind; ``sample_of`` as the kinds' names where there are several."""

    def __init__(self, *kinds: tuple[Frame, int], samples: bool = False) -> None:
        self.frames = [kind for kind, count in kinds for _ in range(count)]
        self.several = samples
        super().__init__([1] * len(self.frames))
        if not samples:
            self.total = None

    def sample_of(self, index: int) -> str:
        return self.frames[index].__name__ if self.several else "s"

    def _load(self, index: int) -> Field:
        return Field(self.frames[index](index), index, self.sample_of(index), f"field-{index}.png")


def run(source: FakeSource, *args: str) -> Any:
    with fakes(source):
        return CliRunner().invoke(edge_run_app(), args or ["--camera"])


def said(got: Any) -> list[str]:
    return [line for line in got.stderr.splitlines() if "in a row" in line]


@pytest.mark.parametrize(
    ("frame", "words"),
    [
        (black, "they are black: is the lamp on, and the lens cap off?"),
        (lens_cap, "they are black"),
        (white, "they are white: too much light"),
        (green, "one even colour and nothing else: look at cable"),
        (noise, "nothing but noise: look at cable"),
        (noise_as_jpeg, "nothing but noise: look at cable"),
        (blurred, "out of focus: turn the focus"),
    ],
)
def test_a_camera_that_shows_nothing_is_said_once_and_has_an_exit_code(frame: Frame, words: str) -> None:
    got = run(Camera((frame, 30)))
    assert got.exit_code == 9
    while_it_runs, at_the_end = got.stderr.splitlines()
    assert while_it_runs.startswith("run: 5 fields in a row do not count: ") or "5 fields in a row" in while_it_runs
    assert words in while_it_runs
    assert "nothing was counted: none of 30 fields counts" in at_the_end
    assert words in at_the_end


@pytest.mark.parametrize(("frame", "words"), [(same_frame, "the camera hangs"), (same_view, "the stage does not move")])
def test_a_picture_that_stays_is_said_and_what_was_counted_before_counts(frame: Frame, words: str) -> None:
    got = run(Camera((frame, 30)))
    assert got.exit_code == 0
    (line,) = got.stderr.splitlines()
    assert words in line


def test_few_bad_fields_are_no_news() -> None:
    got = run(Camera((good, 3), (black, 4), (good, 1), (black, 4), (good, 1)))
    assert (got.exit_code, got.stderr) == (0, "")


def test_another_cause_is_said_again_and_a_mixture_is_not_every_field() -> None:
    got = run(Camera((black, 20), (noise, 20), (black, 20)))
    assert [("black" in line, "noise" in line) for line in said(got)] == [(True, False), (False, True)]


def test_a_cause_that_comes_and_goes_must_last_longer_to_be_said_again() -> None:
    got = run(Camera((good, 1), *[(black, 6), (good, 1)] * 3, (black, 12), (good, 1)))
    assert [line.split(":")[1] for line in said(got)] == [
        " 5 fields in a row do not count",
        " 10 fields in a row do not count",
    ]


def test_json_says_it_on_stderr_and_by_the_exit_code() -> None:
    got = run(Camera((black, 9)), "--camera", "--json")
    assert got.exit_code == 9
    assert len(said(got)) == 1
    assert json.loads(got.stdout.splitlines()[-1])["fields"] == {"kept": 0, "rejected": 9}


def test_of_several_samples_the_empty_ones_are_named() -> None:
    got = run(Camera((good, 3), (black, 3), (noise, 3), samples=True), "--camera", "--json")
    assert got.exit_code == 9
    last = got.stderr.splitlines()[-1]
    assert "nothing was counted in 2 of 3 samples: black (3 fields: they are black" in last
    assert "; noise (3 fields: they show nothing but noise" in last
    assert "good" not in last


def test_exit_code_0_needs_a_field_of_each_sample(tmp_path: Path) -> None:
    for name in ("full", "bare"):
        (tmp_path / name).mkdir()
        for i in range(3):
            cv2.imwrite(str(tmp_path / name / f"{i}.png"), good(i) if name == "full" else black(i))
    with fakes():
        assert CliRunner().invoke(edge_run_app(), [str(tmp_path / "full")]).exit_code == 0
        got = CliRunner().invoke(edge_run_app(), [str(tmp_path), "--sample-per-folder"])
    assert got.exit_code == 9
    assert "nothing was counted in 1 of 2 samples: bare (3 fields: they are black" in got.stderr


def test_files_have_more_patience_than_a_camera() -> None:
    assert said(run(Camera((black, 19)), "--simulate")) == []
    assert "20 fields in a row do not count" in said(run(Camera((black, 40)), "--simulate"))[0]


def test_inputs_that_cannot_be_read_are_said_with_the_reason_not_the_names() -> None:
    source = FakeSource([3, *["empty file"] * 30])
    got = run(source, "--simulate", "--no-gate")
    assert got.exit_code == 3
    (line,) = said(got)
    assert line.endswith("20 fields in a row do not count: they cannot be read (empty file)")


def test_a_stop_is_a_stop_whatever_was_counted() -> None:
    import signal

    class Stopping(Camera):
        def _load(self, index: int) -> Field:
            if index == 20:
                signal.raise_signal(signal.SIGINT)
            return super()._load(index)

    assert run(Stopping((black, 60)), "--camera", "--workers", "1").exit_code == 130


def test_on_a_terminal_the_line_stands_above_the_live_line() -> None:
    code = """
import time
from tests.cli.fake_edge_run import fakes
from tests.cli.test_nothing_counted import Camera, black, good
from edge.cli import run_main
import sys
source = Camera((good, 10), (black, 20))
load = source._load
source._load = lambda index: (time.sleep(0.05), load(index))[1]
sys.argv = ["edge-run", "--camera"]
with fakes(source):
    run_main()
"""
    env = {**os.environ, "TERM": "xterm-256color", "COLUMNS": "120", "NO_COLOR": "1"}
    status, text = on_a_terminal([sys.executable, "-c", code], env)
    assert status == 0
    lines = [line.split("\x1b[2K")[-1] for line in text.split("\r\n")]
    assert any(line.startswith("edge-run: 5 fields in a row do not count: they are black") for line in lines), lines
