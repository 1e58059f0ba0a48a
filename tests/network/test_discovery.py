"""What Home Assistant is told."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from edge.camera.records import CameraState
from edge.network.discovery import device_messages
from edge.network.entities import ENTITIES, NOT_KNOWN, OFF, ON, Entity, computer_states, sample_states, status_states
from edge.network.voice import Computer, this_computer
from edge.status import CameraStatus, Hint, RunEnd, RunState, SampleProgress, Status, View
from tests.network.fake_broker import BASE, ORIGIN, VOICE

WANTED = {
    *("state", "sample", "fields", "cells", "share", "flag", "focus", "lamp"),
    *("temperature", "throttling", "free-space", "problem"),
}


def devices() -> list[tuple[str, Any]]:
    return [(topic, json.loads(payload)) for topic, payload in device_messages(VOICE)]


def test_all_entities_are_there_each_once() -> None:
    (_, computer), (_, microscope) = devices()
    components = {**computer["components"], **microscope["components"]}
    assert {one.key for one in ENTITIES} == WANTED
    assert set(components) == {key.replace("-", "_") for key in WANTED}
    assert len({one["unique_id"] for one in components.values()}) == len(WANTED)
    assert {one["state_topic"] for one in components.values()} == {f"{BASE}/state/{key}" for key in WANTED}


@pytest.mark.parametrize("entity", ENTITIES, ids=lambda one: one.key)
def test_options_a_unit_and_a_course_over_time_go_together_as_home_assistant_wants_it(entity: Entity) -> None:
    assert bool(entity.options) == (entity.device_class == "enum")  # its schema of 2024.10 and later
    assert not (entity.options and (entity.unit or entity.number))
    assert not (entity.unit and not entity.number)


def test_the_microscope_hangs_on_a_computer_that_is_there_before_it() -> None:
    (computer_topic, computer), (topic, microscope) = devices()
    assert computer_topic == "homeassistant/device/edge_computer_c0ffee0123456789/config"
    assert topic == f"homeassistant/device/edge_microscope_{ORIGIN[:16]}/config"
    assert microscope["device"]["via_device"] == computer["device"]["identifiers"][0]
    assert microscope["device"]["name"] == "bench-3"
    assert computer["components"]  # a device without entities would not exist
    for one in (computer, microscope):
        assert one["origin"] == {"name": "edge-microscopy", "sw_version": "0.1.0"}
        assert one["availability_topic"] == f"{BASE}/availability"


def test_who_renames_a_microscope_keeps_its_history() -> None:
    renamed = json.loads(device_messages(replace(VOICE, scope="bench-4"))[1][1])
    before = devices()[1][1]
    ids = [{one["unique_id"] for one in told["components"].values()} for told in (renamed, before)]
    assert ids[0] == ids[1]
    assert renamed["device"]["name"] == "bench-4"


def test_another_book_is_another_device_on_the_same_computer() -> None:
    other = device_messages(replace(VOICE, origin="f" * 32))
    assert other[0][0] == devices()[0][0]
    assert other[1][0] != devices()[1][0]


STATUS = Status(1, 0.0, RunState.COUNTING, CameraStatus(CameraState.RUNNING, "camera"))
VIEW = View(1, 30.0, 40.0, 20.0, 0.0, True, 127.5, 0.0, 0.0)
SAMPLE = SampleProgress("Anna M.", counts={"red": 1}, cells=1000, kept=7, share=(0.0125, 0.0, 0.1), flag="positive")


@pytest.mark.parametrize(
    ("status", "states"),
    [
        pytest.param(
            STATUS,
            {"state": "counting", "focus": NOT_KNOWN, "lamp": NOT_KNOWN, "problem": OFF},
            id="no frame and no sample yet",
        ),
        pytest.param(replace(STATUS, view=VIEW), {"focus": "150", "lamp": "50"}, id="a view"),
        pytest.param(
            replace(STATUS, view=replace(VIEW, needed=None)), {"focus": NOT_KNOWN}, id="nothing to compare with"
        ),
        pytest.param(
            replace(STATUS, sample=SAMPLE),
            {"sample": "bench-3-12345678", "fields": "7", "cells": "1000", "share": "1.2500", "flag": "positive"},
            id="a sample",
        ),
        pytest.param(
            replace(STATUS, sample=SampleProgress("x")),
            {"fields": "0", "share": NOT_KNOWN, "flag": NOT_KNOWN},
            id="a sample of no field",
        ),
        pytest.param(replace(STATUS, hint=Hint.CAMERA_LOST), {"problem": ON}, id="the camera is lost"),
        pytest.param(
            replace(STATUS, camera=CameraStatus(CameraState.LOST, "camera")),
            {"problem": ON},
            id="the camera is opened again",
        ),
        pytest.param(replace(STATUS, failure="no such model"), {"problem": ON}, id="it failed"),
        pytest.param(replace(STATUS, ended=RunEnd.FAILED), {"problem": ON}, id="the sample failed"),
        pytest.param(replace(STATUS, ended=RunEnd.FINISHED), {"problem": OFF}, id="a person said it is enough"),
    ],
)
def test_states_of_a_snapshot(status: Status, states: dict[str, str]) -> None:
    found = status_states(status, "bench-3-12345678")
    assert {key: found[key] for key in states} == states
    assert "Anna" not in str(found)


def test_a_sample_whose_name_others_do_not_know_yet_has_none() -> None:
    assert sample_states(SAMPLE, "")["sample"] == NOT_KNOWN


@pytest.mark.parametrize(
    ("files", "states"),
    [
        pytest.param(
            {}, {"temperature": NOT_KNOWN, "throttling": NOT_KNOWN, "problem": OFF}, id="a machine that says nothing"
        ),
        pytest.param({"sys/class/thermal/thermal_zone0/temp": "61700"}, {"temperature": "62"}, id="warm"),
        pytest.param(
            {"sys/devices/platform/soc/firmware/get_throttled": "50000"},
            {"throttling": OFF, "problem": OFF},
            id="once, not now",
        ),
        pytest.param(
            {"sys/devices/platform/soc/firmware/get_throttled": "4"},
            {"throttling": ON, "problem": OFF},
            id="slowed down now",
        ),
        pytest.param(
            {"sys/devices/platform/soc/firmware/get_throttled": "1"},
            {"throttling": ON, "problem": ON},
            id="under-voltage now",
        ),
    ],
)
def test_states_of_the_computer(files: dict[str, str], states: dict[str, str], tmp_path: Path) -> None:
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    found = computer_states(tmp_path, tmp_path)
    assert {key: found[key] for key in states} == states
    assert float(found["free-space"]) > 0


def test_the_machines_own_id_is_not_told(tmp_path: Path) -> None:
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc" / "machine-id").write_text("0123456789abcdef0123456789abcdef\n")
    one = this_computer(tmp_path)
    assert isinstance(one, Computer)
    assert len(one.id) == 16
    assert one.id not in "0123456789abcdef0123456789abcdef"
    assert this_computer(tmp_path) == one
