"""A district of microscopes under faults: broker, microscopes and collector killed, the way cut and rough; then books compared."""

from __future__ import annotations

import multiprocessing
import random
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from ctypes import c_double, c_int
from dataclasses import dataclass, field
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any, Final

from benchmarks.network.district import CollectorCounts, CountingScope, collect, rough_way
from benchmarks.network.mosquitto import BrokerOptions, Mosquitto
from benchmarks.network.rough import CUT, OPEN, SLOW
from benchmarks.network.same import Compared, compare
from edge.description import RunDescription
from edge.network.records import BrokerAddress
from edge.types import FieldResult

CUT_S: Final = 3600.0
"""Simulated seconds that the network is cut for."""

_JUMP_S = 10.0  # simulated seconds by which the clock is put forward at once while the network is cut
_STEP_S = 0.05  # seconds between two such steps
_PATIENCE_S = 600.0  # seconds after the last fault within which all must have arrived
_SAVED_AFTER = 50  # changes after which the broker saves what it keeps: each time it writes all of it
_LOOK_S = 1.0  # seconds between two looks whether it has


@dataclass(frozen=True, slots=True)
class TrialPlan:
    """What is done to the district.

    Attributes:
        name: of the trial; ``persistence``: whether the broker saves what it keeps.
        scopes: microscopes; ``samples`` of each, ``FIELDS`` fields each.
        broker_kills, scope_kills, collector_kills: times that each is killed (-9) and started again.
        cut: whether the network is cut for an hour in between.
        pause_s: seconds between two fields of a microscope, on average.
        apart_s: seconds from one fault to the next, from and to.
        seed: of all chance.
    """

    name: str
    persistence: bool
    scopes: int = 10
    samples: int = 4
    broker_kills: int = 50
    scope_kills: int = 10
    collector_kills: int = 3
    cut: bool = True
    pause_s: float = 2.5
    apart_s: tuple[float, float] = (0.5, 3.0)
    seed: int = 0


@dataclass(frozen=True, slots=True)
class TrialRecord:
    """What came of it.

    Attributes:
        plan: what was done.
        compared: the collected book held against the microscopes' own.
        doubled, overtaken: entries on the way.
        counts: the collector's, of its last life.
        simulated_s: seconds that the clocks were put forward; ``seconds``: that all of it took.
        left_s: seconds from the last fault until all was there; None: it never was.
    """

    plan: TrialPlan
    compared: Compared
    doubled: int
    overtaken: int
    counts: CollectorCounts
    simulated_s: float
    seconds: float
    left_s: float | None


@dataclass(slots=True)
class _Children:
    """Processes by name, each of which can be killed and started again."""

    how: dict[str, tuple[Callable[..., object], tuple[Any, ...]]] = field(default_factory=dict)
    alive: dict[str, BaseProcess] = field(default_factory=dict)

    def start(self, name: str, target: Callable[..., object], *args: object) -> None:
        self.how[name] = (target, args)
        self._begin(name)

    def kill_and_start(self, name: str, down_s: float) -> None:
        self._end(name)
        time.sleep(down_s)
        self._begin(name)

    def end(self) -> None:
        for name in list(self.alive):
            self._end(name)

    def _begin(self, name: str) -> None:
        target, args = self.how[name]
        process = multiprocessing.get_context("fork").Process(target=target, args=args, daemon=True)
        process.start()
        self.alive[name] = process

    def _end(self, name: str) -> None:
        process = self.alive.pop(name)
        process.kill()
        process.join()


@contextmanager
def _children() -> Iterator[_Children]:
    made = _Children()
    try:
        yield made
    finally:
        made.end()


def run_trial(
    plan: TrialPlan,
    folder: Path,
    fields: Sequence[FieldResult],
    about: RunDescription,
    progress: Callable[[str], None],
) -> TrialRecord:
    """Let a district count under faults, and compare the books in the end.

    Args:
        plan: what is done.
        folder: for books and logs; empty.
        fields: analysed ones, which the microscopes count.
        about: what counts them.
        progress: takes a line now and then.
    """
    began, rng = time.monotonic(), random.Random(plan.seed)
    shared = multiprocessing.get_context("fork")
    # without locks: a process that is killed holds none, and each has one writer
    jumped, mode, port = shared.RawValue(c_double, 0), shared.RawValue(c_int, OPEN), shared.RawValue(c_int, 0)
    told = (shared.RawValue(c_int, 0), shared.RawValue(c_int, 0))
    names = [f"bench-{number}" for number in range(1, plan.scopes + 1)]
    district, said = folder / "district.sqlite", folder / "collector.log"
    options = BrokerOptions(persistence=plan.persistence, saved_after=_SAVED_AFTER * plan.persistence)
    with Mosquitto(folder / "broker", options) as broker, _children() as children:
        children.start("way", rough_way, broker.port, mode, told, port, plan.seed)
        while not port.value:
            time.sleep(_STEP_S)
        address = BrokerAddress("127.0.0.1", port.value)
        children.start("collector", collect, address, district, jumped, said)
        for name in names:
            scope = CountingScope(name, folder / f"{name}.sqlite", fields, about, plan.samples, plan.pause_s)
            children.start(name, scope.run, address, jumped, folder / f"{name}.log")
        faults = ["broker"] * plan.broker_kills + ["scope"] * plan.scope_kills + ["collector"] * plan.collector_kills
        rng.shuffle(faults)
        middle = len(faults) // 2
        for number, fault in enumerate(faults):
            time.sleep(rng.uniform(*plan.apart_s))
            mode.value = rng.choice((OPEN, SLOW))
            if fault == "broker":
                broker.kill()
                time.sleep(rng.uniform(0, 1))
                broker.start()
            else:
                children.kill_and_start(rng.choice(names) if fault == "scope" else fault, rng.uniform(0, 1))
            if number == middle and plan.cut:
                _cut(mode, jumped)
            if number % 10 == 0:
                progress(f"{plan.name}: {number + 1} of {len(faults)} faults")
        mode.value = OPEN
        left = _wait(plan, folder, names, district)
        compared = compare(district, {name: folder / f"{name}.sqlite" for name in names})
        counts = [int(word) for word in said.with_suffix(".counts").read_text().split()]
    return TrialRecord(
        plan,
        compared,
        told[0].value,
        told[1].value,
        CollectorCounts(*counts),
        jumped.value,
        time.monotonic() - began,
        left,
    )


def _cut(mode: c_int, jumped: c_double) -> None:
    """Cut the way for an hour of simulated time, while the microscopes count on."""
    mode.value = CUT
    until = jumped.value + CUT_S
    while jumped.value < until:
        jumped.value += _JUMP_S
        time.sleep(_STEP_S)
    mode.value = OPEN


def _wait(plan: TrialPlan, folder: Path, names: Sequence[str], district: Path) -> float | None:
    """Seconds until all samples are counted and all is collected; None: it does not come."""
    began = time.monotonic()
    books = {name: folder / f"{name}.sqlite" for name in names}
    while time.monotonic() - began < _PATIENCE_S:
        time.sleep(_LOOK_S)
        found = compare(district, books, deep=False)
        if found.complete == plan.scopes * plan.samples and not found.wrong:
            return time.monotonic() - began
    return None
