"""PowerSupply, heat, memory, clock and camera, on made-up machines."""

from __future__ import annotations

from pathlib import Path

import pytest

from edge.health import cameras, system
from edge.health.cameras import CameraPackage, CameraPresent, PiCameras
from edge.health.records import Check, Health
from edge.health.system import Clock, Memory, Network, PowerSupply, Temperature
from tests.health.trees import PI, tree

OK, WARNING, FAILED, UNKNOWN, NOT_APPLICABLE = Health
THROTTLED = "sys/devices/platform/soc/soc:firmware/get_throttled"
ALARM = "sys/class/hwmon/hwmon1/in0_lcrit_alarm"
HEAT = "sys/class/thermal/thermal_zone0/temp"


TWO_CAMERAS = """
class Picamera2:
    global_camera_info = staticmethod(lambda: [{"Id": "imx477"}, {"Id": "x-usb-y"}])
"""
BUSY = """
class Picamera2:
    @staticmethod
    def global_camera_info():
        raise RuntimeError("busy")
"""


def meminfo(free_mb: int) -> dict[str, str | None]:
    return {"proc/meminfo": f"MemTotal: 4000000 kB\nMemAvailable: {free_mb * 1000_000 // 1024} kB\n"}


@pytest.mark.parametrize(
    ("check", "changed", "health", "said"),
    [
        (PowerSupply, {}, OK, "neither"),
        (PowerSupply, {THROTTLED: "1\n"}, FAILED, "now: under-voltage"),
        (PowerSupply, {ALARM: "1\n"}, FAILED, "now: under-voltage"),
        (PowerSupply, {THROTTLED: "50005\n"}, FAILED, "under-voltage, throttled"),
        (PowerSupply, {THROTTLED: "4\n"}, WARNING, "now: throttled"),
        (PowerSupply, {THROTTLED: "10000\n"}, WARNING, "since boot: under-voltage"),
        (PowerSupply, {THROTTLED: None, ALARM: "0\n"}, OK, "neither"),
        (PowerSupply, {THROTTLED: None, ALARM: None}, UNKNOWN, "does not say"),
        (Temperature, {}, OK, "52 °C"),
        (Temperature, {HEAT: "74900\n"}, OK, "75 °C"),
        (Temperature, {HEAT: "75000\n"}, WARNING, "near"),
        (Temperature, {HEAT: "85000\n"}, FAILED, "slows down"),
        (Temperature, {HEAT: "nonsense"}, UNKNOWN, "cannot be read"),
        (Temperature, {HEAT: None}, UNKNOWN, "cannot be read"),
        (Memory, {}, OK, "3,072 MB free"),
        (Memory, meminfo(399), WARNING, "four workers"),
        (Memory, meminfo(199), FAILED, "too little for a run"),
        (Memory, {"proc/meminfo": "nonsense"}, UNKNOWN, "does not say"),
    ],
)
def test_a_raspberry_pi(
    tmp_path: Path, check: type[PowerSupply], changed: dict[str, str | None], health: Health, said: str
) -> None:
    found = check(tree(tmp_path, dict(PI), changed)).run()
    assert (found.health, said in found.says) == (health, True), found
    assert bool(found.remedy) is (health is not OK), "what is not right says what to do"


@pytest.mark.parametrize("check", [PowerSupply, Temperature, CameraPackage])
def test_what_a_pc_does_not_have_does_not_apply(tmp_path: Path, check: type[PowerSupply]) -> None:
    assert check(tmp_path).run().health is NOT_APPLICABLE


@pytest.mark.parametrize(
    ("now", "kernel", "battery", "pi", "health"),
    [
        (0.0, 0, False, True, FAILED),
        (0.0, 5, True, False, FAILED),
        (None, 0, False, True, OK),
        (None, 5, False, True, WARNING),
        (None, 5, True, True, WARNING),
        (None, 5, True, False, OK),
        (None, 5, False, False, WARNING),
        (None, None, True, False, UNKNOWN),
    ],
    ids=[
        "of 1970, though the kernel trusts it",
        "of 1970",
        "set by the network",
        "a Pi without network",
        "a Pi 5 whose clock may have no battery",
        "a PC without network",
        "a PC without clock",
        "a kernel that does not say",
    ],
)
def test_the_clock(
    *,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    now: float | None,
    kernel: int | None,
    battery: bool,
    pi: bool,
    health: Health,
) -> None:
    monkeypatch.setattr(system, "kernel_clock", lambda: kernel)
    if now is not None:
        monkeypatch.setattr("edge.health.system.time.time", lambda: now)
    root = tree(tmp_path, dict(PI) if pi else {}, {"sys/class/rtc/rtc0/name": "x"} if battery else {})
    assert Clock(root).run().health is health


