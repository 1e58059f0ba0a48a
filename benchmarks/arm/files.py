"""Instructions of given device files on one core, per cell or, of a finder, per field: ``edge-bench arm nets``."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.arm import counter
from benchmarks.arm.boards import Board
from benchmarks.arm.build import build
from benchmarks.arm.enter import WORK, Visit
from benchmarks.arm.errors import ArmError
from benchmarks.arm.inside import PACKAGES
from benchmarks.arm.instructions import per_unit
from benchmarks.arm.roots import BOOKWORM, cache
from edge import shelf
from edge.classifier import BATCH
from edge.finders.learned import GUESS_PX
from edge.modelfile import read_model
from edge.runtime import Net

VERSION = 1
"""Version of the JSON that ``count_files`` gives."""

_MARKS = "marks.txt"


def count_files(files: Mapping[str, Path], board: Board, cells: int) -> dict[str, Any]:
    """Count each net in the runner's batches; an emulated root must have been built before.

    Args:
        files: name to device file.
        board: whose core is emulated.
        cells: that are counted over.

    Returns:
        ``version``, ``core``, ``cells``, ``versions`` of the packages in the root, and by name ``files`` (SHA-256 of the
        flatbuffer) and ``instructions`` per cell, or per field for a finder.

    Raises:
        ArmError: there is no root, or the run fails.
        ModelError: a file cannot be read.
    """
    hashes = {name: read_model(path).sha256 for name, path in files.items()}
    if not BOOKWORM.place.is_dir():
        raise ArmError("no emulated ARM root is built here: edge-bench arm build bookworm builds one")
    build(BOOKWORM)
    work = cache() / "files"
    shutil.rmtree(work, ignore_errors=True)
    write_inputs(files, work)
    program = ["/usr/bin/python3", "-m", "benchmarks.arm.stages", f"{WORK}/nets", str(cells), "0"]
    visit = Visit(BOOKWORM, board, work, counter.folder(), {shelf.ENVIRONMENT: f"{WORK}/shelf"})
    done = visit.run(counter.counting(program, board.cpu, _MARKS))
    if done.returncode:
        said = " / ".join(done.stderr.splitlines()[-2:])
        raise ArmError(f"counting on {board.cpu} ended with code {done.returncode}: {said}")
    told = json.loads(done.stdout.splitlines()[-1])
    counts = per_unit(told["pieces"], [int(line) for line in (work / _MARKS).read_text().splitlines()])
    shutil.rmtree(work, ignore_errors=True)
    return {
        "version": VERSION,
        "core": board.cpu,
        "cells": told["cells"],
        "versions": {package: told["versions"][package] for package in PACKAGES if package in told["versions"]},
        "files": hashes,
        "instructions": {name: counts[f"net {name}"] for name in files},
    }


def field_shape() -> tuple[int, int]:
    """(H, W) of what a finder's net sees of most fields."""
    return GUESS_PX * 3 // 4, GUESS_PX


def write_inputs(files: Mapping[str, Path], work: Path) -> None:
    """A shelf of the files, and random bytes for each: the instructions of these nets do not depend on what they see."""
    images = np.random.default_rng(0)
    (work / "nets").mkdir(parents=True)
    for name, path in files.items():
        place = work / "shelf" / name / f"{name}.tflite"
        place.parent.mkdir(parents=True)
        shutil.copy(path, place)
        model = read_model(path)
        shape = (BATCH, *Net(model).input_shape[1:])
        if model.card is not None and model.card.task == "find":
            shape = (1, *field_shape(), shape[-1])
        np.save(work / "nets" / f"{name}.npy", images.integers(0, 256, shape, dtype=np.uint8))
