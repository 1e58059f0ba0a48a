"""The NIH cells: single red cells of 158 slides, cut out on black, with a second opinion on some."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from models.data.dataset import DataSet, SetKind
from models.data.nih import nih_rows


def second_opinions(folder: Path) -> Mapping[str, str]:
    """Per file the second opinion where there is one: it is learned from, and the published label is judged by."""
    return {row["file"]: label for row in nih_rows(folder) if (label := row["second_label"].strip())}


SET = DataSet(
    name="nih_cells",
    kind=SetKind.CELLS,
    source="US National Library of Medicine (Rajaraman et al. 2018), 158 of its slides",
    licence="not stated beside the images",
    groups="slide",
    classes={"parasitized": "red cell with a malaria parasite (P. falciparum)", "uninfected": "red cell without one"},
    may_teach=True,
    reason="the README of the data folder allows it",
    complete=True,
    cut_out=True,
    lessons=second_opinions,
)
