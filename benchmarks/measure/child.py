"""The process in which one case is set up and measured: ``python -m benchmarks.measure.child``.

It reads JSON lines from stdin (``prepare``, ``measure``, ``call``) and answers each with one JSON line on what was its
stdout; whatever else writes to stdout, native libraries included, ends up on stderr. It ends when stdin does, so that it never
outlives its parent. Nothing in here prints, allocates or looks at the clock more than the measurement needs.
"""

from __future__ import annotations

import importlib
import json
import os
import re
import signal
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import IO, Any

from benchmarks.workload import Step, Workload

SHORTEST_SAMPLE_NS = 1_000_000
"""Calls are timed in groups of at least about this long: the clock and the loop around the step then cost less than 0.1 %."""

SETTLE = 0.02
"""Share of a round's time in which the step runs untimed first: other processes have had the caches meanwhile."""


def main() -> None:
    """Serve the parent until it closes our stdin."""
    began = time.monotonic()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's business
    with os.fdopen(os.dup(1), "w", encoding="utf-8") as answers:
        os.dup2(2, 1)
        with suppress(BrokenPipeError):
            serve(sys.stdin, answers, began)


def serve(requests: IO[str], answers: IO[str], began: float) -> None:
    """Answer every line of ``requests``; failures are answers too."""
    bench = _Bench(began)
    commands: dict[str, Callable[..., dict[str, Any]]] = {
        "prepare": bench.prepare,
        "measure": bench.measure,
        "call": bench.call,
    }
    for line in requests:
        message = json.loads(line)
        try:
            answer = commands[message.pop("do")](**message)
        except Exception as error:  # noqa: BLE001 - whatever a case raises becomes one line
            answer = {"failed": one_line(error)}
        answers.write(json.dumps(answer, separators=(",", ":")) + "\n")
        answers.flush()


def one_line(error: BaseException) -> str:
    """What went wrong in one printable line, the kind of error first unless it is one of ours that speaks for itself."""
    last = (str(error).strip().splitlines() or [""])[-1][:400]
    text = last if type(error).__module__.startswith("edge.") else f"{type(error).__name__}: {last}"
    return "".join(c if c.isprintable() else " " for c in text).strip(": ")


class _Bench:
    """One case, set up once."""

    def __init__(self, began: float) -> None:
        self._began = began
        self._step: Step | None = None
        self._loops = 1
        self._peak_pss: int | None = None

    def prepare(self, workload: dict[str, Any], warm: float, loops: int | None) -> dict[str, Any]:
        """Set up, warm up for ``warm`` seconds, and choose how many calls make a sample, unless ``loops`` says it."""
        start = time.perf_counter_ns()
        workload["needs"] = tuple(workload["needs"])
        self._step = Workload(**workload).prepare()
        ready = time.perf_counter_ns()
        self._step()
        first = time.perf_counter_ns()
        spent = self._warm_up(self._step, warm)
        self._loops = loops or max(1, -(-SHORTEST_SAMPLE_NS // max(1, spent)))
        self._note_pss()
        return {
            "began": self._began,
            "setup_ns": ready - start,
            "first_ns": first - ready,
            "loops": self._loops,
        }

    @staticmethod
    def _warm_up(step: Step, seconds: float) -> int:
        """Run for a while; the quickest call in ns."""
        until = time.perf_counter_ns() + int(seconds * 1e9)
        quickest, calls = 1 << 62, 0
        while time.perf_counter_ns() < until or calls < 2:
            at = time.perf_counter_ns()
            step()
            quickest = min(quickest, time.perf_counter_ns() - at)
            calls += 1
        return quickest

    def measure(self, seconds: float) -> dict[str, Any]:
        """One round: samples until ``seconds`` are over, at least one."""
        step = self._step
        if step is None:
            raise RuntimeError("measure before prepare")
        clock = time.perf_counter_ns
        settled = clock() + int(seconds * SETTLE * 1e9)
        step()
        while clock() < settled:
            step()
        ns: list[int] = []
        units: list[int] = []
        stages: dict[str, list[int]] = {}
        began, cpu, start = time.time(), time.process_time_ns(), clock()
        until = start + int(seconds * 1e9)
        now = start
        while now < until:
            total, spent = 0, []
            at = clock()
            for _ in range(self._loops):
                done = step()
                total += done.units
                if done.stages:
                    spent.append(done.stages)
            now = clock()
            ns.append(now - at)
            units.append(total)
            for name in spent[0] if spent else ():
                stages.setdefault(name, []).append(sum(part[name] for part in spent))
        wall, cpu = clock() - start, time.process_time_ns() - cpu
        self._note_pss()
        return {
            "round": {"began": began, "wall_ns": wall, "cpu_ns": cpu, "ns": ns, "units": units, "stages": stages},
            "peak_rss": _status_bytes("VmHWM"),
            "peak_pss": self._peak_pss,
            "facts": dict(getattr(step, "facts", {})),
        }

    @staticmethod
    def call(function: str, parameters: dict[str, Any]) -> dict[str, Any]:
        """Call ``module:function`` and hand its plain value back: for what must not happen in the parent."""
        module, _, name = function.partition(":")
        return {"value": getattr(importlib.import_module(module), name)(**parameters)}

    def _note_pss(self) -> None:
        now = _proc_bytes(Path("/proc/self/smaps_rollup"), "Pss")
        if now is not None:
            self._peak_pss = max(now, self._peak_pss or 0)


def _status_bytes(name: str) -> int | None:
    return _proc_bytes(Path("/proc/self/status"), name)


def _proc_bytes(path: Path, name: str) -> int | None:
    """A ``Name:   123 kB`` line of a file under /proc, in bytes; None where there is none or it may not be read."""
    try:
        found = re.search(rf"^{name}:\s+(\d+) kB", path.read_text(), re.MULTILINE)
    except OSError:
        return None
    return int(found[1]) * 1024 if found else None


if __name__ == "__main__":
    main()
