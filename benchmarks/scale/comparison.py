"""Child process: two made-up results of very many samples, compared as ``edge recount --like`` does.

    python -m benchmarks.scale.comparison make FOLDER SAMPLES
    python -m benchmarks.scale.comparison compare FOLDER

The second prints one line of JSON: samples, those that changed, seconds of processor time, and the most memory held (MiB). Both
together in one process would show the memory of the making.
"""

from __future__ import annotations

import json
import resource
import sys
import time
from pathlib import Path

import numpy as np

from edge.archive.compare import Comparison
from edge.archive.packages import package
from edge.archive.records import CountsDescription
from edge.archive.results import Results

_PER_PART = 16  # samples of a part
_FIELDS = 5  # of a sample
_CELLS = 110  # of a field
_POSITIVE = (0.01, 0.011)  # share before and after
_SEED = 5  # of both results


def make(folder: Path, samples: int) -> None:
    """Write the two results, with the columns that a comparison reads."""
    told = CountsDescription("f" * 64, {}, "", "made", "0" * 64, "made", ("healthy", "infected"), ("infected",))
    rng = np.random.default_rng(_SEED)
    for name, share in zip(("before", "after"), _POSITIVE, strict=True):
        results = folder / name
        Results(str(results)).begin(told)
        for table in ("samples", "fields"):
            (results / table).mkdir(exist_ok=True)
        for part, first in enumerate(range(0, samples, _PER_PART)):
            _write_part(results, f"part-{part:08d}.parquet", range(first, min(first + _PER_PART, samples)), share, rng)


def _write_part(results: Path, part: str, numbers: range, share: float, rng: np.random.Generator) -> None:
    arrow, parquet = package("pyarrow"), package("pyarrow.parquet")
    names = [f"site/slide-{number:08d}" for number in numbers]
    positive = rng.binomial(_CELLS, share, (len(names), _FIELDS))
    fields = {
        "sample": [name for name in names for _ in range(_FIELDS)],
        "name": [f"{field:04d}.png" for _ in names for field in range(_FIELDS)],
        "state": ["counted"] * positive.size,
        "cells": arrow.array([_CELLS] * positive.size, arrow.int32()),
        "positive": arrow.array(positive.ravel(), arrow.int32()),
        "sha256": [f"{number * _FIELDS + field:064x}" for number in numbers for field in range(_FIELDS)],
    }
    samples = {
        "sample": names,
        "fields": arrow.array([_FIELDS] * len(names), arrow.int32()),
        "cells": arrow.array([_FIELDS * _CELLS] * len(names), arrow.int64()),
        "positive": arrow.array(positive.sum(axis=1), arrow.int64()),
        "flag": ["uncalibrated"] * len(names),
    }
    for table, columns in (("fields", fields), ("samples", samples)):
        parquet.write_table(arrow.Table.from_pydict(columns), results / table / part)


def compare(folder: Path) -> dict[str, float]:
    """Compare the two results."""
    comparison = Comparison(Results(str(folder / "before")), Results(str(folder / "after")))
    for _ in comparison:
        pass
    end = comparison.end()
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {"samples": end.samples, "changed": end.changed, "processor_s": time.process_time(), "memory_mb": memory}


if __name__ == "__main__":
    if sys.argv[1] == "make":
        make(Path(sys.argv[2]), int(sys.argv[3]))
    else:
        sys.stdout.write(json.dumps(compare(Path(sys.argv[2]))) + "\n")
