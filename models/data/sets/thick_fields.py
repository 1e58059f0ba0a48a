"""Thick films of 21 slides: parasites boxed loosely, white cells and platelets not boxed."""

from __future__ import annotations

from models.data.dataset import DataSet, SetKind

SET = DataSet(
    name="thick_fields",
    kind=SetKind.ANNOTATED,
    source="Fiocruz malaria cells",
    licence="CC BY 4.0",
    groups="slide, as the annotations name it",
    classes={"parasite": "malaria parasite in a thick film"},
    may_teach=True,
    reason="its licence allows it",
    complete=False,
)
