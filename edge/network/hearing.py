"""What is heard on the topics of microscopes: of which one, and what it says of itself. Payloads may be anybody's: all is checked."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from edge.network.topics import ORIGIN_LETTERS, ROOT, topic_name

LONGEST_ABOUT: Final = 8192
"""Bytes of what a microscope says of itself."""

HIGHEST: Final = 2**53
"""Number of an entry that is refused: no book has as many, and not every reader of JSON has such numbers."""

_LONGEST_NAME: Final = 200  # letters of a microscope's name
_ORIGIN: Final = re.compile("[0-9a-f]{32}")
_TOPIC: Final = re.compile(rf"{ROOT}/([^/+#]{{1,60}})/([0-9a-f]{{{ORIGIN_LETTERS}}})/(availability|about|journal)")


class Heard(StrEnum):
    """What a topic is for, of those that a collector hears."""

    AVAILABILITY = "availability"
    ABOUT = "about"
    JOURNAL = "journal"


WANTED_TOPICS: Final = tuple(f"{ROOT}/+/+/{kind}" for kind in Heard)
"""What a collector subscribes to."""


@dataclass(slots=True)
class ScopePlace:
    """A microscope's place among the topics, and what was heard there.

    Attributes:
        base: what its topics begin with.
        name: as topics have it; ``origin8``: how its origin begins.
        kind: of the topic that this was made of.
        origin: whole, once it is known.
        online: as it was said; None: nothing was.
    """

    base: str
    name: str
    origin8: str
    kind: Heard
    origin: str = ""
    online: bool | None = None


@dataclass(frozen=True, slots=True)
class About:
    """What a microscope says of itself: its name, its book's origin, and the number of its newest entry (0: none)."""

    scope: str
    origin: str
    newest: int


def part_of(topic: str) -> ScopePlace:
    """Read a topic; raises ValueError where it is none of a microscope's."""
    found = _TOPIC.fullmatch(topic)
    if found is None:
        raise ValueError(f"{topic[:80]!r} is no topic of a microscope")
    name, origin8, kind = found.groups()
    return ScopePlace(f"{ROOT}/{name}/{origin8}", name, origin8, Heard(kind))


def read_about(payload: bytes, part: ScopePlace) -> About:
    """Read what a microscope says of itself; raises ValueError where it makes no sense, or is about another one than the topic."""
    where = f"{part.base}/about"
    if len(payload) > LONGEST_ABOUT:
        raise ValueError(f"{where} is {len(payload):,} bytes long")
    try:
        found = json.loads(payload)
    except (ValueError, RecursionError):
        raise ValueError(f"{where} is not JSON") from None
    if not isinstance(found, dict):
        raise ValueError(f"{where} is no JSON object")  # noqa: TRY004 - a payload, not a caller's mistake
    scope, origin, newest = found.get("scope"), found.get("origin"), found.get("newest")
    if not isinstance(scope, str) or len(scope) > _LONGEST_NAME or topic_name(scope) != part.name:
        raise ValueError(f"{where} is of a microscope of another name")
    if not isinstance(origin, str) or not _ORIGIN.fullmatch(origin) or not origin.startswith(part.origin8):
        raise ValueError(f"{where} is of another origin")
    if not isinstance(newest, int) or isinstance(newest, bool) or not 0 <= newest < HIGHEST:
        raise ValueError(f"{where} has no number of the newest entry")
    return About(scope or part.name, origin, newest)
