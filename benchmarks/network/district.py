"""Ten microscopes, each a process with a book and the runner's own publisher, and a collector in a process of its own."""

from __future__ import annotations

import asyncio
import ctypes
import os
import random
import signal
import time
from collections.abc import Callable, Sequence
from ctypes import c_double, c_int
from dataclasses import dataclass
from pathlib import Path

from benchmarks.book.fields import Telling
from benchmarks.network.rough import RoughWay
from edge.book.inbox import Inbox
from edge.book.journal import Journal
from edge.book.opening import open_book
from edge.book.store import now as utc
from edge.description import RunDescription
from edge.network.client import BackOff
from edge.network.collector import Collector
from edge.network.link import BrokerLink
from edge.network.messages import encode
from edge.network.news import News
from edge.network.outbox import Outbox
from edge.network.publisher import Publisher
from edge.network.records import BrokerAddress
from edge.network.speaker import Speaker
from edge.network.subscriber import Subscriber
from edge.network.voice import Computer, Voice
from edge.types import FieldResult

FIELDS = 15
"""Fields of a sample."""

_DIES_WITH_PARENT = 1  # PR_SET_PDEATHSIG of prctl(2)


@dataclass(frozen=True, slots=True, eq=False)
class CountingScope:
    """What a process counts.

    Attributes:
        name: of the microscope; ``book``: its file.
        fields: analysed ones, told again and again.
        about: what a run of it says of itself.
        samples: that are complete in the end; each that was cut off is counted again, under a new name.
        pause_s: seconds between two fields, as it falls out from 0 to twice that.
    """

    name: str
    book: Path
    fields: Sequence[FieldResult]
    about: RunDescription
    samples: int
    pause_s: float

    def run(self, address: BrokerAddress, jumped: c_double, say: Path) -> None:
        """Count, and tell the broker, until this process is ended from outside.

        Args:
            address: of the broker, or of the way to it.
            jumped: seconds that the clock of all processes has been put forward.
            say: file that lines for a person go to.
        """
        alone()
        rng = random.Random(os.getpid())
        with open_book(self.book, lambda _: None) as book, say.open("a") as lines:
            publisher = self._publisher(address, jumped, lambda line: print(line, file=lines, flush=True))
            publisher.start()
            run = book.begin_run(self.about, {})
            writer = book.writer(run)
            while sum(row.state == "complete" for row in book.samples()) < self.samples:
                telling = Telling(self.about.card, f"{self.name} sample {len(book.samples()) + 1}")
                for _ in range(FIELDS):
                    writer.field(telling.field(rng.choice(self.fields), None))
                    publisher.wake()
                    time.sleep(rng.uniform(0, 2 * self.pause_s))
                writer.sample(telling.end())
                publisher.wake()
            while True:
                time.sleep(1)

    def _publisher(self, address: BrokerAddress, jumped: c_double, tell: Callable[[str], None]) -> Publisher:
        journal = Journal(self.book)
        voice = Voice(self.name, journal.origin, Computer("0" * 16, "bench"), names=True)
        outbox = Outbox(journal, self.name, names=True, encode=encode, tell=tell)
        name = f"edge-{journal.origin[:12]}"
        return Publisher(
            Speaker(voice, outbox, tell),
            lambda hearer, will: BrokerLink(address, name, hearer, will),
            tell,
            str(address),
            now=lambda: time.monotonic() + jumped.value,
            sleep=lambda seconds: time.sleep(min(seconds, 0.1)),
            back_off=BackOff(),
        )


@dataclass(frozen=True, slots=True)
class CollectorCounts:
    """Messages that the collector applied, knew already, could not apply yet; times it asked; payloads it could not read."""

    taken: int
    known: int
    ahead: int
    asked: int
    strangers: int


def collect(address: BrokerAddress, book: Path, jumped: c_double, say: Path) -> None:
    """Collect into a book until this process is ended from outside; ``say``: file that lines for a person go to."""
    alone()

    def clock() -> float:
        return time.monotonic() + jumped.value

    with Inbox(book) as inbox, say.open("a") as lines:

        def tell(news: News) -> None:
            print(news.words, file=lines, flush=True)

        name = f"edge-collect-{Journal(book).origin[:12]}"
        subscriber = Subscriber(address, name, tell, now=clock, sleep=lambda seconds: time.sleep(min(seconds, 0.1)))
        collector = Collector(inbox, subscriber.publish, tell, utc, clock())
        counts = say.with_suffix(".counts")

        def ended() -> bool:
            told = (collector.taken, collector.known, collector.ahead, collector.asked, collector.strangers)
            new = counts.with_suffix(".new")
            new.write_text(" ".join(map(str, told)))
            new.replace(counts)  # whoever reads it sees all of it
            return False

        subscriber.run(collector, ended)


def rough_way(
    to: int,
    mode: c_int,
    told: tuple[c_int, c_int],
    port: c_int,
    seed: int,
) -> None:
    """The way to the broker, until this process is ended from outside; ``port`` gets where it listens."""
    alone()

    def ready(number: int) -> None:
        port.value = number

    asyncio.run(RoughWay(to, mode, told, random.Random(seed)).serve(ready))


def alone() -> None:
    """A process of its own group's fate: Ctrl-C is the parent's matter, and it ends with its parent."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    ctypes.CDLL(None).prctl(_DIES_WITH_PARENT, signal.SIGKILL)
