"""From settings to a broker that is told of a run, and what becomes of what it did not take."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from edge import installed_version
from edge.book.book import Book
from edge.book.journal import Journal
from edge.book.unnamed import sample_name
from edge.cli.network_settings import NetworkSettings
from edge.cli.run_settings import RunSettings
from edge.door import say
from edge.events import Output
from edge.health import machine
from edge.modelfile import Card
from edge.network.client import make_client
from edge.network.entities import computer_states
from edge.network.link import BrokerLink, Hearer, Retained
from edge.network.messages import encode
from edge.network.outbox import Outbox
from edge.network.output import BrokerOutput, BrokerStatus
from edge.network.publisher import Publisher, waiting_words
from edge.network.records import BrokerAddress
from edge.network.speaker import Speaker
from edge.network.voice import Voice, this_computer

END_S = 5.0
"""Seconds that the end of a run waits for a broker that is there."""

_CLIENT_LETTERS = 16  # of the origin that stand in the client's name: with "edge-" before, 3.1.1 allows 23


def client_name(origin: str, suffix: str = "") -> str:
    """Name of a client: a second one of the same name throws the first one out."""
    return f"edge-{origin[: _CLIENT_LETTERS - len(suffix)]}{suffix}"


def publisher_of(
    address: BrokerAddress,
    book: Path,
    voice: Voice,
    tell: Callable[[str], None],
    *,
    courier: bool = False,
) -> Publisher:
    """A publisher of this book, not started.

    Args:
        address: of the broker.
        book: that it tells of.
        voice: who speaks.
        tell: takes a line for a person.
        courier: see ``Speaker``.

    Raises:
        BrokerError: paho-mqtt is not installed; a certificate cannot be read.
        BookError: there is no such book.
    """
    name = client_name(voice.origin, "-send" if courier else "")
    make_client(
        address, name, session=False
    )  # so that what is wrong with certificates is said before anything is counted
    outbox = Outbox(Journal(book), voice.scope, names=voice.names, encode=encode, tell=tell)
    speaker = Speaker(voice, outbox, tell, computer=lambda: computer_states(machine.ROOT, book.parent), courier=courier)

    def link(hearer: Hearer, will: Retained | None) -> BrokerLink:
        return BrokerLink(address, name, hearer, will)

    return Publisher(speaker, link, tell, str(address))


def voice_of(scope: str | None, book: Path, network: NetworkSettings, model: str = "") -> Voice:
    """Who speaks of this book.

    Args:
        scope: name of the microscope; None: the host's name.
        book: that is spoken of.
        network: whether names are sent.
        model: name of the classifier.
    """
    computer = this_computer()
    return Voice(
        scope or computer.name, Journal(book).origin, computer, model, installed_version(), names=network.mqtt_names
    )


@dataclass(frozen=True, slots=True)
class ToldBroker:
    """A broker that is told of all samples of this process.

    Attributes:
        status: takes snapshots of the camera between samples.
    """

    publisher: Publisher
    voice: Voice
    status: BrokerStatus

    def output(self, book: Book, card: Card, *, snapshots: bool) -> Output:
        """What tells it of one run.

        Args:
            book: that the run counts into.
            card: of its classifier.
            snapshots: whether there are snapshots of a camera.
        """

        def shown(name: str) -> str:
            return name if self.voice.names else sample_name(self.voice.scope, book.samples(name=name)[0].uuid)

        return BrokerOutput(self.publisher, self.status, shown, tuple(card.positive), snapshots=snapshots)


@contextmanager
def told_broker(settings: RunSettings, model: str, program: str = "edge-run") -> Iterator[ToldBroker | None]:
    """While inside, the broker that the settings name is told; None: they name none. The book is there already.

    Args:
        settings: of the run.
        model: name of the classifier.
        program: says what there is to say.

    Raises:
        BrokerError: paho-mqtt is not installed; a file of the settings cannot be read. Never that the broker is away.
    """
    network, path = settings.network, settings.book.path
    if network.mqtt is None or path is None:
        yield None
        return

    def tell(line: str) -> None:
        say(line, program)

    address = network.address(network.mqtt)
    voice = voice_of(settings.judging.scope, path, network, model)
    publisher = publisher_of(address, path, voice, tell)
    publisher.start()
    try:
        yield ToldBroker(publisher, voice, BrokerStatus(publisher))
    finally:
        waiting = publisher.finish(END_S)
        if waiting:
            tell(still_waiting(waiting, network.mqtt))


def still_waiting(entries: int, url: str) -> str:
    """What is said of entries that the broker did not take."""
    return (
        f"{waiting_words(entries)} in the book for the broker: the next run sends what waits, or: edge mqtt send {url}"
    )


def outputs_of(broker: ToldBroker | None, book: Book, card: Card, *, snapshots: bool) -> Sequence[Output]:
    """What tells the broker of one run, and of the camera between its fields; nothing where there is no broker."""
    if broker is None:
        return []
    output = broker.output(book, card, snapshots=snapshots)
    return [output, broker.status] if snapshots else [output]
