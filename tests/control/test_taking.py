"""When a field is taken, in tables: measures of frames and times in, decisions out."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import pytest

from edge.control.taking import WITHOUT_REGISTER, Decision, Taker, TakingLimits
from edge.control.views import Seen
from edge.gate import OUT_OF_FOCUS, SAME_VIEW
from edge.status import Hint, RunState
from edge.types import Quality

SIGNATURE = bytes(range(256)) * 3
GOOD = Quality(0.5, 180.0, 0.0, 0.0, 0.3, SIGNATURE)
APART_S = 0.125  # seconds between frames: no rounding


def seen(
    sharpness: float = 0.5, *, speed: float | None = 0.0, new: float = 1.0, fill: float = 0.3, light: float = 180.0
) -> Seen:
    quality = GOOD._replace(sharpness=sharpness, fill=fill, brightness=light, under=1.0 if light < 10 else 0.0)
    if light > 250:
        quality = quality._replace(over=1.0)
    return Seen(quality, speed, new, new)


def known(taker: Taker, sharpness: float = 0.5, fields: int = 5) -> Taker:
    """The taker once so many fields of this sharpness count."""
    for i in range(fields):
        signature = bytes((value * (i + 3) + i * 37) % 256 for value in range(768))
        taker.judged(GOOD._replace(sharpness=sharpness, signature=signature), None)
    return taker


def watch(taker: Taker, frames: list[Seen], *, ready: bool = True, start: float = 0.0) -> list[Decision]:
    return [taker.see(frame, start + i * APART_S, ready=ready) for i, frame in enumerate(frames)]


def first_taken(decisions: list[Decision]) -> int | None:
    return next((i for i, decision in enumerate(decisions) if decision.take), None)


@dataclass(frozen=True)
class Case:
    frames: list[Seen]
    taken: int | None
    hint: Hint
    state: RunState = RunState.WAITING


CASES = {
    "new, still and sharp": Case([seen()] * 5, 4, Hint.HOLD_STILL, RunState.FOCUSING),
    "not moved since the last field": Case([seen(new=0.0)] * 20, None, Hint.MOVE_STAGE),
    "moved by a third": Case([seen(new=0.35)] * 20, None, Hint.MOVE_STAGE),
    "moved by half": Case([seen(new=0.51)] * 5, 4, Hint.HOLD_STILL, RunState.FOCUSING),
    "the stage moves on": Case([seen(speed=0.5)] * 20, None, Hint.HOLD_STILL),
    "a creeping stage": Case([seen(speed=0.05)] * 20, None, Hint.HOLD_STILL),
    "the light flickers, nothing moves": Case([seen(speed=0.01)] * 5, 4, Hint.HOLD_STILL, RunState.FOCUSING),
    "no frame before it": Case([seen(speed=None), *[seen()] * 4], 4, Hint.HOLD_STILL, RunState.FOCUSING),
    "out of focus": Case([seen(0.2)] * 99, None, Hint.REFOCUS, RunState.FOCUSING),
    "far out of focus": Case([seen(0.01)] * 19, None, Hint.REFOCUS, RunState.FOCUSING),
    "focus was passed": Case([seen(0.6)] * 3 + [seen(0.5)] * 12, None, Hint.REFOCUS, RunState.FOCUSING),
    "smeared by motion it was sharper": Case([seen(0.9)] * 2 + [seen(0.5)] * 3, 4, Hint.HOLD_STILL, RunState.FOCUSING),
    "getting sharper": Case([seen(0.3 + 0.02 * i) for i in range(19)], None, Hint.HOLD_STILL, RunState.FOCUSING),
    "black": Case([seen(light=3.0)] * 20, None, Hint.TOO_DARK),
    "far darker than usual": Case([seen(light=60.0)] * 20, None, Hint.TOO_DARK),
    "white": Case([seen(light=254.0)] * 20, None, Hint.TOO_BRIGHT),
    "nothing in view": Case([seen(0.0, fill=0.0, speed=None)] * 20, None, Hint.TOO_FEW_CELLS),
    "a tenth of the usual cells": Case([seen(fill=0.03)] * 20, None, Hint.TOO_FEW_CELLS),
    "all covered": Case([seen(fill=0.95)] * 20, None, Hint.TOO_THICK),
}


@pytest.mark.parametrize("name", CASES)
def test_a_view_is_taken_or_it_is_said_what_to_do(name: str) -> None:
    case = CASES[name]
    decisions = watch(known(Taker()), case.frames)
    assert first_taken(decisions) == case.taken
    assert (decisions[-1].hint, decisions[-1].state) == (case.hint, case.state)
    assert decisions[-1].words


def test_nothing_is_taken_while_no_field_can_be_taken() -> None:
    assert first_taken(watch(known(Taker()), [seen()] * 20, ready=False)) is None


def test_a_view_that_gets_sharper_is_taken_at_its_best() -> None:
    focusing = [seen(value) for value in (0.1, 0.2, 0.3, 0.42, 0.5, 0.55, 0.56, 0.56, 0.55)]
    assert first_taken(watch(known(Taker()), focusing)) == 7


def test_at_the_beginning_a_view_must_stay_as_sharp_for_longer() -> None:
    assert first_taken(watch(Taker(), [seen()] * 20)) == 7
    assert first_taken(watch(Taker(), [seen(0.1)] * 99)) is None


def test_a_view_less_sharp_than_usual_is_taken_after_a_while_if_it_counts() -> None:
    assert first_taken(watch(known(Taker()), [seen(0.35)] * 50)) == 18


def test_a_view_that_stays_too_soft_is_taken_once_and_the_gate_judges() -> None:
    taker = known(Taker())
    decisions = watch(taker, [seen(0.2)] * 200)
    assert first_taken(decisions) == 122
    taker.judged(GOOD._replace(sharpness=0.2), OUT_OF_FOCUS)
    assert first_taken(watch(taker, [seen(0.2, new=0.0)] * 400, start=20.0)) is None


def test_a_view_that_did_not_count_is_taken_again_once_it_is_sharper() -> None:
    taker = known(Taker())
    taker.take_now()
    assert first_taken(watch(taker, [seen(0.2)] * 2)) == 0
    taker.judged(GOOD._replace(sharpness=0.2), OUT_OF_FOCUS)
    later = watch(taker, [seen(0.5, new=0.0)] * 20, start=1.0)
    assert first_taken(later) == 2
    taker.judged(GOOD, SAME_VIEW)
    assert first_taken(watch(taker, [seen(0.5, new=0.0)] * 20, start=5.0)) is None


def test_take_now_takes_whatever_is_seen_once() -> None:
    taker = known(Taker())
    taker.take_now()
    assert [decision.take for decision in watch(taker, [seen(0.01, speed=1.0, new=0.0)] * 4)] == [True, *[False] * 3]


def test_take_now_waits_until_a_field_can_be_taken() -> None:
    taker = known(Taker())
    taker.take_now()
    assert first_taken(watch(taker, [seen(new=0.0)] * 3, ready=False)) is None
    assert first_taken(watch(taker, [seen(new=0.0)] * 3, start=1.0)) == 0


@pytest.mark.parametrize(("interval", "taken"), [(0.0, [0, 1, 2, 3, 4]), (0.25, [0, 2, 4]), (10.0, [0])])
def test_by_time_every_view_is_taken_when_it_is_due(interval: float, taken: list[int]) -> None:
    decisions = watch(Taker(interval=interval), [seen(0.01, speed=1.0, new=0.0)] * 5)
    assert [i for i, decision in enumerate(decisions) if decision.take] == taken


def test_where_nobody_sets_overlaps_aside_fields_must_not_overlap() -> None:
    assert first_taken(watch(known(Taker(WITHOUT_REGISTER)), [seen(new=0.8)] * 30)) is None
    assert first_taken(watch(known(Taker(WITHOUT_REGISTER)), [seen(new=1.0)] * 30)) == 4


def test_a_moved_stage_begins_a_new_best() -> None:
    taker = known(Taker())
    watch(taker, [seen(0.9)] * 2)
    moved = watch(taker, [seen(speed=1.0), *[seen(0.5)] * 4], start=1.0)
    assert first_taken(moved) == 4
    assert moved[-1].best == pytest.approx(0.5)


def test_the_same_measures_at_the_same_times_give_the_same_decisions() -> None:
    frames = [seen(0.3 + (i * 7 % 10) / 50, speed=0.1 if i % 11 == 0 else 0.0, new=(i % 13) / 12) for i in range(200)]
    assert watch(known(Taker()), frames) == watch(known(Taker()), frames)


def test_a_rejected_field_of_before_does_not_open_the_view_taken_after_it() -> None:
    taker = known(Taker())
    watch(taker, [seen()] * 3)
    taker.judged(GOOD._replace(sharpness=0.2), OUT_OF_FOCUS, newest=False)
    assert first_taken(watch(taker, [seen(0.9, new=0.0)] * 20, start=1.0)) is None


def test_the_page_says_the_limits_as_they_are() -> None:
    page = (Path(__file__).parents[2] / "docs" / "control.md").read_text()
    told = re.findall(r"([\d.]+)( %)?(?: s| times)? \(`(\w+)`\)", page)
    limits = TakingLimits()
    assert {name for _, _, name in told} == set(TakingLimits.__slots__) - {"risen", "usual_of"}
    for number, percent, name in told:
        assert float(number) / (100 if percent else 1) == pytest.approx(getattr(limits, name)), name
