"""What a machine is and how it fares, read from made-up /proc and /sys trees."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest

from benchmarks.measure.device import available_share, describe
from benchmarks.measure.state import StateWatch, judge, take
from edge.health.machine import ROOT, throttled

PI5_CPU = "processor\t: 0\nFeatures\t: fp asimd aes asimddp\nCPU part\t: 0xd0b\n\nprocessor\t: 1\nCPU part\t: 0xd0b\n"


def tree(root: Path, files: dict[str, str]) -> Path:
    for name, content in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
    return root


@pytest.fixture
def pi5(tmp_path: Path) -> Path:
    cpu = "sys/devices/system/cpu/cpu{}/cpufreq/"
    files = {
        "proc/device-tree/model": "Raspberry Pi 5 Model B Rev 1.0\0",
        "proc/cpuinfo": PI5_CPU,
        "proc/meminfo": "MemTotal:        4000000 kB\nMemFree:  1 kB\nMemAvailable:    3000000 kB\n",
        "proc/stat": "cpu  100 0 50 1000 0 0 0 7 0 0\ncpu0 1 2 3\n",
        "proc/version": "Linux version 6.6.20+rpt-rpi-2712 (gcc-12 (Debian 12.2.0-14) 12.2.0)",
        "etc/os-release": 'PRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\nID=debian\n',
        "sys/class/thermal/thermal_zone0/temp": "51500\n",
        "sys/class/thermal/thermal_zone1/temp": "-5\n",
        "sys/devices/platform/soc@107c000000/soc@107c000000:firmware/get_throttled": "0\n",
        "sys/class/hwmon/hwmon2/name": "rpi_volt\n",
        "sys/class/hwmon/hwmon2/in0_lcrit_alarm": "0\n",
    }
    for core in range(2):
        files[cpu.format(core) + "scaling_cur_freq"] = "1500000\n"
        files[cpu.format(core) + "cpuinfo_max_freq"] = "2400000\n"
        files[cpu.format(core) + "scaling_governor"] = "ondemand\n"
    return tree(tmp_path, files)


def test_a_pi_says_what_it_is(pi5: Path) -> None:
    found = describe(pi5)
    assert found["board"] == "Raspberry Pi 5 Model B Rev 1.0"
    assert found["cpu"] == "Cortex-A76"
    assert found["features"] == ["asimddp"]
    assert found["clock_max_mhz"] == 2400
    assert found["peak_gmac_s_per_core"] == pytest.approx(76.8)
    assert found["memory_bytes"] == 4_096_000_000
    assert found["os"] == "Debian GNU/Linux 12 (bookworm)"
    assert found["virtual"] is None
    assert available_share(pi5) == 0.75


def test_nothing_is_known_of_a_bare_tree_and_nothing_fails(tmp_path: Path) -> None:
    found = describe(tmp_path)
    assert [found[key] for key in ("board", "cpu", "clock_max_mhz", "memory_bytes", "os")] == [None] * 5
    now = take("before", tmp_path)
    assert [now[key] for key in ("clock_mhz", "governor", "temperature_c", "throttled", "under_voltage")] == [None] * 5
    invalid, notes = judge([now, now])
    assert invalid == ()
    assert any("throttling cannot be read" in note for note in notes)
    assert any("clocks cannot be read" in note for note in notes)


def test_a_core_without_one_honest_peak_has_none(tmp_path: Path) -> None:
    tree(
        tmp_path,
        {"proc/cpuinfo": "CPU part\t: 0xd08\n", "sys/devices/system/cpu/cpu0/cpufreq/cpuinfo_max_freq": "1800000"},
    )
    found = describe(tmp_path)
    assert (found["cpu"], found["peak_gmac_s_per_core"]) == ("Cortex-A72", None)


def test_a_virtual_machine_says_so(tmp_path: Path) -> None:
    tree(tmp_path, {"proc/cpuinfo": "model name\t: AMD EPYC\nflags\t\t: fpu hypervisor avx2\n"})
    found = describe(tmp_path)
    assert (found["cpu"], found["virtual"]) == ("AMD EPYC", "hypervisor")


def test_an_arm_process_on_an_x86_kernel_is_emulated(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("platform.machine", lambda: "aarch64")
    assert not describe(tmp_path)["emulated"]
    tree(tmp_path, {"proc/version": "Linux version 6.1.0-18-amd64 (gcc-12)"})
    assert describe(tmp_path)["emulated"]


def test_nothing_names_the_owner(pi5: Path) -> None:
    import getpass
    import socket

    said = str(describe())
    assert socket.gethostname() not in said.replace("container", "")
    assert f"/{getpass.getuser()}" not in said


def test_the_state_is_read_from_the_kernels_files(pi5: Path) -> None:
    now = take("during", pi5)
    assert now["clock_mhz"] == [1500, 1500]
    assert now["governor"] == "ondemand"
    assert now["temperature_c"] == 51.5
    assert now["throttled"] == 0
    assert now["under_voltage"] is False
    assert (now["busy_s"], now["stolen_s"]) == (1.5, 0.07)


def test_throttled_is_read_as_hexadecimal(pi5: Path) -> None:
    (flags,) = (pi5 / "sys/devices/platform").glob("soc*/*/get_throttled")
    flags.write_text("50005\n")
    assert take("during", pi5)["throttled"] == 0x50005


def test_without_the_file_vcgencmd_is_asked(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    program = tmp_path / "vcgencmd"
    program.write_text("#!/bin/sh\necho throttled=0x50000\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    assert throttled(ROOT) == 0x50000
    program.write_text("#!/bin/sh\necho VCHI initialization failed >&2; exit 255\n")
    assert throttled(ROOT) is None


def test_clocks_that_may_not_be_read_are_unknown(pi5: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = Path.read_text

    def guarded(self: Path, *args: Any, **kwargs: Any) -> str:
        if self.name.endswith("cur_freq"):
            raise PermissionError(13, "Permission denied")
        return real(self, *args, **kwargs)

    monkeypatch.setattr(Path, "read_text", guarded)
    now = take("before", pi5)
    assert now["clock_mhz"] is None
    assert any("no permission" in note for note in judge([now])[1])


def at(throttled: int | None, when: float = 0.0, **more: object) -> dict[str, object]:
    return {"time": when, "throttled": throttled, "clock_mhz": [1.0], "throttle_count": None, **more}


@pytest.mark.parametrize(
    ("flags", "reasons"),
    [
        ([0, 0, 0], []),
        ([0, 0x1, 0], ["under-voltage while it measured"]),
        ([0, 0x10001, 0x10000], ["under-voltage while it measured"]),
        ([0x4, 0x4, 0x4], ["throttled while it measured"]),
        ([0, 0, 0x40000], ["throttled for a moment while it measured"]),
        ([0x10000, 0x10000, 0x50000], ["throttled for a moment while it measured"]),
        ([0x50000, 0x50000, 0x50000], []),
        ([0, 0xA, 0xA0000], ["clock capped while it measured", "soft temperature limit while it measured"]),
        ([None, None], []),
    ],
)
def test_throttling_that_is_active_or_new_makes_a_run_invalid(flags: list[int | None], reasons: list[str]) -> None:
    invalid, _ = judge([at(value, float(i)) for i, value in enumerate(flags)])
    assert list(invalid) == reasons


def test_throttling_before_the_run_is_a_note() -> None:
    _, notes = judge([at(0x50000), at(0x50000, 1.0)])
    assert sum("before this run" in note for note in notes) == 2


def test_the_kernels_own_alarms_count_too() -> None:
    assert judge([at(0), at(0, 1.0, under_voltage=True)])[0] == ("under-voltage while it measured",)
    assert judge([at(None, throttle_count=3), at(None, 1.0, throttle_count=5)])[0] == ("thermal throttling, 2 times",)
    assert judge([at(None, throttle_count=3), at(None, 1.0, throttle_count=3)])[0] == ()


def test_other_programs_and_a_greedy_host_are_noted() -> None:
    first = at(0, 0.0, busy_s=100.0, stolen_s=1.0, own_s=10.0)
    quiet = at(0, 10.0, busy_s=109.5, stolen_s=1.0, own_s=19.0)
    busy = at(0, 10.0, busy_s=120.0, stolen_s=2.0, own_s=19.0)
    assert judge([first, quiet])[1] == ()
    notes = judge([first, busy])[1]
    assert any("other programs used 1.10 cores" in note for note in notes)
    assert any("took away 0.10 cores" in note for note in notes)


def test_the_watch_looks_before_during_and_after(pi5: Path) -> None:
    with StateWatch(0.01, pi5) as watch:
        (flags,) = (pi5 / "sys/devices/platform").glob("soc*/*/get_throttled")
        flags.write_text("1\n")
        time.sleep(0.2)
        flags.write_text("10000\n")
    whens = [one["when"] for one in watch.states]
    assert (whens[0], whens[-1]) == ("before", "after")
    assert set(whens[1:-1]) == {"during"}
    assert judge(watch.states)[0] == ("under-voltage while it measured",)