def test_the_kernel_answers_or_is_not_known() -> None:
    assert system.kernel_clock() in (None, *range(6))


def test_no_network_is_needed() -> None:
    assert Network().run().health is NOT_APPLICABLE


@pytest.mark.parametrize(
    ("nodes", "open_to_us", "pi", "wanted", "health"),
    [
        (1, True, None, True, OK),
        (1, False, None, True, FAILED),
        (0, True, None, True, FAILED),
        (0, True, None, False, NOT_APPLICABLE),
        (0, True, PiCameras(True, 1), True, OK),
        (0, True, PiCameras(True, 0), True, FAILED),
        (0, True, PiCameras(True, None, "timed out"), True, UNKNOWN),
        (0, True, PiCameras(False, None, "no module"), True, FAILED),
        (1, True, PiCameras(False, None, "no module"), True, OK),
    ],
    ids=[
        "a USB camera",
        "one that is closed to us",
        "none",
        "none, and none wanted",
        "a Pi camera",
        "no Pi camera",
        "a driver that does not answer",
        "a Pi without picamera2",
        "a Pi without picamera2 but with a USB camera",
    ],
)
def test_cameras(
    *,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    nodes: int,
    open_to_us: bool,
    pi: PiCameras | None,
    wanted: bool,
    health: Health,
) -> None:
    monkeypatch.setattr(cameras, "video_nodes", lambda: [f"/dev/video{n}" for n in range(nodes)])
    monkeypatch.setattr("edge.health.cameras.os.access", lambda *_: open_to_us)
    monkeypatch.setattr(cameras, "ask_picamera2", lambda: pi)
    found = CameraPresent(wanted, tree(tmp_path, {} if pi is None else dict(PI))).run()
    assert found.health is health, found
    assert bool(found.remedy) is (health in (FAILED, UNKNOWN))


@pytest.mark.parametrize(
    ("found", "health", "remedy"),
    [
        (PiCameras(True, None, "no camera stack"), OK, ""),
        (PiCameras(False, None, "No module named 'picamera2'"), WARNING, "picamera2"),
    ],
)
def test_the_package_of_pi_cameras(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, found: PiCameras, health: Health, remedy: str
) -> None:
    monkeypatch.setattr(cameras, "ask_picamera2", lambda: found)
    said = CameraPackage(tree(tmp_path, dict(PI))).run()
    assert said.health is health
    assert remedy in said.remedy


def test_a_package_installed_outside_the_environment_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cameras, "ask_picamera2", lambda: PiCameras(False, None, "No module"))
    monkeypatch.setattr(cameras, "_SYSTEM_S", tmp_path)
    assert "--system-site-packages" in CameraPackage(tree(tmp_path, dict(PI))).run().remedy


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("raise ImportError('libcamera is missing')", PiCameras(False, None, "ImportError: libcamera is missing")),
        (TWO_CAMERAS, PiCameras(True, 1, "found 1")),
        (BUSY, PiCameras(True, None, "RuntimeError: busy")),
        ("import os; os._exit(139)", PiCameras(False, None, "")),
    ],
    ids=["cannot be imported", "a camera and a USB one", "refuses", "crashes"],
)
def test_picamera2_is_asked_in_a_process_of_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, body: str, expected: PiCameras
) -> None:
    (tmp_path / "picamera2.py").write_text(body)
    monkeypatch.setenv("PYTHONPATH", f"{tmp_path}:{Path(__file__).parents[2]}")
    assert cameras.ask_picamera2() == expected


def test_every_check_has_a_name() -> None:
    checks: list[Check] = [PowerSupply(), Temperature(), Memory(), Clock(), Network()]
    assert all(check.name for check in checks)
