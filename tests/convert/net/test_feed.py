"""Calibration images as the converter takes them."""

from __future__ import annotations

import numpy as np
import pytest

from convert.net.batch import feed, grouped
from convert.net.values import RANGES


@pytest.mark.parametrize("name", sorted(RANGES))
def test_the_first_image_spans_all_bytes_and_the_others_are_as_they_are(name: str) -> None:
    values, images = RANGES[name], np.full((3, 4, 5, 3), 100, np.uint8)
    fed = [image for (image,) in feed(images, values)()]
    assert [one.shape for one in fed] == [(1, 4, 5, 3)] * 3
    assert (float(fed[0].min()), float(fed[0].max())) == pytest.approx(values.limits)
    assert all((one == values.values(images[:1])).all() for one in fed[1:])


def test_it_gives_the_same_images_on_every_pass_in_full_batches() -> None:
    images = np.arange(5, dtype=np.uint8)[:, None, None, None] + np.zeros((5, 2, 2, 1), np.uint8)
    batches = grouped(feed(images, RANGES["0..255"]), 3)
    first, second = [[batch for (batch,) in batches()] for _ in range(2)]
    assert [batch[:, 1, 0, 0].tolist() for batch in first] == [[0, 1, 2], [3, 4, 4]]
    assert all((one == other).all() for one, other in zip(first, second, strict=True))
