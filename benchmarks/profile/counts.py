"""Instructions per stage: by valgrind on this machine, and on emulated ARM cores by the counter of ``benchmarks.arm``.

Both run ``tracing`` on the same images; its marks say where a stage ends. Counts repeat within 0.2 %. Valgrind hides AVX-512 and
its int8 dot products: its column is an older PC's.
"""

from __future__ import annotations

import json
import shutil
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

from benchmarks.arm import counter, host
from benchmarks.arm.boards import Board
from benchmarks.arm.build import build
from benchmarks.arm.enter import WORK, Visit
from benchmarks.arm.roots import BOOKWORM, cache
from benchmarks.errors import CaseError
from benchmarks.profile import tracing
from benchmarks.profile.times import PER_FIELD, RATIO, TOGETHER, Stages, models
from benchmarks.profile.tracing import DECODE, STAGES
from benchmarks.valgrind import counted

_MARKS = "marks.txt"


def on_this_machine(images: Sequence[str], root: Path, environment: Mapping[str, str]) -> Stages:
    """Millions of instructions per stage and field of one tree, counted by valgrind.

    Raises:
        NoInputError: valgrind is not installed.
        CaseError: it failed.
    """
    out, spans = counted([sys.executable, "-P", tracing.__file__, *models(root), *images], environment)
    labels = json.loads(out.splitlines()[-1])
    return per_stage(labels, spans[: len(labels)], len(images))


def on_board(images: Sequence[str], root: Path, board: Board) -> Stages:
    """The same on an emulated core, in the root that ``benchmarks.arm`` builds.

    Raises:
        ArmError: the root or the counter cannot be built here.
        CaseError: the run failed.
    """
    build(BOOKWORM)
    emulator = counter.folder()
    work = cache() / "profile"
    shutil.rmtree(work, ignore_errors=True)
    for part in ("edge", "models/shelf"):
        shutil.copytree(root / part, work / "tree" / part, ignore=shutil.ignore_patterns("__pycache__"))
    (work / "tree" / "models" / "__init__.py").touch()
    shutil.copy(tracing.__file__, work / "tracing.py")
    for number, image in enumerate(images):
        shutil.copy(image, work / f"{number}.jpg")
    nets = [f"{WORK}/tree/{Path(path).relative_to(root)}" for path in models(root)]
    program = ["/usr/bin/python3", "-P", f"{WORK}/tracing.py", *nets, *(f"{WORK}/{n}.jpg" for n in range(len(images)))]
    host.say(f"counting {root.name} on {board.cpu}")
    visit = Visit(BOOKWORM, board, work, emulator, {"PYTHONPATH": f"{WORK}/tree"})
    done = visit.run(counter.counting(program, board.cpu, _MARKS))
    if done.returncode:
        raise CaseError(f"{board.cpu}: {(done.stderr.strip().splitlines() or ['failed'])[-1]}")
    upto = [int(line) for line in (work / _MARKS).read_text().splitlines()]
    shutil.rmtree(work, ignore_errors=True)
    spans = [after - before for before, after in zip([0, *upto], upto, strict=False)]
    return per_stage(json.loads(done.stdout.splitlines()[-1]), spans, len(images))


def per_stage(labels: Sequence[str], spans: Sequence[int], images: int) -> Stages:
    """Millions per stage and image from what was counted between marks; raises CaseError if a mark is missing."""
    if len(labels) != len(spans):
        raise CaseError(f"{len(labels)} marks were set and {len(spans)} heard")
    spent: Counter[str] = Counter()
    for label, span in zip(labels, spans, strict=True):
        spent[label] += span
    figures = {stage: spent[stage] / images / 1e6 for stage in STAGES}
    figures[TOGETHER] = sum(figures[stage] for stage in PER_FIELD)
    figures[RATIO] = figures[TOGETHER] / figures[DECODE] if figures[DECODE] else 0.0
    return figures
