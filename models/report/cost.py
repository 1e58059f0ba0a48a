"""What a run costs on this machine: time against decoding, memory, start."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from typing import Any

import numpy as np

from models.data.fields import data_dir
from models.report.figure import Figure


def cost_rows() -> list[Figure]:
    """What ``edge-run`` itself reports over all fields: its stages on one worker, its memory with two, its start."""
    images = data_dir() / "iml_fields" / "images"
    command = [sys.executable, "-m", "edge", "run", str(images), "--no-book", "--json", "--workers"]
    starts = []
    for _ in range(3):
        began = time.perf_counter()
        with subprocess.Popen([*command, "2"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:  # noqa: S603
            if process.stdout is not None and '"field"' in process.stdout.readline():
                starts.append(time.perf_counter() - began)
            process.kill()
    fields, peak = _field_events([*command, "2"]), _peak_mb([*command, "2"])
    start = float(np.median(starts)) if starts else float("inf")
    return [
        _stage_row(_field_events([*command, "1"])),
        Figure(
            "peak memory of a run, 2 workers",
            "IML",
            "<= 250 MB",
            f"{peak:.0f} MB ({len(fields)} fields)",
            len(fields) > 0 and peak <= 250,
        ),
        Figure("start to first field result", "IML", "<= 2 s", f"{start:.2f} s (median of {len(starts)})", start <= 2),
    ]


def _stage_row(events: list[dict[str, Any]]) -> Figure:
    """Find + crop + classify over decode of the same field, median of the ratios."""
    decodes = np.array([event["ms"]["decode"] for event in events])
    works = np.array([sum(event["ms"][stage] for stage in ("find", "crop", "classify")) for event in events])
    ratio = float(np.median(works / decodes))
    parts = f"medians {np.median(works):.1f} ms / {np.median(decodes):.1f} ms on this machine, n = {len(events)}"
    return Figure(
        "find + crop + classify over JPEG decode, 1 worker", "IML", "<= 1.0", f"{ratio:.2f} ({parts})", ratio <= 1.0
    )


_PEAK = (
    "import resource, subprocess, sys; subprocess.run(sys.argv[1:], stdout=-3, stderr=-3); "
    "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)"
)
"""A small process asks for the peak of its child: a child inherits the peak of what it was forked from, and this process is large."""


def _peak_mb(command: list[str]) -> float:
    done = subprocess.run([sys.executable, "-c", _PEAK, *command], capture_output=True, check=True)  # noqa: S603
    return int(done.stdout) / 1024


def _field_events(command: list[str]) -> list[dict[str, Any]]:
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:  # noqa: S603
        lines = process.stdout.read().splitlines() if process.stdout is not None else []
    events = [json.loads(line) for line in lines]
    return [event for event in events if event["event"] == "field"]
