"""The Plymouth cells: single red cells of one slide with their background."""

from __future__ import annotations

from models.data.dataset import DataSet, SetKind

SET = DataSet(
    name="plymouth_cells",
    kind=SetKind.CELLS,
    source="MSc project, University of Plymouth",
    licence="MIT",
    groups="one slide; its pictures (second number of a name) are kept together",
    classes={
        "parasitized": "red cell with P. falciparum",
        "uninfected": "red cell without one (about 2 % of these are wrong)",
    },
    may_teach=True,
    reason="its licence allows it",
    complete=True,
    group_by=r"^(\d+_\d+)_",
)
