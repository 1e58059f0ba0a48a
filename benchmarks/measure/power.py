"""Energy from a meter's log, joined with the rounds by time. It is that of the whole board, its idle draw included."""

from __future__ import annotations

import csv
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.errors import ResultError
from benchmarks.record.run import CaseRecord

LONGEST_GAP_S = 5.0
"""A round in which the meter was silent for longer has no energy."""


@dataclass(frozen=True, slots=True, eq=False)
class Power:
    """A log: seconds since the epoch, rising, float64 [n], and watts, float64 [n]."""

    time: NDArray[np.float64]
    watts: NDArray[np.float64]

    def joules(self, began: float, seconds: float) -> float | None:
        """Energy from ``began`` on for so many seconds, by the trapezoid rule; None where the log does not cover them."""
        end = began + seconds
        if began < self.time[0] or end > self.time[-1]:
            return None
        first = int(np.searchsorted(self.time, began, "right")) - 1
        last = int(np.searchsorted(self.time, end, "left"))
        if float(np.diff(self.time[first : last + 1]).max(initial=0)) > LONGEST_GAP_S:
            return None
        inside = self.time[(self.time > began) & (self.time < end)]
        at = np.concatenate([[began], inside, [end]])
        watts = np.interp(at, self.time, self.watts)
        return float(((watts[1:] + watts[:-1]) / 2 * np.diff(at)).sum())


def read_power(path: Path) -> Power:
    """Read a CSV with the columns ``time`` (seconds since the epoch, or ISO 8601 with its zone) and ``watts``.

    Raises:
        ResultError: it is missing, empty, has other columns, or its numbers or their order make no sense; names the line.
    """
    try:
        with path.open(newline="", encoding="utf-8-sig") as stream:
            rows = csv.DictReader(stream)
            names = {(name or "").strip().lower(): name for name in rows.fieldnames or ()}
            if not {"time", "watts"} <= set(names):
                raise ResultError(f"{path}: a power log needs the columns time and watts in its first line")
            points = [_point(path, rows.line_num, row[names["time"]], row[names["watts"]]) for row in rows]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise ResultError(
            f"{path}: cannot be read as a power log: {getattr(error, 'strerror', None) or error}"
        ) from error
    if len(points) < 2:
        raise ResultError(f"{path}: the power log holds {len(points)} measurements, two are the least")
    table = np.array(points, np.float64)
    if (np.diff(table[:, 0]) <= 0).any():
        line = int(np.argmax(np.diff(table[:, 0]) <= 0)) + 3
        raise ResultError(f"{path}: line {line}: time does not rise")
    return Power(table[:, 0], table[:, 1])


def _point(path: Path, line: int, time: str | None, watts: str | None) -> tuple[float, float]:
    try:
        point = _seconds(time or ""), float(watts or "")
    except ValueError as error:
        raise ResultError(f"{path}: line {line}: not a time and watts") from error
    if not all(np.isfinite(point)) or point[1] < 0:
        raise ResultError(f"{path}: line {line}: not a time and watts")
    return point


def _seconds(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        moment = datetime.fromisoformat(text.strip())
        if moment.tzinfo is None:
            raise ValueError("no zone") from None
        return moment.timestamp()


def with_energy(cases: tuple[CaseRecord, ...], power: Power) -> tuple[tuple[CaseRecord, ...], int]:
    """The cases with the energy of every round the log covers, and how many rounds it does not."""
    joined = []
    for case in cases:
        rounds = tuple(replace(one, joules=power.joules(one.began, one.wall_ns / 1e9)) for one in case.rounds)
        joined.append(replace(case, rounds=rounds))
    missing = sum(one.joules is None for case in joined for one in case.rounds)
    return tuple(joined), missing
