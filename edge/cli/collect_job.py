"""The work of ``edge collect``."""

from __future__ import annotations

import json as json_text
import time
from pathlib import Path

from edge.book.inbox import Inbox
from edge.book.journal import Journal
from edge.book.store import now
from edge.door import StoppedError, say, stop_on_signals
from edge.lines import print_lines, print_text
from edge.network.collector import Collector
from edge.network.news import News, NewsKind
from edge.network.records import BrokerAddress
from edge.network.subscriber import Subscriber
from edge.verdict.units import plural

_PROGRAM = "edge collect"
_TROUBLES = (NewsKind.BROKER, NewsKind.NAMESAKE, NewsKind.REFUSED, NewsKind.STRANGER)
"""What goes to stderr, where it is not JSON."""


def collected(address: BrokerAddress, book: Path, *, once: bool, json: bool) -> None:
    """Collect until somebody stops it, or with ``once`` until all is here.

    Args:
        address: of the broker.
        book: that the samples come into; made where it is not there.
        once: end when all that connected microscopes have is here.
        json: what happens as JSON on stdout, a line each.

    Raises:
        BrokerError: the broker refuses for good; with ``once`` also where it is not there, or what is missing does not come.
        BookError, OutputError: of the book.
        StoppedError: somebody stopped it.
    """
    tell = _tell_program if json else _tell_person
    with Inbox(book, lambda line: say(line, _PROGRAM)) as inbox:
        own = Journal(book).origin
        subscriber = Subscriber(address, f"edge-collect-{own[:12]}", tell)
        collector = Collector(inbox, subscriber.publish, tell, now, time.monotonic(), own=own)
        say(f"from {address} into {book}", _PROGRAM)
        with stop_on_signals(lambda: None) as stopped:
            if once:
                subscriber.once(collector, stopped.is_set)
            else:
                subscriber.run(collector, stopped.is_set)
        summary = _summary(collector)
    if stopped.is_set():
        raise StoppedError(summary)
    if json:
        _tell_program(News(NewsKind.END, summary))
    else:
        print_lines([summary])


def _summary(collector: Collector) -> str:
    scopes = collector.scopes
    missing = sum(max(one.newest - one.next + 1, 0) for one in scopes)
    away = sum(not one.online and one.newest >= one.next for one in scopes)
    words = f"{plural(len(scopes), 'microscope')}, {collector.taken:,} entries taken"
    return f"{words}; {missing:,} missing of {plural(away, 'microscope')} not connected" if away else words


def _tell_person(news: News) -> None:
    if news.kind in _TROUBLES:
        say(news.words, _PROGRAM)
    else:
        print_lines([f"{now()[:19].replace('T', ' ')}  {news.words}"])


def _tell_program(news: News) -> None:
    told: dict[str, object] = {"at": now(), "event": news.kind, "words": news.words}
    if news.origin:
        told |= {"microscope": news.scope, "origin": news.origin}
    if news.sample:
        told["sample"] = {name: news.sample.get(name) for name in ("uuid", "name", "state", "flag")}
    print_text(json_text.dumps(told) + "\n")
