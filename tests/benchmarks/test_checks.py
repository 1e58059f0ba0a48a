"""What the tables of the checks count: made-up fields, and checks whose answers are known."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest
from typer.testing import CliRunner

from benchmarks.checks import spoilt, tables
from benchmarks.checks.__main__ import app
from benchmarks.checks.tables import SETS, called_incomplete, counted, damage_rows, inside_by, outline_of
from edge.types import Cells, Field, FieldResult, Quality, Region, Timings, UInt8Array


def cells_at(*boxes: tuple[int, int, int, int]) -> Cells:
    count = len(boxes)
    kinds = ("cell", "not-whole")
    return Cells(np.array(boxes, np.int32).reshape(-1, 4), np.ones(count, np.float32), np.zeros(count, np.int32), kinds)


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Every set with three small fields of different brightness."""
    for name in SETS:
        (tmp_path / name / "images").mkdir(parents=True)
        for number in range(3):
            rgb = np.full((48, 64, 3), 60 + 60 * number, np.uint8)
            cv2.imwrite(str(tmp_path / name / "images" / f"{number}.png"), rgb)
    return tmp_path


@pytest.mark.parametrize(
    ("every", "names"),
    [(1, ["0.png", "1.png", "2.png"]), (2, ["0.png", "2.png"]), (5, ["0.png"])],
)
def test_every_so_many_fields_are_taken_by_name(data: Path, every: int, names: list[str]) -> None:
    taken = list(tables.fields(data, "iml_fields", every))
    assert [Path(path).name for path, _ in taken] == names
    assert taken[0][1].shape == (48, 64, 3)


def test_the_outline_of_a_rectangle_goes_through_its_pixels_outer_corners() -> None:
    lit = np.zeros((40, 60), bool)
    lit[10:30, 20:50] = True
    corners = outline_of(lit).outline
    assert {tuple(corner) for corner in corners} == {(20, 10), (50, 10), (20, 30), (50, 30)}


SQUARE = Region(np.array([[0, 0], [100, 0], [100, 100], [0, 100]], np.float32))


@pytest.mark.parametrize(
    ("box", "whole", "less"),
    [
        pytest.param((40, 40, 20, 20), 1, 1, id="wholly inside"),
        pytest.param((90, 40, 11, 20), 0, 1, id="a pixel over: inside less a tenth"),
        pytest.param((90, 40, 20, 20), 0, 0, id="half outside"),
        pytest.param((140, 40, 20, 20), 0, 0, id="outside"),
    ],
)
def test_a_cell_is_inside_by_its_whole_box_or_its_box_less_a_tenth(
    box: tuple[int, int, int, int], whole: int, less: int
) -> None:
    rule, by_whole, by_less = inside_by(cells_at(box), SQUARE)
    assert (by_whole, by_less) == (whole, less)
    assert by_whole <= rule <= 1


@pytest.mark.parametrize(
    ("values", "row"),
    [
        pytest.param([(10, 10, 10, 10)], "| m | 1 | 0 | 0.0 % | 0.0 % | +0.0 % | +0.0 % | +0.0 % |", id="equal"),
        pytest.param(
            [(9, 10, 9, 12)], "| m | 1 | 0 | 10.0 % | 10.0 % | -10.0 % | +0.0 % | -25.0 % |", id="one is missing"
        ),
        pytest.param(
            [(11, 10, 10, 11)], "| m | 1 | 0 | 10.0 % | 10.0 % | +10.0 % | +10.0 % | +0.0 % |", id="one too many"
        ),
        pytest.param(
            [(8, 10, 10, 10), (10, 10, 10, 10), (10, 10, 10, 10)],
            "| m | 3 | 0 | 0.0 % | 20.0 % | -6.7 % | -6.7 % | -6.7 % |",
            id="median and worst of the fields",
        ),
        pytest.param(
            [(1, 9, 9, 9), (10, 10, 10, 10)],
            "| m | 2 | 0 | 0.0 % | 0.0 % | -42.1 % | -42.1 % | -42.1 % |",
            id="fewer than ten cells are in the sum alone",
        ),
    ],
)
def test_a_row_holds_errors_per_field_and_in_sum(values: list[tuple[int, int, int, int]], row: str) -> None:
    assert counted("m", values, 0) == row


def test_a_row_says_in_how_many_fields_the_region_was_missed() -> None:
    assert counted("m", [(10, 10, 10, 10)] * 2, 1).startswith("| m | 2 | 1 |")


def result(rgb: UInt8Array, cells: Cells, region: Region | None) -> FieldResult:
    """What an analysis would say: these cells, none of them judged."""
    count = len(cells)
    quality, times = Quality(1.0, 128.0, 0.0, 0.0, 0.5, b""), Timings(0, 0, 0, 0, 0)
    scores, classes = np.zeros((count, 1), np.float32), np.zeros(count, np.int32)
    shape = (rgb.shape[0], rgb.shape[1])
    return FieldResult(0, "s", "f", shape, cells, scores, classes, quality, times, region=region)


