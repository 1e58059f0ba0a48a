"""Shares of infected cells and parasites per microlitre. The one rests on an assumed number of red cells per µL, and says so."""

from __future__ import annotations

import re

RBC_PER_UL = 5e6
"""Red cells per µL of blood that are assumed where nobody counted them (usual in parasitology; 4 to 6 million in health)."""

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


def percent(share: float) -> str:
    """``1.3 %``, ``0.052 %``, ``0.00031 %``: two digits that count."""
    return f"{two_digits(share * 100)} %"


def per_ul(share: float, rbc_per_ul: float) -> str:
    """``4,000/µL`` at so many red cells per µL."""
    return f"{two_digits(share * rbc_per_ul)}/µL"


def said(share: float, rbc_per_ul: float | None) -> str:
    """Both; only the share where cells are not red cells (tiles)."""
    return percent(share) if rbc_per_ul is None else f"{percent(share)} ({per_ul(share, rbc_per_ul)})"


def two_digits(value: float) -> str:
    """``4,000``, ``1.3``, ``0.00031``: two digits that count, never an exponent."""
    if value == 0:
        return "0"
    text = f"{value:.2g}"
    if "e" not in text:
        return text
    return f"{float(text):,.0f}" if abs(value) >= 1 else f"{float(text):.10f}".rstrip("0")
