from __future__ import annotations

import cv2
import numpy as np
import pytest

from edge.review.bare import bare_jpeg

PLAIN = cv2.imencode(".jpg", np.random.default_rng(1).integers(0, 255, (40, 60, 3), np.uint8))[1].tobytes()
SECRET = b"Jane Roe, 52.1 N 4.9 E"


def segment(marker: int, told: bytes = SECRET) -> bytes:
    return bytes((0xFF, marker)) + (len(told) + 2).to_bytes(2, "big") + told


@pytest.mark.parametrize("marker", [0xE1, 0xE2, 0xED, 0xEF, 0xFE])
def test_what_stands_beside_the_pixels_is_left_out_and_the_picture_stays(marker: int) -> None:
    told = PLAIN[:2] + segment(marker) + PLAIN[2:] + SECRET
    assert bare_jpeg(told) == PLAIN


def test_progressive_pictures_keep_all_their_scans() -> None:
    many = cv2.imencode(".jpg", np.zeros((64, 64, 3), np.uint8), [cv2.IMWRITE_JPEG_PROGRESSIVE, 1])[1].tobytes()
    assert bare_jpeg(many) == many
    rgb = np.random.default_rng(2).integers(0, 255, (99, 80, 3), np.uint8)
    many = cv2.imencode(".jpg", rgb, [cv2.IMWRITE_JPEG_PROGRESSIVE, 1])[1].tobytes()
    assert bare_jpeg(many + SECRET) == many


@pytest.mark.parametrize("data", [b"", b"\x89PNG", PLAIN[:2], PLAIN[:30], b"\xff\xd8" + segment(0xE1)])
def test_what_is_no_jpeg_is_refused(data: bytes) -> None:
    with pytest.raises(ValueError, match="JPEG"):
        bare_jpeg(data)
