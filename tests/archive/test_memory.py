"""What a worker of this machine may hold."""

from __future__ import annotations

import pytest

from edge.archive.memory import worker_limit

LIMITS = {
    "a large machine": (2, 64 << 30, 1_400_000_000),
    "a Pi with 2 GB and four workers": (4, 2 << 30, 483_183_820),
}


@pytest.mark.parametrize("case", LIMITS)
def test_the_limit_is_what_the_largest_field_takes_but_never_more_than_there_is(
    case: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("EDGE_MAX_MEGAPIXELS", raising=False)
    workers, total, limit = LIMITS[case]
    assert worker_limit(workers, total) == limit


def test_larger_fields_that_are_allowed_may_take_more(monkeypatch: pytest.MonkeyPatch) -> None:
    before = worker_limit(1, 64 << 30)
    monkeypatch.setenv("EDGE_MAX_MEGAPIXELS", "200")
    assert worker_limit(1, 64 << 30) == before + 150_000_000 * 20
    monkeypatch.setenv("EDGE_MAX_MEGAPIXELS", "many")
    assert worker_limit(1, 64 << 30) == before
