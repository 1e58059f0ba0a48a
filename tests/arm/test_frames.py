"""The table of a frame's way from camera to counted field."""

from __future__ import annotations

import pytest

from benchmarks.arm.camera import CameraCounts, render

STEPS = (
    *("control fill", "control copy", "control read", "convert BGR888", "convert YUYV", "convert NV12"),
    *("check", "copy", "look", "flat field", "analysis"),
)
TOLD = {"versions": {"numpy": "2"}, "frames": 4, "found": 77, "shape": [10, 20], "qemu": "7.2"}


@pytest.fixture
def text() -> str:
    instructions = {"cortex-a72": dict.fromkeys(STEPS, 1000), "cortex-a76": dict.fromkeys(STEPS, 10)}
    stored = {"cortex-a72": dict.fromkeys(STEPS, 600), "cortex-a76": dict.fromkeys(STEPS, 606)}
    return render(CameraCounts(instructions, stored, TOLD))


def row(text: str, label: str) -> list[str]:
    (line,) = [line for line in text.splitlines() if line.startswith(f"| {label}")]
    return [part.strip() for part in line.strip("|").split("|")[1:]]


def test_bytes_are_told_in_frames(text: str) -> None:
    assert row(text, "checks of the frame") == ["1,000", "10", "1.00", "1.01"]


def test_the_whole_way_is_the_sum_of_its_steps_and_leaves_out_what_a_plain_camera_needs_not(text: str) -> None:
    assert row(text, "**camera to counted") == ["5,000", "50", "5.00", "5.05"]


def test_copies_are_what_goes_into_and_out_of_shared_memory(text: str) -> None:
    assert row(text, "of that, copies") == ["2,000", "20", "2.00", "2.02"]
