"""The registry of data sets: each module here holds one set as ``SET``. A new set is one new file."""

from __future__ import annotations

import importlib
import pkgutil
from functools import cache

from convert.errors import CellsError
from models.data.dataset import DataSet


@cache
def every() -> dict[str, DataSet]:
    """All sets by name."""
    modules = (importlib.import_module(f"{__name__}.{found.name}") for found in pkgutil.iter_modules(__path__))
    return {module.SET.name: module.SET for module in modules}


def get(name: str) -> DataSet:
    """A set by its name; raises CellsError where there is none."""
    if name not in every():
        raise CellsError(f"no data set is called {name!r}: there are {', '.join(sorted(every()))}")
    return every()[name]
