"""The service on a machine that systemd runs: installed, stopped, hung, killed, removed, for real."""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.service.machine import ROOT, Machine, booted_machine

pytestmark = pytest.mark.boot
EDGE = (sys.executable, "-P", "-m", "edge", "service")
DROP_IN = "/etc/systemd/system/edge.service.d/test.conf"
SIMULATED = ("--simulate", "--max-fields", "1000000", "--size", "320x240", "--workers", "1")


@pytest.fixture(scope="module")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    folder = tmp_path_factory.mktemp("boot") / "machine"
    folder.mkdir()
    if shutil.which("systemctl") is None or os.geteuid() != 0:
        pytest.skip("needs root and systemd")
    with booted_machine(folder) as made:
        if isinstance(made, str):
            pytest.skip(f"no systemd can be booted here: {made}")
        # A clone below /tmp is hidden by PrivateTmp, but for what is bound.
        lines = f"[Service]\\nEnvironment=PYTHONPATH={ROOT}\\nRestartSec=1\\nRestartSteps=0\\nWatchdogSec=4\\n"
        lines += f"BindReadOnlyPaths={ROOT} {sys.prefix}\\n"
        made.run("sh", "-c", f"mkdir -p $(dirname {DROP_IN}) && printf '{lines}' > {DROP_IN}")
        yield made


@pytest.fixture
def service(machine: Machine) -> Machine:
    if "active" not in machine.run("systemctl", "is-active", "edge", ok=False).split():
        machine.run(*EDGE, "install", "--replace", *SIMULATED)
        machine.wait_for("runs, since", *EDGE, "status")
    return machine


def started_anew(machine: Machine, before: object) -> None:
    assert isinstance(before, int)
    machine.wait_for(f"restarts  {before + 1}", *EDGE, "status")
    machine.wait_for("runs, since", *EDGE, "status")


def state(machine: Machine) -> dict[str, object]:
    found = json.loads(machine.run(*EDGE, "status", "--json", ok=False))
    assert isinstance(found, dict)
    return found


def test_it_is_ready_with_the_first_field_and_says_what_it_counts(service: Machine) -> None:
    found = state(service)
    assert (found["state"], found["at_boot"]) == ("active", True)
    assert str(found["counting"]).startswith("simulated-0: ")
    assert found["drop_ins"] == [DROP_IN]


def test_stopping_it_ends_the_sample_as_ctrl_c_does(service: Machine) -> None:
    service.run("systemctl", "stop", "edge")
    assert state(service)["state"] == "inactive"
    assert state(service)["exit_code"] == 130
    said = service.run(*EDGE, "logs")
    assert "Sample simulated-0" in said
    assert "stopped: counted up to here" in said
    assert "\x1b" not in said


def test_a_run_that_hangs_is_started_anew(service: Machine) -> None:
    before = state(service)["restarts"]
    service.run("systemctl", "kill", "--kill-whom=main", "--signal=SIGSTOP", "edge")
    started_anew(service, before)
    assert "watchdog" in service.run(*EDGE, "logs").lower()


def test_a_run_that_is_killed_is_started_anew(service: Machine) -> None:
    before = state(service)["restarts"]
    service.run("systemctl", "kill", "--kill-whom=main", "--signal=SIGKILL", "edge")
    started_anew(service, before)


def samples(machine: Machine) -> list[dict[str, object]]:
    found = json.loads(machine.run(*EDGE[:-1], "samples", "--book", "/var/lib/edge/book.sqlite", "--json"))["samples"]
    assert isinstance(found, list)
    return found


def test_what_was_counted_is_gone_on_with_after_a_kill(service: Machine) -> None:
    """One sample in the book, which only grows."""
    service.wait_for("fields", *EDGE, "status")
    before = state(service)["restarts"]
    service.run("systemctl", "kill", "--kill-whom=main", "--signal=SIGKILL", "edge")
    (held,) = samples(service)
    started_anew(service, before)
    service.run("sleep", "2")
    service.run("systemctl", "stop", "edge")
    (more,) = samples(service)
    assert more["name"] == held["name"] == "simulated-0"
    assert isinstance(more["fields"], int)
    assert isinstance(held["fields"], int)
    assert more["fields"] > held["fields"] > 0
    assert more["state"] == "interrupted"
    assert "going on after them" in service.run(*EDGE, "logs")


def test_it_goes_on_running_while_fields_come(service: Machine) -> None:
    """Longer than the watchdog's patience, which only fields feed."""
    before = state(service)["restarts"]
    service.run("sleep", "6")
    assert (state(service)["state"], state(service)["restarts"]) == ("active", before)


def test_it_writes_nowhere_but_in_its_folder(service: Machine) -> None:
    pid = service.run("systemctl", "show", "--property=MainPID", "--value", "edge").strip()
    inside = ("nsenter", "-t", pid, "-m")
    assert "Read-only file system" in service.run(*inside, "touch", "/etc/x", "/usr/x", "/var/x", ok=False)
    service.run(*inside, "touch", "/var/lib/edge/x")
    status = service.run("cat", f"/proc/{pid}/status")
    assert "CapEff:\t0000000000000000" in status
    assert "NoNewPrivs:\t1" in status
    assert "\nUid:\t0" not in status