def test_masked_counts_are_held_against_the_cells_inside(data: Path) -> None:
    everywhere = [(x, y, 4, 4) for x in range(2, 60, 6) for y in range(2, 44, 6)]

    def analyse(field: Field) -> FieldResult:
        return result(field.rgb, cells_at(*everywhere), None)

    rows = tables.masked_counts(data, "iml_fields", 1, analyse, large=False)
    assert rows[1].startswith("| iml_fields | fields | region missed |")
    assert len(rows) == 3 + len(spoilt.MASKS) + 1
    assert rows[-1].startswith(f"| all | {3 * len(spoilt.MASKS)} | {3 * len(spoilt.MASKS)} |")
    small = next(row for row in rows if row.startswith("| small circle |"))
    assert small.split("|")[6].strip().startswith("+")  # everything was counted, also what lies outside


def refusing(monkeypatch: pytest.MonkeyPatch, level: int) -> None:
    """A check that refuses every field with a mean above ``level``, and no field with a lit region."""
    monkeypatch.setattr(tables, "find_region", lambda _rgb: None)
    monkeypatch.setattr(tables, "is_incomplete", lambda rgb, _region=None: bool(rgb.mean() > level))


def test_the_first_table_counts_refusals_of_sound_fields(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    refusing(monkeypatch, 150)
    assert tables.plain_rows(data, 1)[2:] == [f"| {name} | 3 | 0 | 1 |" for name in SETS]


def test_damaged_fields_are_counted_from_the_second_on_with_the_one_before(
    data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    refusing(monkeypatch, 100)
    makers: dict[str, spoilt.Maker] = {
        "the one before": lambda _rgb, other, _rng: other,
        "itself": lambda rgb, _other, _rng: rgb.copy(),
    }
    assert called_incomplete(data, "iml_fields", 1, makers) == {"the one before": (1, 2), "itself": (2, 2)}


def test_a_field_with_a_region_of_its_own_is_no_example_of_a_sound_one(
    data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    refusing(monkeypatch, 0)
    monkeypatch.setattr(tables, "find_region", lambda _rgb: SQUARE)
    makers: dict[str, spoilt.Maker] = {"as it is": lambda rgb, _other, _rng: rgb}
    assert called_incomplete(data, "iml_fields", 1, makers) == {"as it is": (0, 0)}


def test_the_third_table_adds_up_over_sets_and_kinds(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    refusing(monkeypatch, 100)
    rows = damage_rows(data, 1, {"itself": lambda rgb, _other, _rng: rgb.copy()}, "damaged")
    assert rows[0] == "| damaged | " + " | ".join(SETS) + " |"
    assert rows[2] == "| itself | " + " | ".join(["2 of 2"] * len(SETS)) + " |"
    assert rows[-1] == f"Called incomplete: {2 * len(SETS)} of {2 * len(SETS)}."


def test_costs_are_shares_of_decoding_and_analysis_together(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    spent = {"decode_image": 3.0, "analyse": 7.0, "find_region": 0.5, "is_incomplete": 0.25}
    names = iter(list(spent) * 100)
    monkeypatch.setattr(tables, "least_seconds", lambda _job: spent[next(names)])
    rows = tables.cost_rows(data, 1, lambda field: result(field.rgb, cells_at(), None))
    assert rows[2:] == [f"| {name} | 5.0 % | 2.5 % | 7.5 % |" for name in tables.COUNTED]


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("DATA", "--only", "plain"), 0, "| iml_fields | 3 |"),
        (("DATA", "--only", "nothing"), 2, "--only"),
        (("DATA", "--every", "0"), 2, "--every"),
        (("NONE",), 4, "no iml_fields/images in it"),
        ((), 2, "DATA"),
    ],
)
def test_the_command_prints_the_tables_asked_for(data: Path, arguments: tuple[str, ...], code: int, said: str) -> None:
    places = {"DATA": str(data), "NONE": str(data / "none")}
    got = CliRunner().invoke(app, [places.get(word, word) for word in arguments])
    assert got.exit_code == code, got.output
    assert said in got.output


@pytest.mark.parametrize("name", spoilt.MASKS)
def test_a_mask_leaves_some_of_the_field_and_hides_some(name: str) -> None:
    lit = spoilt.MASKS[name]((96, 128))
    assert lit.shape == (96, 128)
    assert 0.1 < lit.mean() < 1.0


@pytest.mark.parametrize("surround", spoilt.SURROUNDS)
def test_outside_a_mask_it_is_dark_and_inside_the_field(surround: str) -> None:
    rgb = np.full((96, 128, 3), 200, np.uint8)
    lit = spoilt.MASKS["circle"]((96, 128))
    seen = spoilt.through(rgb, lit, surround, np.random.default_rng(0))
    assert seen.shape == rgb.shape
    assert seen[:8, :8].mean() < 90
    assert abs(float(seen[44:52, 60:68].mean()) - 200) < 5


@pytest.mark.parametrize("kind", [*spoilt.DAMAGES, *spoilt.WHOLE])
def test_a_made_field_is_a_field_and_the_first_one_is_not_touched(kind: str) -> None:
    rng = np.random.default_rng(0)
    small = (rng.integers(0, 256, (12, 16, 3), np.uint8) for _ in range(2))
    rgb, other = (np.asarray(cv2.resize(one, (640, 480)), np.uint8) for one in small)
    before = rgb.copy()
    made = {**spoilt.DAMAGES, **spoilt.WHOLE}[kind](rgb, other, np.random.default_rng(1))
    assert made.dtype == np.uint8
    assert made.shape[2:] == (3,)
    assert (rgb == before).all()
    assert (kind == "as it is") == (made.shape == rgb.shape and bool((made == rgb).all()))
