"""Figures that are kept between calls: a record as JSON, read back with every type checked."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TypeVar

from benchmarks.errors import ResultError
from edge.record_json import from_text, plain_of
from edge.safe_file import write_text

R = TypeVar("R")


def read_kept(kind: type[R], path: Path) -> R:
    """What is kept; ``kind()`` where nothing is. Raises ResultError where it is no such file."""
    if not path.exists():
        return kind()
    try:
        return from_text(kind, path.read_text(), path.name)
    except ValueError as error:
        raise ResultError(f"{path}: cannot be used: {error}") from error


def write_kept(figures: object, path: Path) -> None:
    """Keep a record; raises OutputError."""
    write_text(path, json.dumps(plain_of(figures), indent=1) + "\n")
