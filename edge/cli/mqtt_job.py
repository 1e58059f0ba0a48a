"""``edge mqtt``: delivers what waits, and removes what a broker keeps of a microscope."""

from __future__ import annotations

from pathlib import Path

from edge.cli.book_reading import open_existing
from edge.cli.book_settings import default_book
from edge.cli.broker_job import client_name, publisher_of, voice_of
from edge.cli.network_settings import NetworkSettings
from edge.door import say, stop_on_signals
from edge.errors import EXIT_INTERRUPTED, BookError, BrokerError
from edge.lines import print_lines
from edge.network.forgetting import Forgetter
from edge.network.link import BrokerLink
from edge.network.publisher import Publisher, waiting_words
from edge.network.records import BrokerAddress
from edge.network.voice import Voice


def send_what_waits(
    address: BrokerAddress, book: Path | None, scope: str | None, *, names: bool, patience: float, again: bool = False
) -> int:
    """Deliver the entries that no broker has acknowledged.

    Args:
        address: of the broker.
        book: whose entries; None: the usual one.
        scope: name of the microscope; None: of the newest sample.
        names: whether names are sent.
        patience: seconds without progress after which it is given up.
        again: all entries, not those alone that wait.

    Returns:
        the exit code.

    Raises:
        BookError: there is no book, or it is damaged.
        BrokerError: the broker is not there or refuses, or takes nothing for so long; what waits is kept.
    """
    path, voice = _speaker(book, scope, "edge mqtt send", NetworkSettings(mqtt_names=names))
    told: list[str] = []
    publisher = publisher_of(address, path, voice, told.append, courier=True)
    if again:
        publisher.rewind()
    stopped = False

    def stop() -> None:
        nonlocal stopped
        stopped = True
        publisher.end(0)

    with stop_on_signals(stop):
        _deliver(publisher, address, patience, told)
    sent = f"{publisher.entries:,} {'entry' if publisher.entries == 1 else 'entries'}"
    if stopped:
        say(f"stopped: {sent} delivered, {waiting_words(publisher.waiting)} in the book", "edge mqtt send")
        return EXIT_INTERRUPTED
    print_lines([f"{sent} delivered to {address} as {voice.scope}" if publisher.entries else "nothing waits"])
    return 0


def _deliver(publisher: Publisher, address: BrokerAddress, patience: float, told: list[str]) -> None:
    publisher.end(float("inf"))  # it ends by itself when nothing waits
    entries, until = 0, publisher.seconds + patience
    while not publisher.over:
        publisher.turn()
        if told:
            publisher.end(0)
            raise BookError(told[0])
        if publisher.entries != entries:
            entries, until = publisher.entries, publisher.seconds + patience
        trouble = publisher.trouble
        if trouble is not None or publisher.seconds >= until:
            words = "it takes nothing" if trouble is None else trouble.words
            publisher.end(0)
            kept = f": {waiting_words(publisher.waiting)} in the book" if publisher.waiting else ""
            raise BrokerError(f"{address}: {words}{kept}")


def forget_microscope(address: BrokerAddress, book: Path | None, scope: str | None) -> None:
    """Remove what a broker keeps of the microscope of a book, under whatever name; raises BookError, BrokerError."""
    _, voice = _speaker(book, scope, "edge mqtt forget", NetworkSettings())
    forgetter = Forgetter(voice)
    link = BrokerLink(address, client_name(voice.origin, "-forget"), forgetter)
    forgetter.run(link, str(address))
    for line in forgetter.notes:
        say(line, "edge mqtt forget")
    count = len(forgetter.removed)
    print_lines([f"{count:,} kept messages of {voice.scope} removed from {address}" if count else "nothing was kept"])


def _speaker(book: Path | None, scope: str | None, program: str, network: NetworkSettings) -> tuple[Path, Voice]:
    path = book or default_book()
    with open_existing(path, program, write=True) as opened:
        rows = opened.samples()
    named = scope or next((row.scope for row in rows if row.scope), None)
    return path, voice_of(named, path, network, rows[0].model if rows else "")
