"""``edge-run --mqtt`` and ``edge mqtt`` at the terminal, with a real Mosquitto and stand-ins for the nets."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from benchmarks.network.mosquitto import BrokerOptions, Mosquitto
from edge.cli import edge_app, edge_run_app
from edge.network.address import PASSWORD
from edge.network.messages import decode
from tests.cli.fake_edge_run import fakes
from tests.fakes import FakeSource
from tests.network.listener import listening_to, wait_for
from tests.network.mosquitto import broker, needs_mosquitto, silent_server

__all__ = ["broker"]

NAME = "Anna M. 1960"
"""Of a sample."""


def edge_run(*args: object, fields: int = 3) -> Any:
    """``edge-run`` on so many fields."""
    with fakes(FakeSource([3] * fields)):
        return CliRunner().invoke(edge_run_app(), ["--simulate", "--no-gate", *map(str, args)], prog_name="edge-run")


def edge(*args: object) -> Any:
    return CliRunner().invoke(edge_app(), [*map(str, args)], prog_name="edge")


def entries(got: list[tuple[str, bytes]]) -> list[int]:
    return [decode(payload).number for topic, payload in got if topic.endswith("/journal")]


@pytest.fixture
def book(tmp_path: Path) -> Path:
    return tmp_path / "book.sqlite"


def cursor(book: Path) -> int:
    with closing(sqlite3.connect(book)) as connection:
        return int(connection.execute("SELECT acknowledged FROM origin").fetchone()[0])


def test_a_run_tells_a_broker_of_each_field_and_of_its_end(broker: Mosquitto, book: Path) -> None:
    with listening_to(broker) as got:
        result = edge_run("--mqtt", broker.url, "--scope", "bench-3", "--book", book, "--sample-id", NAME)
        assert (result.exit_code, result.stderr) == (0, "")
        wait_for(lambda: any(payload == b"offline" for _, payload in got))
    assert entries(got) == [1, 2, 3, 4, 5]  # it begins, three fields, it ends
    states = {topic.split("/state/")[1]: payload.decode() for topic, payload in got if "/state/" in topic}
    assert (states["state"], states["fields"], states["cells"]) == ("idle", "3", "6")
    assert states["sample"].startswith("bench-3-")
    assert states["flag"] == "uncalibrated"
    assert cursor(book) == 5


@pytest.mark.parametrize("names", [False, True])
def test_names_leave_the_microscope_when_asked_for_and_not_else(broker: Mosquitto, book: Path, names: bool) -> None:
    with listening_to(broker) as got:
        more = ["--mqtt-names"] * names
        edge_run("--mqtt", broker.url, "--scope", "bench-3", "--book", book, "--sample-id", NAME, *more)
        wait_for(lambda: any(payload == b"offline" for _, payload in got))
    assert any(NAME.encode() in payload for _, payload in got) is names
    if not names:
        assert not any(str(book.parent).encode() in payload for _, payload in got)


@pytest.mark.parametrize("how", ["nobody listens", "nobody answers", "no such host"])
def test_a_run_counts_the_same_without_a_broker_and_says_what_waits(how: str, book: Path) -> None:
    with silent_server() as port:
        url = {
            "nobody listens": "mqtt://127.0.0.1:1",
            "nobody answers": f"mqtt://127.0.0.1:{port}",
            "no such host": "mqtt://no-such-host.invalid",
        }[how]
        result = edge_run("--mqtt", url, "--book", book)
    assert result.exit_code == 0
    assert "3 kept" in result.stdout
    last = result.stderr.splitlines()[-1]
    assert last.startswith(
        "edge-run: 5 entries wait in the book for the broker: the next run sends what waits, or: edge"
    )
    assert last.endswith(url)


def test_what_waits_is_delivered_by_the_next_run_or_by_send(broker: Mosquitto, book: Path) -> None:
    edge_run("--mqtt", "mqtt://127.0.0.1:1", "--book", book, "--scope", "bench-3")
    with listening_to(broker, "edge-microscopy/#") as got:
        edge_run("--mqtt", broker.url, "--book", book, "--scope", "bench-3", "--again", fields=1)
        wait_for(lambda: any(payload == b"offline" for _, payload in got))
    assert entries(got) == list(range(1, 9))
    edge_run("--book", book, "--scope", "bench-3", "--again", fields=1)
    with listening_to(broker, "edge-microscopy/+/+/journal") as got:
        sent = edge("mqtt", "send", broker.url, "--book", book)
        assert sent.stdout == f"3 entries delivered to {broker.url} as bench-3\n"
        wait_for(lambda: entries(got) == [9, 10, 11])
    assert edge("mqtt", "send", broker.url, "--book", book).stdout == "nothing waits\n"
    with listening_to(broker, "edge-microscopy/+/+/journal") as got:
        sent = edge("mqtt", "send", broker.url, "--book", book, "--all")
        assert sent.stdout == f"11 entries delivered to {broker.url} as bench-3\n"
        wait_for(lambda: entries(got) == list(range(1, 12)))


def test_forget_removes_all_that_a_broker_keeps_of_a_microscope_and_nothing_else(
    broker: Mosquitto, tmp_path: Path
) -> None:
    mine, other = tmp_path / "mine.sqlite", tmp_path / "other.sqlite"
    edge_run("--mqtt", broker.url, "--book", mine, "--scope", "bench-3")
    edge_run("--mqtt", broker.url, "--book", mine, "--scope", "renamed", "--again")
    edge_run("--mqtt", broker.url, "--book", other, "--scope", "bench-4")
    first = edge("mqtt", "forget", broker.url, "--book", mine)
    assert "kept messages of renamed removed" in first.stdout
    assert "the computer's own device stays" in first.stderr
    with listening_to(broker) as kept:
        wait_for(lambda: any(topic.endswith("/availability") for topic, _ in kept))
    assert {topic.split("/")[1] for topic, _ in kept if topic.startswith("edge-microscopy/")} == {"bench-4"}
    assert len([topic for topic, _ in kept if topic.startswith("homeassistant/")]) == 2
    assert "removed" in edge("mqtt", "forget", broker.url, "--book", other).stdout
    assert edge("mqtt", "forget", broker.url, "--book", other).stdout == "nothing was kept\n"


@needs_mosquitto
def test_a_password_is_nowhere_to_be_seen(tmp_path: Path, book: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(PASSWORD, "")
    monkeypatch.delenv(PASSWORD)
    with Mosquitto(tmp_path / "broker", BrokerOptions(users=(("anna", "hush-hush"),))) as broker:
        url = broker.url.replace("mqtt://", "mqtt://anna:hush-hush@")
        shown = edge_run("--mqtt", url, "--book", book, "--show-config")
        assert 'mqtt = "mqtt://anna@127.0.0.1' in shown.stdout
        with listening_to(broker, "edge-microscopy/+/+/journal") as got:
            result = edge_run("--mqtt", url, "--book", book)
            wait_for(lambda: entries(got) == [1, 2, 3, 4, 5])
        assert (result.exit_code, result.stderr) == (0, "")
    kept = b"".join(path.read_bytes() for path in tmp_path.iterdir() if path.is_file())
    assert b"mqtt://anna@" in kept
    for where in (shown.output.encode(), result.output.encode(), kept, *(payload for _, payload in got)):
        assert b"hush-hush" not in where


@needs_mosquitto
def test_send_and_forget_say_why_a_broker_refuses(tmp_path: Path, book: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    edge_run("--book", book)
    with Mosquitto(tmp_path / "broker", BrokerOptions(users=(("anna", "hush-hush"),))) as broker:
        monkeypatch.setenv(PASSWORD, "wrong")
        url = broker.url.replace("mqtt://", "mqtt://anna@")
        for command in ("send", "forget"):
            result = edge("mqtt", command, url, "--book", book)
            assert result.exit_code == 15
            (line,) = result.stderr.splitlines()
            assert line.startswith(f"edge mqtt {command}: {url}: it ")
            assert "wrong" not in line


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        pytest.param(["--mqtt", "broker.local"], 2, "--mqtt does not begin with mqtt://", id="no URL"),
        pytest.param(["--mqtt", "mqtt://h", "--no-book"], 2, "leave --no-book out", id="no book"),
        pytest.param(["--mqtt-names"], 2, "need --mqtt URL", id="names for nobody"),
        pytest.param(
            ["--mqtt", "mqtts://h", "--mqtt-ca", "none.pem"], 15, "none.pem: cannot be read", id="no such authority"
        ),
        pytest.param(["--mqtt", "mqtts://h", "--mqtt-ca", __file__], 15, "not the certificate", id="no certificate"),
        pytest.param(
            ["--mqtt", "mqtt://a@h", "--mqtt-password-file", "no"], 15, "no: cannot be read", id="no password"
        ),
    ],
)
def test_what_cannot_be_meant_is_refused_before_anything_is_counted(
    arguments: list[str], code: int, said: str, book: Path
) -> None:
    where = [] if "--no-book" in arguments else ["--book", book]
    result = edge_run(*arguments, *where)
    assert result.exit_code == code
    assert said in " ".join(result.stderr.split())
    assert "kept" not in result.stdout


@pytest.mark.parametrize("command", ["send", "forget"])
def test_there_must_be_a_book(command: str, tmp_path: Path) -> None:
    result = edge("mqtt", command, "mqtt://127.0.0.1:1", "--book", tmp_path / "none.sqlite")
    assert result.exit_code == 10
    assert not (tmp_path / "none.sqlite").exists()
