"""``edge-bench arm float``: the nets as they ship and in float, side by side (counting itself is pretended here)."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from typer.testing import CliRunner

from benchmarks.arm import files as counting
from benchmarks.arm import floats
from benchmarks.arm.cli import app
from benchmarks.errors import NoInputError
from edge import shelf
from edge.modelfile import read_model
from edge.runtime import Net

COUNTS = {
    processor: {
        shelf.FINDER: 2_000_000,
        f"{shelf.FINDER}-float": 3_000_000,
        shelf.CLASSIFIER: 1_000,
        f"{shelf.CLASSIFIER}-float": 500,
    }
    for processor in ("cortex-a53", floats.OLDER_PC)
}


def test_a_row_per_net_says_int8_float_and_their_ratio_on_each_processor() -> None:
    lines = floats.render(COUNTS).splitlines()
    assert "cortex-a53" in lines[0]
    assert floats.OLDER_PC in lines[0]
    assert lines[2] == (
        f"| `{shelf.FINDER}`, a field of 256x192 | 2,000,000, 3,000,000, 1.50 | 2,000,000, 3,000,000, 1.50 |"
    )
    assert lines[3].endswith("| 1,000, 500, 0.50 | 1,000, 500, 0.50 |")


def test_the_table_goes_into_its_place_in_the_page(monkeypatch: pytest.MonkeyPatch) -> None:
    kept: list[tuple[str, str]] = []
    monkeypatch.setattr(floats, "count_floats", lambda: COUNTS)
    monkeypatch.setattr("benchmarks.arm.table.write_page", lambda place, text: kept.append((place, text)))
    assert CliRunner().invoke(app, ["float"]).output.startswith("| net |")
    assert kept == []
    assert CliRunner().invoke(app, ["float", "--keep"]).exit_code == 0
    assert kept == [("float", floats.render(COUNTS))]


def test_on_this_machine_a_piece_of_work_is_what_lies_between_its_marks(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    model = shelf.load(shelf.CLASSIFIER)
    seen: dict[str, str] = {}

    def counted(_program: list[str], environment: dict[str, str]) -> tuple[str, list[int]]:
        seen.update(environment)
        pieces = '[["", 0], ["nothing", 1], ["", 0], ["net a", 10]]'
        return f'noise\n{{"pieces": {pieces}, "cells": 10}}\n', [7, 100, 5, 5100, 3]

    monkeypatch.setattr(floats, "counted", counted)
    assert floats.on_this_machine({"a": model.path}, tmp_path / "work") == {"a": 500}
    assert Path(seen[shelf.ENVIRONMENT], "a", "a.tflite").is_file()


def test_a_finder_is_fed_a_field_and_a_classifier_a_batch_of_cells(tmp_path: Path) -> None:
    counting.write_inputs({name: shelf.load(name).path for name in (shelf.FINDER, shelf.CLASSIFIER)}, tmp_path)
    assert np.load(tmp_path / "nets" / f"{shelf.FINDER}.npy").shape == (1, *counting.field_shape(), 3)
    assert len(np.load(tmp_path / "nets" / f"{shelf.CLASSIFIER}.npy")) > 1


def test_without_its_keras_file_a_net_cannot_be_counted_in_float(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    alone = SimpleNamespace(path=tmp_path / "net.tflite", card=shelf.load(shelf.FINDER).card)
    monkeypatch.setattr(shelf, "load", lambda _: alone)
    with pytest.raises(NoInputError, match=r"net\.keras: the float net is made of this file"):
        floats.make_files(tmp_path)


@pytest.mark.build
def test_the_float_twin_takes_bytes_and_says_what_the_shipped_net_says(tmp_path: Path) -> None:
    pytest.importorskip("tensorflow", reason="needs TensorFlow (make test-build brings it)")
    files = floats.make_files(tmp_path)
    for name in (shelf.FINDER, shelf.CLASSIFIER):
        nets = [Net(read_model(files[each])) for each in (name, f"{name}-float")]
        shape = (1, *counting.field_shape(), 3) if name == shelf.FINDER else (8, *nets[0].input_shape[1:])
        images = np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)
        outputs = [net.run(images) for net in nets]
        assert len(outputs[0]) == len(outputs[1])
        for int8 in outputs[0]:
            (twin,) = (one for one in outputs[1] if one.shape == int8.shape)
            assert np.corrcoef(int8.ravel(), twin.ravel())[0, 1] > 0.9
