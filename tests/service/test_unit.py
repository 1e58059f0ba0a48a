"""The unit file, held against systemd's own judgement where systemd is installed."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from edge.errors import CameraError, ModelError, OutputError
from edge.service.unit import NAME, UnitPlan, assignment, unit_text, word

PLAN = UnitPlan(("/bin/true", "-P", "-m", "edge"), Path("/etc/edge/service.toml"), version=252)
MOST_EXPOSED = 2.5
"""Of ``systemd-analyze security``, from 0 (safe) to 10."""

needs_systemd = pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="no systemd-analyze here")


def value(text: str, key: str) -> str | None:
    found = re.search(rf"^{key}=(.*)$", text, re.MULTILINE)
    return found[1] if found else None


def analyse(folder: Path, text: str, *command: str) -> str:
    (folder / NAME).write_text(text)
    program = shutil.which("systemd-analyze") or ""
    environment = {**os.environ, "XDG_RUNTIME_DIR": str(folder)}
    asked = [program, *command, str(folder / NAME)]
    done = subprocess.run(asked, capture_output=True, text=True, check=False, env=environment)
    return done.stdout + done.stderr


@needs_systemd
@pytest.mark.parametrize(
    "plan",
    [PLAN, replace(PLAN, user="daemon", homes=True), replace(PLAN, groups=()), replace(PLAN, network=True)],
    ids=["own user", "a person's files", "no group video", "a network"],
)
def test_systemd_finds_the_unit_right_and_hardly_exposed(tmp_path: Path, plan: UnitPlan) -> None:
    assert analyse(tmp_path, unit_text(plan), "verify").strip() == ""
    found = re.search(
        r"exposure level for \S+: ([\d.]+)", analyse(tmp_path, unit_text(plan), "security", "--offline=yes")
    )
    assert found is not None
    assert float(found[1]) <= MOST_EXPOSED


@needs_systemd
def test_a_user_s_unit_is_right_too(tmp_path: Path) -> None:
    text = unit_text(replace(PLAN, system=False, folder=tmp_path))
    assert analyse(tmp_path, text, "--user", "verify").strip() == ""
    assert value(text, "WantedBy") == "default.target"
    assert value(text, "WorkingDirectory") == str(tmp_path)
    assert value(text, "DynamicUser") is None


def test_a_hang_and_a_lost_camera_start_it_anew_and_what_is_hopeless_does_not() -> None:
    text = unit_text(PLAN)
    assert value(text, "Restart") == "on-failure"
    assert value(text, "StartLimitIntervalSec") == "0"
    hopeless = (value(text, "RestartPreventExitStatus") or "").split()
    assert {"2", str(ModelError.exit_code)} <= set(hopeless)
    assert not {str(CameraError.exit_code), str(OutputError.exit_code), "1"} & set(hopeless)


def test_stopping_it_is_no_failure() -> None:
    assert value(unit_text(PLAN), "SuccessExitStatus") == "130"


@pytest.mark.parametrize(("version", "grows"), [(252, False), (253, False), (254, True), (257, True)])
def test_pauses_grow_where_systemd_can_do_that(version: int, grows: bool) -> None:
    text = unit_text(replace(PLAN, version=version))
    assert (value(text, "RestartSteps") is not None) is grows
    assert (value(text, "RestartMaxDelaySec") is not None) is grows
    assert value(text, "RestartSec") is not None


@pytest.mark.parametrize("network", [False, True])
def test_only_who_tells_a_broker_sees_a_network(network: bool) -> None:
    lines = unit_text(UnitPlan(("/usr/bin/edge",), Path("/etc/edge/service.toml"), network=network)).splitlines()
    assert ("PrivateNetwork=yes" not in lines) is network
    assert ("IPAddressDeny=any" not in lines) is network
    (families,) = [line for line in lines if line.startswith("RestrictAddressFamilies=")]
    assert ("AF_INET AF_INET6" in families) is network


def test_a_slow_camera_has_its_time() -> None:
    text = unit_text(replace(PLAN, patience_s=3601))
    assert value(text, "WatchdogSec") == "3601"
    assert int(value(text, "TimeoutStartSec") or 0) > 3601


def test_the_book_is_in_the_one_folder_that_can_be_written() -> None:
    text = unit_text(PLAN)
    assert value(text, "StateDirectory") == "edge"
    assert value(text, "ProtectSystem") == "strict"
    assert "Environment=XDG_DATA_HOME=%S\n" in text


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("/opt/edge/python", "/opt/edge/python"),
        ("/my programs/python", '"/my programs/python"'),
        ("100%", "100%%"),
        ("$HOME", "$$HOME"),
        ('say "a\\b"', '"say \\"a\\\\b\\""'),
        ("", '""'),
        ("a;b", '"a;b"'),
    ],
)
def test_words_of_a_command_mean_themselves(text: str, written: str) -> None:
    assert word(text) == written


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("/opt/shelf", "N=/opt/shelf"),
        ("/my $shelf 5%", '"N=/my $shelf 5%%"'),
        ("%S/edge", "N=%S/edge"),
    ],
)
def test_variables_mean_themselves_too(text: str, written: str) -> None:
    assert assignment("N", text) == written


@pytest.mark.parametrize("text", ["a\nExecStartPre=/bin/sh", "\x1b[2J", "a\0b"])
def test_control_characters_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match="control character"):
        word(text)
    with pytest.raises(ValueError, match="control character"):
        assignment("N", text)
