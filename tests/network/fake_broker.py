"""A broker, a book's journal and a clock for tests: nothing of it waits, and what goes wrong is said in one word."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from paho.mqtt.client import topic_matches_sub

from edge.errors import BookError
from edge.journal import JournalEntry, JournalMessage
from edge.network.client import BrokerTrouble
from edge.network.link import Hearer, Retained
from edge.network.outbox import Outbox
from edge.network.publisher import Publisher
from edge.network.speaker import Speaker
from edge.network.voice import Computer, Voice

ORIGIN = "0123456789abcdef0123456789abcdef"
VOICE = Voice("bench-3", ORIGIN, Computer("c0ffee0123456789", "pi-3", "Raspberry Pi 5"), "malaria-thin-32", "0.1.0")
BASE = f"edge-microscopy/bench-3/{ORIGIN[:8]}"
REFUSED = BrokerTrouble("connection refused: no broker listens there")


class FakeClock:
    """Seconds that pass when somebody waits."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


@dataclass
class FakeJournal:
    """A book's journal."""

    count: int = 0
    acknowledged: int = 0
    writes: int = 0
    damaged: set[int] = field(default_factory=set)
    closed: str = ""
    origin: str = ORIGIN

    def newest(self) -> int:
        if self.closed:
            raise BookError(self.closed)
        return self.count

    def cursor(self) -> int:
        return self.acknowledged

    def acknowledge(self, number: int) -> None:
        self.acknowledged = number
        self.writes += 1

    def entries(self, first: int, most: int) -> tuple[JournalEntry, ...]:
        return tuple(JournalEntry(n, "a", None) for n in range(first, min(first + most, self.count + 1)))

    def message(self, entry: JournalEntry, scope: str, *, names: bool) -> JournalMessage:
        if entry.number in self.damaged:
            raise BookError(f"field {entry.number} is damaged")
        return JournalMessage(ORIGIN, scope, entry.number, {"names": names})


@dataclass
class FakeBroker:
    """What the broker does, and what it got.

    Attributes:
        away: refuses with this trouble; None: it is there.
        mute: accepts connections and says nothing.
        deaf: acknowledges nothing.
        log: topic, payload and whether to keep it, of all messages.
        kept: retained messages.
    """

    clock: FakeClock
    away: BrokerTrouble | None = None
    mute: bool = False
    deaf: bool = False
    log: list[tuple[str, bytes, bool]] = field(default_factory=list)
    kept: dict[str, bytes] = field(default_factory=dict)
    links: list[FakeLink] = field(default_factory=list)

    def __call__(self, hearer: Hearer, will: Retained | None) -> FakeLink:
        self.links.append(FakeLink(self, hearer, will))
        return self.links[-1]

    @property
    def numbers(self) -> list[int]:
        """Of the entries that came, in order."""
        return [json.loads(payload)["number"] for topic, payload, _ in self.log if topic.endswith("/journal")]

    def sent(self, topic: str) -> list[str]:
        """What came on a topic, in order."""
        return [payload.decode() for name, payload, _ in self.log if name == topic]

    def say(self, topic: str, payload: bytes, *, retained: bool = False) -> None:
        """Send something to who is connected."""
        self.links[-1].hearer.heard(topic, payload, retained=retained)

    def kill(self) -> None:
        """It dies with all that it kept; whoever was connected notices."""
        self.kept.clear()
        self.links[-1].lose(BrokerTrouble("the connection was lost"))


class FakeLink:
    """One connection."""

    def __init__(self, broker: FakeBroker, hearer: Hearer, will: Retained | None) -> None:
        self.broker, self.hearer, self.will = broker, hearer, will
        self.topics: list[str] = []
        self.ended = ""
        self._due: list[Callable[[], None]] = []
        self._mid = 0

    def open(self) -> None:
        if self.broker.away is not None:
            self.lose(self.broker.away)
        elif not self.broker.mute:
            self._due.append(self.hearer.connected)

    def turn(self, seconds: float) -> None:
        due, self._due = self._due, []
        if not due:
            self.broker.clock.sleep(seconds)
        for step in due:
            if not self.ended:
                step()

    def publish(self, topic: str, payload: bytes, *, retain: bool) -> int:
        self._mid += 1
        mid = self._mid
        self.broker.log.append((topic, payload, retain))
        if retain:
            self.broker.kept[topic] = payload
        if any(topic_matches_sub(one, topic) for one in self.topics):
            self._due.append(lambda: self.hearer.heard(topic, payload, retained=False))
        if not self.broker.deaf:
            self._due.append(lambda: self.hearer.delivered(mid))
        return mid

    def subscribe(self, topics: Sequence[str]) -> None:
        self.topics += topics

    def close(self) -> None:
        self.ended = "closed"

    def drop(self) -> None:
        self.ended = "dropped"
        if self.will is not None:
            self.broker.kept[self.will.topic] = self.will.payload

    def lose(self, trouble: BrokerTrouble) -> None:
        self.ended = "lost"
        self.hearer.lost(trouble)


class Bench:
    """A publisher with a broker, a journal and a clock; ``lines``: what it told a person."""

    def __init__(self, *, courier: bool = False, count: int = 0, acknowledged: int = 0, names: bool = False) -> None:
        self.clock = FakeClock()
        self.broker = FakeBroker(self.clock)
        self.journal = FakeJournal(count, acknowledged)
        self.lines: list[str] = []
        self.computer = {"temperature": "48", "problem": "OFF"}
        outbox = Outbox(
            self.journal,
            "bench-3",
            names=names,
            encode=lambda message: json.dumps({"number": message.number, "names": message.sample["names"]}).encode(),
            tell=self.lines.append,
        )
        self.speaker = Speaker(
            VOICE, outbox, self.lines.append, computer=lambda: self.computer, courier=courier, chance=lambda: 0.5
        )
        self.outbox = outbox
        self.publisher = Publisher(
            self.speaker, self.broker, self.lines.append, "mqtt://h:1883", now=self.clock, sleep=self.clock.sleep
        )

    def run(self, seconds: float) -> None:
        """Let so many seconds pass."""
        until = self.clock.now + seconds
        while self.clock.now < until and not self.publisher.over:
            self.publisher.turn()
            self.clock.now += 0.001

    def count(self, fields: int = 1) -> None:
        """Somebody counts."""
        self.journal.count += fields
        self.publisher.wake()

    def end(self, seconds: float = 5.0) -> None:
        """The run ends."""
        self.publisher.end(seconds)
        self.run(seconds + 10)
