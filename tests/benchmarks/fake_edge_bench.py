"""``edge-bench`` whose standard set are steps of microseconds: ``python -m tests.benchmarks.fake_edge_bench``."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from unittest.mock import patch

from benchmarks.cli import main
from benchmarks.workload import Workload
from tests.benchmarks.steps import work


@contextmanager
def standard_set(*workloads: Workload) -> Iterator[None]:
    """Inside, ``edge-bench standard`` measures these."""
    with patch("benchmarks.standard.standard", lambda: list(workloads)):
        yield


if __name__ == "__main__":
    with standard_set(work("first"), work("second")), patch("benchmarks.report.screen._PLAIN_EVERY_S", 0.0):
        main()
