"""What this project's extras bring, for advice that can be copied: no package index holds this project, so no name of it will do."""

from __future__ import annotations

import shlex
import sys

PACKAGES = {
    "serve": ("starlette>=0.46", "uvicorn>=0.34", "jinja2>=3.1.6", "segno>=1.6"),
    "mqtt": ("paho-mqtt>=2.1",),
    "archive": ("dask>=2025.7", "distributed>=2025.7", "fsspec>=2025.7", "pyarrow>=20", "bokeh>=3.4"),
    "convert": ("tensorflow>=2.20", "keras>=3.13.2"),
    "bench": ("scipy>=1.14", "matplotlib>=3.9", "fastjsonschema>=2.20"),
}
"""Extra to packages, as in pyproject.toml (a test holds the two together)."""


def how_to_install(extra: str) -> str:
    """The command that installs an extra's packages for the Python that runs; right in a clone and for an installed wheel."""
    return shlex.join([sys.executable or "python3", "-m", "pip", "install", *PACKAGES[extra]])
