"""What systemd is told of a run: ready, what it counts, that it goes on, that it ends (the protocol of ``sd_notify(3)``).

The watchdog is fed by progress and by nothing else; no timer sends ``WATCHDOG=1``. Progress is a field that went through the book,
and, while no field is under way, a look at the camera: a run that is paused, or waits for a person to move the stage, is alive. So a
run that hangs anywhere between the camera and the book is killed and started anew. ``SystemdOutput`` therefore comes after the book
among the outputs: what it reports is on the medium.
"""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Mapping
from contextlib import suppress
from time import monotonic

from edge.events import FieldEvent, Output, SampleEvent
from edge.lines import plain
from edge.status import Status

_PATIENCE_S = 1.0  # seconds a message may wait: a busy systemd must not hold up the count
_EVERY_S = 1.0  # seconds between two messages: each costs the first process of the system a little
_LONGEST = 500  # letters of a status line


class Notifier:
    """Sends messages to the service manager.

    Args:
        address: of its socket, as in ``NOTIFY_SOCKET``: a path, or ``@name`` for an abstract one.
    """

    def __init__(self, address: str) -> None:
        self._address = f"\0{address[1:]}" if address.startswith("@") else address

    def send(self, *assignments: str) -> None:
        """Send these ``NAME=value`` in one datagram; a manager that cannot be reached is no reason to stop counting."""
        with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as way:
            way.settimeout(_PATIENCE_S)
            way.sendto("\n".join(assignments).encode(errors="replace"), self._address)


class SystemdOutput:
    """Tells systemd of progress: READY with the first, then WATCHDOG and STATUS at most once a second; STOPPING at the end.

    Of a camera under run control it is told more than fields: the state and the hint stand first in STATUS.

    Args:
        notifier: the way to systemd.
        watched: whether systemd waits for WATCHDOG.
        unit: what is counted.
    """

    def __init__(self, notifier: Notifier, *, watched: bool, unit: str = "cell") -> None:
        self._notifier = notifier
        self._alive = ("WATCHDOG=1",) if watched else ()
        self._unit = unit
        self._ready = False
        self._sent = 0.0
        self._doing = self._counted = ""
        self._lock = threading.Lock()

    def field(self, event: FieldEvent) -> None:
        """A field was taken, whatever became of it: that is progress."""
        self._counted = status_line(event, self._unit)
        self._progress()

    def status(self, status: Status) -> None:
        """Note what the run is doing; it is told with the next progress. No progress by itself."""
        self._doing = " - ".join(part for part in (status.hint.upper(), str(status.state)) if part)

    def alive(self) -> None:
        """The camera was looked at while no field is under way, or a field was decided: that is progress."""
        self._progress()

    def _progress(self) -> None:
        now = monotonic()
        with self._lock:
            if self._ready and now - self._sent < _EVERY_S:
                return
            ready = () if self._ready else ("READY=1",)
            self._ready, self._sent = True, now
        said = plain("; ".join(part for part in (self._doing, self._counted) if part))[:_LONGEST]
        self._notifier.send(*ready, *self._alive, f"STATUS={said or 'waiting for the first field'}")

    def sample(self, event: SampleEvent) -> None:
        """A sample that ends is no field: nothing is sent."""

    def close(self) -> None:
        """The run ends."""
        self._notifier.send("STOPPING=1")

    discard = close


def status_line(event: FieldEvent, unit: str = "cell") -> str:
    """``S-0042: 120 fields, 112 count: 13,204 cells; parasitized 3 (last: field 119 left out: out of focus)``, one line."""
    tally = event.tally
    fields = tally.kept + sum(tally.rejected.values()) + len(tally.unreadable)
    classes = ", ".join(f"{label} {count:,}" for label, count in tally.counts.items())
    said = f"{tally.sample}: {fields:,} fields, {tally.kept:,} count: {tally.cells:,} {unit}s; {classes}"
    if event.reject_reason is not None:
        said += f" (the last one does not count: {event.reject_reason})"
    return plain(said)[:_LONGEST]


def systemd_outputs(unit: str = "cell", environment: Mapping[str, str] = os.environ) -> list[Output]:
    """Return the output that tells systemd, in a list; an empty one where this process is no service that reports.

    Args:
        unit: what is counted.
        environment: NOTIFY_SOCKET says where to report; WATCHDOG_USEC, and WATCHDOG_PID where it is set, whether progress is
            waited for.
    """
    address = environment.get("NOTIFY_SOCKET", "")
    if not address.startswith(("/", "@")):
        return []
    meant = environment.get("WATCHDOG_PID") in (None, str(os.getpid()))
    watched = meant and environment.get("WATCHDOG_USEC", "0").strip("0") != ""
    return [SystemdOutput(Notifier(address), watched=watched, unit=unit)]
