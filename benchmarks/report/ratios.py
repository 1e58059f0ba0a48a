"""The figures that say whether our code is worth its time, each with the target that was set for it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from benchmarks.record.run import LEFT_OUT, CaseRecord, Run
from benchmarks.record.summary import summarise

CLASSIFY = "benchmarks.nets:classify"
BARE = "benchmarks.nets:bare"
CEILING = "benchmarks.nets:ceiling"
ANALYSE = "benchmarks.fields:analyse"
OURS_BESIDE = "benchmarks.peers.cells:ours"
FASTER = {"one invoke per cell": 1.5, "onnxruntime int8": 2.0, "scikit-image": 100.0}
"""How many times as long the peers of these names shall take."""


@dataclass(frozen=True, slots=True)
class Target:
    """One figure. ``wanted`` in words; ``met`` compares the measured figure, unrounded."""

    name: str
    wanted: str
    measured: float
    met: bool


@dataclass(frozen=True, slots=True)
class PeerRatio:
    """A peer's case compared with ours of the same group: it takes ``times`` as long per unit."""

    case: CaseRecord
    ours: CaseRecord
    times: float


def targets(run: Run) -> list[Target]:
    """The targets that this run has figures for."""
    return [*_overheads(run), *_decode(run), *_workers(run), *_peers(run)]


def overheads(run: Run) -> Iterator[tuple[CaseRecord, str, float]]:
    """(our classifier's case, what it is compared with, ratio) at the same batch, model and runtime, one thread."""
    for case in _of(run, CLASSIFY):
        mine = _p50(case)
        for other in _of(run, BARE):
            ours, theirs = case.workload.parameters, other.workload.parameters
            same = all(ours.get(key) == theirs.get(key) for key in ("model", "batch")) and theirs.get("threads") == 1
            runtime = str(theirs.get("runtime"))
            if same and runtime in str(case.facts.get("runtime")):
                what = "invoke alone" if theirs.get("call") == "invoke" else "set input, invoke, get output"
                yield case, what, mine / _p50(other)


def _overheads(run: Run) -> Iterator[Target]:
    found = [(case, what, ratio) for case, what, ratio in overheads(run) if _full(case)]
    for case, what, ratio in found:
        yield Target(f"{case.name} / bare interpreter ({what})", "<= 1.10", ratio, ratio <= 1.10)


def _full(case: CaseRecord) -> bool:
    """Whether the cells fill the classifier's own batches: the target is for the best batch."""
    inside = case.facts.get("batch_inside")
    return isinstance(inside, int) and int(case.workload.parameters["batch"]) % inside == 0


def _decode(run: Run) -> Iterator[Target]:
    for case in _of(run, ANALYSE):
        s = summarise(case)
        if case.workload.parameters.get("workers") == 1 and s.to_decode is not None:
            yield Target(f"{case.name}: find + crop + classify / decode", "<= 1.0", s.to_decode, s.to_decode <= 1.0)


def _workers(run: Run) -> Iterator[Target]:
    cores = int(run.device["cores"])
    for case, alone, count in scaling(run):
        gain = _rate(case) / _rate(alone)
        if count == 2 and cores >= 2:
            yield Target(f"{case.name}: 2 workers over 1", ">= 1.8", gain, gain >= 1.8)


def scaling(run: Run) -> Iterator[tuple[CaseRecord, CaseRecord, int]]:
    """(case, the same with one worker, its workers) for every case with several workers."""
    single = {_without_workers(case): case for case in _of(run, ANALYSE) if case.workload.parameters["workers"] == 1}
    for case in _of(run, ANALYSE):
        workers = int(case.workload.parameters["workers"])
        if workers > 1 and (alone := single.get(_without_workers(case))) is not None:
            yield case, alone, workers


def peer_ratios(run: Run) -> Iterator[PeerRatio]:
    """Every peer's case, compared with ours of the same group: with the one on the same cells and fields if there is one."""
    ours: dict[str, CaseRecord] = {}
    for case in sorted(filter(_is_ours, run.measured.values()), key=lambda one: (not _is_peer(one), _p50(one))):
        ours.setdefault(case.workload.group, case)
    for case in run.measured.values():
        if _is_peer(case) and not _is_ours(case) and (own := ours.get(case.workload.group)) is not None:
            yield PeerRatio(case, own, _p50(case) / _p50(own))


def _is_peer(case: CaseRecord) -> bool:
    return case.workload.setup.startswith("benchmarks.peers")


def _is_ours(case: CaseRecord) -> bool:
    return case.workload.setup in (CLASSIFY, ANALYSE, OURS_BESIDE) or case.workload.parameters.get("how") == "edge"


def _peers(run: Run) -> Iterator[Target]:
    for one in peer_ratios(run):
        for word, least in FASTER.items():
            if word in one.case.name and one.case.workload.parameters.get("threads", 1) == 1:
                yield Target(f"{one.case.name} / {one.ours.name}", f">= {least:g}", one.times, one.times >= least)


def ceiling(run: Run) -> tuple[float, str] | None:
    """(10^9 multiply-accumulates per second of one core, how it is known), None where it is not."""
    known = run.device.get("peak_gmac_s_per_core")
    if known is not None:
        return float(known), "the core's peak by its manual at its highest clock"
    measured = [_gmac(case) for case in _of(run, CEILING) if case.workload.parameters.get("threads") == 1]
    return (max(measured), "measured with a dense 3x3 net: no peak is known for this core") if measured else None


def not_measured(run: Run) -> list[str]:
    """One line per failed case, and one per reason for those that were left out."""
    why: dict[tuple[str, str], list[str]] = {}
    for case in run.cases:
        if case.reason is not None:
            key = (case.status, case.reason if case.status == LEFT_OUT else f"{case.name}: {case.reason}")
            why.setdefault(key, []).append(case.name)
    return [
        f"{status}: {reason} ({len(names)}: {', '.join(names)})" if status == LEFT_OUT else f"{status}: {reason}"
        for (status, reason), names in why.items()
    ]


def _of(run: Run, setup: str) -> list[CaseRecord]:
    return [case for case in run.measured.values() if case.workload.setup == setup]


def _p50(case: CaseRecord) -> float:
    return summarise(case).p50_us


def _rate(case: CaseRecord) -> float:
    return summarise(case).units_per_s


def _gmac(case: CaseRecord) -> float:
    return summarise(case).gmac_s or 0.0


def _without_workers(case: CaseRecord) -> tuple[tuple[str, Any], ...]:
    return tuple(sorted((k, v) for k, v in case.workload.parameters.items() if k != "workers"))
