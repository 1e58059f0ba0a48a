"""The page of the profile says whether correcting a frame keeps its target."""

from __future__ import annotations

import pytest

from benchmarks.scope import measure, page


@pytest.mark.parametrize(("ms", "said"), [(1.0, "1 ms, met."), (1.01, "1 ms, **missed**.")])
def test_a_missed_target_is_said(ms: float, said: str) -> None:
    cost = measure.CorrectionCost(ms, 0.5, 10.0)
    assert page.tables(measure.ScopeFigures((), (), cost)).splitlines()[-1] == said
