"""Under which names this page may be asked for: against DNS rebinding and foreign pages.

A foreign page can make a browser send requests here. It cannot choose their ``Host`` and ``Origin``: these name the page's own site,
even where the attacker's name server says that this name is at 127.0.0.1.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, ip_address

_NAME = re.compile(r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?){0,8}\.?")
_PORT = re.compile(r"[0-9]{1,5}")
_LONGEST = 255  # letters of a host's name
_HTTP = 80  # the port that a browser leaves out

Address = IPv4Address | IPv6Address


def address_of(text: str | None) -> Address | None:
    """An IP address, an IPv4 one inside IPv6 as IPv4; None: it is none."""
    try:
        found = ip_address((text or "").partition("%")[0])
    except ValueError:
        return None
    return (found.ipv4_mapped or found) if isinstance(found, IPv6Address) else found


def is_local(client: str | None) -> bool:
    """Whether a client's address is of this machine's loopback."""
    found = address_of(client)
    return found is not None and found.is_loopback


def host_and_port(text: str) -> tuple[str, int] | None:
    """Read ``name``, ``name:port``, ``1.2.3.4:port`` or ``[::1]:port``; None: it is none of them."""
    if not 0 < len(text) <= _LONGEST:
        return None
    if text.startswith("["):
        host, bracket, rest = text[1:].partition("]")
        if not bracket or not isinstance(address_of(host), IPv6Address) or (rest and not rest.startswith(":")):
            return None
        port = rest[1:] if rest else str(_HTTP)
    else:
        host, colon, port = text.lower().partition(":")
        port = port if colon else str(_HTTP)
        if not _NAME.fullmatch(host):
            return None
    if not _PORT.fullmatch(port) or not 0 < int(port) < 65536:  # as TCP has it
        return None
    return host.rstrip("."), int(port)


@dataclass(frozen=True, slots=True)
class OwnNames:
    """What this page is called.

    Attributes:
        port: that it listens at.
        names: host names beside ``localhost``; lower case.
    """

    port: int
    names: frozenset[str] = frozenset()

    def is_own_host(self, host: str, reached: str | None) -> bool:
        """Whether a ``Host`` header names this page; ``reached``: the address of this machine that the request came to.

        An address is right only if the request came to just that one. A name is right only if it is known.
        """
        parts = host_and_port(host)
        if parts is None or parts[1] != self.port:
            return False
        found = address_of(parts[0])
        if found is not None:
            return found == address_of(reached)
        return (parts[0] == "localhost" and is_local(reached)) or parts[0] in self.names

    @staticmethod
    def is_own_origin(origin: str, host: str) -> bool:
        """Whether an ``Origin`` header is that of the page at this ``Host``."""
        return origin.isascii() and origin.lower() == f"http://{host.lower()}"
