"""``edge-convert evaluate`` and ``python -m models evaluate`` read a folder of cells in one way: the same figures for both."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from convert.classify.evaluate import evaluate
from convert.errors import CellsError
from edge import shelf
from edge.modelfile import read_model, write_model
from models.data.gather import DataOptions, gather
from models.judge.evaluate import evaluated, open_nets
from tests.convert import cell_folders

DARK = Path(__file__).parents[2] / "data" / "dark.tflite"
NAMES = ("Uninfected", "PARASITIZED")
SHARED = ("auc", "sensitivity_at_1_percent_fp", "sensitivity", "false_positive_rate")


def net(folder: Path, **change: Any) -> Path:
    """The shelf's classifier as it is; with another card a net that sees cells alone, for which such a card makes sense."""
    file = read_model(DARK) if change else shelf.load(shelf.CLASSIFIER)
    assert file.card is not None
    crop = replace(file.card.crop, **change.pop("crop", {}))
    path = folder / "net.tflite"
    write_model(path, file.flatbuffer, replace(file.card, crop=crop, **change))
    return path


def both(file: Path, folder: Path, group_by: str | None) -> tuple[dict[str, Any], dict[str, Any]]:
    """The reports of the two commands."""
    asked = DataOptions(cells=(folder,), group_by=group_by)
    (other,) = evaluated(open_nets([str(file)]), gather(asked, least=1, split=False), lambda *_: None, lambda _: None)
    return evaluate(file, folder, group_by, lambda *_: None), other


def plain(folder: Path) -> None:
    cell_folders.make(folder, classes=NAMES)


def masked(folder: Path) -> None:
    cell_folders.make(folder, masked=True, classes=NAMES)


def mixed(folder: Path) -> None:
    plain(folder)
    cell_folders.make(folder, count=20, seed=4, masked=True, classes=NAMES)


def small(folder: Path) -> None:
    cell_folders.make(folder, masked=True, classes=NAMES, side=(18, 30))


def tabled(folder: Path) -> None:
    masked(folder)
    table = cell_folders.write_table(folder)
    table.write_text(table.read_text().replace(",Uninfected,s0", ",uninfected,s9"))


def copied(folder: Path) -> None:
    masked(folder)
    for number in range(4):
        (folder / "Uninfected" / f"s1_9{number}.png").write_bytes((folder / "Uninfected" / "s0_000.png").read_bytes())
    (folder / "Uninfected" / "s1_99.png").write_bytes((folder / "PARASITIZED" / "s0_000.png").read_bytes())
    (folder / "Uninfected" / "s2_99.png").write_bytes(b"no image")


@pytest.mark.parametrize("group_by", [r"s\d", None])
@pytest.mark.parametrize(
    ("make", "change", "cells"),
    [
        (plain, {}, 120),
        (masked, {}, 120),
        (mixed, {}, 120),
        (small, {}, 120),
        (tabled, {}, 120),
        (copied, {}, 119),
        (masked, {"crop": {"mask": "black"}}, 120),
        (masked, {"crop": {"margin": 1.3}}, 120),
        (plain, {"crop": {"normalise": "none"}}, 120),
        (masked, {"colour": "hsv"}, 120),
        (plain, {"colour": "bgr"}, 120),
    ],
)
def test_both_give_the_same_figures_and_say_the_same(
    tmp_path: Path, make: Callable[[Path], None], change: dict[str, Any], cells: int, group_by: str | None
) -> None:
    make(tmp_path / "cells")
    if make is tabled and group_by:
        group_by = "slide"
    one, other = both(net(tmp_path, **change), tmp_path / "cells", group_by)
    figures = one["figures"]["int8"]
    assert figures["cells"] == other["cells"] == cells
    for key in SHARED:
        assert figures[key] == other[key]["value"], key
    assert list(figures["auc_interval"]) == [other["auc"]["low"], other["auc"]["high"]]
    assert one["cells"]["check_groups"] == other["groups"]
    assert one["warnings"] == other["notes"]


def test_of_one_slide_neither_gives_an_interval(tmp_path: Path) -> None:
    folder = cell_folders.make(tmp_path / "cells", slides=1, classes=NAMES)
    one, other = both(net(tmp_path), folder, r"s\d")
    assert other["auc"]["low"] is None
    assert "auc_interval" not in one["figures"]["int8"]


def test_a_net_that_wants_black_refuses_cells_with_their_surroundings_in_both(tmp_path: Path) -> None:
    plain(tmp_path / "cells")
    file = net(tmp_path, crop={"mask": "black"})
    with pytest.raises(CellsError, match="takes cells cut out on black"):
        evaluate(file, tmp_path / "cells", r"s\d", lambda *_: None)
    with pytest.raises(CellsError, match="takes cells cut out on black"):
        both(file, tmp_path / "cells", r"s\d")


def test_a_net_that_was_trained_on_black_is_judged_there_too_and_that_is_said(tmp_path: Path) -> None:
    masked(tmp_path / "cells")
    trained = {"training": {"cells": "cut out on black"}}
    one, other = both(net(tmp_path, **trained), tmp_path / "cells", r"s\d")
    assert one["figures"]["int8"]["auc"] == other["auc"]["value"]  # on paper, as on the device
    on_black = evaluate(net(tmp_path, crop={"mask": "black"}), tmp_path / "cells", r"s\d", lambda *_: None)
    assert one["figures"]["int8_on_black"]["auc"] == on_black["figures"]["int8"]["auc"] != other["auc"]["value"]
    assert any("trained on cells on black" in warning for warning in one["warnings"])


def test_judging_needs_no_tensorflow(tmp_path: Path) -> None:
    plain(tmp_path / "cells")
    code = (
        "import sys; from pathlib import Path; from convert.classify.evaluate import evaluate; "
        "evaluate(Path(sys.argv[1]), Path(sys.argv[2]), None, lambda *_: None); print('tensorflow' in sys.modules)"
    )
    command = [sys.executable, "-c", code, str(net(tmp_path)), str(tmp_path / "cells")]
    env = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[3])}
    got = subprocess.run(command, capture_output=True, text=True, check=False, env=env)
    assert got.stdout.strip() == "False", got.stderr
