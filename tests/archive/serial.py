"""A cluster that does each task at once, in this process: what a recount does of it can be looked at without Dask's processes."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from typing import Any

from edge.archive.cluster import OpenCluster
from edge.archive.records import CountingRecipe
from edge.archive.task import keep_recipe


class SerialFuture:
    def __init__(self, key: str, result: object, error: BaseException | None) -> None:
        self.key = key
        self.status = "finished" if error is None else "error"
        self._result = result
        self._error = error

    def result(self) -> object:
        return self._result

    def exception(self) -> BaseException | None:
        return self._error

    def add_done_callback(self, tell: Callable[[SerialFuture], None]) -> None:
        tell(self)


class SerialClient:
    """Args:
    before: called with the number of each task, from 1, before it is done; what it raises is the task's failure.
    """

    status = "running"

    def __init__(self, workers: int, before: Callable[[int], None] = lambda _: None) -> None:
        self.tasks: list[str] = []
        self._workers = workers
        self._before = before

    def scheduler_info(self, n_workers: int = 5) -> dict[str, Any]:
        return {"workers": {str(n): {"nthreads": 1} for n in range(self._workers)}}

    def submit(self, task: Callable[..., object], *given: object, key: str, pure: bool) -> SerialFuture:
        self.tasks.append(task.__name__)
        given = pickle.loads(pickle.dumps(given))  # noqa: S301 - as on the way to a worker
        try:
            self._before(len(self.tasks))
            return SerialFuture(key, pickle.loads(pickle.dumps(task(*given))), None)  # noqa: S301 - and back
        except Exception as error:  # noqa: BLE001 - a task's failure is the client's to judge
            return SerialFuture(key, None, error)

    def cancel(self, futures: object, *, force: bool) -> None:
        """All is done already."""


def serial(recipe: CountingRecipe, workers: int = 2, before: Callable[[int], None] = lambda _: None) -> OpenCluster:
    keep_recipe(pickle.loads(pickle.dumps(recipe)))  # noqa: S301 - as it comes to a worker
    return OpenCluster(SerialClient(workers, before), "", own=True)
