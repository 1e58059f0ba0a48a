"""What changes while a machine measures: clocks, governor, temperature, throttling, other programs; and what that does to a run.

What ``throttled`` holds: ``edge.health.machine``.
"""

from __future__ import annotations

import os
import re
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final, Self

from edge.health.machine import BITS, ROOT, meminfo, number, temperature, text, throttled, under_voltage

EVERY_S: Final = 3.0
"""Seconds between two looks at the state during a run."""

BUSY: Final = 0.1
"""Cores that other programs may use on average before a note says so."""

_PATIENCE_S: Final = 2.0
"""Seconds that the last look may take."""

State = dict[str, Any]


def take(when: str, root: Path = ROOT) -> State:
    """The state at this moment; what cannot be read is None.

    Args:
        when: ``before``, ``during`` or ``after``.
        root: where /proc and /sys are; another one in tests, where no ``vcgencmd`` is called either.
    """
    cpu = root / "sys/devices/system/cpu"
    busy, stolen = _busy(root)
    return {
        "when": when,
        "time": time.time(),
        "clock_mhz": _clocks(cpu),
        "governor": _governor(cpu),
        "temperature_c": temperature(root),
        "throttled": throttled(root),
        "under_voltage": under_voltage(root),
        "throttle_count": _throttle_count(cpu),
        "memory_available_bytes": meminfo(root, "MemAvailable"),
        "busy_s": busy,
        "stolen_s": stolen,
        "own_s": _own_seconds() if root == ROOT else None,
    }


def judge(states: Sequence[Mapping[str, Any]]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Whether a run is valid, by its states in order.

    Returns:
        why the run is invalid (empty: it is not), and what else a reader must know.
    """
    if not states:
        return (), ("the device's state was not taken",)
    bits = [state["throttled"] for state in states if state["throttled"] is not None]
    invalid, notes = [], []
    for number_, name in enumerate(BITS):
        now, since = 1 << number_, 1 << (number_ + 16)
        if any(value & now for value in bits):
            invalid.append(f"{name} while it measured")
        elif bits and bits[-1] & since and not bits[0] & since:
            invalid.append(f"{name} for a moment while it measured")
        elif bits and bits[0] & since:
            notes.append(f"{name} had occurred since boot, before this run: a further short one would not be seen")
    if any(state.get("under_voltage") for state in states) and not any(BITS[0] in line for line in invalid):
        invalid.append(f"{BITS[0]} while it measured")
    counts = [state["throttle_count"] for state in states if state.get("throttle_count") is not None]
    if counts and counts[-1] > counts[0]:
        invalid.append(f"thermal throttling, {counts[-1] - counts[0]} times")
    return tuple(invalid), (*notes, *_unknown(states), *_disturbed(states))


def _unknown(states: Sequence[Mapping[str, Any]]) -> list[str]:
    notes = []
    if all(state["throttled"] is None and state.get("throttle_count") is None for state in states):
        notes.append("throttling cannot be read on this machine (no vcgencmd, no file of the kernel)")
    if all(state["clock_mhz"] is None for state in states):
        notes.append("clocks cannot be read on this machine (absent, or no permission)")
    return notes


def _disturbed(states: Sequence[Mapping[str, Any]]) -> list[str]:
    """Other programs, and a host that gave its processor to others."""
    first, last = states[0], states[-1]
    span = last["time"] - first["time"]
    if span <= 0 or any(state.get(key) is None for state in (first, last) for key in ("busy_s", "stolen_s", "own_s")):
        return []
    others = (last["busy_s"] - first["busy_s"] - (last["own_s"] - first["own_s"])) / span
    stolen = (last["stolen_s"] - first["stolen_s"]) / span
    notes = []
    if others > BUSY:
        notes.append(
            f"other programs used {others:.2f} cores on average while it measured: measure again when it is quiet"
        )
    if stolen > BUSY / 10:
        notes.append(f"the host took away {stolen:.2f} cores on average while it measured")
    return notes


class StateWatch:
    """Takes the state before, every few seconds during, and after a run. Use as a context manager."""

    def __init__(self, every: float = EVERY_S, root: Path = ROOT) -> None:
        self._root = root
        self._every = every
        self._end = threading.Event()
        self._states: list[State] = []
        self._thread = threading.Thread(target=self._during, name="edge-bench-watch", daemon=True)

    def __enter__(self) -> Self:
        self._states.append(take("before", self._root))
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._end.set()
        self._thread.join(_PATIENCE_S + 1)
        self._states.append(take("after", self._root))

    @property
    def states(self) -> tuple[State, ...]:
        """What was taken so far, in order."""
        return tuple(self._states)

    def _during(self) -> None:
        while not self._end.wait(self._every):
            self._states.append(take("during", self._root))


def _clocks(cpu: Path) -> list[float] | None:
    found = []
    for name in ("scaling_cur_freq", "cpuinfo_cur_freq"):
        found = [number(path) for path in sorted(cpu.glob(f"cpu[0-9]*/cpufreq/{name}"))]
        known = [khz / 1000 for khz in found if khz is not None]
        if known:
            return known
    return None


def _governor(cpu: Path) -> str | None:
    names = {(text(path) or "").strip() for path in cpu.glob("cpu[0-9]*/cpufreq/scaling_governor")} - {""}
    return ", ".join(sorted(names)) or None


def _throttle_count(cpu: Path) -> int | None:
    """How often x86 cores were throttled for heat since boot."""
    counts = [number(path) for path in cpu.glob("cpu[0-9]*/thermal_throttle/core_throttle_count")]
    known = [n for n in counts if n is not None]
    return sum(known) if known else None


def _busy(root: Path) -> tuple[float | None, float | None]:
    """Seconds that all cores were busy since boot, and that a host took away."""
    found = re.match(r"cpu\s+([\d ]+)", text(root / "proc/stat") or "")
    if not found:
        return None, None
    ticks = [int(n) for n in found[1].split()] + [0] * 8
    hertz = os.sysconf("SC_CLK_TCK")
    user, nice, system, _idle, _wait, irq, soft, steal = ticks[:8]
    return (user + nice + system + irq + soft) / hertz, steal / hertz


def _own_seconds() -> float | None:
    """Processor seconds of this process and its children, living and dead; None where the kernel does not list them."""
    lists = list(Path("/proc/self/task").glob("*/children"))
    if not lists:
        return None
    spent = os.times()
    hertz = os.sysconf("SC_CLK_TCK")
    total = spent.user + spent.system + spent.children_user + spent.children_system
    for path in lists:
        for pid in (text(path) or "").split():
            fields = (text(Path(f"/proc/{pid}/stat")) or "").rpartition(")")[2].split()
            if len(fields) > 14:
                total += sum(int(n) for n in fields[11:15]) / hertz
    return total
