"""PowerSupply, heat, memory and clock of the machine."""

from __future__ import annotations

import ctypes
import time
from dataclasses import dataclass
from pathlib import Path

import edge
from edge.health import machine
from edge.health.records import CheckResult, Health, graded

HOT_C, TOO_HOT_C = 75.0, 85.0  # degrees Celsius: a Raspberry Pi slows down from 80 on
LEAST_MEMORY, LITTLE_MEMORY = 200 * 10**6, 400 * 10**6
"""Free bytes: one worker takes 170 MB, four take 270 (1280x960 fields)."""

_UNSYNCHRONISED = 5  # what adjtimex(2) returns then
_SYNCHRONISED = range(5)
_DAY_S = 86400.0  # seconds


def is_pi(root: Path) -> bool:
    """Whether this is a Raspberry Pi."""
    return (machine.board(root) or "").startswith("Raspberry Pi")


@dataclass(frozen=True, slots=True)
class PowerSupply:
    """Under-voltage and throttling, which a Raspberry Pi's firmware tells."""

    root: Path = machine.ROOT
    name: str = "power"

    def run(self) -> CheckResult:
        """Look."""
        bits, alarm = machine.throttled(self.root), machine.under_voltage(self.root)
        if bits is None and alarm is None:
            if not is_pi(self.root):
                return CheckResult(self.name, Health.NOT_APPLICABLE, "no Raspberry Pi: nothing tells of its power")
            said = "the firmware does not say whether the power holds"
            return CheckResult(self.name, Health.UNKNOWN, said, "install vcgencmd: sudo apt install raspi-utils")
        value = bits or 0
        now = [word for place, word in enumerate(machine.BITS) if value >> place & 1]
        since = [word for place, word in enumerate(machine.BITS) if value >> (place + 16) & 1]
        if alarm and machine.BITS[0] not in now:
            now.insert(0, machine.BITS[0])
        facts = {"throttled_bits": value, "under_voltage": machine.BITS[0] in now}
        supply = "take the power supply made for this board, and a short cable"
        if machine.BITS[0] in now:
            said = f"now: {', '.join(now)}: cameras drop out and cards break of this"
            return CheckResult(self.name, Health.FAILED, said, supply, facts)
        if now or since:
            said = "; ".join(
                f"{when}: {', '.join(words)}" for when, words in (("now", now), ("since boot", since)) if words
            )
            remedy = supply if machine.BITS[0] in since else "give it a heat sink or a fan: it counts slower when hot"
            return CheckResult(self.name, Health.WARNING, said, remedy, facts)
        return CheckResult(self.name, Health.OK, "neither under-voltage nor throttling since boot", facts=facts)


@dataclass(frozen=True, slots=True)
class Temperature:
    """Of the hottest part that has a sensor."""

    root: Path = machine.ROOT
    name: str = "temperature"

    def run(self) -> CheckResult:
        """Look."""
        degrees = machine.temperature(self.root)
        if degrees is None:
            if not any((self.root / "sys/class/thermal").glob("thermal_zone*")) and not is_pi(self.root):
                return CheckResult(self.name, Health.NOT_APPLICABLE, "this machine has no sensor")
            return CheckResult(self.name, Health.UNKNOWN, "the sensor cannot be read", "feel whether it is hot")
        facts, said = {"celsius": round(degrees, 1)}, f"{degrees:.0f} °C"
        failed = "it slows down and may stop" if degrees >= TOO_HOT_C else ""
        warned = "near the point where it slows down" if degrees >= HOT_C else ""
        return graded(self.name, said, facts, "give it air, a heat sink or a fan", failed=failed, warned=warned)


@dataclass(frozen=True, slots=True)
class Memory:
    """What is free for a run."""

    root: Path = machine.ROOT
    name: str = "memory"

    def run(self) -> CheckResult:
        """Look."""
        free, total = machine.meminfo(self.root, "MemAvailable"), machine.meminfo(self.root, "MemTotal")
        if free is None or total is None:
            return CheckResult(self.name, Health.UNKNOWN, "the kernel does not say what is free", "look: free -h")
        facts, said = {"free_bytes": free, "total_bytes": total}, f"{free / 1e6:,.0f} MB free of {total / 1e6:,.0f}"
        remedy = "end other programs, or count with --workers 1"
        failed = "too little for a run" if free < LEAST_MEMORY else ""
        warned = "too little for four workers" if free < LITTLE_MEMORY else ""
        return graded(self.name, said, facts, remedy, failed=failed, warned=warned)


@dataclass(frozen=True, slots=True)
class Clock:
    """Whether the wall clock is set. It dates samples; nothing is measured by it."""

    root: Path = machine.ROOT
    name: str = "clock"

    def run(self) -> CheckResult:
        """Look."""
        installed, now = Path(edge.__file__).stat().st_mtime, time.time()
        today = time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime(now))
        remedy = 'connect to a network once, or set it: sudo timedatectl set-time "2026-01-31 12:00"'
        if now < installed - _DAY_S:
            said = f"{today} is before this program was installed: samples get a wrong date"
            return CheckResult(self.name, Health.FAILED, said, remedy, {"plausible": False})
        state = kernel_clock()
        battery = any((self.root / "sys/class/rtc").glob("rtc*"))
        facts = {"plausible": True, "battery": battery}
        if state in _SYNCHRONISED:
            return CheckResult(self.name, Health.OK, f"{today}, set over the network", facts=facts)
        if state != _UNSYNCHRONISED:
            return CheckResult(self.name, Health.UNKNOWN, f"{today}; whether it is set is not known", remedy, facts)
        if battery and not is_pi(self.root):  # a Pi 5 has the clock and mostly no battery for it
            return CheckResult(self.name, Health.OK, f"{today}, by the clock with battery", facts=facts)
        said = f"{today}, which nobody has set since boot: samples may get a wrong date, counts are right"
        return CheckResult(self.name, Health.WARNING, said, remedy, facts)


def kernel_clock() -> int | None:
    """What the kernel says of its clock: 0 to 4 it is synchronised, 5 it is not (adjtimex(2)); None: it does not say."""
    try:
        library = ctypes.CDLL(None)
        state = int(
            library.adjtimex(ctypes.create_string_buffer(512))
        )  # zeros: ask only; longer than the record is anywhere
    except (OSError, AttributeError):
        return None
    return state if state >= 0 else None


@dataclass(frozen=True, slots=True)
class Network:
    """Nothing here needs one."""

    name: str = "network"

    def run(self) -> CheckResult:
        """Say so."""
        return CheckResult(self.name, Health.NOT_APPLICABLE, "not needed: counting uses none")
