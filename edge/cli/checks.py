"""Checks of the value of a single option; they raise ValueError."""

from __future__ import annotations

LONGEST_NAME = 200
"""Letters of a sample's or a microscope's name. It must fit a line of the summary and a file name's stem."""

SMALLEST_SIDE, LARGEST_SIDE = 64, 8192
"""Pixels of a field's side that ``--size`` takes: what the sources accept at least, and more than any camera gives."""


def check_size(text: str) -> tuple[int, int]:
    """Read ``1280x960``: width and height in pixels; raises ValueError."""
    parts = text.lower().split("x")
    if len(parts) != 2 or not all(part.isdecimal() and SMALLEST_SIDE <= int(part) <= LARGEST_SIDE for part in parts):
        raise ValueError(f"{text!r}: give WIDTHxHEIGHT in pixels, {SMALLEST_SIDE} to {LARGEST_SIDE} each, as 1280x960")
    return int(parts[0]), int(parts[1])


def check_every(text: str) -> None:
    """Raise ValueError for what is neither a number of frames (``25``) nor of seconds (``0.5s``)."""
    from edge.sources.video import FrameInterval  # noqa: PLC0415 - comes with OpenCV

    FrameInterval.parse(text)


def check_share(text: str) -> None:
    """Raise ValueError for what is no share of cells (``0.1%``, ``200/uL``, ``0.001``)."""
    from edge.verdict.units import parse_share  # noqa: PLC0415 - comes with NumPy

    parse_share(text)


def check_name(text: str) -> None:
    """Raise ValueError for a name that does not fit into one line."""
    if not (text.isprintable() and 0 < len(text) <= LONGEST_NAME):
        raise ValueError(f"must be printable, 1 to {LONGEST_NAME} letters")


def names_a_model_file(text: str) -> bool:
    """Whether this is the path of a model file, not a name on the shelf."""
    from edge.shelf import is_path  # noqa: PLC0415 - comes with NumPy

    return is_path(text)


def check_part(text: str) -> float:
    """Read ``15%`` or ``0.15``: a share above 0, at most 1; raises ValueError."""
    plain = text.strip()
    try:
        value = float(plain.removesuffix("%")) / (100 if plain.endswith("%") else 1)
    except ValueError:
        value = 0.0
    if not 0.001 <= value <= 1:
        raise ValueError(f"{text!r}: give a share as 15% or 0.15")
    return value


def check_scope(text: str) -> None:
    """Raise ValueError for a name that a profile cannot have."""
    from edge.scope.profile import check_profile_name  # noqa: PLC0415 - comes with NumPy and OpenCV

    check_profile_name(text)
