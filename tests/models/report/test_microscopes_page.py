"""The page of microscopes: the worst first, each figure with its interval and n, what must be reached beside what is."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from models.__main__ import app
from models.judge.figures import Measurement
from models.judge.microscopes import UNSEEN_BLOCKS, UNSEEN_RED_ONLY, UNSEEN_SLIDES, MicroscopeRow
from models.judge.targets import MUST_REACH
from models.places import SHELF
from models.report.figure import Figure
from models.report.microscopes import COLUMNS, net_costs, ordered, page, per_1000, plain, share, target_rows


def at(value: float, n: int = 84) -> Measurement:
    return Measurement(value, value - 0.05, value + 0.05, n)


def row(name: str, **figures: float) -> MicroscopeRow:
    return MicroscopeRow(name, name, ("net.tflite",), {key: at(value) for key, value in figures.items()})


GOOD, BAD = row("bbbc_fields", found_at_1=0.92, called=0.0005), row("iml_fields", found_at_1=0.27)
CELLS = row("plymouth_cells", at_1=0.6, found=0.1, called=0.0)
CALM, WILD = row("chula_fields", called=0.0), row("raabin_fields", called=0.027, white_counted=0.92)
UNTRAINED = MicroscopeRow("pbc_fields", "pbc_fields", missing="not trained: python -m models train net")
ALL = [CALM, UNTRAINED, GOOD, CELLS, BAD, WILD]


def test_the_worst_stands_first_then_those_without_parasites_then_those_not_judged() -> None:
    wanted = [BAD, CELLS, GOOD, WILD, CALM, UNTRAINED]
    assert ordered(ALL) == wanted
    assert ordered(ALL[::-1]) == wanted


def test_a_figure_is_written_with_its_interval_and_n() -> None:
    value = Measurement(0.9167, 0.8686, 0.9637, 2500)
    assert share(value) == "0.917 (0.869 to 0.964; n = 2,500)"
    assert per_1000(Measurement(0.0192, 0.0127, 0.0265, 2500)) == "19.20 (12.70 to 26.50; n = 2,500)"
    assert share(replace(value, low=None, high=None)) == "0.917 (n = 2,500)"


def test_the_page_names_the_worst_and_has_a_row_for_each() -> None:
    lines = page(ALL)
    text = " ".join(lines)
    assert "The worst is **iml_fields**: 27 % of its infected cells are found at 1 % false positives." in text
    assert "Without parasites it is **raabin_fields**: 27.0 of 1,000 finds are called infected." in text
    first = [line.split(" | ")[0] for line in lines if line.startswith("| ") and "_" in line.split(" | ")[0]]
    assert first[:6] == [f"| {one.name}" for one in ordered(ALL)]
    assert "Its own microscopes" not in text


def test_columns_that_no_row_has_are_left_out_and_what_a_row_lacks_is_a_dash() -> None:
    table = [line for line in page([GOOD, WILD]) if line.startswith("|")][:4]
    assert table[0] == "|  | found at 1 % | others called, per 1,000 | white cells counted |"
    assert table[3].startswith("| raabin_fields | - | 27.00 (")
    untrained = next(line for line in page(ALL) if line.startswith("| pbc_fields"))
    assert untrained.startswith("| pbc_fields | not trained: python -m models train net |")


def test_microscopes_that_the_nets_learned_from_stand_in_a_table_of_their_own() -> None:
    lines = page([GOOD, *(row(name, found_at_1=0.1) for name in (UNSEEN_BLOCKS, UNSEEN_RED_ONLY, UNSEEN_SLIDES))])
    assert "The worst is **bbbc_fields**" in " ".join(lines)
    assert next(i for i, line in enumerate(lines) if line.startswith(f"| {UNSEEN_BLOCKS}")) > lines.index(
        "## Its own microscopes"
    )


HELD: dict[str, tuple[MicroscopeRow, str, str, bool | None]] = {
    "at least, met": (GOOD, "infected found at 1 % false positives", ">= 0.9", True),
    "at least, missed": (replace(BAD, name="bbbc_fields"), "infected found at 1 % false positives", ">= 0.9", False),
    "at most, met": (GOOD, "others called infected at the card's threshold", "<= 1 per 1,000", True),
    "at most, missed": (WILD, "others called infected at the card's threshold", "<= 1 per 1,000", False),
    "at most, just so": (
        row("bbbc_fields", called=0.001),
        "others called infected at the card's threshold",
        "<= 1 per 1,000",
        True,
    ),
    "at most, nothing counted": (CALM, "others called infected at the card's threshold", "<= 0.2 per 1,000", True),
    "not judged": (UNTRAINED, "red cells, F1", ">= 0.92", None),
    "no such figure": (GOOD, "AUC", ">= 0.99", None),
}


@pytest.mark.parametrize("name", HELD)
def test_what_must_be_reached_is_met_missed_or_not_known(name: str) -> None:
    judged, what, target, met = HELD[name]
    found = {one.what: one for one in target_rows([judged])}
    assert (found[what].target, found[what].met) == (target, met)
    if met is None:
        assert found[what].value == (judged.missing or "no such cells")


def test_every_row_that_has_targets_is_a_row_of_the_judge_and_every_figure_is_known() -> None:
    rows = {
        "bbbc_fields",
        "raabin_fields",
        "pbc_fields",
        "plymouth_cells",
        "chula_fields",
        "healthy_tiles",
        "iml_fields",
        "nih_cells",
    }
    assert {one.row for one in MUST_REACH} == {*rows, UNSEEN_BLOCKS, UNSEEN_SLIDES}
    assert {key for one in MUST_REACH for key in one.keys} <= {key for one in COLUMNS for key in one.keys} | {
        "accuracy"
    }
    assert len({(one.row, one.what) for one in MUST_REACH}) == len(MUST_REACH)


def test_the_costs_of_the_shipped_nets_stand_beside_what_they_may_take() -> None:
    cell, field = net_costs(SHELF)
    assert (cell.where, cell.target) == ("a cell", "<= 600,000")
    assert (field.where, field.target) == ("a field at 320x240", "<= 95,000,000")
    assert int(field.value.replace(",", "")) > 10_000_000
    assert cell.met is (int(cell.value.replace(",", "")) <= 600_000)


def test_programs_get_the_same_as_plain_values() -> None:
    found = plain([CALM, BAD], [Figure("net", "a cell", "<= 1", "2", met=False)])
    assert [one["name"] for one in found["rows"]] == ["iml_fields", "chula_fields"]
    assert found["rows"][0]["figures"]["found_at_1"] == {
        "value": 0.27,
        "low": at(0.27).low,
        "high": at(0.27).high,
        "n": 84,
    }
    assert found["targets"][-1] == {"what": "net", "where": "a cell", "target": "<= 1", "measured": "2", "met": False}


@pytest.fixture
def judge(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """The command judges nothing: it is given two rows, and what it asked for is kept."""
    asked: list[Any] = []

    def rows(_places: Any, left_out: Any, _tell: Any, only: Any) -> list[MicroscopeRow]:
        asked.append((left_out, only))
        return [CALM, BAD]

    monkeypatch.setattr("models.cli.microscopes.judge_microscopes", rows)
    monkeypatch.setattr("models.cli.microscopes.need_images", lambda: None)
    return asked


def test_the_command_judges_what_the_recipe_leaves_out_and_prints_or_writes_the_page(
    judge: list[Any], tmp_path: Path
) -> None:
    printed = CliRunner().invoke(app, ["microscopes", "--only", "iml_fields,chula_fields"])
    assert printed.exit_code == 0
    ((left_out, only),) = judge
    assert ("nih_cells", "iml_fields") in left_out
    assert only == ("iml_fields", "chula_fields")
    out = tmp_path / "page.md"
    written = CliRunner().invoke(app, ["microscopes", "-o", str(out)])
    assert (written.exit_code, written.stdout) == (0, "")
    assert out.read_text() == printed.stdout == "\n".join([*page([CALM, BAD], net_costs(SHELF)), ""])


def test_the_command_refuses_rows_that_there_are_not_in_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("models.cli.microscopes.need_images", lambda: None)
    done = CliRunner().invoke(app, ["microscopes", "--only", "nothing"])
    assert done.exit_code == 9
    assert done.stderr.count("\n") == 1
    assert "no row is of nothing: there are nih_cells, iml_fields" in done.stderr
