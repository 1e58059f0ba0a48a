"""The four tables of ``python -m benchmarks.checks DATA``.

DATA holds the sets of real fields (``iml_fields/images`` and so on).

* fields that nothing is wrong with: in how many a lit region is seen, how many are called incomplete;
* counts through masks against what the same finder finds in the same field without one and wholly inside: per field and in sum.
  A cell counts as inside by the analysis's own rule, by its whole box, or by its box less a tenth on every side;
* damaged pictures and odd but whole ones, per kind and set. Limits were chosen on IML and Raabin, the others only tell;
* processor time of both checks against decoding and analysis of the same field, side by side.

All random numbers are seeded: the same data gives the same tables, except for the times.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from time import thread_time

import cv2
import numpy as np

from benchmarks.checks import spoilt
from benchmarks.errors import NoInputError
from edge import shelf
from edge.analysis import Analyser, set_aside_outside
from edge.classifier import Classifier
from edge.finders.learned import LearnedFinder
from edge.incomplete import is_incomplete
from edge.inside import beyond
from edge.region import find_region
from edge.sources.decode import decode_image
from edge.types import Cells, Field, FieldResult, Int32Array, Region, UInt8Array

SETS = ("iml_fields", "raabin_fields", "bbbc_fields", "chula_fields", "pbc_fields", "healthy_tiles", "thick_fields")
COUNTED = ("iml_fields", "chula_fields", "bbbc_fields")
"""Sets of which cells are counted through masks."""

LARGE = (4032, 3024)
"""Pixels of a field of a phone's camera."""

ROUNDS = 7
"""Calls of which the quickest is taken."""


def fields(data: Path, name: str, every: int) -> Iterator[tuple[str, UInt8Array]]:
    """Every so many fields of a set, in order, with their names."""
    for path in sorted((data / name / "images").glob("*"))[::every]:
        yield str(path), decode_image(path)


def analyser() -> Analyser:
    """The learned finder and the shelf's classifier, as ``edge run`` has them."""
    cv2.setNumThreads(1)
    return Analyser(LearnedFinder(shelf.load(shelf.FINDER)), Classifier(shelf.load(shelf.CLASSIFIER)))


def outline_of(lit: np.ndarray) -> Region:
    """The region of an exact mask, bool [H, W]: the hull of its pixels' corners."""
    points = np.concatenate(cv2.findContours(lit.astype(np.uint8), cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)[0])
    corners = points.astype(np.float32) + np.array([[[0, 0], [1, 0], [0, 1], [1, 1]]], np.float32)
    return Region(np.asarray(cv2.convexHull(corners.reshape(-1, 2))[:, 0], np.float32))


def inside_by(cells: Cells, region: Region) -> tuple[int, int, int]:
    """Cells counted without a mask that lie in a region: by the analysis's rule, by whole boxes, by boxes less a tenth."""
    boxes = cells.boxes[cells.kind == 0]
    slack = np.rint(boxes[:, 2:] * 0.1).astype(np.int32)
    core: Int32Array = np.concatenate([boxes[:, :2] + slack, boxes[:, 2:] - 2 * slack], axis=1)
    rule = int(np.count_nonzero(set_aside_outside(cells, region).kind == 0))
    whole, less = (int(np.count_nonzero(beyond(region, some) <= 0)) for some in (boxes, core))
    return rule, whole, less


def masked_counts(
    data: Path, name: str, every: int, analyse: Callable[[Field], FieldResult], *, large: bool
) -> list[str]:
    """Rows of the second table: one per kind of mask, each field with the next kind of surround."""
    seen: dict[str, list[tuple[int, int, int, int]]] = {mask: [] for mask in spoilt.MASKS}
    missed = dict.fromkeys(spoilt.MASKS, 0)
    for at, (path, plain) in enumerate(fields(data, name, every)):
        rgb = np.asarray(cv2.resize(plain, LARGE, interpolation=cv2.INTER_LINEAR), np.uint8) if large else plain
        alone = analyse(Field(rgb, 0, name, path)).cells
        for turn, (mask, shape) in enumerate(spoilt.MASKS.items()):
            lit = shape((rgb.shape[0], rgb.shape[1]))
            surround = spoilt.SURROUNDS[(at + turn) % len(spoilt.SURROUNDS)]
            got = analyse(Field(spoilt.through(rgb, lit, surround, np.random.default_rng(at)), 0, name, path))
            missed[mask] += got.region is None
            seen[mask].append((int(np.count_nonzero(got.cells.kind == 0)), *inside_by(alone, outline_of(lit))))
    title = name + (f", enlarged to {LARGE[0]}x{LARGE[1]}" if large else "")
    every_one = [one for some in seen.values() for one in some]
    rows = [counted(mask, some, missed[mask]) for mask, some in seen.items()]
    return [
        "",
        f"| {title} | fields | region missed | median error | worst | sum: ours | whole box | less a tenth |",
        "|---|" + "---:|" * 7,
        *rows,
        counted("all", every_one, sum(missed.values())),
    ]


