"""Who collects: takes what microscopes say into one book, asks for what is missing, and notices what a person should know.

It knows no broker and no clock: ``edge.network.subscriber`` hands it what came and when, and sends what it asks for.

Every entry is applied once and in order, whatever a broker loses, doubles or disorders: the book remembers which number comes next
of each microscope. A number below it came twice. One above it shows that entries are missing, and the microscope is asked to go back
to the first of them (go-back-N). A microscope also says the number of its newest entry, so the loss of the last ones is noticed too.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Final

from edge.network.collected import PATIENCE_S, PRESENCE_S, CollectedBook, ScopeStanding
from edge.network.hearing import About, Heard, ScopePlace, part_of, read_about
from edge.network.messages import decode
from edge.network.news import News, NewsKind, StrangerCount, end_words
from edge.network.records import CollectedScope, JournalMessage, Taken
from edge.network.topics import OFFLINE, ONLINE, ORIGIN_LETTERS, topic_name

MOST_SCOPES: Final = 2000
"""Microscopes that one book collects. A stranger who invents more of them fills neither memory nor book."""

MOST_WAITING: Final = 8 * 2**20
"""Bytes of entries that wait for ``settle`` at most."""

NOTED_S: Final = 20.0
"""Seconds within which the book notes once that a microscope was heard: each note is a write."""


class Collector:
    """Takes in what microscopes say.

    Args:
        book: that it comes into.
        publish: sends a payload to a topic.
        tell: takes what a person or a program should know.
        clock: UTC, ISO 8601, for people: nothing is ordered by it.
        began: now, by the clock that the times of all other calls are of: seconds, never backwards.
        own: origin of that book itself: a microscope that counts into it has nothing to tell it.

    Attributes:
        taken, known, ahead: messages so far: applied, come twice, come too early.
        asked: times that missing entries were asked for.
    """

    def __init__(
        self,
        book: CollectedBook,
        publish: Callable[[str, bytes], None],
        tell: Callable[[News], None],
        clock: Callable[[], str],
        began: float,
        *,
        own: str = "",
    ) -> None:
        self._book, self._publish, self._tell, self._clock = book, publish, tell, clock
        self._own = own
        self._parts: dict[str, ScopePlace] = {}  # what was said under a topic whose microscope is not known yet
        self._scopes: dict[str, ScopeStanding] = {}
        self._waiting: list[tuple[ScopePlace, JournalMessage]] = []
        self._bytes = 0  # of these, as they came
        self._there = float("inf")  # since when the broker is
        self._strangers = StrangerCount()
        self._namesakes: set[frozenset[str]] = set()
        self.taken = self.known = self.ahead = self.asked = 0
        for one in book.scopes():
            told = (one.name, one.origin, one.heard, one.next, one.newest)
            self._scopes[one.origin] = ScopeStanding(*told, since=began, asked_at=began)

    def hear(self, topic: str, payload: bytes, now: float, *, retained: bool = False) -> None:
        """Take a message. Entries of a journal wait for ``settle``, so that several share a transaction.

        Args:
            topic: it came on.
            payload: of anybody who may write to the broker.
            now: when.
            retained: the broker had kept it: it says nothing of whether the microscope speaks now.

        Raises:
            BookError: the book is damaged; nothing of the message was applied.
            OutputError: it cannot be written (a full disk).
        """
        try:
            part = part_of(topic)
            if self._own and part.origin8 == self._own[:ORIGIN_LETTERS]:
                return
            if part.kind is Heard.JOURNAL:
                self._journal(part, payload)
                if self._bytes < MOST_WAITING:
                    return
            self.settle(now)
            if part.kind is Heard.AVAILABILITY:
                self._availability(part, payload, now)
            elif part.kind is Heard.ABOUT and payload:
                self._about(part, read_about(payload, part), now, retained=retained)
        except ValueError as error:
            self._stranger(str(error), now)

    def settle(self, now: float) -> None:
        """Put what waits into the book; when this returns it is on the medium. Raises as ``hear`` does."""
        waiting, self._waiting, self._bytes = self._waiting, [], 0
        if waiting:
            became = self._book.take_all([message for _, message in waiting])
            for (part, message), taken in zip(waiting, became, strict=True):
                self._became(part, message, taken, now)

    def tick(self, now: float) -> None:
        """Ask again for what was asked for and did not come. Call it about once a second."""
        for scope in self._scopes.values():
            if scope.missing and scope.online and scope.is_quiet(now):
                self._ask(scope, now)
        for scope in list(self._scopes.values()):
            if scope.online is None and now - max(scope.heard_at, self._there) >= PRESENCE_S:
                self._is(scope, False, now)  # the broker knows nothing of it: it has lost its last will
        if (news := self._strangers.due(now)) is not None:
            self._tell(news)

    def broker_back(self, now: float) -> None:
        """The broker is there: what it keeps of microscopes comes now, and those that are there speak soon."""
        self._there = now

    def broker_away(self) -> None:
        """The connection is gone: whether microscopes are there is not known until the broker says so again."""
        self._there = float("inf")
        for scope in self._scopes.values():
            scope.online = None
        for part in self._parts.values():
            part.online = None

    @property
    def strangers(self) -> int:
        """Payloads so far that could not be read."""
        return self._strangers.count

    @property
    def scopes(self) -> tuple[CollectedScope, ...]:
        """The microscopes as they stand."""
        return tuple(
            CollectedScope(one.name, one.origin, one.next, one.heard, bool(one.online), one.newest)
            for one in self._scopes.values()
        )

    @property
    def awaited(self) -> tuple[CollectedScope, ...]:
        """The microscopes that are connected and have entries that are not here."""
        return tuple(one for one in self.scopes if one.online and one.newest >= one.next)

    # What came

    def _availability(self, part: ScopePlace, payload: bytes, now: float) -> None:
        if not payload:
            return  # the retained message was removed: the microscope was forgotten
        if payload not in (ONLINE.encode(), OFFLINE.encode()):
            raise ValueError(f"{part.base}/availability says neither online nor offline")
        part = self._parts.setdefault(part.base, part)
        part.online = payload == ONLINE.encode()
        if part.origin and (scope := self._scopes.get(part.origin)) is not None:
            self._is(scope, part.online, now)
        self._bound()

    def _about(self, part: ScopePlace, about: About, now: float, *, retained: bool) -> None:
        scope = self._known(about.origin, about.scope)
        part = self._parts.setdefault(part.base, part)
        part.origin = about.origin
        if about.newest > scope.newest and not scope.missing:
            scope.since = scope.asked_at = now
        scope.newest = max(about.newest, scope.next - 1)  # may be lower than before: that was a stranger's word
        if not retained:
            scope.heard, scope.heard_at = self._clock(), now
        if part.online is not None:
            self._is(scope, part.online, now)
        self._note(scope, now, at_once=True)

    def _journal(self, part: ScopePlace, payload: bytes) -> None:
        try:
            message = decode(payload)
        except ValueError as error:
            raise ValueError(f"{part.base}/journal: {error}") from None
        if not message.origin.startswith(part.origin8) or topic_name(message.scope) != part.name:
            raise ValueError(f"{part.base}/journal holds an entry of another microscope")
        if message.origin not in self._scopes:
            new = {one.origin for _, one in self._waiting if one.origin not in self._scopes}
            if len(self._scopes) + len(new - {message.origin}) >= MOST_SCOPES:
                raise ValueError(f"more than {MOST_SCOPES:,} microscopes")
        self._waiting.append((part, message))
        self._bytes += len(payload)

    def _became(self, part: ScopePlace, message: JournalMessage, taken: Taken | ValueError, now: float) -> None:
        known = self._scopes.get(message.origin)
        if isinstance(taken, ValueError):
            if known is not None:
                self._once(known, f"entry {message.number:,} cannot be taken: {taken}")
            self._stranger(f"{part.base}/journal: {taken}", now)
            return
        scope = self._known(message.origin, message.scope or part.name)
        part = self._parts.setdefault(part.base, part)
        part.origin = message.origin
        scope.heard, scope.heard_at = self._clock(), now
        if part.online is not None:
            self._is(scope, part.online, now)
        if message.number > scope.newest and not scope.missing:
            scope.since = scope.asked_at = now
        scope.newest = max(scope.newest, message.number)
        if taken is Taken.NEW:
            self.taken += 1
            scope.next, scope.since, scope.patience = max(message.number + 1, scope.next), now, PATIENCE_S
            scope.refused = ""
            self._said(scope, message)
        elif taken is Taken.KNOWN:
            self.known += 1
            # another program may have merged a book in; and who goes through known entries towards what is missing is not asked
            scope.next, scope.since = max(message.number + 1, scope.next), now
        else:
            self.ahead += 1
            scope.next = self._book.next(scope.origin)
            if scope.asked_for != scope.next:
                self._ask(scope, now)
        self._note(scope, now)

    # What follows from it

    def _known(self, origin: str, name: str) -> ScopeStanding:
        """The microscope of this origin, made where it is not known; said where it is new, renamed or a namesake."""
        scope = self._scopes.get(origin)
        if scope is None:
            if len(self._scopes) >= MOST_SCOPES:
                raise ValueError(f"more than {MOST_SCOPES:,} microscopes")
            scope = self._scopes[origin] = ScopeStanding(name, origin, self._clock())
            self._news(NewsKind.MICROSCOPE, scope, f"new microscope {name} (its book: {origin[:8]})")
        elif scope.name != name:
            self._news(NewsKind.MICROSCOPE, scope, f"{scope.name} is named {name} now")
            scope.name = name
            self._parts = {base: part for base, part in self._parts.items() if part.origin != origin}
        return scope

    def _is(self, scope: ScopeStanding, online: bool, now: float) -> None:
        """Note that a microscope is there, or is not."""
        if scope.online is online:
            return
        before, scope.online, scope.said = scope.said, online, online
        if online:
            scope.since = scope.asked_at = now
            scope.patience, scope.asked_for, scope.heard = PATIENCE_S, 0, self._clock()
            if before is False:
                self._news(NewsKind.BACK, scope, f"{scope.name} is there again")
        elif before is not False:
            self._news(NewsKind.SILENT, scope, scope.silence)
        self._note(scope, now, at_once=True)
        if online:
            self._look_for_namesakes(scope)

    def _look_for_namesakes(self, scope: ScopeStanding) -> None:
        """Say that another microscope that is there has the same name, once."""
        for other in self._scopes.values():
            pair = frozenset({scope.origin, other.origin})
            if other is not scope and other.name == scope.name and other.online and pair not in self._namesakes:
                self._namesakes.add(pair)
                books = f"their books: {scope.origin[:8]} and {other.origin[:8]}"
                words = f"two microscopes are named {scope.name} ({books}): give one of them another name (--scope)"
                self._news(NewsKind.NAMESAKE, scope, words)

    def _said(self, scope: ScopeStanding, message: JournalMessage) -> None:
        """Say that a sample began or ended."""
        sample = message.sample
        uuid, name, state = str(sample.get("uuid", "")), str(sample.get("name", "")), str(sample.get("state", ""))
        before = scope.states.get(uuid)
        if message.field is not None or state == before:
            return
        if state == "counting":
            scope.states[uuid] = state
            self._news(NewsKind.BEGAN, scope, f"{scope.name}: sample {name} is being counted", message)
            return
        scope.states.pop(uuid, None)
        self._news(NewsKind.ENDED, scope, f"{scope.name}: sample {name}: {end_words(sample)}", message)

    def _ask(self, scope: ScopeStanding, now: float) -> None:
        """Ask a microscope to go back to the entry that comes next."""
        scope.is_asked(now)
        self.asked += 1
        for base, part in self._parts.items():
            if part.origin == scope.origin:
                self._publish(f"{base}/wanted", json.dumps({"from": scope.next}).encode())

    def _note(self, scope: ScopeStanding, now: float, *, at_once: bool = False) -> None:
        """Note in the book that a microscope was heard."""
        if at_once or now - scope.noted >= NOTED_S:
            scope.noted = now
            online = bool(scope.online)
            self._book.heard(scope.name, scope.origin, online=online, newest=scope.newest, at=scope.heard or None)

    def _once(self, scope: ScopeStanding, words: str) -> None:
        """Say what is wrong with a microscope, once for as long as it stays so."""
        if words != scope.refused:
            scope.refused = words
            self._news(NewsKind.REFUSED, scope, f"{scope.name}: {words}")

    def _stranger(self, words: str, now: float) -> None:
        if (news := self._strangers.add(words, now)) is not None:
            self._tell(news)

    def _news(self, kind: NewsKind, scope: ScopeStanding, words: str, message: JournalMessage | None = None) -> None:
        sample = {} if message is None else message.sample
        self._tell(News(kind, words, scope.name, scope.origin, dict(sample)))

    def _bound(self) -> None:
        """Forget topics that nobody stands behind, where strangers invented many."""
        if len(self._parts) > 2 * MOST_SCOPES:
            self._parts = {base: part for base, part in self._parts.items() if part.origin}
