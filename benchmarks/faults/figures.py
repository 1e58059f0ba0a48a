"""The figures of each part, and the JSON file that keeps them: the page is written from it."""

from __future__ import annotations

import json
import os
import platform
import sqlite3
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from benchmarks.errors import ResultError
from benchmarks.faults.endurance import Endurance, ProcessLook
from benchmarks.faults.trial import Trial
from benchmarks.faults.trouble import Trouble
from benchmarks.measure.device import describe
from edge.safe_file import write_text

KEPT: Final = Path(__file__).with_name("kept.json")
"""The figures that the page shows."""

FORMAT: Final = "edge-faults"
"""What such a file says it is."""

_TRIALS = ("kills", "real", "cuts", "answers", "answers_cut")
"""Parts of ``Figures`` that are trials added up."""

_MOST_WRONG = 20
"""Wrong ones that are kept in words."""


@dataclass(frozen=True, slots=True)
class Measured:
    """When and on what a part was measured."""

    day: str
    machine: str
    disk: str


@dataclass(frozen=True, slots=True)
class Trials:
    """Many trials of one kind, added up.

    Attributes:
        tried, right: how many.
        at_times: of them at a moment of the clock, not at a call.
        several: that needed more than one ``--resume``, because that was killed as well.
        shown: fields that the screen had shown before, in all.
        calls: how many there were of each call.
        wrong: the first ones, in words.
    """

    tried: int
    right: int
    at_times: int
    several: int
    shown: int
    calls: Mapping[str, int]
    wrong: Sequence[str]

    @classmethod
    def of(cls, trials: Iterable[Trial]) -> Trials:
        """Add them up."""
        every = list(trials)
        calls = Counter(one.call for one in every if one.call)
        wrong = [f"{one.moment} {one.call}".strip() + f": {'; '.join(one.wrong)}" for one in every if one.wrong]
        return cls(
            len(every),
            len(every) - len(wrong),
            sum(not one.call for one in every),
            sum(one.runs > 1 for one in every),
            sum(one.shown for one in every),
            dict(calls.most_common()),
            tuple(wrong[:_MOST_WRONG]),
        )


@dataclass(frozen=True, slots=True)
class Figures:
    """All parts; None: not measured yet.

    Attributes:
        kills, real, cuts: trials on drawn fields, on real ones, with the power cut.
        answers, answers_cut: trials on a reader's answers, killed and with the power cut; ``shown``: answers said to be in the book.
        troubles: kinds of trouble.
        endurance: the long run.
        measured: when and on what, by the name of the part.
    """

    kills: Trials | None = None
    real: Trials | None = None
    cuts: Trials | None = None
    troubles: tuple[Trouble, ...] | None = None
    endurance: Endurance | None = None
    measured: Mapping[str, Measured] | None = None
    answers: Trials | None = None
    answers_cut: Trials | None = None


def measured(disk: str) -> Measured:
    """Now, on this machine; ``disk`` in words."""
    device = describe()
    system = f"{platform.system()} {platform.release().split('-')[0]}"
    cpu = device["board"] or device["cpu"] or device["machine"]
    machine = f"{cpu}, {os.cpu_count()} cores, {system}, SQLite {sqlite3.sqlite_version}"
    return Measured(datetime.now(UTC).date().isoformat(), machine, disk)


def read_figures(path: Path = KEPT) -> Figures:
    """What is kept; raises ResultError where that is no such file."""
    if not path.exists():
        return Figures()
    try:
        plain = json.loads(path.read_text())
        if plain.pop("format") != FORMAT:
            raise ValueError("another format")  # noqa: TRY301
        return _figures(plain)
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise ResultError(f"{path}: cannot be used: {error}") from error


def write_figures(figures: Figures, path: Path = KEPT) -> None:
    """Keep them; raises OutputError."""
    write_text(path, json.dumps({"format": FORMAT, **asdict(figures)}, indent=1) + "\n")


def _trials(plain: Mapping[str, Any]) -> Trials:
    return Trials(**{**plain, "wrong": tuple(plain["wrong"])})


def _figures(plain: Mapping[str, Any]) -> Figures:
    trials = {name: _trials(plain[name]) for name in _TRIALS if plain.get(name)}
    long, troubles = plain.get("endurance"), plain.get("troubles")
    return Figures(
        **trials,
        troubles=tuple(Trouble(**{**one, "wrong": tuple(one["wrong"])}) for one in troubles) if troubles else None,
        endurance=Endurance(**{**long, "looks": tuple(ProcessLook(**one) for one in long["looks"])}) if long else None,
        measured={name: Measured(**one) for name, one in (plain.get("measured") or {}).items()},
    )
