"""The public sets of cells without any option: both commands give the same figures, far from what reading them wrongly gave."""

from __future__ import annotations

from pathlib import Path

import pytest

from convert.classify.evaluate import evaluate
from edge import shelf
from models.data.fields import data_dir
from models.data.gather import DataOptions, gather
from models.judge.evaluate import evaluated, open_nets

pytestmark = [
    pytest.mark.real,
    pytest.mark.skipif(
        not (data_dir() / "nih_cells").is_dir(), reason="the real images are not beside this repository"
    ),
]
EVERY = 12


def linked(source: Path, target: Path, names: dict[str, str], *, numbered: bool = False) -> Path:
    """Links to every twelfth cell, in folders of other names; ``numbered``: their own names tell nothing."""
    for label, other in names.items():
        (target / other).mkdir(parents=True)
        for number, path in enumerate(sorted((source / label).glob("*.[jp][pn]g"))[::EVERY]):
            (target / other / (f"{number}{path.suffix}" if numbered else path.name)).symlink_to(path)
    return target


NIH = {"Parasitized": "Parasitized", "Uninfected": "Uninfected"}
SHOUTED = {"parasitized": "PARASITIZED", "uninfected": "Uninfected "}


@pytest.mark.parametrize(
    ("source", "names", "numbered", "said"),
    [
        ("nih_cells", NIH, False, "slides are told by the files' names"),
        ("nih_cells", NIH, True, "no slides are known"),
        ("plymouth_cells", SHOUTED, False, "no slides are known"),
    ],
)
def test_public_cells_without_options(
    tmp_path: Path, source: str, names: dict[str, str], said: str, *, numbered: bool
) -> None:
    folder = linked(data_dir() / source, tmp_path / "cells", names, numbered=numbered)
    path = next(one.path for one in shelf.entries() if one.name == shelf.CLASSIFIER)
    one = evaluate(path, folder, None, lambda *_: None)
    data = gather(DataOptions(cells=(folder,)), least=1, split=False)
    (other,) = evaluated(open_nets([shelf.CLASSIFIER]), data, lambda *_: None, lambda _: None)
    figures = one["figures"]["int8"]
    assert (
        figures["auc"] == other["auc"]["value"] > 0.95
    )  # slides that are not known are compared with one typical cell
    assert list(figures["auc_interval"]) == [other["auc"]["low"], other["auc"]["high"]]
    assert one["warnings"] == other["notes"]
    assert any(said in note for note in one["warnings"])
