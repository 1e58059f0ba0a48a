"""``convert quantize``, ``evaluate`` and ``compare`` as a user runs them, on a net trained here in seconds."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from edge.modelfile import read_model
from edge.runtime import Net
from tests.convert import cell_folders

ROOT = Path(__file__).parents[3]
pytestmark = [
    pytest.mark.build,
    pytest.mark.skipif(
        importlib.util.find_spec("tensorflow") is None,
        reason="needs TensorFlow (make test-build brings it)",
    ),
]
TRAIN = """
import sys, numpy as np, keras
from convert.measure.reading import read_cells
from edge.crops import to_colour
from edge.modelfile import CropSpec
from pathlib import Path
keras.utils.set_random_seed(1)
L = keras.layers
size = int(sys.argv[3])
cells = read_cells(Path(sys.argv[1]), (), CropSpec(size=size), keep_black=True)
x = to_colour(cells.images, "bgr").astype("f") / 255
net = keras.Sequential([L.Input((size, size, 3)), L.Conv2D(8, 3, 2, activation="relu"), L.BatchNormalization(momentum=0.8),
    L.Conv2D(8, 3, 2), L.LeakyReLU(), L.Dropout(0.1),
    *([L.GlobalMaxPooling2D()] if size != 32 else [L.Flatten()]), L.Dense(1, activation="sigmoid")])
net.compile(keras.optimizers.Adam(0.01), "binary_crossentropy")
net.fit(x, cells.truth.astype("f"), epochs=30, batch_size=32, verbose=0)
net.save(sys.argv[2])
"""


UNTRAINED = """
import sys, keras
keras.utils.set_random_seed(1)
L = keras.layers
keras.Sequential([L.Input((32, 32, 3)), L.Conv2D(4, 3, 2, activation="relu"), L.Flatten(),
    L.Dense(1, activation="sigmoid", kernel_initializer="zeros")]).save(sys.argv[1])
