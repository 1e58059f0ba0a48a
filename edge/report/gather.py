"""Keeps, while a sample runs, the cells and fields a person will want to see, and no more of them than fit a page.

Galleries, per positive class: the highest scores, and the lowest that were still counted as positive. Those just above the
threshold are where a mistake is likeliest; those at the top are what the flag rests on. Then the highest scores that were not
counted as positive, for an infected cell that was missed is most likely among them. And a random sample of all other cells, to see
what the classifier passes by.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from edge import near
from edge.events import FieldEvent
from edge.modelfile import Card
from edge.outputs.annotate import class_colours
from edge.report.pictures import FieldPictures, Jpeg, LivePictures
from edge.report.ranking import BestItems
from edge.report.records import FieldView, Gallery, GalleryCell, SampleParts
from edge.report.series import Series, reason_of
from edge.review.order import draw_keys
from edge.review.parts import TOP_SIZE
from edge.review.records import Stratum
from edge.types import FieldResult, FloatArray
from edge.words import category, without_numbers

SUSPECTS = TOP_SIZE
"""Pictures of the highest scores, all positive classes together; each class has at least FEWEST."""

LOWEST_SHOWN = 40
"""Pictures of the lowest scores that were counted as positive, likewise."""

FEWEST = 2  # pictures per class
BELOW_SHOWN = 40
"""Pictures of the highest scores that were not counted as positive."""

OTHERS = 36  # pictures of a random sample of all other cells
REVIEWED_TOO = 20
"""Pictures of random suspects and of random near misses that a review needs beside those of the page."""

FIELDS = 4  # whole fields shown
REJECTED_FIELDS = 2  # whole fields shown that do not count

HIGHEST, LOWEST, BELOW, OTHER = "highest", "lowest", "below", "others"


class _Scene(NamedTuple):
    """A field at work: its pictures, and per cell the score that ranks it, float32 [n]."""

    result: FieldResult
    pictures: FieldPictures
    scores: FloatArray


PictureSource = Callable[[FieldEvent], FieldPictures | None]
"""Gives the pictures of a field; None: there are none, and the field is in no gallery."""


def live_pictures(card: Card) -> PictureSource:
    """The pictures of fields that come with their pixels; ``card``: the classifier's, at the threshold of this run."""

    def of(event: FieldEvent) -> FieldPictures | None:
        live = event.result is not None and event.rgb is not None
        return LivePictures(event.result, event.rgb, card) if live else None  # type: ignore[arg-type]

    return of


