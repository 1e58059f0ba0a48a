"""A collected book that is a dictionary, and microscopes that say what they are told to."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from edge.network.collector import Collector
from edge.network.messages import encode
from edge.network.news import News
from edge.network.records import CollectedScope, JournalMessage, Taken
from edge.network.topics import ScopeTopics

UUID = "0f0e0d0c-0b0a-4000-8000-{:012x}"


class DictBook:
    """What ``Inbox`` does, without what the entries say."""

    def __init__(self) -> None:
        self.known: dict[str, CollectedScope] = {}
        self.entries: dict[str, list[int]] = {}
        self.refuses: Callable[[JournalMessage], bool] = lambda _: False

    def take_all(self, messages: Sequence[JournalMessage]) -> tuple[Taken | ValueError, ...]:
        return tuple(map(self._take, messages))

    def _take(self, message: JournalMessage) -> Taken | ValueError:
        if self.refuses(message):
            return ValueError("makes no sense")
        due = self.next(message.origin)
        known = self.known.setdefault(message.origin, CollectedScope(message.scope, message.origin, 1, "", False))
        if message.number != due:
            return Taken.KNOWN if message.number < due else Taken.AHEAD
        self.known[message.origin] = replace(known, next=due + 1)
        self.entries.setdefault(message.origin, []).append(message.number)
        return Taken.NEW

    def next(self, origin: str) -> int:
        return self.known[origin].next if origin in self.known else 1

    def scopes(self) -> tuple[CollectedScope, ...]:
        return tuple(self.known.values())

    def heard(self, name: str, origin: str, *, online: bool, newest: int | None = None, at: str | None = None) -> None:
        here = self.known.setdefault(origin, CollectedScope(name, origin, 1, "", False))
        self.known[origin] = replace(
            here, name=name, online=online, newest=here.newest if newest is None else newest, heard=at or "now"
        )


@dataclass
class Bench:
    """A collector, and what it published and told; ``now`` is moved by the test, ``wall`` is the clock for people."""

    book: DictBook = field(default_factory=DictBook)
    now: float = 100.0
    wall: str = "2026-11-29T08:00:00Z"
    own: str = ""
    told: list[News] = field(default_factory=list)
    asked: list[tuple[str, int]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.collector = Collector(
            self.book, self._publish, self.told.append, lambda: self.wall, self.now, own=self.own
        )

    def _publish(self, topic: str, payload: bytes) -> None:
        self.asked.append((topic, json.loads(payload)["from"]))

    def words(self) -> list[str]:
        said, self.told[:] = [one.words for one in self.told], []
        return said

    def wait(self, seconds: float) -> None:
        self.now += seconds
        self.collector.tick(self.now)

    def raw(self, topic: str, payload: bytes, *, retained: bool = False) -> None:
        self.collector.hear(topic, payload, self.now, retained=retained)
        self.collector.settle(self.now)


@dataclass
class Speaker:
    """A microscope."""

    bench: Bench
    name: str = "bench-3"
    origin: str = "ab" * 16

    @property
    def topics(self) -> ScopeTopics:
        return ScopeTopics(self.name, self.origin)

    def entry(self, number: int, *, sample: int = 1, state: str = "counting", flag: str | None = None) -> None:
        told = {"uuid": UUID.format(sample), "name": f"{self.name}-s{sample}", "state": state, "flag": flag}
        self.bench.raw(self.topics.journal, payload_of(JournalMessage(self.origin, self.name, number, whole(told))))

    def about(self, newest: int, *, retained: bool = False) -> None:
        told = {"scope": self.name, "origin": self.origin, "newest": newest, "version": "x", "model": "m"}
        self.bench.raw(self.topics.about, json.dumps(told).encode(), retained=retained)

    def is_there(self, here: bool = True, *, retained: bool = False) -> None:
        self.bench.raw(self.topics.availability, b"online" if here else b"offline", retained=retained)


def payload_of(message: JournalMessage) -> bytes:
    return encode(message)


def whole(told: Mapping[str, object]) -> dict[str, object]:
    """A sample's part of a message with all that a message must have."""
    times = {"began": "2026-11-29T07:00:00Z", "touched": "2026-11-29T07:00:00Z", "seconds": 1.0}
    return {**times, "event": None, "lost": 0, "newest": True, "run": UUID.format(99), "runs": [], **told}
