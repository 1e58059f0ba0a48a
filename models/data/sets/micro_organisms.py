"""Micro-organisms of four kinds: a classifier far from malaria, to try the trainer with."""

from __future__ import annotations

from models.data.dataset import DataSet, SetKind

SET = DataSet(
    name="micro_organisms",
    kind=SetKind.CELLS,
    source="Kaggle, four of its eight classes, about 70 images each",
    licence="unknown",
    groups="none known",
    classes={
        "Amoeba": "amoeba",
        "Euglena": "flagellate alga",
        "Hydra": "fresh-water polyp",
        "Rod_bacteria": "rod-shaped bacteria",
    },
    may_teach=False,
    reason="its licence is unknown",
    complete=True,
)