class SampleCollector:
    """Collects what one sample's page shows. Call ``field`` in field order; memory is bounded by the limits above whatever comes.

    What is chosen depends on the events alone: the same fields, replayed from the book, choose the same cells.

    Args:
        card: the classifier's, at the threshold of this run.
        pictures: gives the fields' pictures; None: they are made from the pixels that come with them.
        review: collect what a review needs too (``wanted``); the page is the same.
    """

    def __init__(self, card: Card, pictures: PictureSource | None = None, *, review: bool = False) -> None:
        self._card = card
        self._pictures = pictures or live_pictures(card)
        self._positive = card.positive_mask
        watched = np.flatnonzero(self._positive).tolist()
        high, low = (max(FEWEST, n // max(len(watched), 1)) for n in (SUSPECTS, LOWEST_SHOWN))
        self._highest: dict[int, BestItems[GalleryCell]] = {klass: BestItems(high) for klass in watched}
        self._lowest: dict[int, BestItems[GalleryCell]] = {klass: BestItems(low) for klass in watched}
        self._suspects = dict.fromkeys(watched, 0)
        self._others: BestItems[GalleryCell] = BestItems(OTHERS)
        self._rest = 0
        self._top: BestItems[GalleryCell] = BestItems(SUSPECTS if review and len(watched) > 1 else 0)
        self._drawn: dict[Stratum, BestItems[GalleryCell]] = {
            stratum: BestItems(REVIEWED_TOO if review else 0) for stratum in (Stratum.SUSPECTS, Stratum.NEAR)
        }
        self._below: BestItems[GalleryCell] = BestItems(BELOW_SHOWN if watched else 0)
        self._near = 0
        self._passed = 0
        self._views: BestItems[FieldView] = BestItems(FIELDS)
        self._rejected: dict[str, FieldView] = {}
        self._kinds: tuple[str, ...] = ()
        self._series = Series()

    def field(self, event: FieldEvent) -> None:
        """Look at one field; its pictures are needed where it could be read."""
        result, pictures = event.result, self._pictures(event)
        counted = np.flatnonzero(result.classes >= 0) if result is not None and event.kept else np.zeros(0, np.int64)
        suspects = counted[:0]
        if result is not None and len(counted):
            suspects = np.flatnonzero(near.counted_positive(result.classes, self._positive))
        self._series.add(event, len(counted), len(suspects))
        if result is None or pictures is None:
            return
        if not event.kept:
            self._reject(event, pictures)
            return
        scene = _Scene(result, pictures, self._scores(result))
        self._suspicious(scene, suspects)
        # What the classifier has seen: of what is set aside, narrow white cells alone have scores.
        seen = (result.classes >= 0) | result.scores.any(axis=1)
        others = np.flatnonzero(seen & ~near.counted_positive(result.classes, self._positive))
        self._keep(self._below, scene, others)
        missed = near.just_below(result.scores, result.classes, self._positive, self._card.threshold)
        far = result.classes >= 0
        far[missed] = False
        rest = others[far[others]]
        self._near += len(missed)
        self._passed += len(others)
        self._rest += len(rest)
        self._keep(self._top, scene, suspects)
        self._draw(self._drawn[Stratum.SUSPECTS], scene, suspects)
        self._draw(self._drawn[Stratum.NEAR], scene, missed[result.classes[missed] >= 0])
        self._draw(self._others, scene, rest)
        rank = len(suspects) if self._positive.any() else len(counted)
        if self._views.wants(rank):
            self._kinds = result.cells.kinds
            self._views.add(rank, _view(result, pictures.boxed(), len(suspects), None))

    def wanted(self) -> tuple[set[str], set[int]]:
        """What a page and a review would show by now: ids of cells (``FIELD-N``), and the places of whole fields in the run."""
        best = [*self._highest.values(), *self._lowest.values(), self._below, self._others, self._top]
        cells = {cell.cell for one in (*best, *self._drawn.values()) for cell in one.items}
        return cells, {view.field for view in (*self._views.items, *self._rejected.values())}

    def done(self) -> SampleParts:
        """What the page needs."""
        return SampleParts(
            tuple(self._galleries()),
            (*self._views.ranked(), *self._rejected.values()),
            self._series.stretches(),
            self._series.stages(),
            class_colours(self._card.labels, self._kinds, self._card.positive) if len(self._views) else {},
            self._near,
        )

    def _scores(self, result: FieldResult) -> FloatArray:
        if self._positive.any():
            return near.positive_scores(result.scores, self._positive)
        return np.asarray(result.scores.max(axis=1, initial=0.0))

    def _suspicious(self, scene: _Scene, suspects: np.ndarray) -> None:
        for klass in np.unique(scene.result.classes[suspects]).tolist():
            mine = suspects[scene.result.classes[suspects] == klass]
            self._suspects[klass] += len(mine)
            self._keep(self._highest[klass], scene, mine)
            self._keep(self._lowest[klass], scene, mine, -1)

    def _keep(self, best: BestItems[GalleryCell], scene: _Scene, cells: np.ndarray, sign: int = 1) -> None:
        """The given cells that are among the best so far: those with the highest scores, or with ``sign`` -1 the lowest."""
        keys = sign * scene.scores[cells]
        for place in np.argsort(-keys, kind="stable").tolist():
            key = float(keys[place])
            if not best.wants(key):
                break  # the rest of this field ranks lower still
            best.add(key, self._show(scene, [int(cells[place])])[0])

    def _draw(self, drawn: BestItems[GalleryCell], scene: _Scene, cells: np.ndarray) -> None:
        """The given cells that are among those a review draws first; of a field that is gone, only what a picture was kept of."""
        kept = scene.pictures.kept
        if not drawn.limit:
            return
        there = np.asarray(cells if kept is None else sorted(kept.intersection(cells.tolist())), np.int32)
        keys = -draw_keys(np.full_like(there, scene.result.index), there)
        for i in np.flatnonzero(keys > drawn.floor).tolist():
            if drawn.wants(float(keys[i])):
                drawn.add(float(keys[i]), self._show(scene, [int(there[i])])[0])

    def _show(self, scene: _Scene, cells: Sequence[int]) -> list[GalleryCell]:
        result = scene.result
        boxes = result.cells.boxes[cells]
        pictures = scene.pictures.cells(cells)
        return [
            GalleryCell(
                f"{result.index}-{n}",
                result.index,
                result.name,
                (int(box[0]), int(box[1]), int(box[2]), int(box[3])),
                self._name(result, n),
                float(scene.scores[n]),
                tuple(float(s) for s in result.scores[n]),
                picture,
            )
            for n, box, picture in zip(cells, boxes, pictures, strict=True)
        ]

    def _name(self, result: FieldResult, n: int) -> str:
        """What a thing counts as, or what it is that is set aside."""
        klass = int(result.classes[n])
        return self._card.labels[klass] if klass >= 0 else category(result.cells.kinds[int(result.cells.kind[n])])

    def _reject(self, event: FieldEvent, pictures: FieldPictures) -> None:
        reason = reason_of(event)
        alike = without_numbers(reason)
        if alike not in self._rejected and len(self._rejected) < REJECTED_FIELDS:
            self._rejected[alike] = _view(event, pictures.plain(), None, reason)

    def _galleries(self) -> list[Gallery]:
        galleries = []
        for klass, best in self._highest.items():
            label, of = self._card.labels[klass], self._suspects[klass]
            top = best.ranked()
            shown = {cell.cell for cell in top}
            low = [cell for cell in self._lowest[klass].ranked() if cell.cell not in shown]
            galleries += [Gallery(HIGHEST, label, of, tuple(top)), Gallery(LOWEST, label, of, tuple(low))]
        below = self._below.ranked()
        galleries.append(Gallery(BELOW, None, self._passed, tuple(below)))
        shown = {cell.cell for cell in below}
        drawn = (
            cell for cell in self._others.ranked() if cell.cell not in shown
        )  # equal scores in the order of the draw
        others = sorted(drawn, key=lambda cell: -cell.score)
        least = near.lowest(self._card.threshold)
        twice = sum(cell.label in self._card.labels and not cell.score >= least > 0 for cell in below)
        galleries.append(Gallery(OTHER, None, self._rest - twice, tuple(others)))
        return [gallery for gallery in galleries if gallery.cells]


def _view(field: FieldEvent | FieldResult, picture: Jpeg, positives: int | None, reason: str | None) -> FieldView:
    return FieldView(field.index, field.name, positives, reason, *picture)