"""


def convert(*arguments: object, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    code = "from convert.cli import main; main()"
    command = [sys.executable, "-c", code, *map(str, arguments)]
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.run(command, capture_output=True, text=True, check=False, env=env, cwd=cwd or ROOT, timeout=300)


def trained(folder: Path, size: int) -> Path:
    path = folder / f"net{size}.keras"
    env = {**os.environ, "PYTHONPATH": str(ROOT), "TF_CPP_MIN_LOG_LEVEL": "3"}
    command = [sys.executable, "-c", TRAIN, str(folder / "cells"), str(path), str(size)]
    subprocess.run(command, check=True, env=env, capture_output=True, timeout=300)
    return path


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("quantize")
    cell_folders.make(made / "cells", count=90)
    return made


@pytest.fixture(scope="module")
def net(folder: Path) -> Path:
    return trained(folder, 32)


@pytest.fixture(scope="module")
def device(folder: Path, net: Path) -> tuple[Path, dict[str, Any], str]:
    out, report = folder / "net.tflite", folder / "net.json"
    got = convert("quantize", net, "--cells", folder / "cells", "--group-by", r"s\d", "-o", out, "--report", report)
    assert got.returncode == 0, got.stderr
    return out, json.loads(report.read_text()), got.stdout


def test_a_trained_net_becomes_a_device_file_that_is_as_good(device: tuple[Path, dict[str, Any], str]) -> None:
    out, report, shown = device
    assert report["figures"]["as_trained"]["accuracy"] > 0.9
    assert report["drop_points"] <= 0.5
    assert report["agreement"]["int8_with_float"] >= 0.97
    assert report["delegated"]
    assert report["way"] == "native"
    assert out.stat().st_size < 60_000
    assert "written" in shown
    assert "not a diagnosis" in " ".join(shown.lower().split())  # lines may be folded anywhere


def test_what_it_was_trained_on_is_found_out_and_said(device: tuple[Path, dict[str, Any], str]) -> None:
    out, report, _ = device
    card = read_model(out).card
    assert card is not None
    assert card.colour == report["colour"] == "bgr"
    assert any("found by trying" in warning and "--colour bgr" in warning for warning in report["warnings"])


def test_a_byte_reaches_the_net_as_a_byte(device: tuple[Path, dict[str, Any], str]) -> None:
    detail = Net(read_model(device[0]))._input
    assert detail["quantization"] == pytest.approx((1 / 255, -128))


def test_calibration_and_check_share_no_slide(device: tuple[Path, dict[str, Any], str]) -> None:
    cells = device[1]["cells"]
    assert cells["split"] == "by group"
    assert cells["calibration_groups"] + cells["check_groups"] == 6


def test_the_same_inputs_give_the_same_bytes(folder: Path, net: Path, device: tuple[Path, dict[str, Any], str]) -> None:
    again = folder / "again" / "net.tflite"
    again.parent.mkdir()
    got = convert("quantize", net, "--cells", folder / "cells", "--group-by", r"s\d", "-o", again)
    assert got.returncode == 0, got.stderr
    assert again.read_bytes() == device[0].read_bytes()


def test_preprocessing_that_puts_the_net_at_chance_is_refused_and_the_fitting_one_named(
    folder: Path, net: Path
) -> None:
    given = ("--value-range", "0..255", "--colour", "hsv", "--labels", "clear,dotted")
    got = convert("quantize", net, "--cells", folder / "cells", "-o", folder / "wrong.tflite", *given)
    assert got.returncode == 9
    last = got.stderr.strip().splitlines()[-1]
    assert "at chance" in last
    assert "--value-range 0..1 --colour" in last
    assert not (folder / "wrong.tflite").exists()


def test_a_net_of_another_size_comes_to_32_by_the_cheapest_way_that_is_as_good(folder: Path) -> None:
    net, report = trained(folder, 64), folder / "net64.json"
    given = ("--colour", "bgr", "--value-range", "0..1", "--max-accuracy-drop", "10", "--report", report)
    got = convert("quantize", net, "--cells", folder / "cells", "--group-by", r"s\d", *given)
    assert got.returncode == 0, got.stderr
    found = json.loads(report.read_text())
    ways = found["ways"]
    assert [way["macs"] for way in ways] == sorted(way["macs"] for way in ways)  # made in the order of their cost
    assert found["ways_that_could_be_judged"] >= 4
    assert found["drop_level"] == pytest.approx(1 - 0.05 / found["ways_that_could_be_judged"])
    assert found["way"] == ways[-1]["way"]  # and none after the one that is taken
    assert not any(way["passed"] for way in ways[:-1])
    assert Net(read_model(net.with_suffix(".tflite"))).input_shape == (1, 32, 32, 3)


def test_a_net_at_chance_is_refused_and_converted_with_force_only(folder: Path) -> None:
    net, out, report = folder / "untrained.keras", folder / "untrained.tflite", folder / "untrained.json"
    env = {**os.environ, "PYTHONPATH": str(ROOT), "TF_CPP_MIN_LOG_LEVEL": "3"}
    subprocess.run([sys.executable, "-c", UNTRAINED, str(net)], check=True, env=env, capture_output=True, timeout=300)
    given = ("quantize", net, "--cells", folder / "cells", "--group-by", r"s\d", "-o", out, "--report", report)
    refused = convert(*given)
    assert refused.returncode == 8, refused.stderr
    assert "at chance" in refused.stderr.splitlines()[-1]
    assert "--force" in refused.stderr.splitlines()[-1]
    assert not out.exists()
    assert json.loads(report.read_text())["verdict"] == "at chance"
    forced = convert(*given, "--force")
    assert forced.returncode == 0, forced.stderr
    assert out.exists()
    assert "AT CHANCE" in forced.stdout


def test_the_device_file_is_judged_alone_and_beside_its_source(
    folder: Path, net: Path, device: tuple[Path, dict[str, Any], str]
) -> None:
    cells = ("--cells", folder / "cells", "--group-by", r"s\d")
    judged = convert("evaluate", device[0], *cells, "--report", folder / "evaluated.json")
    assert judged.returncode == 0, judged.stderr
    assert json.loads((folder / "evaluated.json").read_text())["figures"]["int8"]["accuracy"] > 0.9
    report, sheet = folder / "compared.json", folder / "differ.png"
    compared = convert("compare", net, device[0], *cells, "--sheet", sheet, "--report", report)
    assert compared.returncode == 0, compared.stderr
    found = json.loads(report.read_text())
    assert found["agreement"] >= 0.97
    ratios = [layer["ratio"] for layer in found["layers"]]
    assert ratios == sorted(ratios, reverse=True)
    assert ratios
    assert np.asarray(cv2.imread(str(sheet))).ndim == 3


def test_a_net_of_cells_on_black_is_shown_black_and_judged_on_paper_beside(folder: Path) -> None:
    place = folder / "black"
    cell_folders.make(place / "cells", count=90, masked=True)
    net, cells = trained(place, 32), ("--cells", place / "cells", "--group-by", r"s\d", "--max-accuracy-drop", "100")

    def quantized(name: str, *more: str) -> tuple[Path, dict[str, Any]]:
        got = convert(
            "quantize", net, *cells, "-o", place / f"{name}.tflite", "--report", place / f"{name}.json", *more
        )
        assert got.returncode == 0, got.stderr
        return place / f"{name}.tflite", json.loads((place / f"{name}.json").read_text())

    out, report = quantized("net")
    card = read_model(out).card
    assert card is not None
    assert card.training["cells"] == "cut out on black"
    assert card.crop.mask == "none"
    assert report["figures"]["as_trained"]["accuracy"] > 0.9
    assert report["figures"]["int8_on_paper"]["cells"] == report["figures"]["int8"]["cells"]
    assert any("180 of 180 cells are cut out on black" in warning for warning in report["warnings"])
    got = convert("evaluate", out, *cells[:4], "--report", place / "both.json")
    assert got.returncode == 0, got.stderr
    both = json.loads((place / "both.json").read_text())["figures"]
    assert both.keys() == {"int8", "int8_on_black"}
    assert both["int8_on_black"]["accuracy"] > 0.9
    other, paper = quantized("paper", "--on-paper")
    assert "int8_on_paper" not in paper["figures"]
    assert any(
        "180 of 180 cells of cells are cut out on black: put on pale paper" in line for line in paper["warnings"]
    )
    assert "cells" not in read_model(other).card.training  # type: ignore[union-attr]
    assert read_model(other).flatbuffer != read_model(out).flatbuffer  # calibrated on other pixels


@pytest.mark.parametrize(
    ("given", "code", "said"),
    [
        (("--labels", "clear,spotted"), 9, "do not match --labels"),
        (("--group-by", "("), 9, "no regular expression"),
        (("--colour", "grey"), 9, "--colour grey does not fit"),
        (("--positive", "none"), 9, "no such class"),
    ],
)
def test_what_does_not_fit_is_one_line_and_a_code(
    folder: Path, net: Path, given: tuple[str, ...], code: int, said: str
) -> None:
    got = convert("quantize", net, "--cells", folder / "cells", "-o", folder / "never.tflite", *given)
    assert got.returncode == code, got.stderr
    assert said in got.stderr.strip().splitlines()[-1]
    assert "Traceback" not in got.stderr
    assert not (folder / "never.tflite").exists()
