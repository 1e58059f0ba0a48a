"""What a page says in words."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import islice
from typing import Any

from edge.types import Verdict
from edge.verdict.table import INDETERMINATE, INSUFFICIENT, NEGATIVE, POSITIVE, UNCALIBRATED

NOTICE = "For research and triage, not a diagnostic device. A trained person looks at the suspects and decides."

_MEANS = {
    POSITIVE: "More {what} {unit}s than blank slides show: look at the suspects.",
    NEGATIVE: "The share of {what} {unit}s is below the target, as far as the calibration can say.",
    INDETERMINATE: "Undecided: look at the suspects, or count more.",
    INSUFFICIENT: "Nothing can be said either way: the reasons name what is missing.",
    UNCALIBRATED: "A count without a judgement: what is usual on this microscope is not known.",
}
_LONGEST = 300  # letters
_MOST_LINES = 24  # of a card's table
_DEEPEST = 4  # levels of nesting shown
_NAMED = 3  # with more positive classes they are called "positive" together


def means(verdict: Verdict, positive: tuple[str, ...], unit: str) -> str:
    """The flag in a sentence."""
    return _MEANS[verdict.flag].format(what=named(positive) or "positive", unit=unit)


def named(labels: tuple[str, ...]) -> str:
    """A few classes by their names, many by what they have in common."""
    return " or ".join(labels) if len(labels) <= _NAMED else "positive"


def plural(n: int, unit: str) -> str:
    """``1 cell``, ``2,000 tiles``."""
    return f"{n:,} {unit}" if n == 1 else f"{n:,} {unit}s"


def flat(raw: Mapping[str, Any]) -> list[tuple[str, str]]:
    """A card's free form, a line per entry, of bounded number and length: it comes out of a file that anybody may have made."""
    lines = [(_cut(str(name)), _cut(_said(value))) for name, value in islice(raw.items(), _MOST_LINES)]
    if len(raw) > _MOST_LINES:
        lines.append(("...", "more in the card (card.json in the model file)"))
    return [line for line in lines if line[1]]


def _said(value: Any, depth: int = 0) -> str:
    if depth == _DEEPEST:
        return "..."
    if isinstance(value, Mapping):
        return "; ".join(f"{name} {_said(inner, depth + 1)}" for name, inner in islice(value.items(), _MOST_LINES))
    if isinstance(value, list | tuple):
        return ", ".join(_said(item, depth + 1) for item in value[:_MOST_LINES])
    return _cut(str(value))


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 3]}..."
