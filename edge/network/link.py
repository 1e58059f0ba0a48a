"""One connection to a broker, from connecting to its loss. Who wants another one makes another: nothing of it outlives it.

The thread that opened it works it: ``turn`` waits for what comes, hands it on, and sends. No other thread touches it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Protocol

from edge.network.client import KEEPALIVE_S, BrokerTrouble, make_client, refusal_of, trouble_of
from edge.network.records import BrokerAddress

if TYPE_CHECKING:
    from paho.mqtt.client import Client, MQTTMessage
    from paho.mqtt.reasoncodes import ReasonCode

QOS: Final = 1
"""Of everything: delivered at least once."""

_FAILED = 128  # reason codes from this on are refusals


@dataclass(frozen=True, slots=True)
class Retained:
    """A message that the broker keeps for who comes later; an empty payload removes what it kept."""

    topic: str
    payload: bytes


class Hearer(Protocol):
    """Takes what comes over a connection."""

    def connected(self) -> None:
        """The broker lets us in."""
        ...

    def delivered(self, message: int) -> None:
        """The broker acknowledged what was published with this id."""
        ...

    def heard(self, topic: str, payload: bytes, *, retained: bool) -> None:
        """A message came; ``retained``: the broker had kept it."""
        ...

    def lost(self, trouble: BrokerTrouble) -> None:
        """The connection is gone, or the broker refused."""
        ...


class Link(Protocol):
    """What a connection can do (``BrokerLink``)."""

    def open(self) -> None:
        """Connect; ``lost`` is called where that fails, ``connected`` within a later ``turn``."""
        ...

    def turn(self, seconds: float) -> None:
        """Wait for at most so long, send and take what is there."""
        ...

    def publish(self, topic: str, payload: bytes, *, retain: bool) -> int:
        """Send; returns the id by which it is acknowledged."""
        ...

    def subscribe(self, topics: Sequence[str]) -> None:
        """Hear these topics."""
        ...

    def close(self) -> None:
        """End it in good order: the last will is not sent."""
        ...

    def drop(self) -> None:
        """End it as if the cable was pulled: the broker sends the last will."""
        ...


class BrokerLink:
    """A ``Link`` by paho-mqtt.

    Args:
        address: of the broker.
        name: of the client: no two of one name can be connected at once.
        hearer: takes what comes.
        will: is sent by the broker when the connection breaks; None: nothing.

    Raises:
        BrokerError: paho-mqtt is not installed; a certificate or key cannot be read.
    """

    def __init__(self, address: BrokerAddress, name: str, hearer: Hearer, will: Retained | None = None) -> None:
        self._address, self._hearer = address, hearer
        self._client = make_client(address, name, session=False)
        self._client.max_inflight_messages_set(0)  # how many are under way is decided by who publishes
        if will is not None:
            self._client.will_set(will.topic, will.payload, QOS, retain=True)
        self._client.on_connect = self._on_connect
        self._client.on_disconnect = self._on_disconnect
        self._client.on_publish = self._on_publish
        self._client.on_message = self._on_message
        self._ended = False

    def open(self) -> None:
        """See ``Link``."""
        try:
            self._client.connect(self._address.host, self._address.port, KEEPALIVE_S)
        except (OSError, ValueError) as error:
            self._lose(trouble_of(error))

    def turn(self, seconds: float) -> None:
        """See ``Link``."""
        if not self._ended:
            self._client.loop(seconds)

    def publish(self, topic: str, payload: bytes, *, retain: bool) -> int:
        """See ``Link``."""
        return self._client.publish(topic, payload, QOS, retain).mid

    def subscribe(self, topics: Sequence[str]) -> None:
        """See ``Link``."""
        self._client.subscribe([(topic, QOS) for topic in topics])

    def close(self) -> None:
        """See ``Link``."""
        self._ended = True
        self._client.disconnect()

    def drop(self) -> None:
        """See ``Link``."""
        self._ended = True
        sock = self._client.socket()
        if sock is not None:
            sock.close()

    def _lose(self, trouble: BrokerTrouble) -> None:
        if not self._ended:
            self._ended = True
            self._hearer.lost(trouble)

    # paho calls these within connect() and loop()

    def _on_connect(self, _client: Client, _data: Any, _flags: Any, reason: ReasonCode, _properties: Any) -> None:
        if reason.value >= _FAILED:
            self._lose(refusal_of(reason.value))
        else:
            self._hearer.connected()

    def _on_disconnect(self, _client: Client, _data: Any, _flags: Any, reason: ReasonCode, _properties: Any) -> None:
        silent = reason.getName() == "Keep alive timeout"
        self._lose(BrokerTrouble("it does not answer any more" if silent else "the connection was lost"))

    def _on_publish(self, _client: Client, _data: Any, mid: int, _reason: Any, _properties: Any) -> None:
        self._hearer.delivered(mid)

    def _on_message(self, _client: Client, _data: Any, message: MQTTMessage) -> None:
        self._hearer.heard(message.topic, bytes(message.payload), retained=message.retain)
