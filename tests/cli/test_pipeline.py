"""What is made of settings, where it shows neither in output nor in files."""

from __future__ import annotations

from unittest.mock import Mock

import pytest

from edge.classifier import Classifier
from edge.cli.field_source import register_of
from edge.cli.pipeline import warn_of_slow_nets
from edge.cli.settings import FieldSettings, NetSettings, Tiling
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
    ("nets", "fields", "registered"),
    [
        pytest.param(NetSettings(), FieldSettings(), True, id="by default"),
        pytest.param(NetSettings(), FieldSettings(gate=False), True, id="without a gate too"),
        pytest.param(NetSettings(), FieldSettings(overlap=False), False, id="not where it is switched off"),
        pytest.param(NetSettings(tiling=Tiling.GRID), FieldSettings(), False, id="not where cells are tiles"),
    ],
)
def test_fields_are_registered(nets: NetSettings, fields: FieldSettings, registered: bool) -> None:
    assert (register_of(fields, nets) is not None) is registered
