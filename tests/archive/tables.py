"""The tables of a recount as rows."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any


def table(results: Path, name: str) -> list[dict[str, Any]]:
    from pyarrow import parquet

    rows: list[dict[str, Any]] = []
    for path in sorted((results / name).glob("*.parquet")):
        rows += parquet.read_table(path).to_pylist()
    return sorted(rows, key=lambda row: [row[key] for key in ("sample", "field", "cell") if key in row])


def everything(results: Path) -> dict[str, list[dict[str, Any]]]:
    """The tables as text that can be compared: a number that is not one is not equal to itself."""
    return {name: json.loads(json.dumps(table(results, name))) for name in ("samples", "fields", "cells")}
