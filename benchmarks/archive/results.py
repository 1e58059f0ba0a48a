"""Two results folders held against each other, row by row: the same samples, fields and cells, none twice."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from edge.archive.packages import package

_KEYS: Final = {"samples": ("sample",), "fields": ("sample", "field"), "cells": ("sample", "field", "cell")}
"""Table to the columns that tell its rows apart."""


@dataclass(frozen=True, slots=True)
class ResultsCompared:
    """What was found.

    Attributes:
        rows: table to its rows in the second folder.
        doubled: rows of the second whose key comes more than once.
        different: tables whose rows are not the same in both.
    """

    rows: dict[str, int]
    doubled: int
    different: tuple[str, ...]

    @property
    def same(self) -> bool:
        """Whether all is equal and nothing counted twice."""
        return not self.doubled and not self.different


def compare_results(one: Path, other: Path) -> ResultsCompared:
    """Compare the tables of two results folders, whatever their part files are called."""
    rows, doubled, different = {}, 0, []
    for name, keys in _KEYS.items():
        mine, theirs = _table(one / name, keys), _table(other / name, keys)
        rows[name] = theirs.num_rows
        distinct = theirs.group_by(list(keys)).aggregate([]).num_rows
        doubled += theirs.num_rows - distinct
        if not mine.equals(theirs):
            different.append(name)
    return ResultsCompared(rows, doubled, tuple(different))


def _table(folder: Path, keys: tuple[str, ...]) -> Any:
    """A table in the order of its keys, in one piece."""
    arrow, parquet = package("pyarrow"), package("pyarrow.parquet")
    parts = [parquet.read_table(path) for path in sorted(folder.glob("*.parquet"))]
    whole = arrow.concat_tables(parts)
    return whole.sort_by([(key, "ascending") for key in keys]).combine_chunks()
