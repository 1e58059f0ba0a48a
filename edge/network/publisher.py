"""The connection of a microscope to a broker, in a thread of its own.

A broker never stops or slows a count, whatever it does: who counts leaves states here, and goes on. What the broker does not take
stays in the book. Failures are one line each, said when they begin and when they are over.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from typing import Final, Protocol

from edge.errors import BrokerError
from edge.network.client import ANSWER_S, BackOff, BrokerTrouble
from edge.network.link import Hearer, Link, Retained
from edge.network.speaker import Speaker
from edge.network.topics import OFFLINE

TURN_S: Final = 0.25
"""Seconds that the thread waits for the broker before it looks what there is to send."""

STALLED_S: Final = 60.0
"""Seconds after which a broker that acknowledges nothing of what is under way is given up."""

GOOD_BYE_S: Final = 2.0
"""Seconds that the last words may take."""

LINGER_S: Final = 1.5
"""Seconds that a courier stays when all is delivered: whoever collects may see by now that it misses something."""

_SHORT_S = 3.0  # seconds: a connection that is gone sooner was none
_AGAIN_S = 60.0  # seconds within which the same is not said again though it was better meanwhile
_THROWN = 3  # such connections in a row after which it is said that somebody else has this client's name


class LinkMaker(Protocol):
    """Makes a connection that is not open yet."""

    def __call__(self, hearer: Hearer, will: Retained | None) -> Link:
        """Make it for who takes what comes, with a last will or none."""
        ...


class Publisher:
    """Keeps a connection, and lets a ``Speaker`` speak. ``start`` begins a thread; without one, ``turn`` is called by who made it.

    Args:
        speaker: says what there is to say.
        link: makes a connection.
        tell: takes a line for a person; called in the thread.
        broker: its address, for such lines.
        now: seconds by a clock that never jumps.
        sleep: waits; None: until the end is asked for.
        back_off: how long between two attempts.

    Attributes:
        online: connected, and let in.
        over: it has ended.
        trouble: what is wrong with the broker; None: nothing is known.
        entries: that were delivered so far.
    """

    def __init__(
        self,
        speaker: Speaker,
        link: LinkMaker,
        tell: Callable[[str], None],
        broker: str,
        *,
        now: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], object] | None = None,
        back_off: BackOff | None = None,
    ) -> None:
        self._speaker, self._make, self._tell, self._broker, self._now = speaker, link, tell, broker, now
        self._ending = threading.Event()
        self._sleep = sleep or self._ending.wait
        self._back_off = back_off or BackOff()
        self._link: Link | None = None
        self._due = self._since = self._answered = self._delivered = float("-inf")
        self._short = 0
        self._heard_of = False  # the broker acknowledged something over this connection
        self._said = ""  # what is wrong with the broker, as it was said; empty: nothing is
        self._said_last = ("", float("-inf"))  # the same when it was said last, and when that was
        self._end = float("inf")  # until when what is left may be sent
        self._good_bye = float("inf")  # until when the last words may be acknowledged
        self._thread: threading.Thread | None = None
        self.online = self.over = False
        self.trouble: BrokerTrouble | None = None
        self.entries = 0

    # Called by who counts

    def start(self) -> None:
        """Begin the thread."""
        self._thread = threading.Thread(target=self._run, name="edge-mqtt", daemon=True)
        self._thread.start()

    def say(self, states: Mapping[str, str]) -> None:
        """Leave states to be sent. Never waits."""
        self._speaker.say(states)

    def wake(self) -> None:
        """There is something new in the book."""
        self._speaker.wake()

    @property
    def waiting(self) -> int:
        """Entries that no broker has acknowledged."""
        return self._speaker.outbox.waiting

    @property
    def seconds(self) -> float:
        """Now, by its clock."""
        return self._now()

    def rewind(self) -> None:
        """Send everything again. Before ``start``, or between turns."""
        self._speaker.outbox.rewind(self._now())

    def finish(self, seconds: float) -> int:
        """End: send what is left within so many seconds where the broker is there.

        Returns:
            Entries that wait still.
        """
        self.end(seconds)
        if self._thread is not None:
            self._thread.join(seconds + GOOD_BYE_S + 2 * TURN_S)
        self._speaker.outbox.look()
        return self.waiting

    def end(self, seconds: float) -> None:
        """Ask it to end, at most so many seconds from now."""
        self._end = self._now() + seconds
        self._ending.set()

    # The thread

    def _run(self) -> None:
        try:
            while not self.over:
                self.turn()
        except Exception as error:  # noqa: BLE001 - a defect in here must not end the count
            self.over = True
            self._tell(f"a defect of this program: nothing more is told to the broker: {type(error).__name__}: {error}")

    def turn(self) -> None:
        """Do what is due, and wait a moment for the broker."""
        now = self._now()
        if self._link is None:
            if self._ending.is_set() and (self.trouble is not None or now >= self._end):
                self.over = True
            elif now >= self._due:
                self._connect()
            else:
                self._sleep(self._due - now)
            return
        self._link.turn(TURN_S)
        now = self._now()
        self._look_at_the_broker(now)
        if self._link is None or not self.online:
            if self._ending.is_set() and now >= self._end:
                self._close()
        elif self._good_bye < float("inf"):
            if not self._speaker.unanswered or now >= self._good_bye:
                self._close()
        else:
            self._speaker.send(self._link, now, all_=self._ending.is_set())
            if self._ending.is_set():
                self._leave(now)

    def _connect(self) -> None:
        speaker = self._speaker
        will = None if speaker.courier else Retained(speaker.voice.topics.availability, OFFLINE.encode())
        try:
            self._link = link = self._make(self, will)
        except BrokerError as error:  # a certificate that was there before
            self.lost(BrokerTrouble(str(error)))
            return
        link.open()
        self._since = self._answered = self._now()

    def _look_at_the_broker(self, now: float) -> None:
        """Give up a broker that accepted and does not answer."""
        if self._link is None:
            return
        if not self.online:
            if now - self._since >= ANSWER_S:
                self._give_up("it accepts connections and does not answer")
            return
        if now - self._since >= _SHORT_S:
            self._short = 0
            self._back_off.reset()
        if self._said and self._heard_of and self._short < _THROWN:
            self._said = ""
            self._tell(f"the broker {self._broker} is back")
        if not self._speaker.unanswered:
            self._answered = now
        elif now - self._answered >= STALLED_S:
            self._give_up("it takes messages and does not acknowledge them")

    def _give_up(self, words: str) -> None:
        if self._link is not None:
            self._link.drop()
        self.lost(BrokerTrouble(words))

    def _leave(self, now: float) -> None:
        """Take leave once nothing waits, or time is up."""
        outbox = self._speaker.outbox
        late = now >= self._end
        if (outbox.waiting and not outbox.blocked and not late) or self._link is None:
            return
        if self._speaker.courier and not late and now - self._delivered < LINGER_S:
            return
        outbox.note(now, at_once=True)
        self._speaker.good_bye(self._link)
        self._good_bye = now + GOOD_BYE_S

    def _close(self) -> None:
        if self._link is not None:
            self._link.close()
        self._link, self.online, self.over = None, False, True
        self._speaker.outbox.note(self._now(), at_once=True)

    # What comes, within a turn of the connection

    def connected(self) -> None:
        """See ``Hearer``."""
        if self._link is not None:
            self.online, self.trouble = True, None
            self._heard_of = False
            self._since = self._answered = self._now()
            self._speaker.begin(self._link)

    def delivered(self, message: int) -> None:
        """See ``Hearer``."""
        self._answered = self._delivered = now = self._now()
        self._heard_of = True
        self.entries += self._speaker.delivered(message, now)

    def heard(self, topic: str, payload: bytes, *, retained: bool) -> None:
        """See ``Hearer``."""
        if self._link is not None and self.online:
            self._speaker.heard(self._link, topic, payload, self._now(), retained=retained)

    def lost(self, trouble: BrokerTrouble) -> None:
        """See ``Hearer``: said once for as long as it stays so, then tried again after a while."""
        now = self._now()
        self._short = self._short + 1 if self.online and now - self._since < _SHORT_S else 0
        if self._short >= _THROWN:
            trouble = BrokerTrouble(
                "it ends each connection at once: another program speaks for this book or a copy of it, or a message is too large"
            )
        self._link, self.online, self.trouble = None, False, trouble
        self._due = now + self._back_off.wait()
        outbox = self._speaker.outbox
        outbox.note(now, at_once=True)
        again = trouble.words == self._said_last[0] and now - self._said_last[1] < _AGAIN_S
        if trouble.words != self._said and not again and not self._speaker.courier:
            self._said = trouble.words
            self._said_last = (self._said, now)
            outbox.look()
            waiting = f": {waiting_words(outbox.waiting)}" if outbox.waiting else ""
            self._tell(f"the broker {self._broker} is away: {trouble.words}{waiting}")


def waiting_words(entries: int) -> str:
    """``1 entry waits``, ``12 entries wait``."""
    return "1 entry waits" if entries == 1 else f"{entries:,} entries wait"
