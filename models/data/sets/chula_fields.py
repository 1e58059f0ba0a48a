"""The Chula fields: healthy thin films, cell centres marked by points."""

from __future__ import annotations

from models.data.dataset import DataSet, SetKind

SET = DataSet(
    name="chula_fields",
    kind=SetKind.MARKED,
    source="Chula RBC-12",
    licence="MIT",
    groups="none known: each image counts as a group of its own",
    classes={"cell": "red cell, no parasites (nearly all are marked)"},
    may_teach=False,
    reason="it is kept as a microscope never seen",
    complete=True,
)
