"""What a run measured, as frozen records."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from benchmarks.workload import Value, Workload

MEASURED: Final = "measured"
PARTIAL: Final = "partial"
FAILED: Final = "failed"
LEFT_OUT: Final = "left out"

Record = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Round:
    """One stretch of one case while no other was measured.

    Attributes:
        process: which of the case's processes it ran in, from 0.
        began: seconds since the epoch.
        wall_ns: how long it took.
        cpu_ns: processor time of all its threads meanwhile.
        ns: nanoseconds of each sample.
        units: units done in each sample.
        stages: nanoseconds of each sample in each stage; empty where the step cannot tell.
        joules: energy of the whole board during the round, where a meter was given.
    """

    process: int
    began: float
    wall_ns: int
    cpu_ns: int
    ns: Sequence[int]
    units: Sequence[int]
    stages: Mapping[str, Sequence[int]] = field(default_factory=dict)
    joules: float | None = None


@dataclass(frozen=True, slots=True)
class ProcessStart:
    """How one process of a case came up, in ns: the interpreter, imports and set-up, the first call."""

    process_ns: int
    setup_ns: int
    first_ns: int


@dataclass(frozen=True, slots=True)
class CaseRecord:
    """One workload and what was measured of it.

    Attributes:
        status: ``measured``; ``partial`` (stopped before its last round); ``failed`` or ``left out``, with the ``reason``.
        facts: plain values known only after set-up (``sha256``, ``macs``, ``delegated``, ``pixels``, ``cells`` per field ...).
        loops: calls of the step per sample.
        peak_rss: bytes, the kernel's own high-water mark; None where the kernel does not say.
        peak_pss: bytes, the largest seen at the end of a round.
    """

    workload: Workload
    status: str
    reason: str | None = None
    facts: Mapping[str, Value] = field(default_factory=dict)
    loops: int = 1
    starts: tuple[ProcessStart, ...] = ()
    peak_rss: int | None = None
    peak_pss: int | None = None
    rounds: tuple[Round, ...] = ()

    @property
    def name(self) -> str:
        """The workload's name."""
        return self.workload.name


@dataclass(frozen=True, slots=True)
class Run:
    """One result file.

    Attributes:
        created: ISO 8601, UTC.
        version: version of this package.
        plan: seconds, processes, rounds and warm-up asked for.
        partial: stopped half-way.
        invalid: why the figures must not be used (throttling, under-voltage); empty for a sound run.
        notes: what a reader must know, such as other programs on the machine.
        device: what the machine is.
        states: clocks, temperature, throttling, before, during and after.
    """

    created: str
    version: str
    plan: Record
    partial: bool
    invalid: tuple[str, ...]
    notes: tuple[str, ...]
    device: Record
    states: tuple[Record, ...]
    cases: tuple[CaseRecord, ...]

    @property
    def measured(self) -> dict[str, CaseRecord]:
        """The cases that may be reported, by name."""
        return {case.name: case for case in self.cases if case.status == MEASURED}
