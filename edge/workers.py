"""Whole fields in parallel, results strictly in order, memory bounded.

One thread takes shots from the source, N workers load and analyse whole fields (OpenCV and the interpreter release
Python's lock, so each keeps one core busy), and whoever iterates gets the outcomes in the source's order. At most
``2 N`` shots are under way at any time, so one slow field cannot make the others pile up.

The iterating thread never waits on the source or a camera, only on a queue that ``stop`` wakes; ``stop`` may be
called from a signal handler.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from time import monotonic
from typing import Self

from edge.errors import UnreadableFieldError
from edge.events import AnalysedField, Outcome, Unreadable
from edge.types import Field, FieldResult, Shot

WINDOW = 2
"""Shots under way per worker: one in work, one waiting."""

_PATIENCE = 2.0  # seconds that threads are waited for at the end; a blocked camera must not hold up Ctrl-C


@dataclass(frozen=True, slots=True, eq=False)
class _End:
    """The source has ended after ``count`` shots, by itself or by an error."""

    count: int
    error: Exception | None


class _Wake:
    """Put into the queue to make the iterating thread look at the stop flag."""


class Workers:
    """Analyses the shots of a source with one thread per analyser. Iterate once, inside ``with``.

    Args:
        source: shots in order; iterated in a separate thread.
        analysers: one per worker.
        keep_pixels: hand the field's pixels on with its result (for annotated images).

    Iterating raises the first error that is not ``UnreadableFieldError``, after everything before it was delivered.
    """

    def __init__(
        self,
        source: Iterable[Shot],
        analysers: Sequence[Callable[[Field], FieldResult]],
        *,
        keep_pixels: bool = False,
    ) -> None:
        self._source = source
        self._keep_pixels = keep_pixels
        # Leave to take one more shot. No semaphore: releasing one takes a lock, and a signal handler that comes while it is held
        # would wait for it forever; putting into a SimpleQueue may be interrupted by another put.
        self._window: SimpleQueue[None] = SimpleQueue()
        for _ in range(WINDOW * len(analysers)):
            self._window.put(None)
        self._work: SimpleQueue[tuple[int, Shot] | None] = SimpleQueue()
        self._results: SimpleQueue[tuple[int, Outcome | Exception] | _End | _Wake] = SimpleQueue()
        self._stopped = False
        self._done: set[str] = set()
        # Daemons: a thread that hangs in a driver must not keep the process alive after Ctrl-C.
        self._feeder = threading.Thread(target=self._feed, args=(len(analysers),), name="edge-feeder", daemon=True)
        self._threads = [
            threading.Thread(target=self._work_through, args=(analyser,), name=f"edge-worker-{i}", daemon=True)
            for i, analyser in enumerate(analysers)
        ]

    def __enter__(self) -> Self:
        for thread in (self._feeder, *self._threads):
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
        until = monotonic() + _PATIENCE
        for thread in (self._feeder, *self._threads):
            thread.join(max(0.0, until - monotonic()))

    @property
    def idle(self) -> bool:
        """Whether no thread is left that could still touch the source."""
        return not any(thread.is_alive() for thread in (self._feeder, *self._threads))

    @property
    def stopped(self) -> bool:
        """Whether ``stop`` was called; False where the source ended by itself."""
        return self._stopped

    def stop(self) -> None:
        """End the iteration after what is finished by now. Safe in a signal handler and more than once."""
        self._stopped = True
        self._window.put(None)
        self._results.put(_Wake())

    def skip(self, sample: str) -> None:
        """Do not load further shots of this sample (those under way still come out)."""
        self._done.add(sample)

    def __iter__(self) -> Iterator[Outcome]:
        return (outcome for outcome in self.paced(None) if outcome is not None)

    def paced(self, seconds: float | None) -> Iterator[Outcome | None]:
        """The outcomes, and None whenever none came for so many seconds (None: never), so that who iterates can do what waits."""
        pending: dict[int, Outcome | Exception] = {}
        end: _End | None = None
        turn = 0
        while True:
            while turn in pending:
                item = pending.pop(turn)
                turn += 1
                self._window.put(None)
                if isinstance(item, Exception):
                    raise item
                yield item
            if end is not None and turn == end.count:
                if end.error is not None:
                    raise end.error
                return
            try:
                got = self._results.get(block=not self._stopped, timeout=seconds)
            except Empty:
                if self._stopped:  # nothing is left
                    return
                yield None
                continue
            if isinstance(got, _End):
                end = got
            elif not isinstance(got, _Wake):
                pending[got[0]] = got[1]

    def _feed(self, workers: int) -> None:
        count, error = 0, None
        try:
            shots = iter(self._source)
            while True:
                self._window.get()
                shot = None if self._stopped else next(shots, None)
                if shot is None or self._stopped:
                    break
                if shot.sample in self._done:
                    self._window.put(None)
                    continue
                self._work.put((count, shot))
                count += 1
        except Exception as caught:  # noqa: BLE001 - carried to the iterating thread and raised there
            error = caught
        for _ in range(workers):
            self._work.put(None)
        self._results.put(_End(count, error))

    def _work_through(self, analyse: Callable[[Field], FieldResult]) -> None:
        while (job := self._work.get()) is not None:
            if self._stopped:
                continue
            turn, shot = job
            del job
            self._results.put((turn, self._outcome(shot, analyse)))

    def _outcome(self, shot: Shot, analyse: Callable[[Field], FieldResult]) -> Outcome | Exception:
        began = monotonic()
        try:
            loaded = shot.load()
            return AnalysedField(analyse(loaded), loaded.rgb if self._keep_pixels else None, began)
        except UnreadableFieldError as error:
            return Unreadable(shot.index, shot.sample, shot.name, str(error), began, error.identity)
        except Exception as error:  # noqa: BLE001 - carried to the iterating thread and raised there
            return error
