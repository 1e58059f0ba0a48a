"""Runtime, models, and what must fit them; and the service."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from edge import shelf
from edge.errors import CalibrationError, ModelError, ServiceError
from edge.health import nets, supervision
from edge.health.nets import FastPath, Fits, Models, Runtime
from edge.health.records import Health
from edge.health.supervision import Service
from edge.modelfile import write_model
from tests.fakes import CARD

OK, WARNING, FAILED, UNKNOWN, NOT_APPLICABLE = Health
SHIPPED = (shelf.CLASSIFIER, shelf.FINDER)
NOT_A_NET = b"\x1c\0\0\0TFL3" + bytes(64)


@pytest.fixture
def own_shelf(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The shipped shelf, copied: it can be damaged."""
    copy = tmp_path / "shelf"
    shutil.copytree(shelf.folders()[0], copy)
    monkeypatch.setenv(shelf.ENVIRONMENT, str(copy))
    return copy


def damage(path: Path, place: int = 1000) -> None:
    data = bytearray(path.read_bytes())
    data[place] ^= 1
    path.write_bytes(data)


def test_the_shipped_models_are_right_and_run_in_the_fast_path() -> None:
    assert Models(SHIPPED).run().health is OK
    found = FastPath(SHIPPED).run()
    assert (found.health, found.facts) == (OK, {"nets": 2, "nets_delegated": 2})


def test_a_changed_bit_in_a_model_of_the_run_fails(own_shelf: Path) -> None:
    damage(own_shelf / shelf.CLASSIFIER / f"{shelf.CLASSIFIER}.tflite")
    found = Models(SHIPPED).run()
    assert (found.health, found.facts["refused"]) == (FAILED, 1)
    assert "does not match the hash" in found.says
    assert FastPath(SHIPPED).run().health is UNKNOWN


def test_a_changed_bit_in_another_model_warns(own_shelf: Path) -> None:
    (own_shelf / "mine").mkdir()
    write_model(own_shelf / "mine" / "mine.tflite", NOT_A_NET, CARD)
    assert Models(SHIPPED).run().health is OK
    damage(own_shelf / "mine" / "mine.tflite", 40)
    assert Models(SHIPPED).run().health is WARNING


def test_a_model_of_the_shelf_that_was_cut_before_its_card_is_noticed(own_shelf: Path) -> None:
    path = own_shelf / shelf.FINDER / f"{shelf.FINDER}.tflite"
    whole = shelf.load(shelf.FINDER)
    path.write_bytes(whole.flatbuffer)
    found = Models(SHIPPED).run()
    assert (found.health, "cut short" in found.says) == (FAILED, True)
    assert Models((str(path), shelf.CLASSIFIER)).run().health is WARNING


def test_a_model_that_is_not_there_fails(tmp_path: Path) -> None:
    assert Models((str(tmp_path / "mine.tflite"),)).run().health is FAILED


def test_a_net_outside_the_fast_path_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("edge.runtime.Net.delegated", lambda self: "finder" not in str(self._path))
    found = FastPath(SHIPPED).run()
    assert (found.health, shelf.FINDER in found.says) == (WARNING, True)


def test_runtimes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nets, "runtime_version", lambda: "ai-edge-litert 2.1")
    assert Runtime().run().health is OK
    monkeypatch.setattr(nets, "runtime_version", lambda: "tflite-runtime 2.14")
    assert Runtime().run().health is WARNING
    monkeypatch.setattr(nets, "interpreter_class", lambda: (object, "tflite-runtime"))
    assert FastPath(SHIPPED).run().health is NOT_APPLICABLE

    def none() -> str:
        raise ModelError("no TFLite runtime is installed: pip install it")

    monkeypatch.setattr(nets, "runtime_version", none)
    found = Runtime().run()
    assert (found.health, found.says) == (FAILED, "no TFLite runtime is installed")


def test_what_must_fit() -> None:
    def refuse() -> None:
        raise CalibrationError("the calibration is of another finder")

    assert Fits("calibration", None, "none is used").run().health is NOT_APPLICABLE
    assert Fits("calibration", lambda: None, "").run().health is OK
    found = Fits("calibration", refuse, "").run()
    assert (found.health, "another finder" in found.says) == (FAILED, True)


@pytest.mark.parametrize(
    ("properties", "health"),
    [
        ({"ActiveState": "active", "NRestarts": "0"}, OK),
        ({"ActiveState": "active", "NRestarts": "3"}, WARNING),
        ({"ActiveState": "failed", "ExecMainStatus": "5"}, FAILED),
        ({"ActiveState": "activating", "SubState": "auto-restart", "ExecMainStatus": "6"}, FAILED),
        ({"ActiveState": "activating", "SubState": "start"}, UNKNOWN),
        ({"ActiveState": "inactive"}, WARNING),
        (None, UNKNOWN),
    ],
)
def test_states_of_the_service(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, properties: dict[str, str] | None, health: Health
) -> None:
    def asked(**_: object) -> dict[str, str]:
        if properties is None:
            raise ServiceError("systemctl: no answer")
        return properties

    unit = tmp_path / "systemd/user/edge.service"
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    assert Service(user=True).run().health is NOT_APPLICABLE
    unit.parent.mkdir(parents=True)
    unit.touch()
    monkeypatch.setattr(supervision, "booted", lambda: True)
    monkeypatch.setattr(supervision, "properties", asked)
    found = Service(user=True).run()
    assert found.health is health
    assert bool(found.remedy) is (health is not OK)
    monkeypatch.setattr(supervision, "booted", lambda: False)
    assert Service(user=True).run().health is UNKNOWN
