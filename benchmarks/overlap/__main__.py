"""``python -m benchmarks.overlap``: measure, and write docs/overlap.md."""

from __future__ import annotations

import sys
from pathlib import Path

import cv2

from benchmarks.overlap.fields import SETS, data, found, joined_tiles, pictures, read, strips
from benchmarks.overlap.figures import SHARES, cost, creep, false_in_mirrors, mosaic_pairs, recall, sweep
from benchmarks.overlap.page import page

PAGE = Path(__file__).resolve().parents[2] / "docs" / "overlap.md"
_TILE_CELL_PX = 45.0
_CELL_PX = {"iml_fields": 83.0, "bbbc_fields": 129.0}


def main() -> int:
    """Measure everything; about ten minutes."""
    cv2.setNumThreads(1)
    if not all((data() / name).is_dir() for name in SETS):
        sys.stderr.write(f"benchmarks.overlap: no real fields in {data()} (EDGE_DATA names their folder)\n")
        return 4
    results = {name: [found(read(p), i, p.name) for i, p in enumerate(pictures(name))] for name in SETS}
    say = sys.stderr.write
    say("found\n")
    sweeps = [sweep(name, results[name]) for name in SETS]
    mirrors = [(name, *false_in_mirrors(results[name])) for name in ("iml_fields", "healthy_tiles", "bbbc_fields")]
    say("false overlaps measured\n")
    recalls = []
    for name, step in (("iml_fields", 2), ("bbbc_fields", 1)):
        chosen = list(enumerate(pictures(name)))[step - 1 :: step]
        pairs = [pair for i, p in chosen for pair in strips(read(p), _CELL_PX[name], [*SHARES], 7000 + i)]
        what = "IML, the fields not chosen on" if step == 2 else "BBBC (fewest cells)"
        recalls.append(recall(what, pairs, _CELL_PX[name]))
    mosaic = joined_tiles()
    pairs = mosaic_pairs(mosaic, _TILE_CELL_PX, 100, 99)
    recalls.append(recall("joined tiles, windows of 16 x 12 cells", pairs, _TILE_CELL_PX))
    say("true overlaps measured\n")
    size = (int(16 * _TILE_CELL_PX), int(12 * _TILE_CELL_PX))
    creeps = [creep(mosaic, (1000, 3000), size, step, n) for step, n in ((16, 60), (40, 40), (240, 12))]
    say("a creeping stage filmed\n")
    costs = cost(pictures("iml_fields"), results["iml_fields"])
    PAGE.write_text(page(sweeps, mirrors, recalls, creeps, costs), encoding="utf-8")
    sys.stdout.write(f"written: {PAGE}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
