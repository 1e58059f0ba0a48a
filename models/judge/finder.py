"""What a finder finds of what there is: ``python -m models.judge.finder``.

On the IML fields (boxes, IoU 0.5) per block of 35 consecutive images and pooled; on the Chula fields, another scope, by
points. The intervals are 95 % percentile bootstraps over fields (Efron 1979; 1,000 draws, seeded): fields of one block
show one film, so they are narrower than those a new film deserves. The blocks show how much films differ.

The classical finder was tuned on IML blocks 0, 2, 4, 6 and on every second Chula field; what is left is marked *held out*.
It is not untouched. The scale estimate, the margin and the thresholds of white cells, platelets and noise were set on fields
of every block and of all Chula fields; the infected cells lost in block 3 were looked at (pale cells' tint, widest radius,
the suspects' confidence); and ``LEAST_CONFIDENCE`` was last moved, from 0.60 to 0.62, on the count bias of all 240 fields.
A learned finder's card says which blocks it was trained on.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path

import cv2
import numpy as np

from convert.measure.matching import Match, Summary, match_boxes, match_points, summarise
from edge.finders import Finder
from edge.finders.classical import ClassicalFinder
from edge.finders.learned import LearnedFinder
from edge.modelfile import read_model
from edge.types import Int32Array, UInt8Array
from models.data.fields import load_chula, load_iml

TUNED_BLOCKS = frozenset({0, 2, 4, 6})
DRAWS = 1000


def make_finder(name: str) -> Finder:
    """``classical``, or the path of a finder's ``.tflite``."""
    return ClassicalFinder() if name == "classical" else LearnedFinder(read_model(Path(name)))


def found_cells(finder: Finder, rgb: UInt8Array) -> tuple[Int32Array, float]:
    """Boxes of what the finder counts, int32 [n, 4], and the milliseconds it took."""
    start = time.perf_counter()
    cells = finder.find(rgb)
    took = (time.perf_counter() - start) * 1e3
    return cells.boxes[cells.kind == 0], took


def interval(matches: Sequence[Match], figure: Callable[[Summary], float]) -> tuple[float, float]:
    """95 % percentile bootstrap over fields of one pooled figure."""
    generator = np.random.default_rng(0)
    draws = generator.integers(0, len(matches), (DRAWS, len(matches)))
    values = [figure(summarise([matches[i] for i in draw])) for draw in draws]
    low, high = np.nanpercentile(values, [2.5, 97.5])
    return float(low), float(high)


def report(matches: Sequence[Match], *, intervals: bool) -> dict[str, object]:
    """The summary as a dictionary; with ``intervals``, of F1, infected kept and count bias."""
    out: dict[str, object] = asdict(summarise(list(matches)))
    if not out["infected"]:
        out["infected_kept"] = None  # a share of nothing; NaN would not be JSON
    if intervals:
        out["f1_interval"] = interval(matches, lambda s: s.f1)
        out["count_bias_interval"] = interval(matches, lambda s: s.count_bias)
        if out["infected"]:
            out["infected_kept_interval"] = interval(matches, lambda s: s.infected_kept)
    return out


def evaluate(finder: Finder, blocks: frozenset[int] | None = None) -> dict[str, object]:
    """Every figure of a finder, nested by set and part; ``blocks``: only these blocks of the IML fields."""
    by_block: dict[int, list[Match]] = {}
    took: list[float] = []
    for annotated in load_iml():
        if blocks is not None and annotated.block not in blocks:
            continue
        rgb = annotated.read()
        boxes, ms = found_cells(finder, rgb)
        took.append(ms)
        match = match_boxes(boxes, annotated.boxes, annotated.infected, (rgb.shape[0], rgb.shape[1]))
        by_block.setdefault(annotated.block, []).append(match)
    chula = []
    for pointed in load_chula():
        rgb = pointed.read()
        boxes, _ = found_cells(finder, rgb)
        chula.append(match_points(boxes, pointed.points, (rgb.shape[0], rgb.shape[1])))
    iml: dict[str, object] = {f"block {b}": report(m, intervals=False) for b, m in sorted(by_block.items())}
    iml["all"] = report([m for matches in by_block.values() for m in matches], intervals=True)
    held_out = [m for b, matches in by_block.items() if b not in TUNED_BLOCKS for m in matches]
    if held_out:
        iml["held out"] = report(held_out, intervals=True)
    return {
        "finder": finder.name,
        "ms_per_field": float(np.median(took)) if took else None,
        "iml": iml,
        "chula": {"all": report(chula, intervals=True), "held out": report(chula[1::2], intervals=True)},
    }


def lines(figures: dict[str, object]) -> list[str]:
    """The figures as a plain table, one line per part."""
    out = [f"{figures['finder']}: {figures['ms_per_field']:.1f} ms per IML field (median)"]
    head = f"{'':16}{'fields':>7}{'cells':>7}{'F1':>7}{'prec.':>7}{'recall':>7}{'infected kept':>16}{'bias':>8}{'error':>7}"
    for name in ("iml", "chula"):
        parts = figures[name]
        out += ["", head if isinstance(parts, dict) else ""]
        for part, row in parts.items() if isinstance(parts, dict) else ():
            kept = f"{row['infected_kept']:.3f} of {row['infected']}" if row["infected"] else "-"
            out.append(
                f"{name + ' ' + part:16}{row['fields']:7}{row['cells']:7}{row['f1']:7.3f}{row['precision']:7.3f}"
                f"{row['recall']:7.3f}{kept:>16}{row['count_bias']:+8.3f}{row['count_error']:7.3f}"
            )
            bounds = [
                f"{k.removesuffix('_interval')} {v[0]:.3f} to {v[1]:.3f}" for k, v in row.items() if "_interval" in k
            ]
            if bounds:
                out.append(f"{'':16}95 % over {row['fields']} fields: " + ", ".join(bounds))
    return out


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line."""
    parser = argparse.ArgumentParser(prog="python -m models.judge.finder", description="Score a cell finder.")
    parser.add_argument("--finder", default="classical", help="classical, or the path of a finder's .tflite")
    parser.add_argument("--blocks", default=None, help="only these IML blocks, as in 1,3,5")
    parser.add_argument("--threads", type=int, default=1, help="threads OpenCV may use")
    parser.add_argument("--json", action="store_true", help="print JSON")
    options = parser.parse_args(arguments)
    cv2.setNumThreads(options.threads)
    blocks = frozenset(int(b) for b in options.blocks.split(",")) if options.blocks else None
    figures = evaluate(make_finder(options.finder), blocks)
    sys.stdout.write((json.dumps(figures, indent=1) if options.json else "\n".join(lines(figures))) + "\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
