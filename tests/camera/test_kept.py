"""What a camera that is opened again is told: its bench, its settings, what nobody could pass on, and a cable still pulled out."""

from __future__ import annotations

import pytest

from edge.camera.kept import KeptBench
from edge.camera.records import CameraSpec
from edge.camera.virtual.state import STATE

SPEC = CameraSpec("simulated", controls={"exposure_us": 8000})


def test_a_camera_opened_for_the_first_time_is_as_it_was_asked_for() -> None:
    kept = KeptBench(SPEC)
    kept.seen({"exposure_us": 8000.0})
    assert kept.spec() is SPEC
    assert kept.again(0.0) == []


def test_the_bench_is_as_the_last_frame_showed_it() -> None:
    kept = KeptBench(SPEC)
    kept.seen({STATE: {"x": 1.0}})
    kept.seen({STATE: {"x": 2.0}})
    assert kept.spec().controls == {"exposure_us": 8000, STATE: {"x": 2.0}}


def test_settings_are_set_again_and_what_could_not_be_passed_on_follows_once() -> None:
    kept = KeptBench(SPEC)
    kept.commanded("set", {"exposure_us": 4000.0}, 0.0, passed=True)
    kept.commanded("set", {"red_gain": 2.0}, 0.0, passed=True)
    kept.commanded("move", {"x": 1.0}, 0.0, passed=True)
    kept.commanded("lamp", {"level": 0.5}, 0.0, passed=False)
    settings = ("set", {"exposure_us": 4000.0, "red_gain": 2.0})
    assert kept.again(1.0) == [settings, ("lamp", {"level": 0.5})]
    assert kept.again(2.0) == [settings]


def test_no_more_than_some_commands_wait() -> None:
    kept = KeptBench(SPEC)
    for number in range(200):
        kept.commanded("move", {"x": float(number)}, 0.0, passed=False)
    assert len(kept.again(0.0)) == 50


@pytest.mark.parametrize(
    ("kind", "seconds", "now", "left"),
    [
        ("disconnect", 20.0, 5.0, 15.0),
        ("disconnect", 20.0, 20.0, None),
        ("disconnect", "soon", 4.0, 6.0),
        ("hang", 20.0, 5.0, None),
        ("none", 20.0, 5.0, None),
    ],
)
def test_a_cable_stays_pulled_out_and_nothing_else_lasts(
    kind: str, seconds: float | str, now: float, left: float | None
) -> None:
    kept = KeptBench(SPEC)
    kept.commanded("fault", {"kind": "disconnect", "seconds": 99.0}, 0.0, passed=True)
    kept.commanded("fault", {"kind": kind, "seconds": seconds}, 0.0, passed=True)
    expected = [] if left is None else [("fault", {"kind": "disconnect", "seconds": left})]
    assert kept.again(now) == expected
