"""The table of the founding nets: what is held out, how differences are paired, when a target is missed, what is kept."""

from __future__ import annotations

import json
import re
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

from convert.measure.cells import CellSet
from convert.measure.single import cut
from edge.modelfile import CropSpec
from edge.types import FloatArray, UInt8Array
from models.__main__ import app
from models.places import REPOSITORY
from models.studies.founding import convert as founding_convert
from models.studies.founding import data as founding_data
from models.studies.founding import run as founding
from models.studies.founding import train as founding_train
from models.studies.founding.compare import (
    PairedDifference,
    PairedFigures,
    SecondLabelFigures,
    by_second_labels,
    compare,
)
from models.studies.founding.convert import ConversionFigures, from_json, kept_figures
from models.studies.founding.data import Part, Protocol
from models.studies.founding.kept import KEPT, keep_row, kept_row
from models.studies.founding.page import render
from models.studies.founding.rows import ROWS
from models.studies.founding.run import FoundingSettings
from models.studies.founding.table import FoundingResult, epochs_told
from models.studies.founding.targets import targets
from models.studies.founding.train import TrainedNet
from models.studies.kept import code_digest

RNG = np.random.default_rng(5)
LABELS = ("Uninfected", "Parasitized")


EARLY = next(number for number, row in enumerate(ROWS) if row.patience)


def lost(value: float) -> PairedDifference:
    return PairedDifference(0.95, 0.95 - value, (-value - 0.001, -value + 0.001))


GOOD = PairedFigures(
    4000, 30, lost(0.001), 0.998, (0.93, 0.97), lost(0.001), lost(0.0005), (0.8, 0.79), 0.998, (0.996, 0.999)
)
SECOND = SecondLabelFigures(2071, 103, (0.9831, 0.9826), (0.9615, 0.9601))
NET = TrainedNet(Path("net.keras"), 8000, 95, 20, 20, ended=False, seconds=120.0, frozen=0, parameters=70_000)


def report(**changes: Any) -> dict[str, Any]:
    judged = {"cells": 4000, "accuracy": 0.95, "accuracy_interval": [0.93, 0.97], "auc": 0.98}
    judged |= {"sensitivity_at_1_percent_fp": 0.8}
    way = {"way": "native", "recipe": "int8", "tried": [{"recipe": "int8", "loss": 0.4}], "accuracy": 0.949}
    return {
        "passed": True,
        "drop_points": 0.1,
        "way": "native",
        "recipe": "int8",
        "model": {"bytes": 900_000, "macs": 5_000_000, "sha256": "ab"},
        "device_bytes": 80_000,
        "us_per_cell": {"float": 200.0, "int8": 50.0},
        "figures": {"as_trained": {**judged, "accuracy": 0.951}, "float": judged, "int8": judged},
        "agreement": {"int8_with_float": 0.999, "int8_with_as_trained": 0.998},
        "ways": [{**way, "bytes": 80_000, "macs": 5_000_000, "passed": True}],
        "layers": [{"op": "FULLY_CONNECTED", "tensor": "a", "ratio": 2.5, "bias": 0.0}],
        "healthy_layer": 0.289,
        "warnings": ["rebuild does not apply: the net does not work at 32x32x3"],
        **changes,
    }


def conversion(pair: PairedFigures | None = GOOD, **changes: Any) -> ConversionFigures:
    return ConversionFigures(report(**changes), 20, pair, SECOND if pair else None, (0.95, 0.99), "abc")


def measured(pair: PairedFigures | None = GOOD, **changes: Any) -> FoundingResult:
    return FoundingResult(ROWS[0], Protocol.NOTEBOOK, NET, conversion(pair, **changes))


def cells(count: int = 200) -> CellSet:
    truth = (np.arange(count) % 2).astype(np.int32)
    groups = np.array([f"C{i // 20}" for i in range(count)])
    names = tuple(f"{i}.png" for i in range(count))
    return CellSet(np.zeros((count, 4, 4, 3), np.uint8), truth, LABELS, groups, names, grouped=True)


