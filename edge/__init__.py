"""The device runner: whole microscope fields in, per-sample counts and a flag out."""

from __future__ import annotations

from edge.opencv_limits import limit_opencv

limit_opencv()


def installed_version() -> str:
    """This package's version, or ``source`` where it is run from a source tree without being installed."""
    from importlib.metadata import PackageNotFoundError, version  # noqa: PLC0415 - takes longer than all else here

    try:
        return version("edge-microscopy")
    except PackageNotFoundError:
        return "source"
