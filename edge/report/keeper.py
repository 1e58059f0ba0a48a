"""Chooses what the book keeps to look at: what a page of the sample would show by now and a review draws first, and nothing else.

A page made from the book later asks for just these, because the choice depends on the fields alone (``SampleCollector``).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from edge.book.folder import PictureFolder
from edge.book.records import FieldPicture, Kept
from edge.events import FieldEvent
from edge.modelfile import Card
from edge.report.gather import SampleCollector
from edge.report.pictures import FieldPictures, Jpeg, LivePictures


class GalleryKeeper:
    """An ``edge.book.records.CropKeeper``: cells and fields for the page, and whole pictures in the folder beside the book.

    Args:
        card: the classifier's, at the threshold of this run.
        folder: takes whole pictures; None: none are kept.
    """

    def __init__(self, card: Card, folder: PictureFolder | None = None) -> None:
        self._card = card
        self._folder = folder
        self._sample: str | None = None
        self._collector: SampleCollector | None = None
        self._cells: set[str] = set()
        self._views: set[int] = set()
        self._made = _Made(None)

    def settle_by(self, settle: Callable[[], None]) -> None:
        """How fields that wait for the book are put into it, so that their pictures may be removed."""
        if self._folder is not None:
            self._folder.settle = settle

    def field(self, event: FieldEvent) -> Kept:
        """What to keep of this field, and what is no longer wanted. Raises OutputError where the disk is nearly full."""
        if self._collector is None or event.sample != self._sample:
            self._sample = event.sample
            self._collector = SampleCollector(self._card, lambda _: self._made, review=True)
            self._cells, self._views = set(), set()
        live = event.rgb is not None and event.result is not None
        self._made = _Made(LivePictures(event.result, event.rgb, self._card) if live else None)  # type: ignore[arg-type]
        self._collector.field(event)
        picture = None if self._folder is None else self._folder.keep(event)
        if not self._made.any:
            return Kept(picture=picture)
        cells, views = self._collector.wanted()
        here = event.index
        crops = {n: jpeg for n, jpeg in self._made.crops.items() if f"{here}-{n}" in cells}
        view = None if self._made.view is None or here not in views else FieldPicture(*self._made.view)
        dropped = [_place(cell) for cell in self._cells - cells]
        dropped_views = sorted(self._views - views)
        self._cells, self._views = cells, views
        return Kept(crops, view, picture, dropped, dropped_views)


def _place(cell: str) -> tuple[int, int]:
    field, n = cell.split("-")
    return int(field), int(n)


class _Made:
    """The pictures of the field at work, remembered; of a replayed field there are none to make, for the book has them."""

    kept: frozenset[int] | None = None  # any can be made, or was

    def __init__(self, live: FieldPictures | None) -> None:
        self._live = live
        self.any = False
        self.crops: dict[int, bytes] = {}
        self.view: Jpeg | None = None

    def cells(self, chosen: Sequence[int]) -> list[bytes]:
        self.any = True
        if self._live is None:
            return [b""] * len(chosen)
        self.crops.update(zip(chosen, self._live.cells(chosen), strict=True))
        return [b""] * len(chosen)  # the choice needs no pixels, and so memory holds none

    def boxed(self) -> Jpeg:
        return self._viewed(self._live.boxed() if self._live else None)

    def plain(self) -> Jpeg:
        return self._viewed(self._live.plain() if self._live else None)

    def _viewed(self, made: Jpeg | None) -> Jpeg:
        self.any, self.view = True, made
        return (0, 0, b"")
