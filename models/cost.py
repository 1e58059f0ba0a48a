"""What a run costs on this machine: time against decoding, memory, start."""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import time

import cv2
import numpy as np

from edge.classifier import Classifier
from edge.crops import crop_cells
from edge.finders.learned import LearnedFinder
from edge.pixels import pyramid
from models.fields import AnnotatedField, data_dir
from models.figure import Figure


def time_row(finder: LearnedFinder, classifier: Classifier, fields: list[AnnotatedField]) -> Figure:
    """Find + crop + classify over decoding the same field's JPEG, one thread, alternating, median of the ratios."""
    ratios, decodes, works = [], [], []
    for _ in range(3):
        for entry in fields:
            data = np.frombuffer(entry.path.read_bytes(), np.uint8)
            start = time.perf_counter()
            bgr = cv2.imdecode(data, cv2.IMREAD_COLOR)
            decoded = time.perf_counter()
            if bgr is None:
                raise FileNotFoundError(entry.path)
            rgb = np.asarray(bgr[..., ::-1].copy(), np.uint8)
            levels = pyramid(rgb)
            started = time.perf_counter()
            cells = finder.find(levels)
            boxes = cells.boxes[cells.kind == 0]
            classifier.classes(classifier.scores(crop_cells(levels, boxes, classifier.card.crop)))
            done = time.perf_counter()
            decodes.append((decoded - start) * 1e3)
            works.append((done - started) * 1e3)
            ratios.append((done - started) / (decoded - start))
    ratio = float(np.median(ratios))
    value = f"{ratio:.2f} (medians {np.median(works):.1f} ms / {np.median(decodes):.1f} ms on this machine, n = {len(ratios)})"
    return Figure("find + crop + classify over JPEG decode, 1 thread", "IML", "<= 1.0", value, ratio <= 1.0)


def process_rows() -> list[Figure]:
    """Peak memory of a run over all fields with 2 workers, and start to first field result."""
    images = data_dir() / "iml_fields" / "images"
    command = [sys.executable, "-m", "edge", "run", str(images), "--json", "--workers", "2"]
    starts = []
    for _ in range(3):
        began = time.perf_counter()
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:  # noqa: S603
            if process.stdout is not None and '"field"' in process.stdout.readline():
                starts.append(time.perf_counter() - began)
            process.kill()
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:  # noqa: S603
        lines = process.stdout.read().splitlines() if process.stdout is not None else []
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    fields = sum(json.loads(line)["event"] == "field" for line in lines)
    start = float(np.median(starts)) if starts else float("inf")
    return [
        Figure(
            "peak memory of a run, 2 workers",
            "IML",
            "<= 250 MB",
            f"{peak:.0f} MB ({fields} fields)",
            fields > 0 and peak <= 250,
        ),
        Figure("start to first field result", "IML", "<= 2 s", f"{start:.2f} s (median of {len(starts)})", start <= 2),
    ]
