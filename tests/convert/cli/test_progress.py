"""How far a command is, in words: shares, seconds left, and what is said of stages that cannot tell."""

from __future__ import annotations

import time
from dataclasses import dataclass

import pytest

from convert.cli import progress
from convert.cli.progress import StageClock, duration


@dataclass
class Hand:
    """A clock that is moved by hand."""

    now: float = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.mark.parametrize(
    ("at", "spent", "words"),
    [
        pytest.param(0.5, 1.9, "", id="short stages get no percentage"),
        pytest.param(0.25, 10.0, "25%, 30 s left", id="the rest takes as long as what is done"),
        pytest.param(0.001, 10.0, "0%", id="too early for the time left"),
        pytest.param(-1.0, 10.0, "10 s so far", id="nobody can tell"),
        pytest.param(-20.0, 5.0, "about 25%, 15 s left", id="only the usual time is known"),
        pytest.param(-20.0, 90.0, "about 95%, 1 s left", id="it takes longer than usual"),
    ],
)
def test_how_far_a_stage_is(at: float, spent: float, words: str) -> None:
    hand = Hand()
    clock = StageClock(hand)
    clock.tell("training", at)
    hand.now += spent
    assert clock.words() == words


def test_a_stage_begins_with_other_words_or_a_share_that_falls_back() -> None:
    hand = Hand()
    clock = StageClock(hand)
    assert clock.tell("training", 0.2)
    hand.now += 10
    assert not clock.tell("training", 0.5)
    assert clock.left == pytest.approx(10)
    assert clock.tell("training", 0.1)
    assert clock.spent == 0
    assert clock.tell("checking", 0.1)


@pytest.mark.parametrize(
    ("seconds", "text"), [(0.2, "1 s"), (59.4, "59 s"), (60, "1 min"), (200, "3 min 20 s"), (7500, "2 h 5 min")]
)
def test_durations(seconds: float, text: str) -> None:
    assert duration(seconds) == text


def test_a_log_has_a_line_for_every_stage_and_more_for_long_ones(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(progress, "SHORT_S", 0.02)
    monkeypatch.setattr(progress, "_EVERY_S", 0.02)
    monkeypatch.setattr(progress, "_TICK_S", 0.01)
    with progress.live() as tell:
        tell("short", 0.0)
        tell("long", 0.5)
        time.sleep(0.3)
    lines = capsys.readouterr().err.splitlines()
    assert lines[:2] == ["edge-convert: short", "edge-convert: long"]
    assert len(lines) > 3
    assert all(line.startswith("edge-convert: long: 50%, ") and line.endswith(" left") for line in lines[2:])