def scored(right: np.ndarray, truth: np.ndarray) -> FloatArray:
    p = np.where(right == (truth == 1), 0.9, 0.1).astype(np.float32)
    return np.stack([1 - p, p], axis=1)


def test_by_slide_no_slide_is_in_two_parts(data: Path) -> None:
    parts = founding_data.divided("nih", data, Protocol.SLIDES)
    slides = {part: {one.group for one in images} for part, images in parts.items()}
    assert slides[Part.CONVERSION] == {"C1", "C6"}
    assert slides[Part.JUDGING] == {"C3", "C8"}
    assert slides[Part.TRAINING] == {"C0", "C2", "C4", "C5", "C7", "C9"}


@pytest.mark.parametrize("protocol", list(Protocol))
def test_every_image_is_in_one_part_only(data: Path, protocol: Protocol) -> None:
    parts = founding_data.divided("nih", data, protocol)
    every = [one.path.name for images in parts.values() for one in images]
    assert len(every) == len(set(every)) == 40
    assert all(parts.values())


def test_the_notebooks_split_judges_on_its_authors_test_set(data: Path) -> None:
    parts = founding_data.divided("nih", data, Protocol.NOTEBOOK)
    assert [len(parts[part]) for part in (Part.CONVERSION, Part.JUDGING)] == [8, 8]
    second = founding_data.second_labels("nih", data)
    assert set(second) <= {one.path.name for one in parts[Part.JUDGING]}
    assert set(second.values()) == {"Parasitized", "Uninfected"}
    shared = {one.group for one in parts[Part.TRAINING]} & {one.group for one in parts[Part.JUDGING]}
    assert shared  # what the page warns of


def test_a_folder_holds_the_images_of_its_part(data: Path) -> None:
    parts = founding_data.divided("nih", data, Protocol.SLIDES)
    place = founding_data.folder("nih", data, Protocol.SLIDES, Part.JUDGING)
    assert {path.name for path in place.rglob("*.png")} == {one.path.name for one in parts[Part.JUDGING]}
    few = founding_data.folder("nih", data, Protocol.SLIDES, Part.JUDGING, 4)
    assert sorted(path.parent.name for path in few.rglob("*.png")) == ["Parasitized"] * 2 + ["Uninfected"] * 2


def test_training_takes_all_images_of_its_part(data: Path) -> None:
    images, truth, slides = founding_data.training_set("nih", data, 16, "hsv", Protocol.SLIDES)
    assert images.shape == (24, 16, 16, 3)
    assert np.bincount(truth).tolist() == [12, 12]
    assert slides == 6
    assert images[..., 0].max() < 180  # OpenCV's hue


def test_a_notebook_pads_black_in_the_middle_as_the_converter_does() -> None:
    cell = np.zeros((64, 40, 3), np.uint8)
    cell[8:56, 8:32] = RNG.integers(60, 255, (48, 24, 3))
    ours = cut(cell, CropSpec(size=64), black=True, keep_black=True)
    assert np.array_equal(founding_data.notebook_image(cell, 64), ours)
    assert (ours[:, :12] == 0).all()


def test_a_notebook_scales_a_cell_to_fit() -> None:
    whole: UInt8Array = np.full((50, 100, 3), 200, np.uint8)
    small = founding_data.notebook_image(whole, 32)
    assert small.shape == (32, 32, 3)
    assert (small[8:24] == 200).all()
    assert (small[:8] == 0).all()


def test_differences_are_paired_and_signed() -> None:
    known = cells()
    rng = np.random.default_rng(0)
    theirs = rng.random(200) < 0.9
    mine = theirs.copy()
    mine[np.flatnonzero(theirs)[:6]] = False
    got = compare((scored(theirs, known.truth), scored(mine, known.truth)), (0.5, 0.5), known, ("Parasitized",))
    assert got.accuracy.value == pytest.approx(-6 / 200)
    assert got.agreement == pytest.approx(194 / 200)
    assert got.auc is not None
    assert got.auc.value < 0
    assert got.accuracy.interval[0] < got.accuracy.value < got.accuracy.interval[1] <= 0
    assert got.groups == 10


