"""What was measured, as records that are kept in ``kept.json`` between calls: each part may be measured by itself."""

from __future__ import annotations

import os
import platform
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from benchmarks.archive.kills import KilledRun
from benchmarks.archive.results import ResultsCompared
from benchmarks.kept import read_kept, write_kept
from benchmarks.measure.device import describe

KEPT: Final = Path(__file__).parent / "kept.json"


@dataclass(frozen=True, slots=True)
class MeasuredOn:
    """Where and when a part was measured.

    Attributes:
        day: ISO date; ``cpu``: processor, ``cores``: that may be used, ``features``: of the processor that matter to the nets.
        load: mean number of other processes that wanted a core when it began (the system's load of the last minute).
    """

    day: str
    cpu: str
    cores: int
    features: tuple[str, ...]
    load: float


@dataclass(frozen=True, slots=True)
class CountingTurn:
    """One way of counting an archive, once: whole seconds, processor seconds, MiB of the largest process and of the client."""

    way: str
    seconds: float
    processor_s: float
    others_mb: float
    own_mb: float


@dataclass(frozen=True, slots=True)
class RecountSpeed:
    """Ways of counting one archive, in turns.

    Attributes:
        fields, samples: of the archive.
        turns: each way once per turn, in the order of measuring.
        same: the results of all recounts are equal, row by row.
    """

    machine: MeasuredOn
    fields: int
    samples: int
    turns: tuple[CountingTurn, ...]
    same: bool


@dataclass(frozen=True, slots=True)
class UnderFire:
    """A recount under fire beside an undisturbed one.

    Attributes:
        every_s: seconds between two kills of a worker; ``fields``: of the archive.
    """

    machine: MeasuredOn
    fields: int
    every_s: float
    run: KilledRun
    compared: ResultsCompared


@dataclass(frozen=True, slots=True)
class MemoryHeld:
    """A recount of hard fields: MiB of the largest worker and of the client; fields that it could not read."""

    machine: MeasuredOn
    fields: int
    worker_mb: float
    client_mb: float
    unreadable: int


@dataclass(frozen=True, slots=True)
class ListingCost:
    """A client that lists a made-up archive and gives out its tasks: seconds, MiB; ``few_mb``: with a thousand fields."""

    machine: MeasuredOn
    fields: int
    tasks: int
    seconds: float
    memory_mb: float
    few_mb: float


@dataclass(frozen=True, slots=True)
class ArchiveFigures:
    """All parts; None: not measured yet."""

    speed: RecountSpeed | None = None
    killed: UnderFire | None = None
    memory: MemoryHeld | None = None
    listing: ListingCost | None = None


def this_machine() -> MeasuredOn:
    """This one, now."""
    told = describe()
    cpu = str(told["board"] or told["cpu"] or platform.machine())
    features = tuple(str(one) for one in told["features"])
    return MeasuredOn(
        datetime.now(UTC).date().isoformat(), cpu, len(os.sched_getaffinity(0)), features, os.getloadavg()[0]
    )


def read_figures(path: Path = KEPT) -> ArchiveFigures:
    """What is kept; raises ResultError where that is no such file."""
    return read_kept(ArchiveFigures, path)


def write_figures(figures: ArchiveFigures, path: Path = KEPT) -> None:
    """Keep them; raises OutputError."""
    write_kept(figures, path)
