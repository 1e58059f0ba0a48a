"""docs/overlap.md: what stands in it always, and the figures."""

from __future__ import annotations

from collections.abc import Sequence

from benchmarks.overlap.figures import SHARES, Cost, Creep, Recall, Sweep
from benchmarks.overlap.measure import OverlapFigures
from edge.verdict.interval import clopper_pearson

SURE = 0.5
"""Correlation of the pixels from which two fields show the same place beyond doubt."""

_TEXT = """\
# Fields that overlap

Written by `python -m benchmarks.overlap`; how it works stands in `edge/overlap/`.

Every kept field of a sample is registered against all earlier kept ones, by where its cells lie, not by brightness. What an
earlier field showed is set aside as `not-new` and not counted again. The field's line says so: "overlaps field 12: 71 cells
counted there" (`--json`: `overlaps`, `--csv`: the last column). `--no-overlap` switches it off, for `edge-run` and
`edge calibrate`; `--no-gate` does not.

- A thing seen whole in an earlier field was judged there, counted or set aside, and is not judged again. A cell that the
  earlier field's border cut, or that was missed there, is counted now. So a place looked at many times gathers what was found in
  any of its looks: some per cent more cells than one look finds (below: the stage that creeps).
- A view moves by a shift, with up to 2 degrees and 3 % of scale besides. A mirror or a turned camera is another view.
- An overlap is believed when chance gives as many matched cells in at most one of a million pairs of different fields (by a
  bound), and half of the cells in the common part are matched.
- **What it does not see**: fields of which fewer than six things are whole are not registered. About ten whole cells in common are
  needed to tell, more where the common part is a thin strip (below); else the field says nothing and counts.
  Fields of another size in pixels are registered among their own; tiles of a grid (`--tiling grid`) are no cells: it is off.
- What stands at the same pixel in most views (dust on the sensor, burnt-in text) is left out, once three views have shown it.
- It remembers half a million things, some 2,000 fields (2,500 thin ones), and at most 36 MB of keys; what is older is forgotten.
- The gate judges before: a view that is "the same as the one before" is rejected as a whole, by the view that was
  counted: what creeps away from it comes here.

"""


def page(figures: OverlapFigures) -> str:
    """The page as Markdown."""
    parts = [
        _TEXT,
        _false(figures.sweeps, figures.mirrors),
        _true(figures.recalls),
        _creeping(figures.creeps),
        _cost(figures.costs),
        _list(figures.sweeps),
    ]
    return "\n".join(part.rstrip() + "\n" for part in parts)


def _false(sweeps: Sequence[Sweep], mirrors: Sequence[tuple[str, int, int, int]]) -> str:
    rows = [
        f"| {s.name} | {s.fields} | {s.pairs:,} | {len(s.found)} | {sum(f.pixels < SURE for f in s.found)} "
        f"| {s.before:,} | {s.after:,} |"
        for s in sweeps
    ]
    rows += [f"| {name}, and in mirrors | {n} | {pairs:,} | | {false} | | |" for name, n, pairs, false in mirrors]
    pairs = sum(s.pairs for s in sweeps) + sum(m[2] for m in mirrors)
    false = sum(f.pixels < SURE for s in sweeps for f in s.found) + sum(m[3] for m in mirrors)
    bound = clopper_pearson(false, pairs).high
    return f"""\
## Overlaps that are none

All pairs of fields within each set (fields with at least six whole things), as a sample of them would be counted. Whether a found
overlap is one is told by the pixels, which registration does not use: where two fields show the same place, their common
parts correlate (at least {SURE}; the list is at the end of this page). Mirrors: every field and its three mirror images in
one sample; pairs of different mirrors are different fields.

| set | fields | pairs | overlaps found | not confirmed by the pixels | cells without | cells with |
|---|---|---|---|---|---|---|
{chr(10).join(rows)}

{false} false overlaps in {pairs:,} pairs: at most {bound * 1e4:.2g} in 10,000 (95 %).
"""


def _true(recalls: Sequence[Recall]) -> str:
    heads = " | ".join(f"{low:.0%} to {high:.0%}" for low, high in SHARES)
    rows = [
        f"| {r.what} | {' | '.join(_part(*r.tried[band]) for band in SHARES)} | {_part(*r.enough)} | {r.wrong} |"
        for r in recalls
    ]
    return f"""\
## Overlaps that are there

Two windows of one picture, each through the finder. The second is turned by up to 1 degree, scaled by up to 1 %, blurred by up to
0.04 cells, exposed by 0.7 to 1.3 with a gamma of 0.8 to 1.25, noisy (up to 6 grey levels) and compressed (JPEG 60 to 95); 100
other fields were registered before. Columns: share of a window's area that both show; found of tried, with 95 % interval. Limits
were chosen on every second IML field, on Chula and on the tiles at other places. BBBC was looked at meanwhile, and so were
false overlaps of all sets: only the other IML fields are unseen. Windows of single fields are strips: 0.58 of a
field, and so share about half of the area that whole fields share at the same figure; their common part may be no higher than a
cell. "Ten cells" are the pairs in which both windows show at least ten whole cells of the common part.

| windows | {heads} | with ten cells in common | at a wrong place |
|---|{"---|" * (len(SHARES) + 2)}
{chr(10).join(rows)}
"""


def _part(k: int, n: int) -> str:
    if not n:
        return "-"
    share = clopper_pearson(k, n)
    return f"{k} of {n} ({share.low:.1%} to {share.high:.1%})"


def _creeping(creeps: Sequence[Creep]) -> str:
    rows = [f"| {c.step} | {c.frames} | {c.added:,} | {c.counted:,} | {c.strip:,} |" for c in creeps]
    return f"""\
## A stage that creeps

The joined tiles, filmed; each frame has noise and an exposure of its own. The last column is what the finder finds in the whole strip
taken as one picture.

| pixels a frame | frames | cells of all frames | counted | in one picture |
|---|---|---|---|---|
{chr(10).join(rows)}
"""


def _cost(costs: Sequence[Cost]) -> str:
    rows = [f"| {c.earlier:,} | {c.ratio:.1%} | {c.kilobytes:.1f} |" for c in costs]
    return f"""\
## Cost

IML fields; processor time of registering over that of decoding and analysing the same field, in turn in one run, median.

| earlier fields | of a field's time | kB remembered per field |
|---|---|---|
{chr(10).join(rows)}
"""


def _list(sweeps: Sequence[Sweep]) -> str:
    rows = [
        f"| {s.name} | {f.field} | {f.earlier} | {f.overlap.shift[0]}, {f.overlap.shift[1]} | {f.overlap.cells} | {f.pixels:.2f} |"
        for s in sweeps
        for f in s.found
    ]
    return f"""\
## The overlaps found

| set | field | lies on | shift, px | cells counted there | correlation of the pixels |
|---|---|---|---|---|---|
{chr(10).join(rows)}
"""
