"""What is said over a connection, and when: that the microscope is there, its states as they change, its journal entry by entry."""

from __future__ import annotations

import json
import random
import threading
from collections.abc import Callable, Mapping
from typing import Final

from edge.network.discovery import STATUS_TOPIC, device_messages
from edge.network.entities import ENTITIES, OFF, ON
from edge.network.link import Link
from edge.network.outbox import Outbox
from edge.network.topics import OFFLINE, ONLINE, ORIGIN_LETTERS, ROOT
from edge.network.voice import Voice

LOOK_S: Final = 10.0
"""Seconds after which the book is looked into though nobody said that there is something new."""

COMPUTER_S: Final = 30.0
"""Seconds from one look at the computer to the next."""

_ABOUT_S = 5.0  # seconds from one word about the newest entry to the next
_STATE_S, _SLOW_STATE_S = 2.0, 10.0  # seconds from one state of an entity to the next
_SAYING = 40  # messages other than entries that are under way at most
_BORN_S = 5.0  # seconds within which Home Assistant, born again, is told of the devices: not by all microscopes at once
_LONGEST_WANTED = 200  # bytes
_SLOW = frozenset(entity.key for entity in ENTITIES if entity.slow)
_PROBLEM = "problem"  # of the microscope and of the computer: one entity


class Speaker:
    """Says what there is to say. All but ``say`` and ``wake`` is called by the thread of the connection.

    Args:
        voice: who speaks.
        outbox: entries to be delivered.
        tell: takes a line for a person.
        computer: gives the states of the computer's entities.
        courier: entries alone are sent: nothing that says that the microscope is there.
        chance: between 0 and 1.
    """

    def __init__(
        self,
        voice: Voice,
        outbox: Outbox,
        tell: Callable[[str], None],
        *,
        computer: Callable[[], Mapping[str, str]] = dict,
        courier: bool = False,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self.voice, self.outbox = voice, outbox
        self._topics, self._tell, self._computer, self._chance = voice.topics, tell, computer, chance
        self.courier = courier
        self._lock = threading.Lock()
        self._states: dict[str, str] = {}  # the newest of each entity
        self._told: dict[str, str] = {}  # as this connection has said them
        self._state_due: dict[str, float] = {}
        self._saying: set[int] = set()  # ids of messages under way that are no entries
        self._problems = {"microscope": OFF, "computer": OFF}
        self._new = True  # the book has something new
        self._looked = self._about_told = self._computer_seen = float("-inf")
        self._about_newest = -1
        self._discover_at = float("inf")
        self._namesakes: set[str] = set()
        self._gone = False  # the last words are said

    # Called by who counts

    def say(self, states: Mapping[str, str]) -> None:
        """Leave states to be sent: the newest of each entity counts. Never waits."""
        self._take(states, "microscope")

    def wake(self) -> None:
        """There is something new in the book."""
        self._new = True

    def _take(self, states: Mapping[str, str], of: str) -> None:
        with self._lock:
            self._states |= states
            if _PROBLEM in states:
                self._problems[of] = states[_PROBLEM]
                self._states[_PROBLEM] = ON if ON in self._problems.values() else OFF

    # Called by the connection

    @property
    def unanswered(self) -> bool:
        """Whether something is under way that the broker has not acknowledged."""
        return bool(self.outbox.flying or self._saying)

    def begin(self, link: Link) -> None:
        """Say everything: a broker that was started anew may have lost what it kept."""
        self._saying.clear()
        self._told, self._state_due = {}, {}
        self._about_newest, self._about_told, self._discover_at = -1, float("-inf"), float("inf")
        self.outbox.connected()
        self._new = True
        topics = [self._topics.wanted]
        if not self.courier:
            self._publish(link, self._topics.availability, ONLINE.encode())
            self._discover(link)
            topics += [f"{ROOT}/{self._topics.name}/+/availability", STATUS_TOPIC]
        link.subscribe(topics)

    def send(self, link: Link, now: float, *, all_: bool = False) -> None:
        """Send what is due; ``all_``: the end is near, nothing is put off."""
        if self._new or now - self._looked >= LOOK_S:
            self._new, self._looked = False, now
            self.outbox.look()
        self.outbox.note(now)
        self.outbox.send(lambda payload: link.publish(self._topics.journal, payload, retain=False))
        newest = self.outbox.newest
        if newest != self._about_newest and (all_ or now - self._about_told >= _ABOUT_S):
            self._about_newest, self._about_told = newest, now
            self._publish(link, self._topics.about, self.voice.about(newest))
        if self.courier:
            return
        if now - self._computer_seen >= COMPUTER_S:
            self._computer_seen = now
            self._take(self._computer(), "computer")
        if now >= self._discover_at:
            self._discover_at = float("inf")
            self._discover(link)
        self._send_states(link, now, all_=all_)

    def good_bye(self, link: Link) -> None:
        """Say that the microscope is gone: in good order, the broker would not."""
        self._gone = True
        if not self.courier:
            self._publish(link, self._topics.availability, OFFLINE.encode())

    def delivered(self, message: int, now: float) -> bool:
        """Take an acknowledgement; whether it was of an entry."""
        if message in self._saying:
            self._saying.discard(message)
            return False
        return self.outbox.delivered(message, now)

    def heard(self, link: Link, topic: str, payload: bytes, now: float, *, retained: bool) -> None:
        """Take a message, of anybody who may write to the broker."""
        if topic == self._topics.wanted:
            if not retained and (number := _wanted(payload)) is not None:
                self.outbox.wanted(number, now)
        elif topic == STATUS_TOPIC:
            if payload == ONLINE.encode() and not retained:
                self._discover_at = now + _BORN_S * self._chance()
        elif topic == self._topics.availability:
            if payload != ONLINE.encode() and not self._gone and len(self._saying) < _SAYING:
                self._publish(link, topic, ONLINE.encode())  # the last will of the connection before came late
        elif topic.endswith("/availability") and payload == ONLINE.encode():
            self._namesake(topic.split("/")[-2])

    def _send_states(self, link: Link, now: float, *, all_: bool) -> None:
        with self._lock:
            changed = {key: state for key, state in self._states.items() if self._told.get(key) != state}
        for key, state in changed.items():
            if len(self._saying) >= _SAYING:
                return
            if all_ or now >= self._state_due.get(key, float("-inf")):
                self._state_due[key] = now + (_SLOW_STATE_S if key in _SLOW else _STATE_S)
                self._told[key] = state
                self._publish(link, self._topics.state(key), state.encode())

    def _discover(self, link: Link) -> None:
        for topic, payload in device_messages(self.voice):
            self._publish(link, topic, payload)

    def _publish(self, link: Link, topic: str, payload: bytes) -> None:
        self._saying.add(link.publish(topic, payload, retain=True))

    def _namesake(self, origin: str) -> None:
        if (
            origin != self.voice.origin[:ORIGIN_LETTERS]
            and origin not in self._namesakes
            and len(self._namesakes) < _SAYING
        ):
            self._namesakes.add(origin)
            books = f"its book: {origin[:ORIGIN_LETTERS]}, this one's: {self.voice.origin[:ORIGIN_LETTERS]}"
            self._tell(
                f"another microscope is named {self.voice.scope} too ({books}): give one of them another name (--scope)"
            )


def _wanted(payload: bytes) -> int | None:
    """The number in ``{"from": 17}``; None where it is none."""
    try:
        found = json.loads(payload) if len(payload) <= _LONGEST_WANTED else None
    except (ValueError, RecursionError):
        return None
    number = found.get("from") if isinstance(found, dict) else None
    return number if isinstance(number, int) and not isinstance(number, bool) else None
