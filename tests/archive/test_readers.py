"""The tables of a recount are read by pandas, polars and DuckDB, which find the same in them."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.archive.made import paint
from tests.archive.tables import table
from tests.archive.test_run import counted
from tests.exchange.programs.install import missing, run


def test_pandas_polars_and_duckdb_find_the_same(tmp_path: Path) -> None:
    if why := missing("base", "tables"):
        pytest.skip(why)
    paint(tmp_path / "archive" / "a", 3, 1, 7, 0)
    paint(tmp_path / "archive" / "b", *range(2, 12))
    paint(tmp_path / "archive" / "c", 1)
    results = tmp_path / "counts.parquet"
    counted(tmp_path / "archive", results)
    got = run("with_tables", results, sets=("base", "tables"))
    samples = {row["sample"]: row["cells"] for row in table(results, "samples")}
    assert got["pandas"] == got["polars"] == got["duckdb"]
    told = got["pandas"]
    assert told["samples"] == samples
    assert told["cells"] == {name: cells for name, cells in samples.items() if cells}
    assert told["states"] == {"counted": 12, "rejected": 2, "unreadable": 1}
    assert (told["unreadable"], told["scores"]) == (["3.png"], [2])
    assert 0.5 < told["largest"] <= 1
