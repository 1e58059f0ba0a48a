"""The support file names nobody and nothing, whatever the machine, the models, the book and the checks are called."""

from __future__ import annotations

import json
import platform
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

from edge import shelf
from edge.cli.doctor_job import support_text
from edge.health import bundle
from edge.health.bundle import numbers, support_file
from edge.health.checks import DeviceToCheck, device_checks
from edge.health.disk import BookCheck
from edge.health.examine import examine
from edge.health.records import CheckResult, Health, HealthReport
from edge.modelfile import write_model
from tests.book.made import a_book, begun, mixed, write
from tests.fakes import CARD
from tests.health.trees import PI, tree

GOLDEN = Path(__file__).with_name("support.json")
SECRETS = (
    "lab-kinshasa-7",
    "drmwamba",
    "S-0042",
    "Patient Ruth",
    "/home/",
    "10.0.0.17",
    "b8:27:eb:12:34:56",
    "00000000deadbeef",
)
"""Host, user, sample, name, path, address, and the serial number of a Pi."""


@pytest.fixture
def hostile(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A Pi on which everything that has a name is named after somebody."""
    home = tmp_path / "home" / "drmwamba" / "lab-kinshasa-7"
    (home / "Patient Ruth").mkdir(parents=True)
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("HOSTNAME", "lab-kinshasa-7")
    monkeypatch.setattr(platform, "node", lambda: "lab-kinshasa-7")
    monkeypatch.setattr(platform, "release", lambda: "6.6.20+rpt-lab-kinshasa-7")
    monkeypatch.setattr(platform, "machine", lambda: "aarch64")
    monkeypatch.setattr(platform, "python_version", lambda: "3.11.2+drmwamba")
    monkeypatch.setattr(bundle, "installed_version", lambda: "0.1.0+gPatient Ruth")
    monkeypatch.setattr(bundle, "version", lambda name: "2.1.0.lab-kinshasa-7")
    monkeypatch.setenv(shelf.ENVIRONMENT, str(home / "Patient Ruth"))
    for name in ("S-0042", shelf.CLASSIFIER, "broken-drmwamba"):
        (home / "Patient Ruth" / name).mkdir()
        write_model(home / "Patient Ruth" / name / f"{name}.tflite", b"\x1c\0\0\0TFL3" + bytes(64), CARD)
    (home / "Patient Ruth" / "broken-drmwamba" / "broken-drmwamba.tflite").write_bytes(b"Patient Ruth")
    release = 'ID="lab-kinshasa-7"\nVERSION_ID="12 drmwamba"\nPRETTY_NAME="Patient Ruth"\n'
    board = "Raspberry Pi 4 Model B Rev 1.4 drmwamba\0"
    extra = {
        "etc/os-release": release,
        "proc/device-tree/model": board,
        "etc/hostname": "lab-kinshasa-7\n",
        "proc/cpuinfo": "Serial: 00000000deadbeef\n",
        "sys/class/net/eth0/address": "b8:27:eb:12:34:56\n",
    }
    return tree(tmp_path / "root", dict(PI), extra)


def results() -> HealthReport:
    """Every state, with words and remedies that name everybody."""
    said = " ".join(SECRETS)
    facts: dict[str, bool | int | float] = {"free_bytes": 12_000_000_000, "writable": True, "celsius": 51.5}
    return HealthReport(tuple(CheckResult(f"check {n}", state, said, said, facts) for n, state in enumerate(Health)))


def test_the_file_is_exactly_the_one_kept(hostile: Path) -> None:
    """``support.json`` was read by a person, line by line. If it changes, read the new one so before it is kept."""
    assert support_text(results(), hostile) == GOLDEN.read_text()


def test_no_name_of_this_device_gets_into_it(hostile: Path) -> None:
    book = hostile / "book.sqlite"
    with a_book(book) as made:
        write(begun(made), mixed(sample="S-0042 Patient Ruth"))
    assert BookCheck(book).run().health is Health.OK
    report = examine(device_checks(DeviceToCheck(book, camera=True, models=("S-0042", "Patient Ruth"), root=hostile)))
    spoken = json.dumps([asdict(result) for result in report.results], default=str)
    assert "S-0042" in spoken, "the words do name it, so leaving them out matters"
    for text in (support_text(report, hostile), support_text(results(), hostile), support_text(results())):
        assert not [secret for secret in SECRETS if secret.lower() in text.lower()]


def test_every_text_in_it_is_one_of_ours(hostile: Path) -> None:
    """Not only the secrets we thought of: whatever is no version, hash or word of this program's own."""
    report = examine(device_checks(DeviceToCheck(hostile / "book.sqlite", root=hostile)))
    ours = {result.name for result in report.results} | {str(state) for state in Health}
    ours |= {bundle.FORMAT, "other", "aarch64", shelf.CLASSIFIER, shelf.FINDER}
    strange = [text for text in texts(support_file(report, hostile)) if text not in ours and not version_or_hash(text)]
    assert strange == []


def texts(value: Any) -> list[str]:
    if isinstance(value, dict):
        return [text for one in value.values() for text in texts(one)]
    if isinstance(value, list):
        return [text for one in value for text in texts(one)]
    return [value] if isinstance(value, str) else []


def version_or_hash(text: str) -> bool:
    return numbers(text) == text or (len(text) == 64 and set(text) <= set("0123456789abcdef"))


def test_facts_hold_no_text(hostile: Path) -> None:
    report = examine(device_checks(DeviceToCheck(hostile / "book.sqlite", root=hostile)))
    for result in report.results:
        assert all(isinstance(fact, bool | int | float) for fact in result.facts.values()), result


@pytest.mark.parametrize(
    ("model", "board"),
    [
        ("Raspberry Pi 5 Model B Rev 1.0\0", "Raspberry Pi 5 Model B Rev 1.0"),
        ("Raspberry Pi Zero 2 W Rev 1.0", "Raspberry Pi Zero 2 W Rev 1.0"),
        ("Raspberry Pi Compute Module 4 Rev 1.1", "Raspberry Pi Compute Module 4 Rev 1.1"),
        ("Raspberry Pi of drmwamba", "other"),
        ("ThinkPad of Patient Ruth", "other"),
        (None, None),
    ],
)
def test_boards(tmp_path: Path, model: str | None, board: str | None) -> None:
    root = tree(tmp_path, {"proc/device-tree/model": model})
    assert bundle.board(root) == board


@pytest.mark.parametrize(
    ("text", "kept"),
    [("6.6.20+rpt-rpi-2712", "6.6.20"), ("2.1", "2.1"), ("lab-7", "other"), ("", "other"), ("10.0.0.17.4.5", "10.0.0")],
)
def test_versions_are_digits(text: str, kept: str) -> None:
    assert numbers(text) == kept
