"""Child process: the tables of a recount as pandas, polars and DuckDB read them: the same facts from each, as JSON.

with_tables.py RESULTS
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import duckdb
import pandas as pd
import polars as pl


def by_pandas(results: Path) -> dict[str, Any]:
    samples, fields, cells = (pd.read_parquet(results / name) for name in ("samples", "fields", "cells"))
    counted = cells[cells["counted"]].groupby("sample").size()
    return {
        "cells": {name: int(n) for name, n in counted.items()},
        "samples": {row["sample"]: int(row["cells"]) for _, row in samples.iterrows()},
        "states": {name: int(n) for name, n in fields.groupby("state").size().items()},
        "unreadable": sorted(fields[fields["state"] == "unreadable"]["name"]),
        "scores": sorted({len(one) for one in cells["scores"]}),
        "largest": float(cells["score"].max()),
    }


def by_polars(results: Path) -> dict[str, Any]:
    samples, fields, cells = (pl.scan_parquet(results / name / "*.parquet") for name in ("samples", "fields", "cells"))
    counted = cells.filter(pl.col("counted")).group_by("sample").len().collect()
    states = fields.group_by("state").len().collect()
    unreadable = fields.filter(pl.col("state") == "unreadable").collect()
    both = cells.select(pl.col("scores").list.len().unique().alias("n")).collect()
    return {
        "cells": dict(counted.iter_rows()),
        "samples": dict(samples.select("sample", "cells").collect().iter_rows()),
        "states": dict(states.iter_rows()),
        "unreadable": sorted(unreadable["name"]),
        "scores": sorted(both["n"]),
        "largest": float(cells.select(pl.col("score").max()).collect().item()),
    }


def by_duckdb(results: Path) -> dict[str, Any]:
    def ask(query: str, table: str) -> list[Any]:
        rows: list[Any] = duckdb.sql(query.format(f"'{results / table}/*.parquet'")).fetchall()
        return rows

    return {
        "cells": dict(ask("select sample, count(*) from {} where counted group by sample", "cells")),
        "samples": dict(ask("select sample, cells from {}", "samples")),
        "states": dict(ask("select state, count(*) from {} group by state", "fields")),
        "unreadable": sorted(name for (name,) in ask("select name from {} where state = 'unreadable'", "fields")),
        "scores": sorted(n for (n,) in ask("select distinct len(scores) from {}", "cells")),
        "largest": float(ask("select max(score) from {}", "cells")[0][0]),
    }


if __name__ == "__main__":
    where = Path(sys.argv[1])
    told = {"pandas": by_pandas(where), "polars": by_polars(where), "duckdb": by_duckdb(where)}
    sys.stdout.write(json.dumps(told, sort_keys=True) + "\n")
