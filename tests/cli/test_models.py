"""Model files that are missing, damaged or do not fit, and how edge-run refuses them. Needs the shelf's models."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from edge import shelf
from edge.cli import edge_app, edge_run_app
from edge.modelfile import CropSpec, ModelFile, read_model, write_model

FIELDS = ("--simulate", "--max-fields", "1", "--size", "320x240", "--finder", "classical")


@pytest.fixture
def classifier() -> ModelFile:
    if not shelf.has(shelf.CLASSIFIER):
        pytest.skip(f"the shelf does not hold {shelf.CLASSIFIER} yet")
    return shelf.load(shelf.CLASSIFIER)


@pytest.fixture
def alone() -> ModelFile:
    """A net that sees cells alone: only such a net runs without a card."""
    return read_model(Path(__file__).parents[1] / "data" / "dark.tflite")


def run(*args: object) -> Any:
    return CliRunner().invoke(edge_run_app(), [*FIELDS, *(str(a) for a in args)])


def refused(got: Any, *words: str) -> None:
    assert got.exit_code == 5, got.stderr
    assert got.stdout == ""
    assert len(got.stderr.splitlines()) == 1
    assert all(word in got.stderr for word in words), got.stderr


def test_a_missing_file(tmp_path: Path) -> None:
    refused(run("--model", tmp_path / "none.tflite"), "none.tflite", "No such file")


def test_a_name_that_is_not_on_the_shelf() -> None:
    refused(run("--model", "nonsense"), "nonsense", "no such model on the shelf")


@pytest.mark.parametrize("content", [b"", b"not a model at all", bytes(5000)])
def test_a_file_that_is_no_model(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "m.tflite").write_bytes(content)
    refused(run("--model", tmp_path / "m.tflite"), "not a TFLite model")


@pytest.mark.parametrize("keep", [0.3, 0.9, 0.99])
def test_a_truncated_file(tmp_path: Path, classifier: ModelFile, keep: float) -> None:
    data = classifier.path.read_bytes()
    (tmp_path / "m.tflite").write_bytes(data[: int(len(data) * keep)])
    refused(run("--model", tmp_path / "m.tflite"), "m.tflite")


def test_a_flipped_bit_is_found_before_the_runtime_sees_it(tmp_path: Path, classifier: ModelFile) -> None:
    data = bytearray(classifier.path.read_bytes())
    data[len(classifier.flatbuffer) // 2] ^= 1
    (tmp_path / "m.tflite").write_bytes(bytes(data))
    refused(run("--model", tmp_path / "m.tflite"), "does not match the hash")


def test_without_a_card_it_runs_only_with_explicit_options(tmp_path: Path, alone: ModelFile) -> None:
    bare = tmp_path / "bare.tflite"
    bare.write_bytes(alone.flatbuffer)
    refused(run("--model", bare), "no card", "--labels")
    assert alone.card is not None
    labels = ",".join(alone.card.labels)
    got = run("--model", bare, "--labels", labels, "--positive", alone.card.positive[0], "--threshold", "0.9")
    assert got.exit_code == 0, got.stderr
    assert "bare" in got.stdout


def test_labels_that_do_not_fit_the_net(tmp_path: Path, alone: ModelFile) -> None:
    bare = tmp_path / "bare.tflite"
    bare.write_bytes(alone.flatbuffer)
    refused(run("--model", bare, "--labels", "a,b,c"), "outputs for 3 labels")
    refused(run("--model", bare, "--labels", "a,a"), "different names")
    refused(run("--model", bare, "--labels", "a,b", "--positive", "c"), "--positive")


def test_labels_for_a_model_with_a_card_are_a_contradiction(classifier: ModelFile) -> None:
    refused(run("--labels", "a,b"), "has a card")


def test_a_wrong_input_shape(tmp_path: Path, classifier: ModelFile) -> None:
    assert classifier.card is not None
    path = tmp_path / "m.tflite"
    write_model(path, classifier.flatbuffer, replace(classifier.card, crop=CropSpec(size=64)))
    refused(run("--model", path), "wrong input shape")


def test_a_finder_is_no_classifier_and_a_classifier_no_finder(classifier: ModelFile) -> None:
    refused(run("--finder", classifier.path), "not a finder")
    if not shelf.has(shelf.FINDER):
        pytest.skip(f"the shelf does not hold {shelf.FINDER} yet")
    refused(run("--model", shelf.FINDER), "not a classifier")


def test_the_shelf_is_listed_with_hashes(classifier: ModelFile) -> None:
    for got in (CliRunner().invoke(edge_run_app(), ["--list-models"]), CliRunner().invoke(edge_app(), ["models"])):
        assert got.exit_code == 0
        assert f"{shelf.CLASSIFIER}" in got.stdout
        assert classifier.sha256[:12] in got.stdout


def test_a_damaged_model_on_the_shelf_is_listed_as_such(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "bad").mkdir()
    (tmp_path / "bad" / "bad.tflite").write_bytes(b"")
    monkeypatch.setenv(shelf.ENVIRONMENT, str(tmp_path))
    got = CliRunner().invoke(edge_run_app(), ["--list-models"])
    assert got.exit_code == 0
    assert "refused" in got.stdout


def test_another_threshold_changes_the_count(classifier: ModelFile) -> None:
    import json

    def positives(threshold: float) -> int:
        got = run("--json", "--no-gate", "--threshold", threshold)
        assert classifier.card is not None
        counts = json.loads(got.stdout.splitlines()[-1])["counts"]
        return sum(counts[label] for label in classifier.card.positive)

    assert positives(0.0) > positives(1.0)


ESCAPES = "\x1b[31mred\x07"


def test_what_a_shelfs_folders_are_called_reaches_the_terminal_as_text(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / ESCAPES).mkdir()
    (tmp_path / ESCAPES / f"{ESCAPES}.tflite").write_bytes(b"")
    monkeypatch.setenv(shelf.ENVIRONMENT, str(tmp_path))
    got = CliRunner().invoke(edge_run_app(), ["--list-models"])
    assert "red" in got.stdout
    assert "\x1b" not in got.stdout
    refused(run("--model", "nonsense"), "no such model")


def test_labels_on_the_command_line_are_held_to_what_a_card_is(tmp_path: Path, alone: ModelFile) -> None:
    bare = tmp_path / "bare.tflite"
    bare.write_bytes(alone.flatbuffer)
    refused(run("--model", bare, "--labels", f"a,{ESCAPES}"), "printable")
    refused(run("--model", bare, "--labels", "a,not-b"), "not-")


def test_a_device_is_no_model() -> None:
    refused(run("--model", "/dev/zero"), "not a regular file")
