"""Where this machine is found by others, and ports that are free."""

from __future__ import annotations

import fcntl
import socket
import struct
from contextlib import suppress

from edge.serve.names import address_of
from edge.serve.wire import listening

_SIOCGIFADDR = 0x8915  # netdevice(7): the IPv4 address of an interface
_LONGEST = 15  # letters of an interface's name
_AT = 20  # where the address begins in the answer


def own_addresses() -> tuple[str, ...]:
    """This machine's IPv4 addresses but the loopback's, those of home and laboratory networks first."""
    found = []
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
        for _, name in socket.if_nameindex():
            asked = struct.pack("256s", name.encode()[:_LONGEST])
            with suppress(OSError):  # an interface without an address
                answer = fcntl.ioctl(asking.fileno(), _SIOCGIFADDR, asked)
                found.append(socket.inet_ntoa(answer[_AT : _AT + 4]))
    there = [(address, address_of(address)) for address in found]
    told = [(not known.is_private, address) for address, known in there if known is not None and not known.is_loopback]
    return tuple(address for _, address in sorted(set(told)))


def free_port(after: int) -> int | None:
    """The next port of the loopback that is free; None: none of the next hundred."""
    for port in range(after + 1, min(after + 100, 65535)):
        with suppress(OSError):
            for one in listening(["127.0.0.1"], port):
                one.close()
            return port
    return None


def own_names() -> frozenset[str]:
    """What this machine is called in its network: ``bench-3``, ``bench-3.local``."""
    name = socket.gethostname().lower().rstrip(".")
    return frozenset({name, f"{name.partition('.')[0]}.local"}) if name else frozenset()
