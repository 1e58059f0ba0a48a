"""Tiles of one slide without malaria as far as seen: false positives are counted on it."""

from __future__ import annotations

from models.data.dataset import DataSet, SetKind

SET = DataSet(
    name="healthy_tiles",
    kind=SetKind.ANNOTATED,
    source="200 contiguous tiles of one slide; boxes made by Segment Anything, unchecked",
    licence="unknown",
    groups="one slide",
    classes={
        "red blood cell": "red cell",
        "white blood cell": "white cell",
        "difficult": "unsure: counts neither way",
    },
    may_teach=False,
    reason="its licence is unknown",
    complete=False,
)
