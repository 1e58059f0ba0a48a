"""What is built from options, where it shows neither in output nor in files."""

from __future__ import annotations

from unittest.mock import Mock

import pytest
from typer.testing import CliRunner

from edge.classifier import Classifier
from edge.cli import build, edge_run_app
from edge.cli.build import warn_of_slow_nets
from edge.runtime import Net


def pair(package: str, *, delegated: bool) -> tuple[Mock, Mock]:
    net = Mock(spec=Net, package=package)
    net.delegated.return_value = delegated
    return Mock(spec=["name", "find"]), Mock(spec=Classifier, net=net)


def test_the_fallback_runtime_is_said_once_to_be_slow(capsys: pytest.CaptureFixture[str]) -> None:
    warn_of_slow_nets(pair("tflite-runtime", delegated=False))
    (line,) = capsys.readouterr().err.splitlines()
    assert "10 to 18 times slower" in line


def test_a_graph_that_is_not_wholly_delegated_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    warn_of_slow_nets(pair("ai-edge-litert", delegated=False))
    (line,) = capsys.readouterr().err.splitlines()
    assert "XNNPACK" in line


def test_nothing_is_said_when_all_is_well(capsys: pytest.CaptureFixture[str]) -> None:
    warn_of_slow_nets(pair("ai-edge-litert", delegated=True))
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize(
    ("args", "registered"),
    [
        ((), True),
        (("--no-gate",), True),
        (("--no-overlap",), False),
        (("--tiling", "grid"), False),
    ],
)
def test_fields_are_registered_unless_it_is_switched_off_or_cells_are_tiles(
    args: tuple[str, ...], registered: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[build.Options] = []

    def count(options: build.Options) -> int:
        made.append(options)
        return 0

    monkeypatch.setattr(build, "count", count)
    CliRunner().invoke(edge_run_app(), ["--simulate", *args])
    assert (build.register_of(made[0]) is not None) is registered
