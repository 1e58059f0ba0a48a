"""The Dask cluster that counts: one started on this machine for the recount, or one that is there already."""

from __future__ import annotations

import logging
import os
import signal
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from multiprocessing import resource_tracker
from typing import Any

from edge.archive.memory import MEMORY_SETTINGS, worker_limit
from edge.archive.packages import package
from edge.archive.records import CountingRecipe
from edge.archive.task import keep_recipe
from edge.archive.versions import WorkerCheck, scheduler_errors
from edge.errors import ArchiveError

_CONNECT_S = 10  # seconds that a scheduler has to answer
_QUIET = {"distributed.worker.profile.enabled": False}
"""Workers of this machine do not look a hundred times a second at what they are doing: that takes time from the fields."""

_ALLOWED_DEATHS = 2
"""Workers that may die of a task and it is still tried once more: three in all."""


@dataclass(frozen=True, slots=True)
class OpenCluster:
    """A cluster that can be given tasks.

    Attributes:
        client: of ``distributed``.
        dashboard: address of its page; empty: it has none.
        own: whether it was started for this recount, and ends with it.
        check: of the versions of its workers; None: they are not asked.
    """

    client: Any
    dashboard: str
    own: bool
    check: WorkerCheck | None = None

    @property
    def threads(self) -> int:
        """Tasks that it does at a time; 0: no worker is there."""
        with scheduler_errors():
            workers = self.client.scheduler_info(n_workers=-1)["workers"]
        return sum(int(worker["nthreads"]) for worker in workers.values())


@contextmanager
def open_cluster(recipe: CountingRecipe, *, on: str | None, workers: int) -> Iterator[OpenCluster]:
    """While inside, a cluster whose workers have the recipe, those that join later too.

    Args:
        recipe: what counts.
        on: address of a scheduler, as ``tcp://host:8786``; None: processes of this machine.
        workers: how many, where they are of this machine.

    Raises:
        ArchiveError: there is no such scheduler, or Dask is not installed.
    """
    distributed, config = package("distributed"), package("dask").config
    logging.getLogger("distributed").setLevel(logging.CRITICAL)  # what goes wrong is said in one line
    with ExitStack() as stack:
        stack.enter_context(
            config.set({"distributed.scheduler.allowed-failures": _ALLOWED_DEATHS, **MEMORY_SETTINGS, **_QUIET})
        )
        address: Any = on
        if on is None:
            address = stack.enter_context(_of_this_machine(distributed, workers))
        try:
            client = stack.enter_context(_connected(distributed, address))
        except (OSError, ValueError, ImportError) as error:
            raise ArchiveError(
                f"{on}: no Dask scheduler answers ({error}): is it running, and is this its address?"
            ) from None
        with scheduler_errors():
            client.register_plugin(_plugin(distributed, recipe))
        yield OpenCluster(client, str(client.dashboard_link or ""), own=on is None, check=WorkerCheck(client))


@contextmanager
def _of_this_machine(distributed: Any, workers: int) -> Iterator[Any]:
    with _deaf_to_ctrl_c():
        cluster = distributed.LocalCluster(
            n_workers=workers,
            threads_per_worker=1,
            processes=True,
            host="127.0.0.1",
            dashboard_address="127.0.0.1:0",
            silence_logs=logging.CRITICAL,
            memory_limit=worker_limit(workers),
        )
    try:
        yield cluster
    finally:
        cluster.close()


@contextmanager
def _deaf_to_ctrl_c() -> Iterator[None]:
    """Processes that are started inside, or later by threads that are, do not hear Ctrl-C, which a terminal sends to all of them.

    The client hears it when this ends, and ends them. A mask passes to threads and processes; a handler would not.
    """
    resource_tracker.ensure_running()  # where it starts, Python 3.11 unblocks the signal
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


@contextmanager
def _connected(distributed: Any, address: Any) -> Iterator[Any]:
    client = distributed.Client(address, timeout=_CONNECT_S, set_as_default=False)
    try:
        yield client
    finally:
        with suppress(OSError, TimeoutError):
            client.close()


def _plugin(distributed: Any, recipe: CountingRecipe) -> Any:
    """What every worker process does when it joins: it keeps the recipe, which is sent to it once."""

    def setup(_self: object, worker: object) -> None:
        del worker
        keep_recipe(recipe)

    name = f"edge-recount-{recipe.fingerprint[:12]}-{os.getpid()}"
    return type("RecipePlugin", (distributed.WorkerPlugin,), {"setup": setup, "name": name})()