def test_each_net_has_its_own_operating_threshold() -> None:
    known = cells()
    scores = scored(np.ones(200, bool), known.truth)
    got = compare((scores, scores), (0.5, 0.95), known, ("Parasitized",))
    assert got.accuracy.value == 0
    assert got.operating.value == pytest.approx(-0.5)  # at 0.95 none counts as positive
    assert got.agreement == pytest.approx(0.5)
    assert got.agreement_at_half == 1


def test_the_paired_interval_is_of_the_difference_and_not_of_the_accuracies() -> None:
    known = cells()
    scores = scored(np.random.default_rng(0).random(200) < 0.7, known.truth)
    got = compare((scores, scores), (0.5, 0.5), known, ("Parasitized",))
    assert got.accuracy.interval == (0.0, 0.0)
    assert got.agreement_interval == pytest.approx((0.982, 1.0), abs=1e-3)  # what 200 cells cannot exclude


def test_without_a_positive_class_there_is_no_auc_and_the_highest_score_counts() -> None:
    known = cells()
    scores = scored(np.ones(200, bool), known.truth)
    got = compare((scores, scores), (0.99, 0.99), known, ())
    assert got.auc is None
    assert got.operating.after == 1


@pytest.mark.parametrize(
    ("change", "met"),
    [
        ({}, True),
        ({"accuracy": lost(0.003)}, True),
        ({"accuracy": lost(0.0031)}, False),
        ({"accuracy": lost(-0.02)}, True),
        ({"operating": lost(0.0031)}, False),
        ({"auc": lost(0.002)}, True),
        ({"auc": lost(0.0021)}, False),
        ({"auc": None}, True),
        ({"agreement": 0.995}, True),
        ({"agreement": 0.9949}, False),
    ],
)
def test_a_target_is_met_or_missed_by_the_figures(change: dict[str, Any], met: bool) -> None:
    assert targets(conversion(replace(GOOD, **change))).met is met


def test_what_the_gate_refused_misses_its_targets_and_the_table_says_so() -> None:
    one = measured(None, passed=False, drop_points=3.21)
    assert not targets(conversion(None, passed=False)).met
    text = render([one])
    assert "refused by the gate" in text
    assert "-3.21: **missed**" in text


def test_a_miss_is_counted_and_written_in_bold() -> None:
    text = render([measured(), measured(replace(GOOD, agreement=0.98))])
    assert "98.00 (99.60 to 99.90): **missed**" in text
    assert "1 of 2 rows keep within all targets" in text


def test_every_row_has_as_many_cells_as_its_head() -> None:
    untrained = FoundingResult(ROWS[3], Protocol.SLIDES, None, None)
    blocks = render([measured(), measured(None, passed=False), untrained]).split("\n\n")
    tables = [block.splitlines() for block in blocks if block.startswith("| net")]
    assert len(tables) == 5
    for table in tables:
        assert len({line.count("|") for line in table}) == 1


def test_a_row_that_is_not_trained_has_its_line() -> None:
    text = render([measured(), FoundingResult(ROWS[3], Protocol.SLIDES, None, None)])
    assert "| notebook 4 | slides | **not trained yet** (0 of 50) |" in text
    assert "1 of 2 rows are trained to the end and converted" in text


def test_a_row_that_is_trained_and_not_converted_says_so() -> None:
    text = render([replace(measured(), figures=None)])
    assert "| 20 of 20 epochs | 64x64 HSV, /255 | **not converted yet** | - |" in text
    assert "0 of 1 rows are trained to the end and converted" in text


@pytest.mark.parametrize(
    ("row", "net", "told"),
    [
        (0, NET, "20 of 20 epochs"),
        (0, replace(NET, epochs=3), "3 of 20 epochs: **not trained to the end**"),
        (EARLY, replace(NET, epochs=31, wanted=100, ended=True), "31, stopped early"),
        (EARLY, replace(NET, epochs=31, wanted=100), "31 of at most 100 epochs: **not trained to the end**"),
        (EARLY, None, "**not trained yet** (0 of at most 100)"),
    ],
)
def test_a_row_says_how_far_it_is_trained(row: int, net: TrainedNet | None, told: str) -> None:
    assert epochs_told(FoundingResult(ROWS[row], Protocol.SLIDES, net, None)) == told


