"""Gains over a frame, and frames corrected by them: bytes that are the same on every machine."""

from __future__ import annotations

from zlib import crc32

import numpy as np
import pytest

from edge.scope import spread
from edge.scope.spread import ONE, corrector, ringed


class TestWholeNumbers:
    """Every machine makes the same bytes, ARM too: ``edge-bench arm test --quick`` runs this file."""

    tiles = np.random.default_rng(4).integers(0, ONE, (7, 9, 3)).astype(np.int32)
    rgb = np.random.default_rng(5).integers(0, 256, (123, 217, 3), dtype=np.uint8)

    def test_gains_over_a_frame_are_these_bytes(self) -> None:
        assert crc32(spread.spread(self.tiles, (217, 123)).tobytes()) == SPREAD

    @pytest.mark.parametrize("vectors", [True, False], ids=["OpenCV's vectors", "whole numbers"])
    def test_a_frame_is_corrected_to_these_bytes(self, monkeypatch: pytest.MonkeyPatch, *, vectors: bool) -> None:
        if vectors and not spread._vectors_are_exact():
            pytest.skip("OpenCV rounds on this machine instead of cutting off: whole numbers are used")
        monkeypatch.setattr(spread, "_vectors_are_exact", lambda: vectors)
        gains = spread.spread(self.tiles, (217, 123))
        out = corrector(gains)(self.rgb)
        wide = self.rgb.astype(np.int64)
        assert np.array_equal(out, np.minimum(wide + wide * gains // 256, 255))
        assert crc32(out.tobytes()) == CORRECTED

    def test_where_vectors_round_otherwise_whole_numbers_are_used(self, monkeypatch: pytest.MonkeyPatch) -> None:
        gains = spread.spread(self.tiles, (217, 123))
        right = corrector(gains)(self.rgb)
        monkeypatch.setattr(
            spread, "_times_vectors", lambda values, gains, out: spread._times_whole_numbers(values, gains, out) ^ 1
        )
        assert np.array_equal(corrector(gains)(self.rgb), right)

    def test_a_frame_of_another_size_is_refused(self) -> None:
        with pytest.raises(ValueError, match="a frame of 217x123 pixels, and the flat field is of 64x64"):
            corrector(spread.spread(self.tiles, (64, 64)))(self.rgb)

    def test_the_frame_itself_is_not_written_to(self) -> None:
        mine = self.rgb.copy()
        corrector(spread.spread(self.tiles, (217, 123)))(mine)
        assert np.array_equal(mine, self.rgb)

    def test_a_slope_goes_on_to_the_edge_of_the_frame(self) -> None:
        slope = np.repeat(np.arange(8)[None, :, None] * 256.0 + 256, 6, axis=0).repeat(3, axis=2)
        row = spread.spread(np.rint(ringed(slope)).astype(np.int32), (160, 120))[60, :, 0].astype(int)
        assert set(np.diff(row)) <= {0, 1}
        assert row[-1] - row[0] == pytest.approx(8 * 16 - 1, abs=1)


SPREAD, CORRECTED = 2572691832, 1440475831  # CRC-32, written down on x86
