"""What the candidates cost: microseconds on this machine, all measured in turns in one run, and instructions on a Cortex-A76.

Both by the code of ``benchmarks``, and both of the runner's own runtime, one thread.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from statistics import median

import numpy as np

from benchmarks import nets
from benchmarks.arm import counter
from benchmarks.arm.boards import PI_5
from benchmarks.arm.build import build
from benchmarks.arm.enter import WORK, Visit
from benchmarks.arm.errors import ArmError
from benchmarks.arm.inside import PACKAGES
from benchmarks.arm.instructions import per_unit
from benchmarks.arm.roots import BOOKWORM
from benchmarks.errors import ResultError
from benchmarks.measure.harness import MeasurementPlan
from benchmarks.measure.session import conduct
from benchmarks.record import files as result_files
from benchmarks.record.run import CaseRecord, Run
from benchmarks.record.summary import round_medians, summarise
from benchmarks.workload import Workload
from edge import shelf
from edge.classifier import BATCH
from edge.errors import ModelError
from edge.modelfile import read_model
from edge.runtime import Net
from edge.safe_file import write_text

BATCHES = (1, 8, 32, 64)
CELLS = 1024
"""Cells that instructions are counted over."""

PLAN = MeasurementPlan(seconds=2.0, processes=2, rounds=5, warm=0.1)
_RUNTIME = "litert"
_MARKS = "marks.txt"

Tell = Callable[[str, float], None]


@dataclass(frozen=True, slots=True)
class Time:
    """A net's time.

    Attributes:
        batch: the one at which it takes least.
        us: per cell at that batch, median of the samples.
        ratio: to the reference at its best batch, median over rounds.
        low: smallest of the rounds' ratios.
        high: largest.
        delegated: the delegate runs the whole graph.
    """

    batch: int
    us: float
    ratio: float
    low: float
    high: float
    delegated: bool


@dataclass(frozen=True, slots=True)
class Counts:
    """Instructions per cell.

    Attributes:
        core: that was emulated.
        nets: name to instructions per cell in the runner's batches.
        files: name to SHA-256 of the flatbuffer.
        versions: of the packages in the root.
        cells: that were counted over.
        missing: why there are none; empty where there are.
    """

    core: str
    nets: Mapping[str, int]
    files: Mapping[str, str]
    versions: Mapping[str, str]
    cells: int
    missing: str = ""


def timed(files: Mapping[str, Path], note: Path, tell: Tell, stopped: Callable[[], bool], *, again: bool) -> Run:
    """The times of all files in one run; from the note where it is of the same files and ``again`` is not asked for.

    Args:
        files: name to device file.
        note: where the run is kept.
        tell: gets progress.
        stopped: asked a few times a second; True ends the run, which is then not kept.
        again: measure anew.

    Raises:
        KeyboardInterrupt: it was stopped.
        ModelError: a file could not be measured.
    """
    wanted = {name: read_model(path).sha256 for name, path in files.items()}
    if not again and (kept := _kept(note)) is not None:
        measured = {str(case.workload.group): str(case.facts.get("sha256")) for case in kept.measured.values()}
        if measured == wanted:
            return kept
    run = conduct(workloads(files), PLAN, None, tell, stopped)
    if stopped():
        raise KeyboardInterrupt
    failed = [f"{case.name}: {case.reason}" for case in run.cases if case.reason]
    if failed:
        raise ModelError(f"could not be measured: {failed[0]}")
    result_files.write(note, run)
    return run


def _kept(note: Path) -> Run | None:
    try:
        return result_files.read(note) if note.is_file() else None
    except ResultError:  # damaged, or another version's: measured anew
        return None


def workloads(files: Mapping[str, Path]) -> list[Workload]:
    """A case for every net and batch: the bare interpreter, input set and output got."""
    return [
        Workload(
            f"{name}/b{batch}",
            name,
            "cell",
            "benchmarks.nets:bare",
            {"model": str(path), "batch": batch, "threads": 1, "runtime": _RUNTIME},
            (nets.RUNTIMES[_RUNTIME],),
        )
        for name, path in files.items()
        for batch in BATCHES
    ]


def times(run: Run, reference: str) -> dict[str, Time]:
    """Each net at its best batch, held against the reference at its own, round by round."""
    best: dict[str, CaseRecord] = {}
    for case in run.measured.values():
        name = case.workload.group
        if name not in best or summarise(case).p50_us < summarise(best[name]).p50_us:
            best[name] = case
    beside = [us for _, us in round_medians(best[reference])]
    found = {}
    for name, case in best.items():
        ratios = [us / other for (_, us), other in zip(round_medians(case), beside, strict=True)]
        found[name] = Time(
            int(case.workload.parameters["batch"]),
            summarise(case).p50_us,
            median(ratios),
            min(ratios),
            max(ratios),
            bool(case.facts["delegated"]),
        )
    return found


def counted(files: Mapping[str, Path], note: Path, say: Callable[[str], None], *, again: bool) -> Counts:
    """Instructions of all files; those of the same file are taken from the note. Where no root is built the reason is told.

    Args:
        files: name to device file.
        note: where the counts are kept.
        say: gets a line.
        again: count all anew.

    Raises:
        OutputError: the counts cannot be kept.
    """
    wanted = {name: read_model(path).sha256 for name, path in files.items()}
    kept = None if again else _kept_counts(note)
    known = {name: kept.nets[name] for name in files if kept.files.get(name) == wanted[name]} if kept else {}
    missing = {name: path for name, path in files.items() if name not in known}
    if kept is not None and not missing:
        return replace(kept, nets=known, files=wanted)
    try:
        say(f"counting instructions of {len(missing)} nets on {PI_5.cpu}")
        counts = _counted(missing, wanted, note.with_name("arm"))
        if kept is not None and (kept.versions, kept.cells) != (counts.versions, counts.cells):
            return counted(files, note, say, again=True)  # other packages: old counts do not stand beside new ones
    except ArmError as error:
        return Counts(PI_5.cpu, known, wanted, {}, 0, str(error))
    counts = replace(counts, nets={**known, **counts.nets})
    write_text(note, json.dumps(asdict(counts), indent=1) + "\n")
    return counts


def _kept_counts(note: Path) -> Counts | None:
    try:
        return Counts(**json.loads(note.read_text()))
    except (OSError, ValueError, TypeError):  # none, damaged, or another version's: counted anew
        return None


def _counted(files: Mapping[str, Path], hashes: Mapping[str, str], work: Path) -> Counts:
    if not BOOKWORM.place.is_dir():
        raise ArmError("no emulated ARM root is built here: edge-bench arm builds one")
    build(BOOKWORM)
    emulator = counter.folder()
    shutil.rmtree(work, ignore_errors=True)
    _inputs(files, work)
    program = ["/usr/bin/python3", "-m", "benchmarks.arm.stages", f"{WORK}/nets", str(CELLS), "0"]
    visit = Visit(BOOKWORM, PI_5, work, emulator, {shelf.ENVIRONMENT: f"{WORK}/shelf"})
    done = visit.run(counter.counting(program, PI_5.cpu, _MARKS))
    if done.returncode:
        raise ArmError(f"counting ended with code {done.returncode}: {' / '.join(done.stderr.splitlines()[-2:])}")
    told = json.loads(done.stdout.splitlines()[-1])
    found = per_unit(told["pieces"], [int(line) for line in (work / _MARKS).read_text().splitlines()])
    shutil.rmtree(work, ignore_errors=True)
    versions = {package: told["versions"][package] for package in PACKAGES if package in told["versions"]}
    return Counts(PI_5.cpu, {name: found[f"net {name}"] for name in files}, hashes, versions, told["cells"])


def _inputs(files: Mapping[str, Path], work: Path) -> None:
    """A shelf of the files, and random bytes for each: what these nets take does not depend on what they see."""
    images = np.random.default_rng(0)
    (work / "nets").mkdir(parents=True)
    for name, path in files.items():
        place = work / "shelf" / name / path.name
        place.parent.mkdir(parents=True)
        shutil.copy(path, place)
        shape = Net(read_model(path)).input_shape[1:]
        np.save(work / "nets" / f"{name}.npy", images.integers(0, 256, (BATCH, *shape), dtype=np.uint8))
