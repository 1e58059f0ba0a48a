"""THE reader of folders of cells: every command that judges, calibrates or learns gets its cells here.

Each image is one cell and is cut as ``convert.measure.single`` says. The net's card gives size, margin, black or not, and
whether cells are compared with the typical cell of their field (``edge.typical``). Here the slide stands for the field, and the
whole folder where no slide is known (a note says so).

Images that cannot be read are left out (more than one in ten: refused). A file that is there twice counts once; one that is
there under two classes does not count.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from convert.errors import CellsError
from convert.measure.cells import CellSet
from convert.measure.listing import ListedCell, Listing, list_cells
from convert.measure.names import same
from convert.measure.single import as_author, cut, stands_on_black
from convert.measure.typicals import middle, typicals_of
from edge.crops import compared
from edge.errors import UnreadableFieldError
from edge.modelfile import CropSpec
from edge.sources.decode import decode_image
from edge.types import UInt8Array

Progress = Callable[[str, float], None]
UNUSABLE = 0.1
"""Share of images that may be unreadable; with more, something is wrong with the folder and not with some files."""

_TINY = 0.5  # longer side of a cell's image, in sides of the crop, below which a note says how far cells are enlarged
_FEW = 5  # cells of a slide: fewer do not say what its median cell is


def read_cells(
    folder: Path,
    labels: tuple[str, ...],
    spec: CropSpec | None = None,
    group_by: str | None = None,
    progress: Progress = lambda *_: None,
    *,
    keep_black: bool | None = None,
    author: str | None = None,
    only: Collection[str] | None = None,
) -> CellSet:
    """Read all cells below ``folder``, class by class.

    Args:
        folder: see ``convert.measure.listing.list_cells``.
        labels: class names in the order of the net's outputs; empty: the folder's by name.
        spec: how the net's cells are cut; None: the usual.
        group_by: see ``list_cells``.
        progress: called with words and a share 0..1.
        keep_black: see ``read``.
        author: see ``read``.
        only: names of the cells that are wanted; the others are not opened. None: all.

    Raises:
        CellsError: the classes are not those of the folder, or one has no cell.
    """
    listing = list_cells(folder, None, group_by)
    labels = listing.settled(labels)
    place = {same(label): number for number, label in enumerate(labels)}
    wanted = None if only is None else set(only)
    numbers = [
        place[same(one.label)] if wanted is None or _name(one.path, listing.root) in wanted else -1
        for one in listing.cells
    ]
    found = read(listing, labels, numbers, spec or CropSpec(), progress, keep_black=keep_black, author=author)
    empty = [label for number, label in enumerate(labels) if number not in found.truth]
    if empty and wanted is None:
        raise CellsError(f"{folder}: no cell of the class {', '.join(empty)} can be used ({'; '.join(found.notes)})")
    return found.take(np.argsort(found.truth, kind="stable"))


def read(
    listing: Listing,
    labels: tuple[str, ...],
    numbers: Sequence[int],
    spec: CropSpec,
    progress: Progress,
    *,
    plain: CropSpec | None = None,
    keep_black: bool | None = None,
    author: str | None = None,
) -> CellSet:
    """Cells as the device would crop them.

    Args:
        listing: the cells.
        labels: class names.
        numbers: class of each listed cell as an index into ``labels``; -1: it is left out and not opened.
        spec: from the net's card.
        progress: called with words and a share 0..1.
        plain: cells are cut by this specification instead, to learn from: they are not compared with anything, and the middle
            ``spec.size`` pixels give the typical cell.
        keep_black: a cell that is cut out on black stays there, whatever ``spec`` says; None: it does where ``spec.mask`` is
            ``black``, else it is put on paper.
        author: one of ``AUTHOR_CUTS``: cells are cut as training code did it, not as the device does. None: as the device does.

    Raises:
        CellsError: too many cannot be read, none is left, or ``spec`` wants black and they stand on something else.
    """
    kept = _read(listing, numbers, plain or spec, progress, keep=_keeps(spec, keep_black), author=author)
    notes = [*listing.notes, *kept.notes]
    rows = kept.rows
    if spec.mask == "black":
        rows = _masked(rows, kept.black, listing, notes)
    if not len(rows):
        raise CellsError(f"{listing.name}: no cell in it can be used")
    cells = [kept.listed[i] for i in rows]
    names = tuple(_name(one.path, listing.root) for one in cells)
    groups = np.array([one.slide or name for one, name in zip(cells, names, strict=True)])
    known = np.array([one.slide is not None for one in cells])
    pixels, black = np.stack([kept.crops[i] for i in rows]), kept.black[rows]
    fields = np.unique(np.where(known, groups, ""), return_inverse=True)[1].astype(np.int32)
    typical = typicals_of(middle(pixels, spec.size), fields)
    if black.any() and not _keeps(spec, keep_black):
        notes.append(
            f"{int(black.sum()):,} of {len(black):,} cells of {listing.name} are cut out on black: put on pale paper, as the device "
            "shows cells with their surroundings"
        )
    if (grey := int(without_colour(pixels).sum())) > len(pixels) / 2:
        most = f"{grey:,} of {len(pixels):,} cells of {listing.name}"
        notes.append(f"{most} are grey: they do not judge a net made for colour")
    notes += _of_slides(listing.name, known, np.bincount(fields)[fields], spec)
    return CellSet(
        pixels if plain else compared(pixels, spec, typical.typical, typical.of),
        np.array([kept.numbers[i] for i in rows], np.int32),
        labels,
        groups,
        names,
        bool(known.any()) and len(set(groups[known])) < int(known.sum()),
        black,
        typical,
        tuple(notes),
    )


def check_readable(unreadable: list[str], count: int, where: str) -> list[str]:
    """Warnings about images that cannot be read; raises CellsError where they are too many."""
    if not unreadable:
        return []
    if len(unreadable) > UNUSABLE * count:
        raise CellsError(f"{where}: {len(unreadable)} of {count} images cannot be read, the first: {unreadable[0]}")
    return [f"{len(unreadable)} of {count} images of {where} cannot be read: left out, e.g. {unreadable[0]}"]


@dataclass(slots=True)
class Copies:
    """Finds images of the same pixels, whatever their files are called and however they are packed.

    Attributes:
        count: how many files are copies of earlier ones.
        torn: places of cells that stand under two classes.
    """

    count: int = 0
    torn: set[int] = field(default_factory=set)
    _known: dict[bytes, tuple[int, int]] = field(default_factory=dict)

    def seen(self, rgb: UInt8Array, label: int, place: int) -> bool:
        """Whether the image is a copy; if not it is remembered with its class and place."""
        digest = hashlib.sha256(repr(rgb.shape).encode() + rgb.tobytes()).digest()
        before = self._known.setdefault(digest, (place, label))
        if before == (place, label):
            return False
        self.count += 1
        if before[1] != label:
            self.torn.add(before[0])
        return True


@dataclass(frozen=True, slots=True, eq=False)
class _KeptCells:
    """The cells that could be read: file, class and uncoloured crop of each; ``rows``: those that count."""

    listed: list[ListedCell]
    numbers: list[int]
    crops: list[UInt8Array]
    black: np.ndarray
    rows: np.ndarray
    notes: list[str]


def _keeps(spec: CropSpec, keep_black: bool | None) -> bool:
    return spec.mask == "black" if keep_black is None else keep_black


def _read(
    listing: Listing, numbers: Sequence[int], spec: CropSpec, progress: Progress, *, keep: bool, author: str | None
) -> _KeptCells:
    wanted = [(one, int(number)) for one, number in zip(listing.cells, numbers, strict=True) if number >= 0]
    listed: list[ListedCell] = []
    classes: list[int] = []
    crops: list[UInt8Array] = []
    black: list[bool] = []
    sides: list[int] = []
    copies = Copies()
    unreadable: list[str] = []
    for count, (one, number) in enumerate(wanted):
        if count % 200 == 0:
            progress(f"reading the cells of {listing.name}", count / len(wanted))
        try:
            rgb = decode_image(one.path)
            if copies.seen(rgb, number, len(listed)):
                continue
        except OSError as error:
            unreadable.append(f"{one.path}: {error.strerror}")
            continue
        except UnreadableFieldError as error:
            unreadable.append(str(error))
            continue
        listed.append(one)
        classes.append(number)
        sides.append(max(rgb.shape[:2]))
        black.append(stands_on_black(rgb))
        crops.append(as_author(rgb, spec.size, author) if author else cut(rgb, spec, black=black[-1], keep_black=keep))
    notes = check_readable(unreadable, len(wanted), listing.name)
    if sides and (side := float(np.median(sides))) < _TINY * spec.size:
        notes.append(
            f"the images of {listing.name} are {side:.0f} px wide (median): enlarged {spec.size / side:.1f}-fold to {spec.size} px, "
            "where what tells the classes apart may not be seen; take crops from larger photographs"
        )
    if copies.count:
        notes.append(
            f"{copies.count} files of {listing.name} are copies of others there: left out; {len(listed)} different cells are left"
        )
    if copies.torn:
        first = listed[min(copies.torn)].path.name
        notes.append(f"{len(copies.torn)} cells of {listing.name} stand under two classes: left out, e.g. {first}")
    rows = np.array([i for i in range(len(listed)) if i not in copies.torn], int)
    return _KeptCells(listed, classes, crops, np.array(black, bool), rows, notes)


def _masked(rows: np.ndarray, black: np.ndarray, listing: Listing, notes: list[str]) -> np.ndarray:
    """Only those cut out on black; raises CellsError where more than a few are not."""
    other = int((~black[rows]).sum())
    if other > UNUSABLE * len(rows):
        raise CellsError(
            f"{listing.name}: this net takes cells cut out on black (its card says so), and {other:,} of {len(rows):,} show "
            "their surroundings"
        )
    if other:
        notes.append(f"{other:,} of {len(rows):,} cells of {listing.name} are not cut out on black: left out")
    return np.asarray(rows[black[rows]])


def without_colour(pixels: UInt8Array) -> np.ndarray:
    """Which crops hold no colour at all, bool [n]."""
    tinted = (pixels != pixels[..., :1]).reshape(len(pixels), -1)
    return np.array([not crop.any() for crop in tinted], bool)


def _of_slides(name: str, known: np.ndarray, sizes: np.ndarray, spec: CropSpec) -> list[str]:
    """Warnings about slides that are not known, or so small that their typical cell is chance.

    Args:
        name: of the folder.
        known: bool [n], whose slide is known.
        sizes: int [n], cells of each one's slide.
        spec: of the crops.
    """
    notes = []
    settled = spec.normalise == "typical"
    if not known.all():
        which = "" if not known.any() else f" of {int((~known).sum()):,} of the {len(known):,} cells"
        text = f"{name}: no slides{which} are known (--group-by or cells.csv would tell): intervals go by cells, too narrow"
        if settled:
            text += "; cells are compared with the typical cell of them all, as if they were of one slide"
        notes.append(text)
    few = int((known & (sizes < _FEW)).sum())
    if settled and few > len(known) / 2:
        notes.append(
            f"{name}: {few:,} of {len(known):,} cells are of slides with fewer than {_FEW}: what their field looked like is hardly "
            "known, and figures may be off; does --group-by find the slide?"
        )
    return notes


def _name(path: Path, root: Path) -> str:
    return path.relative_to(root).as_posix() if path.is_relative_to(root) else path.as_posix()
