"""Workloads of microseconds that need neither model nor image; child processes import them by name."""

from __future__ import annotations

import os
import sys
import time

from benchmarks.record.run import CaseRecord, ProcessStart, Round, Run
from benchmarks.workload import Step, StepResult, Value, Workload


def spin(us: float = 20.0, units: int = 4) -> Step:
    """Busy for so many microseconds."""

    def step() -> StepResult:
        until = time.perf_counter_ns() + int(us * 1000)
        while time.perf_counter_ns() < until:
            pass
        return StepResult(units)

    return step


def staged() -> Step:
    """Says what it spent in two stages."""
    return lambda: StepResult(1, {"decode": 2000, "find": 1000})


class Knowing:
    """A step with facts."""

    def __init__(self) -> None:
        self.facts = {"macs": 5000, "sha256": "abc"}

    def __call__(self) -> StepResult:
        return StepResult(2)


def knowing() -> Step:
    return Knowing()


def broken() -> Step:
    raise RuntimeError("no such thing\nsecond line: the reason")


def breaks_later() -> Step:
    left = iter(range(3))

    def step() -> StepResult:
        if next(left, None) is None:
            raise ValueError("broke in the middle")
        return StepResult(1)

    return step


def dies() -> Step:
    sys.stderr.write("native code said goodbye\n")
    sys.stderr.flush()
    os._exit(9)


def killed() -> Step:
    os.abort()


def noisy() -> Step:
    """Writes to stdout, as native libraries do."""
    sys.stdout.write("hello from somewhere\n")
    sys.stdout.flush()
    os.write(1, b"and from below\n")
    return lambda: StepResult(1)


def pid_of_child() -> int:
    return os.getpid()


def work(name: str, function: str = "spin", **parameters: Value) -> Workload:
    return Workload(name, "g", "cell", f"tests.benchmarks.steps:{function}", parameters)


DEVICE: dict[str, object] = {
    "board": "Raspberry Pi 5 Model B Rev 1.0",
    "cpu": "Cortex-A76",
    "cores": 4,
    "clock_max_mhz": 2400.0,
    "memory_bytes": 4 * 10**9,
    "os": "Debian GNU/Linux 12 (bookworm)",
    "machine": "aarch64",
    "virtual": None,
    "emulated": False,
    "python": "3.11.2",
    "runtime": "ai-edge-litert 2.3.0",
    "packages": {"numpy": "2.4.6"},
    "peak_gmac_s_per_core": 76.8,
}
STATE: dict[str, object] = {
    "when": "before",
    "time": 1.0,
    "clock_mhz": [2400.0],
    "governor": "ondemand",
    "temperature_c": 51.5,
    "throttled": 0,
}


def case(
    name: str, medians_us: list[float], processes: int = 5, workload: Workload | None = None, **facts: Value
) -> CaseRecord:
    """A case whose rounds have these medians, microseconds per cell, spread evenly over its processes."""
    per = max(1, len(medians_us) // processes)
    rounds = tuple(
        Round(
            i // per,
            1000.0 + i,
            30_000_000,
            29_000_000,
            [int(us * 990_000), int(us * 1e6), int(us * 1_020_000)],
            [1000] * 3,
        )
        for i, us in enumerate(medians_us)
    )
    starts = (ProcessStart(100_000_000, 200_000_000, 5_000_000),)
    return CaseRecord(workload or work(name), "measured", None, facts, 10, starts, 80_000_000, 40_000_000, rounds)


def run(*cases: CaseRecord, **changes: object) -> Run:
    """A sound run on a Pi 5."""
    plan = {"seconds": 10.0, "processes": 5, "rounds": 2, "warm": 0.5}
    values: dict[str, object] = {
        "created": "2026-11-21T10:00:00Z",
        "version": "0.1.0",
        "plan": plan,
        "partial": False,
        "invalid": (),
        "notes": (),
        "device": DEVICE,
        "states": (STATE,),
        "cases": cases,
    }
    return Run(**{**values, **changes})  # type: ignore[arg-type]
