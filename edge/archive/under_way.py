"""Tasks that the scheduler knows: given out, finished, lost with it, let go of."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from typing import Any
from uuid import uuid4

from edge.archive.packages import package
from edge.archive.records import Partition, TaskEnd
from edge.archive.versions import scheduler_errors
from edge.errors import ArchiveError

_TICK_S = 0.25  # seconds that a finished task is waited for


@dataclass(frozen=True, slots=True)
class EndedTask:
    """A task that is finished or failed.

    Attributes:
        key: as Dask knows it.
        partition: that it did; None: it did none.
        name: of the partition or of the large sample.
        end: what it did; None: it failed.
        error: why; None: it did not fail.
    """

    key: str
    partition: Partition | None
    name: str
    end: TaskEnd | None
    error: BaseException | None


class TasksUnderWay:
    """Args:
    client: of ``distributed``.
    """

    def __init__(self, client: Any) -> None:
        self._client = client
        self._call = uuid4().hex
        self._submitted = 0
        self._finished: SimpleQueue[Any] = SimpleQueue()
        self._known: dict[str, tuple[Any, Partition | None, str]] = {}

    def __len__(self) -> int:
        return len(self._known)

    def submit(self, partition: Partition | None, name: str, task: Callable[..., TaskEnd], *given: object) -> str:
        """Give a task out; returns its key. Raises ArchiveError where the scheduler does not answer."""
        self._submitted += 1
        key = f"{task.__name__}-{self._call}-{self._submitted}"
        with scheduler_errors():
            future = self._client.submit(task, *given, key=key, pure=False)
        self._known[key] = (future, partition, name)
        future.add_done_callback(self._finished.put)
        return key

    def ended(self) -> Iterator[EndedTask]:
        """Those that have ended since; waits a moment where none has. Raises ArchiveError where the cluster is gone."""
        try:
            future = self._finished.get(timeout=_TICK_S)
        except Empty:
            if self._client.status not in ("running", "connecting"):
                raise ArchiveError("the cluster is gone: what is finished stays; call again when it is back") from None
            return
        while future is not None:
            known = self._known.pop(future.key, None)
            if known is not None:
                yield self._ended(future, *known[1:])
            try:
                future = self._finished.get_nowait()
            except Empty:
                future = None

    def let_go(self) -> None:
        """Forget what is under way: workers end what they are at."""
        futures = [future for future, _, _ in self._known.values()]
        if futures and self._client.status == "running":
            package("distributed")  # its errors are OSErrors
            try:
                self._client.cancel(futures, force=True)
            except (OSError, TimeoutError):
                return
        self._known.clear()

    @staticmethod
    def _ended(future: Any, partition: Partition | None, name: str) -> EndedTask:
        with scheduler_errors():
            if future.status == "finished":
                return EndedTask(future.key, partition, name, future.result(), None)
            if future.status == "error":
                return EndedTask(future.key, partition, name, None, future.exception())
        raise ArchiveError(
            "the cluster has lost a task (was its scheduler stopped?): what is finished stays; call again"
        )