def test_the_doctor_looks_at_the_service_and_at_its_settings(service: Machine) -> None:
    found = json.loads(service.run(*EDGE[:-1], "doctor", "--json", ok=False))
    checks = {check["name"]: check for check in found["checks"]}
    assert checks["service"]["facts"]["runs"]
    assert "/var/lib/edge" in checks["data folder"]["says"]
    assert checks["models"]["health"] == "ok"


def test_a_model_that_is_refused_is_not_tried_again(service: Machine) -> None:
    service.run(*EDGE, "install", "--replace", "--no-start", *SIMULATED)
    machine = service
    machine.run("sh", "-c", "echo 'model = \"none\"' >> /etc/edge/service.toml && systemctl restart --no-block edge")
    said = machine.wait_for("has failed", *EDGE, "status")
    assert "exit code 5: the model was refused" in said
    assert state(machine)["restarts"] == 0
    assert "<3>" not in machine.run(*EDGE, "logs")
    assert "no such model" in machine.run("journalctl", "--unit=edge", "--priority=err", "--no-pager")
    changed = machine.run(*EDGE, "install", *SIMULATED, ok=False)
    assert "was changed by hand" in changed
    said = machine.run(*EDGE, "remove")
    assert "service.toml.before: changed by hand" in said
    assert f"stays     {DROP_IN}: yours" in said


def test_without_a_camera_it_tries_again(machine: Machine) -> None:
    if any(Path("/dev").glob("video*")):
        pytest.skip("a camera is plugged in here")
    machine.run(*EDGE, "install", "--replace", "--camera")
    said = machine.wait_for("waits before it starts anew", *EDGE, "status")
    assert "exit code 6: no camera" in said
    machine.run(*EDGE, "remove")


def test_removing_it_leaves_what_was_counted(service: Machine) -> None:
    service.run("touch", "/var/lib/edge/book.sqlite")
    assert "stays     /var/lib/edge: the book" in service.run(*EDGE, "remove")
    service.run("test", "-f", "/var/lib/edge/book.sqlite")
    assert "is not installed" in service.run(*EDGE, "status", ok=False)
    assert "nothing to remove" in service.run(*EDGE, "remove", ok=False)


def test_a_person_s_own_service_runs_without_root(machine: Machine) -> None:
    place = "XDG_RUNTIME_DIR=/run/user/1 HOME=/run/user/1/home"
    machine.run("sh", "-c", "mkdir -p /run/user/1/home && chown -R daemon /run/user/1 && chmod 700 /run/user/1")
    session = ("systemd-run", "--property=User=daemon", "--property=Delegate=yes", f"--property=Environment={place}")
    machine.run(*session, "--property=UnsetEnvironment=SYSTEMD_UNIT_PATH", "/lib/systemd/systemd", "--user")
    daemon = ("setpriv", "--reuid=1", "--regid=1", "--clear-groups", "env", "-u", "SYSTEMD_UNIT_PATH", *place.split())
    machine.wait_for("running", *daemon, "systemctl", "--user", "is-system-running")
    machine.run(*daemon, "systemctl", "--user", "set-environment", f"PYTHONPATH={ROOT}")
    assert "at every login" in machine.run(*daemon, *EDGE, "install", "--user", *SIMULATED)
    said = machine.wait_for("runs, since", *daemon, *EDGE, "status", "--user")
    assert "counting  simulated-0: " in said
    assert "stays     /run/user/1/home/.local/share/edge" in machine.run(*daemon, *EDGE, "remove", "--user")
    machine.run("test", "-s", "/run/user/1/home/.local/share/edge/book.sqlite")


def test_the_root_may_be_read_only(service: Machine) -> None:
    """With temporary folders in memory, and one place that can be written."""
    if any(Path(place).is_relative_to("/tmp") for place in (ROOT, sys.prefix)):  # noqa: S108 - of the machine
        pytest.skip("the program lies below /tmp, which an empty one hides here")
    service.run(*EDGE, "install", *SIMULATED)
    service.wait_for("runs, since", *EDGE, "status")  # its folder is there now, as after the first boot
    service.run("systemctl", "stop", "edge")
    for place in ("/tmp", "/var/lib/private"):  # noqa: S108 - of the machine
        service.run("mount", "-t", "tmpfs", "-o", "mode=700", "tmpfs", place)
    service.run("mount", "-o", "remount,ro", "/")
    assert "Read-only file system" in service.run("touch", "/etc/x", ok=False)
    service.run("systemctl", "start", "edge", seconds=60)
    assert "runs, since" in service.run(*EDGE, "status")
    service.run("mount", "-o", "remount,rw", "/")
