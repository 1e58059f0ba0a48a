"""What crosses the walls of this room. The records of the journal are the book's too, and stand in ``edge.journal``."""

from __future__ import annotations

from dataclasses import dataclass, field

from edge.journal import CollectedScope, JournalEntry, JournalMessage, Taken

__all__ = ["BrokerAddress", "CollectedScope", "JournalEntry", "JournalMessage", "Taken"]


@dataclass(frozen=True, slots=True)
class BrokerAddress:
    """Where a broker is, and how it is spoken to.

    Attributes:
        host, port: of it.
        tls: ``mqtts://``: encrypted, and the broker's certificate is checked.
        user: name; ``password``: neither is ever shown (``str`` leaves the password out).
        ca, certificate, key: files in PEM; None: the system's authorities, no certificate of our own.
    """

    host: str
    port: int
    tls: bool = False
    user: str = ""
    password: str = field(default="", repr=False)
    ca: str | None = None
    certificate: str | None = None
    key: str | None = None

    def __str__(self) -> str:
        user = f"{self.user}@" if self.user else ""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"mqtt{'s' * self.tls}://{user}{host}:{self.port}"
