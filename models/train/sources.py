"""What the shelf's classifier learns from, each cell with the block or slide it is of, so that folds can be held out."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from edge.crops import crop_cells
from edge.finders.learned import LearnedFinder
from edge.modelfile import CropSpec, read_model
from models.data.crops import INFECTED, NORMAL, CellSet, cells_of, join, of_field, with_slack
from models.data.debris import weak_labels
from models.data.fields import UNSURE, AnnotatedField, data_dir, folds, load_iml
from models.data.matching import match_cells
from models.data.nih import infected, plain_crops, slide_colours, with_second_opinions
from models.data.scenes import CellPool, Scene
from models.data.virtual import virtual_scenes
from models.train.finder import nih_rows

_COMPOSED = 900
_VIRTUAL = 200
_COPIES = 8  # of infected cells, each with another box


@dataclass(frozen=True, slots=True, eq=False)
class Source:
    """Cells of one kind of image.

    Attributes:
        name: in words.
        cells: with slack.
        groups: str [n], the block or slide of each.
        share: of a batch.
    """

    name: str
    cells: CellSet
    groups: np.ndarray
    share: float

    def without(self, held_out: frozenset[str]) -> CellSet:
        """The cells of other groups."""
        rows = np.flatnonzero([group not in held_out for group in self.groups])
        cells = self.cells
        return CellSet(cells.crops[rows], cells.labels[rows], cells.references(rows))


def block_name(block: int) -> str:
    """Of an IML block, among groups."""
    return f"block {block}"


def kept_from(sources: list[Source], slides: Iterable[str], blocks: Iterable[int]) -> list[Source]:
    """What may be learned from where these slides and blocks are held out; a source with nothing left is left out."""
    held_out = frozenset(slides) | {block_name(block) for block in blocks}
    kept = [source for source in sources if not held_out.issuperset(source.groups)]
    return [replace(source, cells=source.without(held_out), groups=_others(source.groups, held_out)) for source in kept]


def _others(groups: np.ndarray, held_out: frozenset[str]) -> np.ndarray:
    return groups[[group not in held_out for group in groups]]


def gather(spec: CropSpec, finders: list[LearnedFinder], seed: int, say: Callable[[str], None]) -> list[Source]:
    """All sources, or without finders those of single cells; about two minutes.

    Args:
        spec: of the net's crops.
        finders: one per fold of IML blocks, which never saw them; empty: no fields.
        seed: everything random follows from it.
        say: gets a line per source.
    """
    made = [_nih(spec), _composed(spec, seed)]
    if finders:
        rng = np.random.default_rng([seed, 19])
        annotated = [(e.block, _annotated(e, spec, rng)) for e in load_iml()]
        made = [
            _of_fields("annotated cells of IML fields", 1.0, annotated),
            _of_fields("cells as the finder gives them", 1.0, _found(finders, spec)),
            *made,
            _virtual(spec, seed),
        ]
    for source in made:
        say(f"{len(source.cells)} {source.name}")
    return made


def load_finders(paths: list[Path]) -> list[LearnedFinder]:
    """Finders of these files, in order."""
    return [LearnedFinder(read_model(path)) for path in paths]


def _of_fields(name: str, share: float, parts: list[tuple[int, CellSet]]) -> Source:
    groups = np.repeat([block_name(block) for block, _ in parts], [len(cells) for _, cells in parts])
    return Source(name, join([cells for _, cells in parts]), groups, share)


def _annotated(entry: AnnotatedField, spec: CropSpec, rng: np.random.Generator) -> CellSet:
    """At full resolution, infected ones eightfold with other boxes, debris among the uninfected."""
    rgb = entry.read()
    debris, debris_kind = weak_labels(rgb, entry.boxes)
    debris = debris[debris_kind > 0]
    kind = np.where(entry.infected, INFECTED, NORMAL)
    kind[[t == UNSURE for t in entry.types]] = -1
    boxes = np.concatenate([entry.boxes.astype(np.float32), debris])
    scene = Scene(rgb, boxes, np.concatenate([kind, np.full(len(debris), 2)]), 0.0, others=True)
    return cells_of(scene, spec, rng, infected_copies=_COPIES)


def _found(finders: list[LearnedFinder], spec: CropSpec) -> list[tuple[int, CellSet]]:
    """What a finder gives on fields it never saw: what matches no annotation is no infected cell, those are all annotated."""
    fields = load_iml()
    of_block = {block: finder for blocks, finder in zip(folds(fields), finders, strict=True) for block in blocks}
    parts = []
    for entry in fields:
        rgb = entry.read()
        cells = of_block[entry.block].find(rgb)
        boxes = cells.boxes[cells.kind == 0]
        match = match_cells(boxes, entry, (rgb.shape[0], rgb.shape[1]))
        labels = np.where(match.of_finds(entry.infected, otherwise=False), INFECTED, NORMAL)
        labels[[j >= 0 and entry.types[j] == UNSURE for j in match.of]] = -1
        crops = crop_cells(rgb, boxes, with_slack(spec))
        colour = of_field(crops, spec.size)
        sure = labels >= 0
        parts.append(
            (entry.block, CellSet(crops[sure], labels[sure], np.repeat(colour[None], int(sure.sum()), axis=0)))
        )
    return parts


def _nih(spec: CropSpec) -> Source:
    rows = with_second_opinions(nih_rows())
    crops = plain_crops(rows, with_slack(spec))
    cells = CellSet(crops, infected(rows).astype(int), slide_colours(crops, rows, spec.size))
    return Source("NIH cells on paper", cells, np.array([row["slide"] for row in rows]), 0.7)


def _composed(spec: CropSpec, seed: int) -> Source:
    """NIH cells pasted into fields of their own slide."""
    rng = np.random.default_rng([seed, 13])
    pool = CellPool(data_dir() / "nih_cells", with_second_opinions(nih_rows()))
    slides = [str(s) for s in rng.choice(sorted(pool.by_slide), _COMPOSED)]
    parts = [cells_of(pool.scene(rng, slide), spec, rng) for slide in slides]
    groups = np.repeat(slides, [len(part) for part in parts])
    return Source("NIH cells composed into fields", join(parts), groups, 0.5)


def _virtual(spec: CropSpec, seed: int) -> Source:
    rng = np.random.default_rng([seed, 17])
    cells = join([cells_of(s, spec, rng, infected_copies=3) for s in virtual_scenes(_VIRTUAL, seed)])
    return Source("cells of virtual slides", cells, np.full(len(cells), "virtual"), 0.3)