def counted(name: str, some: Sequence[tuple[int, int, int, int]], missed: int) -> str:
    """A row: errors against the cells inside, per field where there are ten or more, and in sum."""
    values = np.array(some, float)
    many = values[values[:, 1] >= 10]
    error = np.abs(many[:, 0] / many[:, 1] - 1) if len(many) else np.zeros(1)
    sums = [f"{100 * (values[:, 0].sum() / max(1, values[:, by].sum()) - 1):+.1f} %" for by in (1, 2, 3)]
    return (
        f"| {name} | {len(some)} | {missed} | {100 * np.median(error):.1f} % | {100 * error.max():.1f} % | "
        + " | ".join(sums)
        + " |"
    )


def plain_rows(data: Path, every: int) -> list[str]:
    """The first table."""
    rows = ["| as they are | fields | lit region | incomplete |", "|---|---:|---:|---:|"]
    for name in SETS:
        regions = [(rgb, find_region(rgb)) for _, rgb in fields(data, name, every)]
        found, refused = sum(region is not None for _, region in regions), sum(is_incomplete(*one) for one in regions)
        rows.append(f"| {name} | {len(regions)} | {found} | {refused} |")
    return rows


def called_incomplete(data: Path, name: str, every: int, makers: dict[str, spoilt.Maker]) -> dict[str, tuple[int, int]]:
    """Per maker, how many of the fields it makes are called incomplete, of how many."""
    tally = dict.fromkeys(makers, (0, 0))
    before: UInt8Array | None = None
    for at, (_, rgb) in enumerate(fields(data, name, every)):
        if before is not None and before.shape == rgb.shape:
            for kind, make in makers.items():
                made = make(rgb, before, np.random.default_rng([at, len(kind)]))
                if made is not rgb or find_region(rgb) is None:  # a field that has a bar of its own is no example
                    caught, of = tally[kind]
                    tally[kind] = caught + is_incomplete(made, find_region(made)), of + 1
        before = rgb
    return tally


def damage_rows(data: Path, every: int, makers: dict[str, spoilt.Maker], title: str) -> list[str]:
    """The third table, for damaged pictures or whole ones."""
    columns = [
        called_incomplete(data, name, max(1, every // (4 if name == "chula_fields" else 1)), makers) for name in SETS
    ]
    rows = [f"| {title} | " + " | ".join(SETS) + " |", "|---|" + "---:|" * len(SETS)]
    cells = {kind: ["{} of {}".format(*column[kind]) for column in columns] for kind in makers}
    rows += [f"| {kind} | " + " | ".join(row) + " |" for kind, row in cells.items()]
    total = [sum(column[kind][which] for column in columns for kind in makers) for which in (0, 1)]
    return [*rows, "", f"Called incomplete: {total[0]} of {total[1]}."]


def cost_rows(data: Path, every: int, analyse: Callable[[Field], FieldResult]) -> list[str]:
    """The fourth table: least processor time of some rounds per field, median over fields."""
    rows = ["| processor time | lit region, of a field's all | incomplete | both |", "|---|---:|---:|---:|"]
    for name in COUNTED:
        shares = []
        for path, rgb in fields(data, name, every):
            field = Field(rgb, 0, name, path)
            jobs = (
                partial(decode_image, path),
                partial(analyse, field),
                partial(find_region, rgb),
                partial(is_incomplete, rgb),
            )
            least = [least_seconds(job) for job in jobs]
            shares.append([least[2] / sum(least[:2]), least[3] / sum(least[:2])])
        region, incomplete = (float(share) for share in np.median(shares, axis=0))
        rows.append(
            f"| {name} | {100 * region:.1f} % | {100 * incomplete:.1f} % | {100 * (region + incomplete):.1f} % |"
        )
    return rows


def least_seconds(job: Callable[[], object]) -> float:
    """The least processor time of ``ROUNDS`` calls, in seconds: other programs only ever add to it."""
    spent = []
    for _ in range(ROUNDS):
        start = thread_time()
        job()
        spent.append(thread_time() - start)
    return min(spent)


def tables(data: Path, every: int, wanted: Sequence[str], *, enlarged: bool = False) -> Iterator[list[str]]:
    """The lines of the tables, each as soon as it is there.

    Args:
        data: the folder of the sets of real fields.
        every: mask and damage every so many fields; of the small sets four times as many.
        wanted: some of ``plain``, ``masks``, ``damage`` and ``cost``.
        enlarged: mask fields enlarged to ``LARGE`` too.

    Raises:
        NoInputError: a set is missing.
    """
    missing = [name for name in SETS if not (data / name / "images").is_dir()]
    if missing:
        raise NoInputError(f"{data}: no {missing[0]}/images in it")
    analyse = analyser()
    if "plain" in wanted:
        yield plain_rows(data, 1)
    for name in COUNTED if "masks" in wanted else ():
        some = max(1, every // (1 if name == "iml_fields" else 4))
        yield masked_counts(data, name, some, analyse, large=False)
        if enlarged:
            yield masked_counts(data, name, 4 * some, analyse, large=True)
    if "damage" in wanted:
        yield ["", *damage_rows(data, every, spoilt.DAMAGES, "damaged, called incomplete")]
        yield ["", *damage_rows(data, every, spoilt.WHOLE, "whole, called incomplete")]
    if "cost" in wanted:
        yield ["", *cost_rows(data, every, analyse)]
