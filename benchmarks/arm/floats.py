"""What the shelf's nets would cost in float: ``edge-bench arm float``.

Processors without int8 dot products (Raspberry Pi 3 and 4, older PCs) may gain little by int8. Each net is counted as it ships and
in float, fed with the same bytes by the runner's own code. Float files are made of the ``.keras`` files beside the shipped ones,
so that TensorFlow is needed.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import redirect_stdout
from io import StringIO
from itertools import accumulate
from pathlib import Path
from typing import Any

from benchmarks.arm.boards import BOARDS, Board
from benchmarks.arm.files import count_files, field_shape, write_inputs
from benchmarks.arm.host import say
from benchmarks.arm.instructions import per_unit
from benchmarks.errors import NoInputError
from benchmarks.places import REPOSITORY
from benchmarks.valgrind import counted
from convert.finding.graph import finder_graph
from convert.finding.spec import Roles
from convert.net.batch import CONVERTED_AT
from convert.net.int8 import to_float
from convert.net.rewrite import device_model
from convert.net.values import RANGES
from convert.reading.load import load_model
from convert.reading.source import open_source
from edge import shelf
from edge.door import quiet_native_stderr
from edge.modelfile import write_model

CELLS = 256
"""Cells a net is counted over."""

OLDER_PC = "older PC (AVX2)"
"""What valgrind lets a program see."""

Counts = Mapping[str, Mapping[str, int]]
"""Processor to name of a file to instructions per cell, or per field for a finder."""


def count_floats(boards: Sequence[Board] = BOARDS) -> Counts:
    """Count the shelf's classifier and finder, each as it ships and in float.

    Raises:
        ArmError: there is no emulated root, or a run fails.
        NoInputError: valgrind is not installed, or there is no ``.keras`` file.
        CaseError: the run under valgrind fails.
        ToolError: TensorFlow is not installed.
    """
    with tempfile.TemporaryDirectory() as folder:
        files = make_files(Path(folder))
        counts = {board.cpu: count_files(files, board, CELLS)["instructions"] for board in boards}
        say("counting on this machine, under valgrind")
        return {**counts, OLDER_PC: on_this_machine(files, Path(folder) / "work")}


def make_files(folder: Path) -> dict[str, Path]:
    """Files by name, ``NAME`` as it ships and ``NAME-float``."""
    files: dict[str, Path] = {}
    for name in (shelf.CLASSIFIER, shelf.FINDER):
        model = shelf.load(name)
        source = model.path.with_suffix(".keras")
        if not source.is_file():
            raise NoInputError(f"{source}: the float net is made of this file, which is not there")
        twin = folder / f"{name}-float.tflite"
        say(f"making {twin.name}")
        assert model.card is not None  # noqa: S101 - the shelf's files have one
        write_model(twin, _float_file(source, finder=model.card.task == "find"), model.card)
        files |= {name: model.path, twin.stem: twin}
    return files


def _float_file(source: Path, *, finder: bool) -> bytes:
    """The float32 flatbuffer of a trained net; it takes bytes."""
    values = RANGES["-2..2"]
    with quiet_native_stderr(), redirect_stdout(StringIO()):
        net = load_model(open_source(source))
        if finder:
            return to_float(finder_graph(net, field_shape(), Roles(0, (1,), logits=False), values, from_bytes=True))
        side = int(net.inputs[0].shape[1])
        return to_float(device_model(net, side, values, batch=CONVERTED_AT, from_bytes=True))


def on_this_machine(files: Mapping[str, Path], work: Path) -> dict[str, int]:
    """Instructions by name, counted by valgrind."""
    shutil.rmtree(work, ignore_errors=True)
    write_inputs(files, work)
    program = [sys.executable, "-m", "benchmarks.arm.stages", str(work / "nets"), str(CELLS), "0"]
    environment = {**os.environ, shelf.ENVIRONMENT: str(work / "shelf"), "PYTHONPATH": str(REPOSITORY)}
    out, spans = counted(program, environment)
    told: dict[str, Any] = json.loads(out.splitlines()[-1])
    pieces = told["pieces"]
    counts = per_unit(pieces, list(accumulate(spans[: len(pieces)])))
    return {name: counts[f"net {name}"] for name in files}


def render(counts: Counts) -> str:
    """A Markdown table: a row per net, int8, float and their ratio on each processor."""
    lines = [
        "| net | " + " | ".join(f"{processor}: int8, float, float / int8" for processor in counts) + " |",
        "|---|" + "---:|" * len(counts),
    ]
    height, width = field_shape()
    for name, of in ((shelf.FINDER, f"a field of {width}x{height}"), (shelf.CLASSIFIER, "a cell")):
        cells = []
        for mine in counts.values():
            whole, real = mine[name], mine[f"{name}-float"]
            cells.append(f"{whole:,}, {real:,}, {real / whole:.2f}")
        lines.append(f"| `{name}`, {of} | " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"
