"""The gate on real fields people counted, and on copies spoilt in ways it must notice."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

from edge.gate import EMPTY, OUT_OF_FOCUS, OVER_EXPOSED, SAME_VIEW, UNDER_EXPOSED, Gate, measure
from edge.sources.files import FileSource
from edge.types import Quality, UInt8Array

DATA = Path(os.environ.get("EDGE_DATA") or Path(__file__).resolve().parents[3] / "shared" / "data")
SETS = ("iml_fields", "chula_fields")
EVERY = 6  # every sixth field is spoilt: enough to see 95 %, and the test stays short

pytestmark = [
    pytest.mark.real,
    pytest.mark.skipif(not all((DATA / s).is_dir() for s in SETS), reason=f"no real fields in {DATA}"),
]
Spoil = Callable[[UInt8Array], UInt8Array]


def _noise(rgb: UInt8Array, sigma: float) -> UInt8Array:
    drawn = np.random.default_rng(0).standard_normal(rgb.shape, dtype=np.float32)
    return (rgb + sigma * drawn).clip(0, 255).round().astype(np.uint8)


def _blur(rgb: UInt8Array, sigma_at_1280: float) -> UInt8Array:
    return np.asarray(cv2.GaussianBlur(rgb, (0, 0), sigma_at_1280 * rgb.shape[1] / 1280), np.uint8)


def _bright(rgb: UInt8Array) -> UInt8Array:
    return (rgb * 1.8 + 30.0).clip(0, 255).astype(np.uint8)


def _dark(rgb: UInt8Array) -> UInt8Array:
    return (rgb * 0.25).astype(np.uint8)


def _empty(rgb: UInt8Array) -> UInt8Array:
    background = np.percentile(rgb[::8, ::8].reshape(-1, 3), 90, axis=0)
    y, x = np.mgrid[-1 : 1 : rgb.shape[0] * 1j, -1 : 1 : rgb.shape[1] * 1j]
    return _noise((background * (1 - 0.1 * (x * x + y * y))[..., None]).astype(np.uint8), 3)


SPOILT: dict[str, tuple[Spoil, str]] = {
    "blurred by 4": (lambda a: _blur(a, 4), OUT_OF_FOCUS),
    "blurred by 6": (lambda a: _blur(a, 6), OUT_OF_FOCUS),
    "blurred by 4, noisy": (lambda a: _noise(_blur(a, 4), 5), OUT_OF_FOCUS),
    "over-exposed": (_bright, OVER_EXPOSED),
    "under-exposed": (_dark, UNDER_EXPOSED),
    "empty, vignetted": (_empty, EMPTY),
}


@pytest.fixture(scope="module", params=SETS)
def fields(request: pytest.FixtureRequest) -> list[tuple[str, Quality, dict[str, Quality]]]:
    """Name, measures, and for every sixth field the measures of its spoilt copies."""
    out = []
    for shot in FileSource([str(DATA / request.param / "images")]):
        rgb = shot.load().rgb
        chosen = shot.index % EVERY == 0
        spoilt = {name: measure(spoil(rgb)) for name, (spoil, _) in SPOILT.items()} if chosen else {}
        spoilt |= {"again": measure(_noise(rgb, 6))} if chosen else {}
        out.append((shot.name, measure(rgb), spoilt))
    return out


def test_of_fields_that_people_counted_few_are_rejected(fields: list[tuple[str, Quality, dict[str, Quality]]]) -> None:
    gate = Gate()
    reasons = [(name, gate.judge(quality)) for name, quality, _ in fields]
    rejected = [(name, reason) for name, reason in reasons if reason]
    assert len(rejected) <= 0.02 * len(fields), rejected


@pytest.mark.parametrize("kind", SPOILT)
def test_spoilt_copies_among_good_fields_are_rejected(
    fields: list[tuple[str, Quality, dict[str, Quality]]], kind: str
) -> None:
    gate, noticed = Gate(), []
    copies = [spoilt[kind] for _, _, spoilt in fields if spoilt]
    for at, (_, quality, spoilt) in enumerate(fields):
        gate.judge(quality)
        if spoilt and at >= EVERY:
            # The copy of another view, so that it is not rejected for being the same.
            noticed.append(gate.judge(copies[(at // EVERY + len(copies) // 2) % len(copies)]))
    assert sum(reason is not None for reason in noticed) >= 0.95 * len(noticed)
    assert noticed.count(SPOILT[kind][1]) >= 0.8 * len(noticed)


@pytest.mark.parametrize("kind", SPOILT)
def test_a_run_of_spoilt_fields_is_rejected_as_long_as_it_lasts(
    fields: list[tuple[str, Quality, dict[str, Quality]]], kind: str
) -> None:
    gate = Gate()
    for _, quality, _ in fields:
        gate.judge(quality)
    noticed = [gate.judge(spoilt[kind]) is not None for _, _, spoilt in fields if spoilt]
    assert sum(noticed) >= 0.95 * len(noticed)


def test_the_same_view_again_is_noticed(fields: list[tuple[str, Quality, dict[str, Quality]]]) -> None:
    gate, noticed = Gate(), []
    for _, quality, spoilt in fields:
        if gate.judge(quality) is None and spoilt:
            noticed.append(gate.judge(spoilt["again"]))
    assert noticed.count(SAME_VIEW) >= 0.95 * len(noticed)
