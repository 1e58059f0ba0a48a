"""The specification of a virtual slide, and the truth about each of its fields."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import Final

import numpy as np

from edge.types import Int32Array

TYPES: Final = (
    "red blood cell",
    "ring",
    "trophozoite",
    "schizont",
    "gametocyte",
    "white cell",
    "platelet",
    "speck",
)
"""Every name a truth may hold. The first is a healthy red cell, the next four are infected ones."""

RED: Final = 0  # index into ``TYPES``
RING: Final = 1  # index into ``TYPES``
TROPHOZOITE: Final = 2  # index into ``TYPES``
SCHIZONT: Final = 3  # index into ``TYPES``
GAMETOCYTE: Final = 4  # index into ``TYPES``
WHITE: Final = 5  # index into ``TYPES``
PLATELET: Final = 6  # index into ``TYPES``
SPECK: Final = 7  # index into ``TYPES``

DEFECTS: Final = ("blurred", "overexposed", "underexposed", "empty", "duplicate")
"""What can be wrong with a field as a whole."""


class Stream(IntEnum):
    """Independent random streams, so that one stage may draw more numbers without changing what another draws.

    The two tiles are the same for every slide: they are drawn without its seed.
    """

    LOOK = 1
    LAYOUT = 2
    PAINT = 3
    SENSOR = 4
    DEFECT = 5
    FRAME = 6
    LAMP = 7
    GRAIN_TILE = 20
    NOISE_TILE = 30


@dataclass(frozen=True)
class SlideSpec:
    """A virtual slide. Another seed is another slide: other stain, lamp, lens, density and red-cell shapes.

    Attributes:
        seed: not negative; everything follows from it.
        width: field width in pixels.
        height: field height in pixels.
        cell_px: mean diameter of a red cell in field pixels.
        cells_per_field: mean number of red cells in a good field, those cut by the border included; a slide is up to
            15 % denser or thinner than that, and fields vary around their slide.
        parasitaemia: share of red cells that are infected, 0 to 1.
        overlap: share of red cells that touch or overlap another, 0 to 1; denser fields have more, slides vary.
        white_per_field: mean number of white cells.
        platelets_per_field: mean number of platelets.
        specks_per_field: mean number of dust grains and stain specks.
        fields: number of fields; None is an endless slide.
        bad_fields: share of fields with one of ``DEFECTS``, 0 to 1.
        jpeg: None, or the quality (1 to 100) of a JPEG round trip each field goes through, as cheap cameras do.
    """

    seed: int = 0
    width: int = 1280
    height: int = 960
    cell_px: float = 66.0
    cells_per_field: float = 110.0
    parasitaemia: float = 0.014
    overlap: float = 0.13
    white_per_field: float = 0.3
    platelets_per_field: float = 2.0
    specks_per_field: float = 2.0
    fields: int | None = None
    bad_fields: float = 0.03
    jpeg: int | None = None

    def __post_init__(self) -> None:
        if self.seed < 0 or self.width < 16 or self.height < 16 or self.cell_px < 8:
            raise ValueError("a virtual slide needs seed >= 0, fields of 16 x 16 or more and cells of 8 pixels or more")
        if not all(0 <= share <= 1 for share in (self.parasitaemia, self.overlap, self.bad_fields)):
            raise ValueError("parasitaemia, overlap and bad_fields are shares from 0 to 1")
        if min(self.cells_per_field, self.white_per_field, self.platelets_per_field, self.specks_per_field) < 0:
            raise ValueError("a field cannot hold fewer than 0 things")
        if self.fields is not None and self.fields < 0:
            raise ValueError("fields is None or not negative")

    def rng(self, stream: Stream, index: int = 0) -> np.random.Generator:
        """The generator of one stream of one field; a small change of any number gives an unrelated sequence."""
        return np.random.default_rng([self.seed, index, int(stream)])


@dataclass(frozen=True, eq=False)
class FieldTruth:
    """What a field really holds, one row per thing, nothing left out.

    Attributes:
        boxes: int32 [n, 4], x, y, w, h in field pixels, tight around each thing before blur; may overrun the border.
        types: n names out of ``TYPES``.
        defect: one of ``DEFECTS``, or None for a good field.
    """

    boxes: Int32Array
    types: tuple[str, ...]
    defect: str | None = None

    def __len__(self) -> int:
        return len(self.boxes)
