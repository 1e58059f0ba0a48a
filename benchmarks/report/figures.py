"""Numbers as people read them. All of them are formatted here, with as many digits as the measurement has, never fewer than three."""

from __future__ import annotations


def digits(value: float, significant: int = 4) -> str:
    """``7.419``, ``243.1``, ``18,920``: at least ``significant`` digits, thousands apart."""
    if value == 0:
        return "0"
    size = abs(value)
    places = significant - 1
    while size >= 10 and places > 0:
        size /= 10
        places -= 1
    while 0 < size < 1:
        size *= 10
        places += 1
    return f"{value:,.{places}f}"


def digits_or_dash(value: float | None, significant: int = 4) -> str:
    """``digits``, or a dash for None."""
    return "-" if value is None else digits(value, significant)


def megabytes(count: int | None) -> str:
    """Bytes as MB (10^6), a dash for None."""
    return "-" if count is None else f"{count / 1e6:.1f}"


def percent(ratio: float) -> str:
    """A ratio as a change: 1.05 is ``+5.0 %``."""
    return f"{(ratio - 1) * 100:+.1f} %"


def slug(text: str) -> str:
    """A name for a file: lower case, letters, digits and hyphens."""
    kept = "".join(c if c.isascii() and c.isalnum() else " " for c in text.lower())
    return "-".join(kept.split()) or "machine"
