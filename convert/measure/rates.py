"""Rates of false positives as they are typed on command lines."""

from __future__ import annotations

import typer


def rate(text: str | None) -> float | None:
    """A share from 0 up to 0.5 of ``1%`` or ``0.01``; None stays None. Raises typer.BadParameter for anything else."""
    if text is None:
        return None
    try:
        found = float(text.removesuffix("%")) / (100 if text.endswith("%") else 1)
    except ValueError:
        found = -1.0
    if not 0 <= found < 0.5:  # nan fails too
        raise typer.BadParameter(f"--false-positives {text!r} is no rate: give 1% or 0.01, below one half")
    return found
