"""The blind reading: what is drawn, what is kept, what it changes, what is refused."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from convert.errors import CellsError
from edge.errors import OutputError
from models.judge.scores import FieldCells, NetScores
from models.report import blind, measure, tables
from tests.models.report.test_report import field_cells, nih_cells, scored


@pytest.fixture
def iml() -> FieldCells:
    """Every box another one, so that names tell cells apart."""
    cells = field_cells()
    return replace(cells, boxes=np.arange(len(cells.infected))[:, None] + np.array([[0, 0, 20, 20]]))


@pytest.fixture
def net(iml: FieldCells) -> NetScores:
    return scored("net", nih_cells(), iml, 0)


def written(path: Path, verdicts: list[str]) -> Path:
    path.write_text("cell,verdict\n" + "".join(f"{i + 1},{verdict}\n" for i, verdict in enumerate(verdicts)))
    return path


def test_the_worst_stand_among_others_and_are_drawn_alike_every_time(iml: FieldCells, net: NetScores) -> None:
    cells = blind.drawn(iml, net)
    again = blind.drawn(iml, net)
    assert cells.rows.tolist() == again.rows.tolist()
    assert len(set(cells.rows.tolist())) == 96
    group = np.array(cells.groups)
    assert (iml.infected[cells.rows] == (group == blind.INFECTED)).all()
    limit = net.iml[cells.rows[group == blind.HIGHEST]].min()
    assert (net.iml[cells.rows[group == blind.UNINFECTED]] <= limit).all()
    assert len(set(cells.groups[:20])) > 1  # shuffled


def test_a_reading_counts_only_for_the_cells_that_were_read(iml: FieldCells, net: NetScores, tmp_path: Path) -> None:
    reading = blind.take(written(tmp_path / "r.csv", ["unsure"] * 96), "somebody", iml, net)
    blind.keep(reading, tmp_path / "page" / blind.FILE)
    assert blind.kept(tmp_path / "page" / blind.FILE, iml, net) == reading
    other = replace(net, iml=1 - net.iml)
    assert blind.kept(tmp_path / "page" / blind.FILE, iml, other) is None
    assert blind.kept(tmp_path / "nothing", iml, net) is None


def test_cells_read_as_infected_no_longer_count_as_false_positives(
    iml: FieldCells, net: NetScores, tmp_path: Path
) -> None:
    cells = blind.drawn(iml, net)
    verdicts = ["infected" if group == blind.HIGHEST else "uninfected" for group in cells.groups]
    reading = blind.take(written(tmp_path / "r.csv", verdicts), "somebody", iml, net)
    fewer, same = blind.without_read_as_infected(reading, iml, net)
    assert len(fewer.infected) == len(same.iml) == len(iml.infected) - 48
    assert fewer.total == iml.total
    rate = 0.01
    assert measure.found(fewer, same, rate).share.value > measure.found(iml, net, rate).share.value
    page = "\n".join(tables.read_blind(reading, iml, net))
    assert f"| {blind.HIGHEST} | 48 | 48 | 0 | 0 |" in page
    assert "Without the 48" in page
    assert "Nobody has read" in tables.read_blind(None, iml, net)[0]


@pytest.mark.parametrize(
    "text",
    [
        "cell,verdict\n1,infected\n",
        "cell,verdict\n" + "1,maybe\n" * 96,
        "number,word\n1,infected\n",
        "cell,verdict\n97,infected\n",
        "cell,verdict\nx,infected\n",
        "",
    ],
)
def test_an_incomplete_or_odd_reading_is_refused(iml: FieldCells, net: NetScores, tmp_path: Path, text: str) -> None:
    path = tmp_path / "r.csv"
    path.write_text(text)
    with pytest.raises(CellsError, match=r"r\.csv"):
        blind.take(path, "somebody", iml, net)
    with pytest.raises(CellsError):
        blind.take(tmp_path / "absent.csv", "somebody", iml, net)


def test_the_sheet_is_never_written_into_the_repository(iml: FieldCells, net: NetScores) -> None:
    with pytest.raises(OutputError, match="outside"):
        blind.write_sheet(Path(__file__).parent / "sheets", iml, net)
