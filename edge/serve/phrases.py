"""What is shown of numbers: counts, shares, spans of time, in plain words."""

from __future__ import annotations


def many(n: int, what: str) -> str:
    """``1 cell``, ``1,204 cells``."""
    return f"{n:,} {what}{'' if n == 1 else 's'}"


def percent(share: float) -> str:
    """A share with two digits that count: ``under 0.01 %``, ``0.12 %``, ``3.4 %``, ``12 %``, ``100 %``."""
    value = share * 100
    if 0 < value < 0.005:  # what two digits would show as none
        return "under 0.01\u00a0%"
    digits = 0 if value == 0 or value >= 10 else 2 if value < 1 else 1
    return f"{value:.{digits}f}\u00a0%"  # a space that no line breaks at


def span(seconds: float) -> str:
    """``8 s``, ``1 min 20 s``, ``12 min``, ``2 h 5 min``."""
    whole = max(0, round(seconds))
    if whole < 60:
        return f"{whole} s"
    if whole < 600:
        return f"{whole // 60} min" + (f" {whole % 60} s" if whole % 60 else "")
    if whole < 3600:
        return f"{whole // 60} min"
    return f"{whole // 3600} h" + (f" {whole % 3600 // 60} min" if whole % 3600 >= 60 else "")


def about_cells(n: int, unit: str) -> str:
    """What is still missing, no more exact than it is known: ``another 1,900 cells``."""
    step = 1 if n < 20 else 10 if n < 1000 else 100
    return f"another {many(-(-n // step) * step, unit)}"
