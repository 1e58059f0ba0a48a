"""Simulated fields through a real scheduler: the tasks of a recount, but for what a worker does in them.

What is cut into tasks, sent, taken back and waited for is as in ``edge.archive.run``: partitions with names and sizes of files, a
window of tasks in work, a callback per task. A worker gives back what a counted partition gives back, at once: so the
scheduler is asked for as many tasks per second as it can do.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from queue import SimpleQueue
from typing import Any

from benchmarks.scale.processes import SchedulerProcesses, peak_mb, processor_s
from edge.archive.packages import package
from edge.archive.partitions import PartitionLimits, partitions
from edge.archive.records import ArchivedFile, ArchivedSample, Partition, TaskEnd
from edge.archive.run import WINDOW

PER_SAMPLE = 50
"""Fields of a simulated sample."""

_FEWEST = 8  # tasks in work, where workers are few: as in a recount
_FILE_BYTES = 1_500_000  # of a simulated field: a PNG of 1.2 megapixels
_CELLS = 110  # that a worker says it found in it


@dataclass(frozen=True, slots=True)
class DrivenFields:
    """What so many simulated fields took.

    Attributes:
        first, fields: where in the archive they begin, and how many there were.
        batch: fields of a task, at most.
        tasks: that held them.
        seconds: from the first to the last.
        scheduler_s, client_s, workers_s: processor time of each, seconds.
        scheduler_mb, client_mb: the most memory that each has held since it began, MiB.
    """

    first: int
    fields: int
    batch: int
    tasks: int
    seconds: float
    scheduler_s: float
    client_s: float
    workers_s: float
    scheduler_mb: float
    client_mb: float


def simulated_partition(partition: Partition) -> TaskEnd:
    """What a worker does with a task here: nothing, and it says what a recount's would."""
    fields = sum(len(part.files) for part in partition.slices)
    return TaskEnd(partition.id, fields, len(partition.slices), fields, fields * _CELLS)


def samples(first: int, fields: int) -> Iterator[ArchivedSample]:
    """Samples of a made-up archive: their fields from number ``first`` on."""
    for number in range(first // PER_SAMPLE, -(-(first + fields) // PER_SAMPLE)):
        name = f"2026/site-{number % 40:02d}/slide-{number:08d}"
        inside = range(max(number * PER_SAMPLE, first), min((number + 1) * PER_SAMPLE, first + fields))
        files = tuple(
            ArchivedFile(f"archive/{name}/field-{i % PER_SAMPLE:04d}.png", _FILE_BYTES, "1793870000.25") for i in inside
        )
        yield ArchivedSample(name, files, f"{number:064x}")


def drive(client: Any, processes: SchedulerProcesses, first: int, fields: int, batch: int) -> DrivenFields:
    """Give these fields to the scheduler, ``batch`` to a task, and wait for all of them.

    Raises:
        RuntimeError: fields came back that are not as many as were sent.
    """
    own, scheduler, workers = os.getpid(), processes.scheduler, processes.workers
    before = processor_s(own), processor_s(scheduler), sum(map(processor_s, workers))
    began = time.monotonic()
    room = max(_FEWEST, WINDOW * processes.threads)
    finished: SimpleQueue[Any] = SimpleQueue()
    under_way: dict[str, Any] = {}
    tasks = back = 0
    limits = PartitionLimits(fields=batch, bytes=max(PartitionLimits().bytes, batch * _FILE_BYTES))
    waiting = partitions(samples(first, fields), "0" * 64, limits)
    more = True
    while more or under_way:
        while more and len(under_way) < room:
            partition = next(waiting, None)
            if partition is None:
                more = False
                break
            key = f"{simulated_partition.__name__}-{first}-{tasks}"
            future = client.submit(simulated_partition, partition, key=key, pure=False)
            under_way[key] = future
            future.add_done_callback(finished.put)
            tasks += 1
        if under_way:
            done = finished.get()
            back += done.result().analysed
            del under_way[done.key]
    if back != fields:
        raise RuntimeError(f"{back:,} of {fields:,} simulated fields came back")
    after = processor_s(own), processor_s(scheduler), sum(map(processor_s, workers))
    spent = [now - then for then, now in zip(before, after, strict=True)]
    return DrivenFields(
        first, fields, batch, tasks, time.monotonic() - began, spent[1], spent[0], spent[2], peak_mb(scheduler), peak_mb(own)
    )  # fmt: skip


def connected(processes: SchedulerProcesses) -> Any:
    """A client of these processes, once all workers are there."""
    client = package("distributed").Client(processes.address, set_as_default=False, timeout=60)
    client.wait_for_workers(len(processes.workers), timeout=120)
    return client
