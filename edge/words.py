"""Plain words for what is set aside and for why fields are left out, the same in every output.

Inside, a kind is named ``not-...`` (``FieldResult``, ``Tally``, the report's facts); no person reads that name.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping

from edge.types import NOT_WHOLE

SET_ASIDE = "set aside"

_KNOWN = {
    NOT_WHOLE: ("{unit} cut by the border", "{unit}s cut by the border"),
    "not-again": ("tile another tile stands for", "tiles another tile stands for"),
    "not-other": ("other thing", "other things"),
    "not-new": ("{unit} counted in an earlier field", "{unit}s counted in an earlier field"),
}
_UNCOUNTED = frozenset({"background", "debris", "dirt", "dust", "fibrin", "mucus", "noise", "stain", "text"})
_MOST_REASONS = 6  # listed; the others are added up


def thing(kind: str, n: int = 1, unit: str = "cell") -> str:
    """What a kind that is set aside stands for: ``white cell``, ``white cells``, ``cells cut by the border``.

    Args:
        kind: ``not-...``, also one that only a stranger's finder knows.
        n: how many: 1 gives the singular.
        unit: what is counted, ``cell`` or ``tile``.
    """
    if kind in _KNOWN:
        return _KNOWN[kind][n != 1].format(unit=unit)
    name = re.sub(r"[-_\s]+", " ", kind.removeprefix("not-")).strip() or "thing"
    return name if n == 1 else _plural(name)


def things(set_aside: Mapping[str, int], unit: str = "cell") -> list[tuple[str, int]]:
    """The kinds of a tally that were found, in words, each with its count."""
    return [(thing(kind, n, unit), n) for kind, n in set_aside.items() if n]


def category(kind: str) -> str:
    """The category name for files that other programs read: it shows that the thing is not counted and is not a class."""
    return f"{thing(kind)}, {SET_ASIDE}"


def is_set_aside(name: str, supercategory: object = None) -> bool:
    """Whether a COCO category stands for what ``edge-run`` set aside; ``not-...``: files of its first versions."""
    return supercategory == SET_ASIDE or name.endswith(f", {SET_ASIDE}") or name.startswith("not-")


def reasons(rejected: Mapping[str, int], unreadable: int = 0) -> str:
    """``out of focus 3, empty 1``: why fields do not count, the most frequent first; empty without rejected fields.

    Reasons that differ only in their numbers are one; after some the others are added up.
    """
    alike: dict[str, Counter[str]] = {}
    for reason, n in rejected.items():
        alike.setdefault(without_numbers(reason), Counter())[reason] += n
    told = [(next(iter(each)) if len(each) == 1 else alone, each.total()) for alone, each in alike.items()]
    told.sort(key=lambda pair: (-pair[1], pair[0]))
    if len(told) > _MOST_REASONS:
        told[_MOST_REASONS - 1 :] = [("other reasons", sum(n for _, n in told[_MOST_REASONS - 1 :]))]
    if unreadable:
        told.append(("unreadable", unreadable))
    return ", ".join(f"{reason} {n:,}" for reason, n in told)


def without_numbers(reason: str) -> str:
    """A reason without its field number: ``same view as field 12`` becomes ``same view as field``."""
    return re.sub(r"\d[\d.,]*", "…", reason)


def _plural(name: str) -> str:
    last = name.rsplit(" ", 1)[-1].lower()
    if last in _UNCOUNTED or not ("a" <= last[-1] <= "z"):
        return name
    if last.endswith(("ss", "x", "z", "ch", "sh")):
        return f"{name}es"
    if last.endswith("s"):
        return name
    if last.endswith("y") and last[-2:-1] not in ("", *"aeiou"):
        return f"{name[:-1]}ies"
    return f"{name}s"
