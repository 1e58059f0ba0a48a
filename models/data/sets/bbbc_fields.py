"""The BBBC041 fields: P. vivax of several laboratories and stains; the microscope never seen, to judge by."""

from __future__ import annotations

from models.data.dataset import DataSet, SetKind

SET = DataSet(
    name="bbbc_fields",
    kind=SetKind.ANNOTATED,
    source="BBBC041 (Ljosa et al. 2012; Hung et al. 2017)",
    licence="CC BY-NC-SA",
    groups="colour of the stain, as the annotations name it: no slide",
    classes={
        "red blood cell": "red cell without a parasite",
        "white blood cell": "white cell",
        "ring": "P. vivax, ring",
        "trophozoite": "P. vivax, trophozoite",
        "schizont": "P. vivax, schizont",
        "gametocyte": "P. vivax, gametocyte",
        "difficult": "annotators were unsure: counts neither way",
    },
    may_teach=False,
    reason="its licence forbids commercial use",
    complete=True,
)
