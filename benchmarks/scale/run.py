"""Simulated fields in portions, each kept as soon as it is done: a run of a million that was broken off goes on where it stood."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from benchmarks.errors import ResultError
from benchmarks.scale.drive import PER_SAMPLE, DrivenFields, connected, drive
from benchmarks.scale.processes import cluster_processes
from edge.record_json import from_text, plain_of
from edge.safe_file import write_text

WORKERS = 2
"""Worker processes."""

THREADS = 16
"""Of each: they wait rather than work, and stand for as many workers of a cluster."""


@dataclass(frozen=True, slots=True)
class KeptPortion:
    """A portion that is done, and how busy the machine was: the system's load of the last minute, at its end."""

    driven: DrivenFields
    load: float


def portions(fields: int, tasks: int, batch: int) -> Iterator[tuple[int, int]]:
    """First field and number of fields of each portion of about so many tasks, in whole samples."""
    size = max(tasks * batch // PER_SAMPLE, 1) * PER_SAMPLE
    return ((first, min(size, fields - first)) for first in range(0, fields, size))


@dataclass(frozen=True, slots=True)
class SchedulerRun:
    """What is to be driven.

    Attributes:
        fields: in all; ``batch`` of them to a task.
        portion: tasks after which figures are kept, about.
        most_s: seconds after which no portion is begun.
    """

    fields: int
    batch: int
    portion: int
    most_s: float


def drive_all(
    work: Path, how: SchedulerRun, say: Callable[[str], None], clock: Callable[[], float]
) -> list[KeptPortion]:
    """Give fields to a scheduler, portion by portion, but for those that are kept in ``work``.

    Args:
        work: file of kept portions, a line each.
        how: many, and how.
        say: told of each portion.
        clock: seconds that only grow.

    Returns:
        what is done by now, in order.

    Raises:
        CaseError: no scheduler came up.
        ResultError: the file of kept portions is none.
    """
    kept = {one.driven.first: one for one in kept_portions(work) if one.driven.batch == how.batch}
    left = [(first, size) for first, size in portions(how.fields, how.portion, how.batch) if first not in kept]
    until = clock() + how.most_s
    if left:
        with cluster_processes(WORKERS, THREADS) as processes, closing(connected(processes)) as client:
            for first, size in left:
                if clock() >= until:
                    break
                one = KeptPortion(drive(client, processes, first, size, how.batch), os.getloadavg()[0])
                kept[first] = one
                _keep(work, one)
                say(portion_line(one.driven))
    return [kept[first] for first in sorted(kept)]


def portion_line(one: DrivenFields) -> str:
    """``fields 0 to 32,000, 32 to a task: 45 s, scheduler 0.041 ms a field``."""
    each = one.scheduler_s / one.fields * 1e3
    span = f"fields {one.first:,} to {one.first + one.fields:,}"
    return f"{span}, {one.batch} to a task: {one.seconds:.0f} s, scheduler {each:.3f} ms a field"


def kept_portions(work: Path) -> list[KeptPortion]:
    """What the file holds, without a last line that was cut off; raises ResultError."""
    lines = work.read_text().splitlines(keepends=True) if work.exists() else []
    try:
        return [from_text(KeptPortion, line, work.name) for line in lines if line.endswith("\n")]
    except ValueError as error:
        raise ResultError(f"{work}: cannot be used: {error}: remove it") from error


def _keep(work: Path, one: KeptPortion) -> None:
    """Add a line; the file is written whole, so that a line that was cut off is gone."""
    work.parent.mkdir(parents=True, exist_ok=True)
    write_text(work, "".join(json.dumps(plain_of(kept)) + "\n" for kept in [*kept_portions(work), one]))


def added_up(portions_done: Sequence[KeptPortion]) -> DrivenFields:
    """Portions as one: sums, and of memory the most. There is one at least."""
    done = [one.driven for one in portions_done]
    return DrivenFields(
        done[0].first,
        sum(one.fields for one in done),
        done[0].batch,
        sum(one.tasks for one in done),
        sum(one.seconds for one in done),
        sum(one.scheduler_s for one in done),
        sum(one.client_s for one in done),
        sum(one.workers_s for one in done),
        max(one.scheduler_mb for one in done),
        max(one.client_mb for one in done),
    )
