"""Pieces of blood films around white cells (PBC part of TXL-PBC): no parasites, white cells and platelets boxed."""

from __future__ import annotations

from models.data.dataset import DataSet, SetKind

SET = DataSet(
    name="pbc_fields",
    kind=SetKind.ANNOTATED,
    source="TXL-PBC, its PBC part; pieces about 360x360",
    licence="MIT",
    groups="none known: the images are in no order, and each counts as a group of its own",
    classes={
        "red blood cell": "red cell, no parasite is stated",
        "white blood cell": "white cell",
        "platelet": "platelet",
    },
    may_teach=True,
    reason="its licence allows it",
    complete=True,
    margin=1.11,
)
