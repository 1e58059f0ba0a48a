"""Measuring: every case in processes of its own, in turns, one at a time.

A case runs in several processes one after the other (memory layout and what else is decided once per process differ between
them: Kalibera and Jones 2013). All cases have a process alive at the same time, and are measured in rounds, A B C A B C ...,
so that a machine that slows down does so for all of them; while one is measured, the others sleep.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from importlib.util import find_spec

from benchmarks.errors import CaseError
from benchmarks.measure.device import available_share
from benchmarks.measure.process import Child, MeasurementStoppedError
from benchmarks.record.run import FAILED, LEFT_OUT, MEASURED, PARTIAL, CaseRecord, ProcessStart, Round
from benchmarks.workload import Workload

LEAST_MEMORY = 0.25
"""Share of the machine's memory that stays free: below it sleeping processes are ended, and started anew at their turn."""


@dataclass(frozen=True, slots=True)
class MeasurementPlan:
    """How long and how often.

    Attributes:
        seconds: measured per case, all rounds together.
        processes: each case is started this many times.
        rounds: per process.
        warm: seconds of warm-up per process.
    """

    seconds: float = 10.0
    processes: int = 5
    rounds: int = 2
    warm: float = 0.2

    @property
    def round_s(self) -> float:
        """Seconds of one round."""
        return self.seconds / (self.processes * self.rounds)


Progress = Callable[[str, float], None]
"""Called with what is being done and the share of all rounds that is done, 0 to 1."""


class Harness:
    """Measures workloads.

    Args:
        plan: how long and how often.
        progress: called before every set-up and round.
        stopped: asked a few times a second; True ends the measurement, what is complete is kept.
    """

    def __init__(
        self,
        plan: MeasurementPlan,
        progress: Progress = lambda _what, _share: None,
        stopped: Callable[[], bool] = lambda: False,
    ) -> None:
        self._plan = plan
        self._progress = progress
        self._stopped = stopped
        self._children: dict[str, Child] = {}
        self._cases: dict[str, CaseRecord] = {}
        self._turns = 0

    def measure(self, workloads: Sequence[Workload]) -> tuple[tuple[CaseRecord, ...], bool]:
        """Measure all of them.

        Returns:
            one case per workload, in the same order, and whether it was stopped before the end.

        Raises:
            ValueError: two workloads have the same name.
        """
        self._cases = {work.name: _admit(work) for work in workloads}
        if len(self._cases) < len(workloads):
            raise ValueError("workloads must have different names")
        stopped = False
        try:
            for _ in range(self._plan.processes):
                self._each(self._open)
                for _ in range(self._plan.rounds):
                    self._each(self._round)
                self._close_all()
        except MeasurementStoppedError:
            stopped = True
        finally:
            self._close_all()
        return tuple(self._cases.values()), stopped or any(case.status == PARTIAL for case in self._cases.values())

    def _each(self, do: Callable[[CaseRecord], None]) -> None:
        for name, case in list(self._cases.items()):
            if case.status not in (MEASURED, PARTIAL):
                continue
            if self._stopped():
                raise MeasurementStoppedError
            try:
                do(case)
            except CaseError as error:
                self._close(name)
                self._cases[name] = replace(case, status=FAILED, reason=str(error))

    def _open(self, case: CaseRecord) -> None:
        """Start and set up the case's next process."""
        self._progress(f"{case.name}: set-up", self._share())
        self._make_room()
        child = self._children[case.name] = Child(self._stopped)
        loops = case.loops if case.starts else None  # a sample is the same number of calls in every process
        work = asdict(case.workload)
        answer = child.ask({"do": "prepare", "workload": work, "warm": self._plan.warm, "loops": loops})
        start = ProcessStart(int((answer["began"] - child.started) * 1e9), answer["setup_ns"], answer["first_ns"])
        self._cases[case.name] = replace(case, starts=(*case.starts, start), loops=answer["loops"])

    def _round(self, case: CaseRecord) -> None:
        if case.name not in self._children:  # was ended to free memory
            self._open(case)
            case = self._cases[case.name]
        self._progress(case.name, self._share())
        seconds = self._plan.round_s
        answer = self._children[case.name].ask({"do": "measure", "seconds": seconds}, seconds)
        self._turns += 1
        rounds = (*case.rounds, Round(process=len(case.starts) - 1, **answer["round"]))
        self._cases[case.name] = replace(
            case,
            status=MEASURED if len(rounds) == self._plan.processes * self._plan.rounds else PARTIAL,
            peak_rss=_larger(case.peak_rss, answer["peak_rss"]),
            peak_pss=_larger(case.peak_pss, answer["peak_pss"]),
            facts=answer["facts"],
            rounds=rounds,
        )

    def _share(self) -> float:
        alive = sum(case.status in (MEASURED, PARTIAL) for case in self._cases.values())
        return min(1.0, self._turns / max(1, alive * self._plan.processes * self._plan.rounds))

    def _make_room(self) -> None:
        while self._children and (share := available_share()) is not None and share < LEAST_MEMORY:
            self._close(next(iter(self._children)))

    def _close(self, name: str) -> None:
        if (child := self._children.pop(name, None)) is not None:
            child.close()

    def _close_all(self) -> None:
        for name in list(self._children):
            self._close(name)


def _admit(work: Workload) -> CaseRecord:
    missing = [package for package in work.needs if not _installed(package)]
    if missing:
        return CaseRecord(work, LEFT_OUT, f"needs {', '.join(missing)}, which is not installed")
    return CaseRecord(work, PARTIAL)


def _installed(package: str) -> bool:
    try:
        return find_spec(package) is not None
    except (ImportError, ValueError):  # a parent package that is missing
        return False


def _larger(one: int | None, other: int | None) -> int | None:
    known = [n for n in (one, other) if n is not None]
    return max(known, default=None)


def call(function: str, parameters: dict[str, object], stopped: Callable[[], bool] = lambda: False) -> object:
    """Call ``module:function`` in a child process and return its plain value; raises CaseError, MeasurementStoppedError."""
    with Child(stopped) as child:
        return child.ask({"do": "call", "function": function, "parameters": parameters}).get("value")


def now() -> str:
    """This moment as results write it: ISO 8601, UTC, to the second."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