def test_ways_that_failed_are_named() -> None:
    assert "| notebook 1 | notebook | rebuild | - | - | no | the net does not work at 32x32x3 |" in render([measured()])


def test_accuracy_on_the_notebooks_own_test_set_stands_beside_what_its_author_reports() -> None:
    text = render([measured()])
    assert "| 94.38 | 98.31 → 98.26 (n = 2071) | 96.15 → 96.01 | 95.00 → 94.90 (n = 4000) |" in text
    assert "own test set" not in render([replace(measured(), figures=conversion(None))])


def test_the_authors_labels_count_where_they_are_known() -> None:
    known = cells()
    scores = scored(np.ones(200, bool), known.truth)
    second = {"0.png": "Parasitized", "1.png": "Parasitized", "2.png": "Uninfected", "elsewhere.png": "Uninfected"}
    got = by_second_labels((scores, scores), known, second, ("Parasitized",))
    assert got == SecondLabelFigures(3, 1, (2 / 3, 2 / 3), (1.0, 1.0))
    assert by_second_labels((scores, scores), known, {}, ("Parasitized",)) is None


def test_the_worst_layers_are_named_where_int8_itself_loses_too_much() -> None:
    assert "FULLY_CONNECTED 2.50" not in render([measured()])
    lossy = measured(agreement={"int8_with_float": 0.98, "int8_with_as_trained": 0.98})
    assert "native: FULLY_CONNECTED 2.50" in render([lossy])


def test_rows_of_different_code_are_said_to_be() -> None:
    one = measured()
    other = replace(one, figures=replace(conversion(), code="def"))
    assert "by the same code (digest `abc`)" in render([one, one])
    assert "different states of the code" in render([one, other])


def test_figures_come_back_as_they_were_kept() -> None:
    for one in (conversion(), conversion(None)):
        again = from_json(json.loads(json.dumps(asdict(one))))
        assert (again.paired, again.second, again.epochs) == (one.paired, one.second, one.epochs)


def keep(work: Path, net: TrainedNet = NET) -> None:
    """The first row under the notebook's protocol, as if it had been trained and converted in this folder."""
    for folder, kept in (("nets", asdict(net)), ("rows", asdict(conversion()))):
        (work / folder).mkdir(exist_ok=True)
        kept.pop("path", None)
        (work / folder / f"{ROWS[0].name}-notebook.json").write_text(json.dumps(kept))


