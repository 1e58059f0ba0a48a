"""Platelets drawn at the rim of cells to learn from."""

from __future__ import annotations

import cv2
import numpy as np

from models.data.platelets import with_platelets

RNG = np.random.default_rng


def discs(count: int, radius: int = 10) -> np.ndarray:
    """Grey cells on white paper, uint8 [count, 32, 32, 3]."""
    crop = np.full((32, 32, 3), 240, np.uint8)
    cv2.circle(crop, (16, 16), radius, (150, 150, 150), -1)
    return np.repeat(crop[None], count, axis=0)


def test_a_platelet_lies_at_the_rim_and_leaves_the_middle_alone() -> None:
    crops = discs(200)
    seen = with_platelets(crops, 1.0, RNG(0))
    darker = crops.astype(int) - seen
    assert (darker >= 0).all()
    green = darker[..., 1]
    assert (green.max(axis=(1, 2)) > 20).all()
    y, x = np.mgrid[:32, :32] - 15.5
    far = np.hypot(y, x)
    weight = green / green.sum(axis=(1, 2), keepdims=True)
    centre = (weight * far).sum(axis=(1, 2))
    assert ((centre > 8) & (centre < 14)).all()
    assert green[:, far < 3].max() < 15


def test_it_is_purple() -> None:
    crops = discs(200)
    lost = (crops.astype(int) - with_platelets(crops, 1.0, RNG(1))).sum(axis=(0, 1, 2))
    assert lost[1] > 1.5 * lost[0] > 0
    assert lost[1] > 2 * lost[2]


def test_only_the_share_asked_for_gets_one_and_the_same_seed_draws_alike() -> None:
    crops = discs(2000)
    seen = with_platelets(crops, 0.25, RNG(2))
    changed = (seen != crops).any(axis=(1, 2, 3)).mean()
    assert 0.2 < changed < 0.3
    assert (seen == with_platelets(crops, 0.25, RNG(2))).all()
    assert (with_platelets(crops, 0.0, RNG(2)) == crops).all()


def test_where_no_paper_is_seen_nothing_is_drawn() -> None:
    full = np.full((20, 32, 32, 3), 150, np.uint8)
    dark = 255 - discs(20)
    assert (with_platelets(full, 1.0, RNG(3)) == full).all()
    assert (with_platelets(dark, 1.0, RNG(3)) == dark).all()
