"""Taking of fields on real ones: a stage that moves under a camera is made of crops of a field, focus of blur."""

from __future__ import annotations

import os
from pathlib import Path

import cv2
import numpy as np
import pytest

from edge.control.taking import Taker
from edge.control.views import Eye, shift_between, small_view
from edge.gate import measure
from edge.types import UInt8Array
from tests.control.test_views import cut

DATA = Path(os.environ.get("EDGE_DATA") or Path(__file__).resolve().parents[3] / "shared" / "data")
pytestmark = [
    pytest.mark.real,
    pytest.mark.skipif(not (DATA / "iml_fields" / "images").is_dir(), reason=f"no real fields in {DATA}"),
]
SETS = ("iml_fields", "bbbc_fields", "chula_fields", "raabin_fields")


def real_slides(name: str, most: int = 6) -> list[UInt8Array]:
    files = sorted((DATA / name / "images").iterdir())
    chosen = files[:: max(1, len(files) // most)][:most]
    pictures = [cv2.imread(str(file)) for file in chosen]
    return [np.asarray(cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB), np.uint8) for bgr in pictures if bgr is not None]


@pytest.mark.parametrize("name", SETS)
def test_on_real_fields_a_moving_stage_is_followed(name: str) -> None:
    """Crops of a real field stand for a stage that moves under a camera."""
    wrong = 0
    for slide in real_slides(name):
        height, width = slide.shape[0] * 2 // 3 // 2 * 2, slide.shape[1] * 2 // 3 // 2 * 2
        then = small_view(cut(slide, 0, 0, (width, height)))
        for share in (0.05, 0.1, 0.2, 0.3, 0.4):
            dx, dy = int(share * width), int(share * height * 0.5)
            shift = shift_between(small_view(cut(slide, dx, dy, (width, height))), then)
            close = shift is not None and abs(-shift.x - dx / width) < 0.02 and abs(-shift.y - dy / height) < 0.02
            wrong += not close
    assert wrong == 0


@pytest.mark.parametrize("name", SETS)
def test_a_view_is_as_sharp_as_the_gate_finds_the_field(name: str) -> None:
    for slide in real_slides(name):
        assert small_view(slide).quality.sharpness == measure(slide).sharpness


@pytest.mark.parametrize(
    "name", SETS[:3]
)  # those of the fourth are soft: at the beginning the gate would not count them
def test_on_real_fields_what_is_moved_and_focused_is_taken_and_nothing_else(name: str) -> None:
    """Each field: the stage arrives (blurred by motion), focus is turned from far out to sharp, and nothing moves for a while."""
    slides = real_slides(name)
    eye, taker, now, taken = Eye(), Taker(), 0.0, []
    for number, slide in enumerate(slides):
        width = slide.shape[1]
        smeared = cv2.blur(slide, (max(width // 12, 3), 1))
        frames = [np.roll(smeared, width // 5 * step, axis=1) for step in (1, 2)]
        frames += [cv2.GaussianBlur(slide, (0, 0), width / 1280 * blur) for blur in (12, 8, 5, 3, 1.5, 0.8)]
        frames += [slide] * 20
        for step, frame in enumerate(frames):
            now += 0.125
            seen = eye.see(np.asarray(frame, np.uint8), now)
            if taker.see(seen, now, ready=True).take:
                eye.taken()
                taken.append((number, step))
                taker.judged(measure(slide), None)
    assert [number for number, _ in taken] == list(range(len(slides)))
    assert all(step >= 7 for _, step in taken)  # at a blur of 0.8 pixels or none
