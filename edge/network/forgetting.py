"""Makes a broker forget a microscope: an empty payload removes what it keeps on a topic, and Home Assistant's device with it."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Final

from edge.errors import BrokerError
from edge.network.client import ANSWER_S, BrokerTrouble
from edge.network.discovery import device_topics
from edge.network.entities import DevicePart
from edge.network.link import Link
from edge.network.topics import ORIGIN_LETTERS, ROOT
from edge.network.voice import Voice

QUIET_S: Final = 1.5
"""Seconds without a message after which what the broker had kept has come."""

_TURN_S = 0.25  # seconds that one turn waits
_MOST = 1000  # topics that are removed


class Forgetter:
    """Takes what the broker kept, and removes it.

    Args:
        voice: whose it is; what the broker keeps under an earlier name of this book is removed too.
        now: seconds by a clock that never jumps.

    Attributes:
        removed: topics.
        notes: lines for a person.
    """

    def __init__(self, voice: Voice, now: Callable[[], float] = time.monotonic) -> None:
        self._voice, self._now = voice, now
        self._devices = device_topics(voice)
        self._origin = voice.origin[:ORIGIN_LETTERS]
        self._kept: set[str] = set()
        self._others_here = False  # another microscope hangs on this computer
        self._online = False
        self._heard = now()
        self._trouble: BrokerTrouble | None = None
        self._waiting: set[int] = set()
        self.removed: list[str] = []
        self.notes: list[str] = []

    def run(self, link: Link, broker: str) -> None:
        """Do it; raises BrokerError where the broker is not there, refuses or does not answer.

        Args:
            link: connection that is not open yet, whose hearer this is.
            broker: its address, for a person.
        """
        self._heard = self._now()
        link.open()
        self._until(link, broker, lambda: self._online, ANSWER_S)
        here = list(self._devices.values())
        link.subscribe([f"{ROOT}/+/{self._origin}/#", f"{ROOT}/+/+/about", *here])
        self._heard = self._now()
        self._until(link, broker, lambda: self._now() - self._heard >= QUIET_S, float("inf"))
        if self._others_here:
            self._kept.discard(self._devices[DevicePart.COMPUTER])
            self.notes.append("another microscope hangs on this computer: the computer's own device stays")
        for topic in sorted(self._kept):
            self._waiting.add(link.publish(topic, b"", retain=True))
        self._heard = self._now()
        self._until(link, broker, lambda: not self._waiting, ANSWER_S)
        self.removed = sorted(self._kept)
        link.close()

    def _until(self, link: Link, broker: str, done: Callable[[], bool], patience: float) -> None:
        until = self._now() + patience
        while not done():
            if self._trouble is not None:
                raise BrokerError(f"{broker}: {self._trouble.words}")
            if self._now() >= until:
                link.drop()
                raise BrokerError(f"{broker}: it accepts connections and does not answer")
            link.turn(_TURN_S)

    def connected(self) -> None:
        """See ``Hearer``."""
        self._online = True

    def delivered(self, message: int) -> None:
        """See ``Hearer``."""
        self._waiting.discard(message)

    def lost(self, trouble: BrokerTrouble) -> None:
        """See ``Hearer``."""
        self._trouble = trouble

    def heard(self, topic: str, payload: bytes, *, retained: bool) -> None:
        """See ``Hearer``: only what was kept is ours to remove."""
        if not retained or not payload or len(self._kept) >= _MOST:
            return
        self._heard = self._now()
        parts = topic.split("/")
        if topic in self._devices.values() or (parts[0] == ROOT and parts[2:3] == [self._origin]):
            self._kept.add(topic)
        elif parts[0] == ROOT and parts[-1] == "about" and self._is_here(payload):
            self._others_here = True

    def _is_here(self, about: bytes) -> bool:
        try:
            told = json.loads(about)
        except (ValueError, RecursionError):
            return False
        return isinstance(told, dict) and told.get("computer") == self._voice.computer.id
