"""Keeps a connection to a broker and hands what comes to a ``Collector``. One thread, which is the caller's.

The session is persistent: what microscopes say while this program is away is kept by the broker, as far as that one keeps anything. A
message is acknowledged when the book has it.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from edge.errors import BrokerError
from edge.network.client import ANSWER_S, KEEPALIVE_S, BackOff, BrokerTrouble, make_client, refusal_of, trouble_of
from edge.network.collector import Collector
from edge.network.hearing import WANTED_TOPICS
from edge.network.news import News, NewsKind
from edge.network.records import BrokerAddress

if TYPE_CHECKING:
    from paho.mqtt.client import Client, MQTTMessage
    from paho.mqtt.reasoncodes import ReasonCode

TURN_S: Final = 0.5
"""Seconds at most until the loop looks whether it is to stop, and whether anything is to be asked for."""

QUIET_S: Final = 2.0
"""Seconds without a message after which what a broker had kept has come."""

_AT_ONCE: Final = 64  # messages that share a transaction at most
_FAILED: Final = 128  # reason codes from this on are refusals
_SHORT_S: Final = 3.0  # seconds: a connection that is gone sooner than that was no success
_THROWN: Final = 3  # short connections in a row after which it is said that somebody else has this client's name


class Subscriber:
    """A collector's connection.

    Args:
        address: of the broker.
        name: of the client; the broker keeps its session under this name.
        tell: takes what happens to the connection.
        make: makes the client.
        now: seconds by a clock that never jumps; ``sleep`` waits.
        back_off: how long between two attempts.

    Attributes:
        ready: connected, and subscribed to all that microscopes say.
        quiet_since: when the last message came, or it became ready.
    """

    def __init__(
        self,
        address: BrokerAddress,
        name: str,
        tell: Callable[[News], None],
        *,
        make: Callable[..., Client] = make_client,
        now: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
        back_off: BackOff | None = None,
    ) -> None:
        self._address, self._tell, self._now, self._sleep = address, tell, now, sleep
        self._client = make(address, name, session=True)
        self._client.manual_ack_set(True)
        self._client.on_connect = self._on_connect
        self._client.on_disconnect = self._on_disconnect
        self._client.on_subscribe = self._on_subscribe
        self._client.on_message = self._on_message
        self._back_off = back_off or BackOff()
        self._collector: Collector | None = None
        self._due = float("-inf")  # when to connect next
        self._answer_until = float("inf")
        self._open = False  # a socket is open
        self._taken: list[tuple[int, int]] = []  # number and quality of messages that are not acknowledged yet
        self._was_ready = False
        self._since = 0.0
        self._short = 0
        self._said: str | None = None  # why the broker is away, as it was said
        self._lasting: BrokerTrouble | None = None
        self._waits = True  # a broker that is away is waited for
        self.ready = False
        self.quiet_since = now()

    def publish(self, topic: str, payload: bytes) -> None:
        """Send what is lost without harm: it is sent again where nothing comes of it."""
        if self.ready:
            self._client.publish(topic, payload, qos=0)

    def run(self, collector: Collector, ended: Callable[[], bool]) -> None:
        """Collect until ``ended``.

        Args:
            collector: takes what comes; its ``publish`` is this object's.
            ended: asked after each turn, a fraction of a second apart.

        Raises:
            BrokerError: the broker refuses at the first attempt, for a reason that lasts (password, certificate).
            BookError, OutputError: of the book.
        """
        self._collector = collector
        try:
            while not ended():
                self._turn()
                collector.tick(self._now())
        finally:
            self._open = False
            self._client.disconnect()
            if (left := self._client.socket()) is not None:  # of a broker that refused
                left.close()

    def once(self, collector: Collector, stopped: Callable[[], bool], patience_s: float = 60.0) -> None:
        """Collect until all that microscopes have said is here.

        Args:
            collector: as of ``run``.
            stopped: whether somebody stopped it.
            patience_s: seconds without any message after which it is given up.

        Raises:
            BrokerError: the broker is not there, or microscopes that are connected do not send what is missing.
        """
        self._waits = False

        def ended() -> bool:
            if stopped():
                return True
            quiet = self._now() - self.quiet_since
            if self._said is not None:
                raise BrokerError(f"{self._address}: {self._said}")
            if self.ready and quiet >= QUIET_S and not collector.awaited:
                return True
            if quiet < patience_s:
                return False
            missing = ", ".join(f"{one.name} ({one.newest - one.next + 1:,})" for one in collector.awaited)
            raise BrokerError(f"what is missing does not come: {missing or 'the broker says nothing'}")

        self.run(collector, ended)

    def _turn(self) -> None:
        if not self._open:
            if self._now() < self._due:
                self._sleep(min(TURN_S, max(self._due - self._now(), 0.0)))
                return
            self._connect()
        if self._open:
            self._listen()
            if self._open and self._now() >= self._answer_until:
                self._drop(BrokerTrouble("it accepts connections and does not answer"))
        trouble, self._lasting = self._lasting, None
        if trouble is not None and not self._was_ready:
            raise BrokerError(f"{self._address}: {trouble.words}")

    def _listen(self) -> None:
        """Take what is there; it is acknowledged when it is in the book."""
        self._client.loop(TURN_S)
        before = 0
        while self._open and before < len(self._taken) < _AT_ONCE:
            before = len(self._taken)
            self._client.loop(0)
        taken, self._taken = self._taken, []
        if self._collector is not None:
            self._collector.settle(self._now())
        for mid, qos in taken:
            self._client.ack(mid, qos)

    def _connect(self) -> None:
        self._answer_until = self._now() + ANSWER_S
        try:
            self._client.connect(self._address.host, self._address.port, KEEPALIVE_S)
        except (OSError, ValueError) as error:
            self._lost(trouble_of(error))
        else:
            self._open, self._since = True, self._now()

    def _drop(self, trouble: BrokerTrouble) -> None:
        self._open = False
        self._client.disconnect()
        self._lost(trouble)

    def _lost(self, trouble: BrokerTrouble) -> None:
        """The connection is gone, or did not come about."""
        was_ready = self.ready
        self._open = self.ready = False
        self._answer_until = float("inf")
        self._due = self._now() + self._back_off.wait()
        self._lasting = trouble if trouble.lasting else None
        if was_ready and self._collector is not None:
            self._collector.broker_away()
        self._short = self._short + 1 if was_ready and self._now() - self._since < _SHORT_S else 0
        words = trouble.words
        if self._short >= _THROWN:
            words = "it ends each connection at once: another program collects under this name (the same book?)"
        if words != self._said and not (trouble.lasting and not self._was_ready):
            self._said = words
            if self._waits:
                self._tell(News(NewsKind.BROKER, f"the broker {self._address} is away: {words}"))

    # paho calls these within loop()

    def _on_connect(self, client: Client, _data: Any, _flags: Any, reason: ReasonCode, _properties: Any) -> None:
        if reason.value >= _FAILED:
            self._lost(refusal_of(reason.value))
            return
        client.subscribe([(topic, 1) for topic in WANTED_TOPICS])

    def _on_subscribe(
        self, _client: Client, _data: Any, _mid: int, reasons: list[ReasonCode], _properties: Any
    ) -> None:
        if any(reason.value >= _FAILED for reason in reasons):
            self._drop(BrokerTrouble("it does not let this user read the topics of microscopes", True))
            return
        self.ready = self._was_ready = True
        self._answer_until = float("inf")
        self.quiet_since = self._now()
        if self._collector is not None:
            self._collector.broker_back(self._now())
        if self._short == 0:
            self._back_off.reset()
        if self._said is not None and self._short < _THROWN:
            self._tell(News(NewsKind.BROKER, f"the broker {self._address} is back"))
            self._said = None

    def _on_disconnect(self, _client: Client, _data: Any, _flags: Any, reason: ReasonCode, _properties: Any) -> None:
        if self._open:
            trouble = BrokerTrouble("the connection was lost")
            if reason.getName() == "Keep alive timeout":
                trouble = BrokerTrouble("it does not answer any more")
            self._lost(trouble)

    def _on_message(self, _client: Client, _data: Any, message: MQTTMessage) -> None:
        self.quiet_since = self._now()
        self._taken.append((message.mid, message.qos))
        try:
            topic = message.topic
        except UnicodeDecodeError:
            topic = ""  # none of a microscope's
        if self._collector is not None:
            self._collector.hear(topic, bytes(message.payload), self._now(), retained=message.retain)
