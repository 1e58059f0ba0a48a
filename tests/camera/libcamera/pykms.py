"""Stands in for kmsxx' module, which picamera2 imports for its preview on a screen when it is loaded; no screen is used here."""

from __future__ import annotations


class _Formats:
    """Every name of a pixel format is that name."""

    def __getattr__(self, name: str) -> str:
        return name


PixelFormat = _Formats()


def __getattr__(name: str) -> type:
    if name.startswith("__"):
        raise AttributeError(name)
    return type(name, (), {})
