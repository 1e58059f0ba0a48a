"""Shares of infected cells and parasites per microlitre. The one rests on an assumed number of red cells per µL, and says so."""

from __future__ import annotations

import re

RBC_PER_UL = 5e6
"""Red cells per µL of blood assumed where they were not counted (usual in parasitology; 4 to 6 million in health)."""

_FORM = re.compile(r"\s*([0-9]*\.?[0-9]+(?:[eE][-+]?[0-9]+)?)\s*(%|/\s*[uµμ][lL])?\s*")


def parse_share(text: str, rbc_per_ul: float = RBC_PER_UL) -> float:
    """A share from ``0.1%``, ``200/uL`` or ``0.001``; more than 0, at most 1.

    Raises:
        ValueError: the text is none of these.
    """
    match = _FORM.fullmatch(text)
    if match is None:
        raise ValueError(f"{text!r}: give a share as 0.1%, 200/uL or 0.001")
    number = float(match[1])
    share = number / 100 if match[2] == "%" else number / rbc_per_ul if match[2] else number
    if not 0 < share <= 1:
        raise ValueError(f"{text!r}: a share of the cells is more than 0 and at most 1 (100%)")
    return share


def percent(share: float, count: int = 2) -> str:
    """``1.3 %``, ``0.052 %``, ``0.00031 %``: two digits that count, or ``count`` of them."""
    return f"{digits(share * 100, count)} %"


def per_ul(share: float, rbc_per_ul: float, count: int = 2) -> str:
    """``4,000/µL`` at ``rbc_per_ul`` red cells per µL."""
    return f"{digits(share * rbc_per_ul, count)}/µL"


def said(share: float, rbc_per_ul: float | None, count: int = 2) -> str:
    """Both; only the share where cells are not red cells (tiles)."""
    if rbc_per_ul is None:
        return percent(share, count)
    return f"{percent(share, count)} ({per_ul(share, rbc_per_ul, count)})"


AS_GIVEN = 6
"""Digits of a share that somebody typed: 0.125% is not shown as 0.12 %."""

_MOST_DIGITS = 12  # no number is shown with more


def digits_below(share: float, limit: float) -> int:
    """How many digits show that ``share`` is below ``limit``, which is shown as given: two, or more where they are close."""
    for count in range(2, _MOST_DIGITS):
        if float(f"{share:.{count}g}") < float(f"{limit:.{AS_GIVEN}g}"):
            return count
    return _MOST_DIGITS


def two_digits(value: float) -> str:
    """``4,000``, ``1.3``, ``0.00031``: two digits that count, never an exponent."""
    return digits(value, 2)


def digits(value: float, count: int) -> str:
    """So many digits that count, never an exponent: ``4,000``, ``1.3``, ``0.00031``."""
    if value == 0:
        return "0"
    text = f"{value:.{count}g}"
    if "e" not in text and abs(value) < _COMMAS:
        return text
    if abs(value) >= 1:
        after = max(count - len(str(int(abs(float(text))))), 0)
        whole, _, rest = f"{float(text):,.{after}f}".partition(".")
        return f"{whole}.{rest}".rstrip("0").rstrip(".") if rest else whole
    return f"{float(text):.{_MOST_DIGITS + 8}f}".rstrip("0")


_COMMAS = 1000  # from here on thousands are separated


def plural(n: int, noun: str) -> str:
    """``1 cell``, ``2,000 tiles``."""
    return f"{n:,} {noun}" if n == 1 else f"{n:,} {noun}s"
