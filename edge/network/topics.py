"""The topics of a microscope (docs/mqtt.md). Two microscopes of one name have different origins, and so different topics."""

from __future__ import annotations

from dataclasses import dataclass

ROOT = "edge-microscopy"
"""First level of all topics."""

ONLINE, OFFLINE = "online", "offline"
"""What the availability topic says: the birth, and the last will."""

ORIGIN_LETTERS = 8
"""Of an origin that stand in topics; the whole origin stands in payloads."""


@dataclass(frozen=True, slots=True)
class ScopeTopics:
    """Where one microscope speaks.

    Attributes:
        name: of the microscope, as topics have it (``topic_name``).
        origin: of its book: 32 hexadecimal digits that no other book has.
    """

    name: str
    origin: str

    @property
    def base(self) -> str:
        """What its topics begin with."""
        return f"{ROOT}/{self.name}/{self.origin[:ORIGIN_LETTERS]}"

    @property
    def availability(self) -> str:
        """Retained: ``online`` or ``offline``, the latter also as last will."""
        return f"{self.base}/availability"

    @property
    def about(self) -> str:
        """Retained JSON: whose topics these are, its versions, and the number of the newest entry of the journal."""
        return f"{self.base}/about"

    @property
    def journal(self) -> str:
        """Entries of the journal, each a message of its own, not retained."""
        return f"{self.base}/journal"

    @property
    def wanted(self) -> str:
        """Where a collector asks for entries again: ``{"from": 17}``."""
        return f"{self.base}/wanted"

    def state(self, entity: str) -> str:
        """Retained: the state of one entity, as text."""
        return f"{self.base}/state/{entity}"


def topic_name(name: str) -> str:
    """A name as a topic may hold it: no level separator, no wildcard, no control letter; ``unnamed`` where nothing is left."""
    plain = "".join(letter if letter.isalnum() or letter in "-_." else "-" for letter in name).strip("-.")
    return plain[:60] or "unnamed"
