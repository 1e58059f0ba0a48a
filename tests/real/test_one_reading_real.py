"""``edge-convert evaluate`` and ``python -m models evaluate`` on the same real cells: the same figures to the last digit."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from convert.classify.evaluate import evaluate
from convert.measure.listing import TABLE
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

SHARED = ("auc", "sensitivity_at_1_percent_fp", "sensitivity", "false_positive_rate")
EVERY = 40
"""One cell in so many is judged, of each class: cells stand in the order of their slides."""


def some_cells(source: Path, folder: Path) -> Path:
    """Every so many cells of each class, with the table where there is one."""
    for inside in (one for one in sorted(source.iterdir()) if one.is_dir()):
        (folder / inside.name).mkdir(parents=True)
        for image in sorted(inside.iterdir())[::EVERY]:
            shutil.copy(image, folder / inside.name)
    if (source / TABLE).is_file():
        head, *rows = (source / TABLE).read_text().splitlines()
        kept = [row for row in rows if (folder / row.split(",")[0]).is_file()]
        (folder / TABLE).write_text("\n".join([head, *kept]) + "\n")
    return folder


@pytest.mark.parametrize(
    "name",
    [
        pytest.param("nih_cells", id="cells cut out on black"),
        pytest.param("plymouth_cells", id="cells of another microscope, with their background"),
    ],
)
def test_both_commands_give_the_same_figures(name: str, tmp_path: Path) -> None:
    folder = some_cells(data_dir() / name, tmp_path / name)
    path = shelf.load(shelf.CLASSIFIER).path
    one = evaluate(path, folder, None, lambda *_: None)
    (other,) = evaluated(
        open_nets([shelf.CLASSIFIER]),
        gather(DataOptions(cells=(folder,)), least=1, split=False),
        lambda *_: None,
        lambda _: None,
    )
    figures = one["figures"]["int8"]
    assert figures["cells"] == other["cells"] > 100
    assert one["cells"]["check_groups"] == other["groups"]
    for key in SHARED:
        assert figures[key] == other[key]["value"], key
    for key in SHARED[:2]:
        assert list(figures[f"{key}_interval"]) == [other[key]["low"], other[key]["high"]], key
    assert figures["auc"] > 0.9
