"""A sample of a virtual slide to review: a plan and pictures, without a book."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache

import cv2
import numpy as np

from edge.review.bundle import Bundle, BundleFacts, BundlePictures
from edge.review.drawing import ShownCell, drawn, mixed
from edge.review.order import draw_key
from edge.review.records import CellPlace, ReviewCell, ReviewPicture, ReviewPlan, Stratum, StratumPlan
from edge.types import UInt8Array
from edge.virtual_slide.render import render_field
from edge.virtual_slide.spec import SlideSpec

LABELS = ("healthy", "infected")
FACTS = BundleFacts(
    (("counted", "812 cells in 8 fields"), ("machine", "indeterminate"), ("share", "1.4 % (0.7 to 2.4 %)"))
)
_SPEC = SlideSpec(seed=7, parasitaemia=0.06, bad_fields=0.0)


@cache
def pixels(index: int) -> UInt8Array:
    """A field of the slide, uint8 [H, W, 3]."""
    return render_field(_SPEC, index)[0]


@dataclass(frozen=True)
class MadeSample:
    """Cells as a machine might have counted them: the slide's truth with some mistakes in it."""

    fields: int = 4
    name: str = "Jane Roe 1971"
    lost: frozenset[int] = frozenset()
    cells: tuple[ReviewCell, ...] = field(init=False)

    def __post_init__(self) -> None:
        found = []
        for index in range(self.fields):
            truth = render_field(_SPEC, index)[1]
            for n, (box, kind) in enumerate(zip(truth.boxes.tolist(), truth.types, strict=True)):
                x, y, w, h = box
                if x < 0 or y < 0 or x + w > _SPEC.width or y + h > _SPEC.height:
                    continue
                chance = draw_key(CellPlace(index + 1000, n))
                healthy = kind == "red blood cell"
                score = 0.4 * chance if healthy else 0.5 + 0.5 * chance
                part = Stratum.TOP if score >= 0.6 else Stratum.NEAR if score >= 0.3 else Stratum.REST
                label = LABELS[part is Stratum.TOP]
                name = f"ward-3/{self.name}/field {index}.png"
                found.append(ReviewCell(CellPlace(index, n), part, (x, y, w, h), label, score, name))
        object.__setattr__(self, "cells", tuple(found))

    @property
    def plan(self) -> ReviewPlan:
        """What there is to look at."""
        parts = []
        for part in Stratum:
            inside = [cell for cell in self.cells if cell.stratum is part]
            inside.sort(key=lambda cell: -cell.score if part is Stratum.TOP else draw_key(cell.cell))
            parts.append(StratumPlan(part, len(inside), tuple(inside[:200])))
        told = ("3f0c-sample", self.name, 1, "ab" * 32, 0.6, LABELS, LABELS[1:], "cell", len(self.cells))
        return ReviewPlan(*told, tuple(parts))

    @property
    def sizes(self) -> dict[int, tuple[int, int]]:
        """Of the fields."""
        return dict.fromkeys(range(self.fields), (_SPEC.width, _SPEC.height))

    def cell_picture(self, cell: CellPlace, side: int, around: float) -> ReviewPicture | None:
        """See ``ReviewDesk``."""
        if cell.field in self.lost:
            return None
        x, y, w, h = next(one.box for one in self.cells if one.cell == cell)
        wide = around * max(w, h)
        left, top = x + w / 2 - wide / 2, y + h / 2 - wide / 2
        scale = side / wide
        moved = np.array([[scale, 0, -left * scale], [0, scale, -top * scale]], np.float64)
        cut = cv2.warpAffine(pixels(cell.field), moved, (side, side), borderMode=cv2.BORDER_REPLICATE)
        box = ((x - left) * scale, (y - top) * scale, w * scale, h * scale)
        return ReviewPicture(side, side, jpeg(cut), box)

    def field_picture(self, index: int, longest: int) -> ReviewPicture | None:
        """See ``ReviewDesk``."""
        if index in self.lost:
            return None
        scale = min(1.0, longest / _SPEC.width)
        small = cv2.resize(pixels(index), None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        return ReviewPicture(small.shape[1], small.shape[0], jpeg(small))

    def shown(self, most: int = 40) -> tuple[ShownCell, ...]:
        """The cells that go out, in the order shown."""
        return mixed(drawn(self.plan, most))

    def bundle(self, about: BundleFacts = FACTS) -> Bundle:
        """A bundle of it, not yet written."""
        return Bundle(self.plan, about, BundlePictures(self.cell_picture, self.field_picture, self.sizes))


def jpeg(rgb: np.ndarray) -> bytes:
    """A JPEG with a comment in it, as cameras write them."""
    data = cv2.imencode(".jpg", np.ascontiguousarray(rgb[..., ::-1]))[1].tobytes()
    comment = b"Jane Roe 1971, ward-3, 2026-11-01T08:00:00Z"
    return data[:2] + b"\xff\xfe" + (len(comment) + 2).to_bytes(2, "big") + comment + data[2:] + comment
