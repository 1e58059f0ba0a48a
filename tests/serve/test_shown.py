"""What the page shows of a status, in words."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from edge.camera.records import CameraState
from edge.serve.phrases import about_cells, percent, span
from edge.serve.setting_up import set_up_shown
from edge.serve.shown import boxes_of, field_in_view, shown
from edge.status import (
    CameraStatus,
    Hint,
    LastField,
    RunEnd,
    RunState,
    SampleProgress,
    SeenCell,
    SetUpProgress,
    Status,
    View,
)
from tests.serve.fake_engine import IDLE

SAMPLE = SampleProgress(
    "S-0042",
    counts={"uninfected": 1200, "parasitized": 4},
    cells=1204,
    positive=("parasitized",),
    kept=12,
    share=(0.0033, 0.0009, 0.0085),
    flag="indeterminate",
    cells_short=1873,
    seconds=80,
    seconds_left=240,
)
VIEW = View(7, 16.0, 20.0, 14.0, 0.0, True, 182.0, 0.001, 0.0, (0.25, 0.75))
COUNTING = replace(IDLE, state=RunState.COUNTING, sample=SAMPLE, view=VIEW)
LOST = CameraStatus(CameraState.LOST, "USB camera", words="USB camera does not answer")

HEADLINES = {
    "nothing begun": (IDLE, "Ready", "calm", "Give the sample a name and start."),
    "counting": (COUNTING, "Counting", "good", ""),
    "a hint is said before the state": (
        replace(COUNTING, hint=Hint.MOVE_STAGE, words="counted already"),
        "Move the stage",
        "act",
        "counted already",
    ),
    "too dark is an alarm": (replace(COUNTING, hint=Hint.TOO_DARK), "Too dark", "bad", ""),
    "a lost camera before all": (
        replace(COUNTING, camera=LOST, hint=Hint.REFOCUS, words=LOST.words),
        "Camera lost",
        "bad",
        "USB camera does not answer",
    ),
    "paused": (replace(COUNTING, state=RunState.PAUSED), "Paused", "calm", "Nothing is taken until you go on."),
    "decided": (
        replace(COUNTING, state=RunState.IDLE, ended=RunEnd.DECIDED),
        "Decided",
        "good",
        "S-0042: Decided: its flag can no longer change. Put in the next slide and start it.",
    ),
    "being set up": (
        replace(IDLE, set_up=SetUpProgress("bench-3")),
        "Being set up",
        "calm",
        "No sample can be counted until that is over: see Scope.",
    ),
    "failed": (replace(IDLE, failure="the disk is full"), "Failed", "bad", "the disk is full"),
}


@pytest.mark.parametrize("case", HEADLINES)
def test_the_large_letters_say_what_to_do(case: str) -> None:
    status, hint, tone, words = HEADLINES[case]
    got = shown(status)
    assert (got["hint"], got["tone"], got["words"]) == (hint, tone, words)


SET_UP = SetUpProgress("bench-3", "dust", 4, 6, "Move the stage.", (("not paper", "20 %"),), False, 3, 12, True)
SETTING_UP = replace(IDLE, set_up=SET_UP)

CAN = {
    "nothing begun": (IDLE, {"start"}),
    "being set up": (SETTING_UP, set()),
    "set up": (replace(IDLE, set_up=SetUpProgress("bench-3", done="Done.")), {"start"}),
    "counting": (COUNTING, {"pause", "finish", "next"}),
    "waiting": (replace(COUNTING, state=RunState.WAITING), {"pause", "finish", "next", "take"}),
    "paused": (replace(COUNTING, state=RunState.PAUSED), {"resume", "finish", "next"}),
    "finishing": (replace(COUNTING, state=RunState.FINISHING), set()),
    "ended": (replace(COUNTING, state=RunState.IDLE, ended=RunEnd.COMPLETE), {"start"}),
    "the process that counts is gone": (
        replace(IDLE, failure="it has ended", camera=CameraStatus(CameraState.CLOSED, "camera")),
        set(),
    ),
}


@pytest.mark.parametrize("case", CAN)
def test_only_what_can_be_done_now_is_offered(case: str) -> None:
    status, wanted = CAN[case]
    can = shown(status)["can"]
    assert isinstance(can, dict)
    assert {name for name, possible in can.items() if possible} == wanted


STEERED = {
    "not good yet": (SET_UP, {"again", "skip", "stop"}),
    "good": (replace(SET_UP, good=True), {"next", "again", "skip", "stop"}),
    "needed": (replace(SET_UP, can_skip=False), {"again", "stop"}),
    "waits for the camera": (SetUpProgress("bench-3", words="Wait."), {"stop"}),
    "over": (SetUpProgress("bench-3", done="Stopped."), set()),
}


@pytest.mark.parametrize("case", STEERED)
def test_a_set_up_offers_only_what_can_be_done_now(case: str) -> None:
    now, wanted = STEERED[case]
    found = set_up_shown(now)
    assert found is not None
    can = found["can"]
    assert isinstance(can, dict)
    assert {name for name, possible in can.items() if possible} == wanted


def test_a_set_up_is_shown_in_words() -> None:
    found = shown(SETTING_UP)["set_up"]
    assert isinstance(found, dict)
    assert found["title"] == "Step 4 of 6: dust"
    assert (found["words"], found["progress"], found["good"]) == ("Move the stage.", "3 of 12", "Not good yet.")
    assert found["measured"] == [{"what": "not paper", "value": "20 %"}]
    made = set_up_shown(SetUpProgress("bench-3", done="Done.", profile=("light       paper red 215",)))
    assert made is not None
    assert made["profile"] == [{"what": "light", "value": "paper red 215"}]
    assert shown(IDLE)["set_up"] is None


def of_sample(status: Status) -> dict[str, object]:
    found = shown(status)["sample"]
    assert isinstance(found, dict)
    return found


def test_the_sample_is_told_in_words() -> None:
    got = of_sample(COUNTING)
    assert got["cells"] == "1,204 cells"
    assert got["short"] == "another 1,900 cells"
    assert got["share"] == "0.33\u00a0% parasitized (95\u00a0% interval 0.09\u00a0% to 0.85\u00a0%)"
    assert (got["time"], got["left"]) == ("1 min 20 s", "about 4 min left")
    assert got["spoken"] == "1,204 cells, 4 parasitized, flag indeterminate."


def test_what_was_lost_or_left_out_is_said() -> None:
    got = of_sample(replace(COUNTING, sample=replace(SAMPLE, lost=2, left_out={"out of focus": 3})))
    assert got["lost"] == "2 times"
    assert got["left_out"] == [{"why": "out of focus", "times": "3"}]


def test_a_sample_that_has_ended_asks_for_no_more_cells() -> None:
    got = of_sample(replace(COUNTING, ended=RunEnd.FINISHED))
    assert (got["short"], got["left"], got["ended"]) == ("", "", "Finished by hand.")


LIGHT = {
    "well lit": (VIEW, ""),
    "white": (replace(VIEW, over=0.12), "Overexposed: 12\u00a0% of the picture is white. Turn the lamp down."),
    "dark": (replace(VIEW, brightness=12.0), "Underexposed: mean 12 of 255. Turn the lamp up."),
}


@pytest.mark.parametrize("case", LIGHT)
def test_wrong_light_is_said(case: str) -> None:
    view, warning = LIGHT[case]
    got = shown(replace(COUNTING, view=view))["view"]
    assert isinstance(got, dict)
    assert got["warning"] == warning


METERS = {
    "sharp": (VIEW, True),
    "not yet sharp": (replace(VIEW, sharpness=9.0), False),
    "no limit known": (replace(VIEW, needed=None), True),
    "black": (replace(VIEW, sharpness=0.0, best=0.0, needed=None), True),
}


@pytest.mark.parametrize("case", METERS)
def test_the_focus_meter_holds_best_and_needed(case: str) -> None:
    view, sharp = METERS[case]
    got = shown(replace(COUNTING, view=view))["view"]
    assert isinstance(got, dict)
    assert got["sharp"] is sharp
    assert 0 <= got["focus"] <= got["best"] < 1
    assert (got["needed"] is None) is (view.needed is None)


TAKEN = replace(COUNTING, last=LastField(3, 7, (1280, 960), ()))
IN_VIEW = {
    "not moved": (replace(TAKEN, view=replace(VIEW, moved=0.0)), 7, 3),
    "hardly moved": (replace(TAKEN, view=replace(VIEW, moved=0.009)), 7, 3),
    "moved": (replace(TAKEN, view=replace(VIEW, moved=0.02)), 7, -1),
    "not known how far": (replace(TAKEN, view=replace(VIEW, moved=None)), 7, -1),
    "a frame that is not measured yet": (TAKEN, VIEW.frame + 9, -1),
    "the frame after": (TAKEN, VIEW.frame + 1, 3),
    "no view": (replace(TAKEN, view=None), 7, -1),
    "no field": (COUNTING, 7, -1),
}


@pytest.mark.parametrize("case", IN_VIEW)
def test_boxes_stay_on_the_picture_until_the_view_moves(case: str) -> None:
    status, frame, field = IN_VIEW[case]
    assert field_in_view(status, frame) == field


def test_positive_cells_are_drawn_last_and_named() -> None:
    cells = (
        SeenCell((1, 2, 3, 4), "parasitized", 0.934, positive=True, counted=True),
        SeenCell((5, 6, 7, 8), "uninfected", 0.1, positive=False, counted=True),
        SeenCell((9, 9, 9, 9), "not-red-cell", 0.0, positive=False, counted=False),
    )
    got = boxes_of(LastField(3, 7, (1280, 960), cells))
    assert [cell["kind"] for cell in got["cells"]] == ["aside", "counted", "positive"]  # type: ignore[attr-defined]
    assert [cell["label"] for cell in got["cells"]] == ["", "", "parasitized 0.93"]  # type: ignore[attr-defined]
    assert boxes_of(None)["cells"] == []


def test_all_of_it_is_json() -> None:
    for status, *_ in HEADLINES.values():
        json.dumps(shown(status), allow_nan=False)


PHRASES = {
    "no share": (percent(0), "0\u00a0%"),
    "hardly any": (percent(0.00004), "under 0.01\u00a0%"),
    "a small share": (percent(0.00123), "0.12\u00a0%"),
    "a share": (percent(0.034), "3.4\u00a0%"),
    "nearly all": (percent(0.999), "100\u00a0%"),
    "seconds": (span(8.4), "8 s"),
    "minutes": (span(80), "1 min 20 s"),
    "whole minutes": (span(120), "2 min"),
    "many minutes": (span(1234), "20 min"),
    "hours": (span(7500), "2 h 5 min"),
    "a clock that went back": (span(-5), "0 s"),
    "one cell": (about_cells(1, "cell"), "another 1 cell"),
    "few cells": (about_cells(113, "cell"), "another 120 cells"),
    "many tiles": (about_cells(12345, "tile"), "another 12,400 tiles"),
}


@pytest.mark.parametrize("case", PHRASES)
def test_numbers_in_words(case: str) -> None:
    got, wanted = PHRASES[case]
    assert got == wanted
