"""The devices are what Home Assistant reads, by its own schemas."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from edge.network.discovery import device_messages
from edge.network.entities import ENTITIES
from tests.exchange.programs.install import missing, run
from tests.network.fake_broker import VOICE

_SET = "home_assistant"


def read_by_home_assistant(devices: list[Any], folder: Path) -> list[dict[str, Any]]:
    if why := missing(_SET):
        pytest.skip(why)
    (folder / "devices.json").write_text(json.dumps(devices))
    found: list[dict[str, Any]] = run("with_home_assistant", folder / "devices.json", sets=(_SET,))
    return found


def test_home_assistant_takes_every_entity_as_it_is_meant(tmp_path: Path) -> None:
    devices = [json.loads(payload) for _, payload in device_messages(VOICE)]
    found = {key: one for told in read_by_home_assistant(devices, tmp_path) for key, one in told.items()}
    assert [one for one in found.values() if isinstance(one, str)] == []
    assert set(found) == {entity.key.replace("-", "_") for entity in ENTITIES}
    for entity in ENTITIES:
        one = found[entity.key.replace("-", "_")]
        assert one.get("entity_category", "") == ("diagnostic" if entity.diagnostic else "")
        assert one.get("device_class", "") == entity.device_class
        assert one.get("unit_of_measurement", "") == entity.unit
        assert one["payload_available"] == "online"
        assert one["qos"] == "1"
    assert "edge_computer_c0ffee0123456789" in found["state"]["device"]  # via_device


@pytest.mark.parametrize(
    ("component", "key", "value"),
    [
        pytest.param("temperature", "device_class", "heat", id="a class that there is not"),
        pytest.param("flag", "state_topic", "", id="no topic"),
        pytest.param("lamp", "suggested_display_precision", "many", id="digits that are no number"),
        pytest.param("problem", "entity_category", "urgent", id="a category that there is not"),
    ],
)
def test_home_assistant_would_refuse_what_is_wrong(component: str, key: str, value: object, tmp_path: Path) -> None:
    devices = [json.loads(payload) for _, payload in device_messages(VOICE)]
    for device in devices:
        if component in device["components"]:
            device["components"][component][key] = value
    found = {key: one for told in read_by_home_assistant(devices, tmp_path) for key, one in told.items()}
    refused = {name for name, one in found.items() if isinstance(one, str)}
    assert refused == {component}
