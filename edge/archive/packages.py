"""The packages of the extra ``archive``, which are heavy and not there everywhere: each is imported when it is first asked for."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from edge.errors import ArchiveError
from edge.extras import how_to_install


def package(name: str) -> Any:
    """A module of Dask, distributed, fsspec or pyarrow by its full name; raises ArchiveError that says how to install it."""
    try:
        return import_module(name)
    except ImportError as error:
        missing = error.name or name
        raise ArchiveError(
            f"archives are counted by Dask, and {missing} is not installed: {how_to_install('archive')}"
        ) from error
