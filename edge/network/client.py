"""A client of an MQTT broker made from its address, and what its failures mean, in plain words. paho-mqtt is imported here alone."""

from __future__ import annotations

import random
import socket
import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import ModuleType
from typing import TYPE_CHECKING, Final

from edge.errors import BrokerError
from edge.extras import how_to_install
from edge.network.records import BrokerAddress

if TYPE_CHECKING:
    from paho.mqtt.client import Client

KEEPALIVE_S: Final = 20
"""Seconds of silence after which the client asks the broker whether it is there; after as many more the connection is given up."""

CONNECT_S: Final = 5.0
"""Seconds that making the connection may take."""

ANSWER_S: Final = 10.0
"""Seconds after which a broker that accepted the connection and says nothing is given up."""

_BACK_OFF_S: Final = (1.0, 60.0)  # seconds until the first new attempt, and most between two
_BAD_PROTOCOL, _BAD_CLIENT, _UNAVAILABLE, _BAD_PASSWORD, _FORBIDDEN = 132, 133, 136, 134, 135  # MQTT 5's reason codes
_REFUSALS: Final = {
    _BAD_PROTOCOL: ("it does not speak MQTT 3.1.1", True),
    _BAD_CLIENT: ("it does not take this client's name", True),
    _UNAVAILABLE: ("it is not ready", False),
    _BAD_PASSWORD: ("it refuses the user's name or the password", True),
    _FORBIDDEN: ("it lets this user not in: give --mqtt mqtt://USER@HOST and the password in EDGE_MQTT_PASSWORD", True),
}
_FAILURES: Final[Mapping[type[OSError], str]] = {
    ConnectionRefusedError: "connection refused: no broker listens there",
    socket.gaierror: "there is no host of this name",
    TimeoutError: "it does not answer",
}


@dataclass(frozen=True, slots=True)
class BrokerTrouble:
    """Why a broker cannot be spoken to.

    Attributes:
        words: a clause for a person; ``lasting``: it will be so until somebody changes something.
    """

    words: str
    lasting: bool = False


class BackOff:
    """Seconds until the next attempt: doubling, with chance in it, so that ten microscopes do not come at once.

    Args:
        chance: between 0 and 1.
    """

    def __init__(self, chance: Callable[[], float] = random.random) -> None:
        self._chance = chance
        self._next = _BACK_OFF_S[0]

    def wait(self) -> float:
        """Seconds to wait now."""
        now, self._next = self._next, min(2 * self._next, _BACK_OFF_S[1])
        return now * (0.5 + self._chance() / 2)

    def reset(self) -> None:
        """It went well: begin again at the shortest wait."""
        self._next = _BACK_OFF_S[0]


def paho() -> ModuleType:
    """paho-mqtt's module of the client; raises BrokerError, with how to install it, where it is absent."""
    try:
        import paho.mqtt.client  # noqa: PLC0415 - an extra
    except ImportError:
        raise BrokerError(f"MQTT needs the package paho-mqtt: {how_to_install('mqtt')}") from None
    return paho.mqtt.client


def make_client(address: BrokerAddress, name: str, *, session: bool) -> Client:
    """Make a client that is not connected yet (``client.connect(address.host, address.port, KEEPALIVE_S)``).

    Args:
        address: of the broker.
        name: of the client: no two of one name can be connected at once.
        session: the broker remembers its subscriptions and keeps their messages while it is away.

    Raises:
        BrokerError: paho-mqtt is not installed; a certificate or key cannot be read.
    """
    module = paho()
    client: Client = module.Client(
        module.CallbackAPIVersion.VERSION2, name, clean_session=not session, reconnect_on_failure=False
    )
    client.connect_timeout = CONNECT_S
    if address.user or address.password:
        client.username_pw_set(address.user, address.password or None)
    if address.tls:
        client.tls_set_context(_context(address))
    return client


def _context(address: BrokerAddress) -> ssl.SSLContext:
    try:
        context = ssl.create_default_context(cafile=address.ca)
    except (OSError, ssl.SSLError) as error:
        raise BrokerError(f"{address.ca}: not the certificate of an authority: {_why(error)}") from None
    if address.certificate is not None:
        try:
            context.load_cert_chain(address.certificate, address.key)
        except (OSError, ssl.SSLError) as error:
            raise BrokerError(f"{address.certificate}: not a certificate with its key: {_why(error)}") from None
    return context


def _why(error: OSError) -> str:
    return str(error.strerror or error).split(" (_ssl", 1)[0]


def trouble_of(error: OSError | ValueError) -> BrokerTrouble:
    """What an exception of ``connect`` means."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return BrokerTrouble(f"its certificate is not to be trusted: {error.verify_message} (--mqtt-ca FILE)", True)
    if isinstance(error, ssl.SSLError):
        return BrokerTrouble(f"no TLS with it: {_why(error)} (mqtt:// is without TLS, mqtts:// with it)")
    if isinstance(error, ValueError):
        return BrokerTrouble(str(error), True)
    return BrokerTrouble(
        next((words for kind, words in _FAILURES.items() if isinstance(error, kind)), _why(error).lower())
    )


def refusal_of(code: int) -> BrokerTrouble:
    """What the broker's answer to ``connect`` means, by its reason code."""
    words, lasting = _REFUSALS.get(code, (f"it refuses (reason {code})", False))
    return BrokerTrouble(words, lasting)