def test_what_was_trained_and_converted_is_not_done_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    keep(tmp_path)

    def work_again(*_: object, **__: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(founding_train, "_train", work_again)
    monkeypatch.setattr(founding_convert, "quantize", work_again)
    monkeypatch.setattr(founding, "reading", lambda _: ["how cells are read"])
    page = tmp_path / "founding.md"
    settings = FoundingSettings(tmp_path, page, (ROWS[0].name,), (Protocol.NOTEBOOK,), kept=tmp_path / "kept")
    assert founding.run(settings, print) == 1
    assert "| notebook 1 | notebook | 20 of 20 epochs |" in page.read_text()
    assert "| notebook 1 | slides | **not trained yet**" in page.read_text()
    monkeypatch.setattr(founding_convert, "folder", lambda *_: tmp_path)
    with pytest.raises(ZeroDivisionError):
        founding.run(replace(settings, again=True), print)


def test_a_machine_without_the_nets_takes_finished_rows_as_the_repository_keeps_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    keep_row(measured(), tmp_path / "kept")
    work, page = tmp_path / "empty", tmp_path / "founding.md"
    trained: list[object] = []
    monkeypatch.setattr(founding, "train_net", lambda *given: trained.append(given))
    monkeypatch.setattr(founding, "reading", lambda _: [])
    settings = FoundingSettings(work, page, (ROWS[0].name,), kept=tmp_path / "kept")
    assert founding.run(settings, print) == 1
    assert [given[1] for given in trained] == [Protocol.SLIDES]  # type: ignore[index]
    assert "| notebook 1 | notebook | 20 of 20 epochs |" in page.read_text()
    trained.clear()
    founding.run(replace(settings, again=True), print)
    assert [given[1] for given in trained] == list(Protocol)  # type: ignore[index]


@pytest.mark.parametrize(
    "unfinished",
    [
        replace(measured(), figures=None),
        replace(measured(), net=None),
        replace(measured(), net=replace(NET, epochs=19)),
    ],
)
def test_a_row_that_is_not_finished_is_not_kept_as_if_it_were(tmp_path: Path, unfinished: FoundingResult) -> None:
    with pytest.raises(ValueError, match="not trained to the end"):
        keep_row(unfinished, tmp_path)
    assert not list(tmp_path.iterdir())


def test_what_is_kept_names_no_place_of_a_machine() -> None:
    for row in ROWS:
        for protocol in Protocol:
            result = kept_row(row, protocol)
            assert result is None or result.complete
    for file in KEPT.glob("*.json"):
        assert not re.search(r'"/|/(root|home|tmp|work)/', file.read_text()), file.name


@pytest.mark.parametrize(
    ("epochs", "asked", "trained"),
    [(3, None, 20), (3, 10, 10), (3, 3, None), (3, 2, None), (20, None, None), (20, 30, None)],
)
def test_a_kept_net_is_trained_on_to_the_epochs_that_are_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, epochs: int, asked: int | None, trained: int | None
) -> None:
    keep(tmp_path, replace(NET, epochs=epochs))
    goals: list[int] = []

    def train(*settings: Any) -> TrainedNet:
        goals.append(settings[-1])
        return replace(NET, epochs=settings[-1])

    monkeypatch.setattr(founding_train, "_train", train)
    founding_train.train_net(ROWS[0], Protocol.NOTEBOOK, tmp_path, print, asked)
    assert goals == ([] if trained is None else [trained])


def test_a_device_file_is_judged_on_cells_of_the_size_and_cut_it_takes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[int, str]] = []

    def read(_cells: Path, _collection: str, size: int, shape: str) -> CellSet:
        asked.append((size, shape))
        raise ZeroDivisionError

    monkeypatch.setattr(founding_convert, "_read", read)
    monkeypatch.setattr(founding_convert, "folder", lambda *_: tmp_path)
    monkeypatch.setattr(founding_convert, "quantize", lambda *_, **__: report(crop_size=64, crop_shape="stretch"))
    with pytest.raises(ZeroDivisionError):
        founding_convert.convert_net(ROWS[0], Protocol.SLIDES, NET, tmp_path, print, again=True)
    assert asked == [(64, "stretch")]


def test_figures_of_a_net_that_was_trained_on_since_are_not_taken(tmp_path: Path) -> None:
    keep(tmp_path)
    assert kept_figures(ROWS[0], Protocol.NOTEBOOK, NET, tmp_path) is not None
    assert kept_figures(ROWS[0], Protocol.NOTEBOOK, replace(NET, epochs=21), tmp_path) is None


def test_no_cell_gets_into_the_repository() -> None:
    with pytest.raises(ValueError, match="in the repository"):
        founding.run(FoundingSettings(REPOSITORY / "build" / "founding", Path("page.md")), print)


def test_a_row_that_is_not_known_is_one_line_and_exit_code_2(tmp_path: Path) -> None:
    got = CliRunner().invoke(app, ["founding", "--work", str(tmp_path), "--only", "notebook_7"])
    assert got.exit_code == 2
    assert "notebook_7: no such row" in got.output
    assert not list(tmp_path.iterdir())


def test_the_command_says_how_it_goes_on() -> None:
    text = CliRunner().invoke(app, ["founding", "--help"]).output
    for option in ("--work", "--only", "--protocol", "--epochs", "--convert-again", "--no-training", "--out"):
        assert option in text


def test_the_digest_follows_the_code(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("1")
    first = code_digest(tmp_path)
    (tmp_path / "a.py").write_text("2")
    assert code_digest(tmp_path) != first


def test_every_founding_net_has_a_row() -> None:
    from models.studies.founding.nets import NETS

    assert {row.net for row in ROWS} == set(NETS)
    assert len({row.name for row in ROWS}) == len(ROWS)
