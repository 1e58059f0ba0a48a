"""The standard set: what ``make bench`` measures, so that results of different machines hold the same cases."""

from __future__ import annotations

import os
from importlib.util import find_spec
from typing import Final

from benchmarks import fields, nets, peers
from benchmarks.workload import Workload
from edge import shelf
from edge.classifier import BATCH

FIELDS: Final = (
    ("640x480", 50),
    ("640x480", 200),
    ("1280x960", 50),
    ("1280x960", 200),
    ("2028x1520", 200),
    ("4056x3040", 200),
    ("4056x3040", 1000),
)
"""Sizes and cells of virtual fields."""

SHARED_FIELD: Final = ("1280x960", 200)
"""The one that several workers and other people's programs get too."""


def standard(cores: int | None = None, runtime: str | None = None) -> list[Workload]:
    """The cases: nets, the whole analysis, and the peers, which are held against our own cases of the same group.

    Args:
        cores: for how many workers; None for this machine's.
        runtime: ``litert`` or ``tflite``; None for the one ``edge`` uses.
    """
    cores = cores or len(os.sched_getaffinity(0))
    runtime = runtime or next((name for name, package in nets.RUNTIMES.items() if find_spec(package)), "litert")
    counts = [count for count in (2, 4) if count <= cores]
    cases = [nets.ceiling_workload()] if runtime == "litert" else []
    cases += nets.workloads(shelf.CLASSIFIER, finder=False, batches=(1,), threads=(1,), runtimes=(runtime,))[:1]
    cases += nets.workloads(shelf.CLASSIFIER, finder=False, batches=(BATCH,), threads=(1,), runtimes=(runtime,))
    cases += nets.workloads(shelf.FINDER, finder=True, batches=(1,), threads=(1,), runtimes=(runtime,))
    cases += [fields.workload("simulate", size, cells, 1) for size, cells in FIELDS]
    cases += [fields.workload("simulate", *SHARED_FIELD, count) for count in counts]
    return cases + peers.workloads()
