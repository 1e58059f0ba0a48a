from __future__ import annotations

import numpy as np
import pytest

from edge.verdict.sampled import _poisson_at_least

pytest.importorskip("scipy", reason="needs SciPy to compare with")


@pytest.mark.parametrize("k", [0, 1, 3, 60, 700, 20_000])
def test_the_chance_of_so_many_is_that_of_a_poisson_count_however_many_there_are(k: int) -> None:
    from scipy.stats import poisson

    expected = np.array([0.0, 0.3, 0.9 * k, 1.0 * k, 1.1 * k + 1, 1e6])
    assert _poisson_at_least(k, expected) == pytest.approx(poisson.sf(k - 1, expected), abs=2e-3)
