"""The IML malaria fields: thin films with P. vivax, every cell boxed but those of crowded regions."""

from __future__ import annotations

from models.data.dataset import DataSet, SetKind
from models.data.fields import BLOCK

SET = DataSet(
    name="iml_fields",
    kind=SetKind.ANNOTATED,
    source="Arshad et al. 2022, IML malaria data set",
    licence="not stated beside the images",
    groups=f"block of {BLOCK} consecutive images: neighbours show the same film",
    classes={
        "red blood cell": "red cell without a parasite",
        "ring": "P. vivax, ring",
        "trophozoite": "P. vivax, trophozoite",
        "schizont": "P. vivax, schizont",
        "gametocyte": "P. vivax, gametocyte",
        "difficult": "annotators were unsure: counts neither way",
    },
    may_teach=True,
    reason="the README of the data folder allows it",
    complete=False,
    blocks=(BLOCK, 1),
)
