"""edge collect at the command line, and a collected book in edge samples, edge show and on the page."""

from __future__ import annotations

import json
import threading
from pathlib import Path

import pytest
from typer.testing import CliRunner

from benchmarks.network.mosquitto import Mosquitto
from edge.book.inbox import Inbox
from edge.book.journal import Journal
from edge.book.opening import open_book
from edge.cli import edge_app
from edge.cli.collect_job import collected
from edge.door import StoppedError
from edge.network.records import BrokerAddress
from edge.serve.bookreading import BookReader
from tests.book.made import ABOUT, Counting, field_of
from tests.network.mosquitto import broker

__all__ = ["broker"]


def edge(*args: object) -> tuple[int, str, str]:
    got = CliRunner().invoke(edge_app(), [str(arg) for arg in args])
    return got.exit_code, got.stdout, got.stderr


@pytest.fixture
def counted(tmp_path: Path) -> Path:
    """The book of a microscope: one sample of three fields, complete."""
    path = tmp_path / "bench-3.sqlite"
    with open_book(path, lambda _: None) as book:
        writer = book.writer(book.begin_run(ABOUT, {}))
        counting = Counting("Anna Schmidt")
        for number in range(3):
            writer.field(counting.event(field_of(number, "Anna Schmidt")))
        writer.sample(counting.end())
        writer.close()
    return path


@pytest.fixture
def district(tmp_path: Path, counted: Path) -> Path:
    """What was collected of it, but for the last entry; the microscope is away."""
    path = tmp_path / "district.sqlite"
    journal = Journal(counted)
    with Inbox(path) as inbox:
        for entry in journal.entries(1, journal.newest() - 1):
            inbox.take(journal.message(entry, "bench-3", names=False))
        at = "2026-11-29T09:30:00Z"
        inbox.heard("bench-3", journal.origin, online=False, newest=journal.newest(), at=at)
    return path


def test_what_was_counted_arrives_without_a_name(
    broker: Mosquitto, counted: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("edge.network.subscriber.QUIET_S", 0.5)
    district = tmp_path / "district.sqlite"
    command = ("collect", broker.url, "--book", district, "--once")
    assert edge(*command)[0] == 0  # from now on the broker keeps what is said for it
    assert edge("mqtt", "send", broker.url, "--book", counted, "--scope", "bench-3")[0] == 0
    code, out, _ = edge(*command, "--json")
    assert code == 0
    events = [json.loads(line) for line in out.splitlines()]
    assert [event["event"] for event in events] == ["microscope", "began", "ended", "end"]
    assert events[2]["sample"]["state"] == "complete"
    assert not any(b"Schmidt" in file.read_bytes() for file in tmp_path.glob("district.sqlite*"))
    code, out, _ = edge("samples", "--book", district)
    assert "bench-3-" in out
    assert "microscopes" in out


def test_samples_lists_the_microscopes_and_when_they_were_heard_last(district: Path) -> None:
    code, out, _ = edge("samples", "--book", district)
    assert code == 0
    told = " ".join(out.split())  # lines fold where a terminal is narrow
    assert told.endswith("microscopes bench-3 silent, heard last at 2026-11-29 09:30 UTC; 1 of its entries is not here")
    told = json.loads(edge("samples", "--book", district, "--json")[1])
    assert [one["name"] for one in told["microscopes"]] == ["bench-3"]


def test_a_book_that_has_collected_nothing_lists_no_microscopes(counted: Path) -> None:
    assert "microscopes" not in edge("samples", "--book", counted)[1]
    assert "microscopes" not in json.loads(edge("samples", "--book", counted, "--json")[1])


def test_microscopes_of_one_name_are_told_apart(district: Path) -> None:
    with Inbox(district) as inbox:
        inbox.heard("bench-3", "cd" * 16, online=True, newest=0, at="2026-11-29T09:31:00Z")
    out = edge("samples", "--book", district)[1]
    assert "bench-3 (book cdcdcdcd) connected, heard last at 2026-11-29 09:31 UTC" in " ".join(out.split())


def test_show_says_which_microscope_a_sample_is_from(district: Path, counted: Path) -> None:
    name = json.loads(edge("samples", "--book", district, "--json")[1])["samples"][0]["name"]
    out = edge("show", name, "--book", district)[1]
    assert f"(book {Journal(counted).origin[:8]}): silent, heard last at 2026-11-29 09:30 UTC" in " ".join(out.split())
    told = json.loads(edge("show", name, "--book", district, "--json")[1])
    assert told["book"]["origin"] == Journal(counted).origin


def test_the_page_lists_the_microscopes(district: Path, counted: Path, tmp_path: Path) -> None:
    (line,) = BookReader(district).microscopes()
    assert (line.name, line.well) == ("bench-3", False)
    assert line.standing.startswith("silent, heard last at 2026-11-29 09:30 UTC")
    assert BookReader(counted).microscopes() == []
    assert BookReader(tmp_path / "none.sqlite").microscopes() == []


BAD = {
    "no address": (("collect", "broker.local", "--book", "d.sqlite"), 2, "does not begin with mqtt://"),
    "no book": (("collect", "mqtt://localhost"), 2, "--book"),
    "nobody there": (("collect", "mqtt://127.0.0.1:1", "--book", "d.sqlite", "--once"), 15, "no broker listens there"),
    "no such authority": (
        ("collect", "mqtts://localhost", "--book", "d.sqlite", "--mqtt-ca", "none.pem"),
        15,
        "none.pem",
    ),
}


@pytest.mark.parametrize("case", BAD)
def test_what_cannot_be_done_is_one_line_with_its_code(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, case: str
) -> None:
    monkeypatch.chdir(tmp_path)
    args, code, words = BAD[case]
    got, _, err = edge(*args)
    assert got == code
    assert words in err
    assert "Traceback" not in err


def test_a_book_that_is_none_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "letter.txt"
    path.write_text("Dear Anna, " * 100)
    code, _, err = edge("collect", "mqtt://127.0.0.1:1", "--book", path, "--once")
    assert code == 10
    assert "letter.txt" in err
    assert path.read_text().startswith("Dear Anna")


def test_it_stops_when_it_is_told_to_and_says_what_it_has(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    stopped = threading.Event()
    stopped.set()

    class Stopping:
        def __init__(self, _stop: object) -> None:
            pass

        def __enter__(self) -> threading.Event:
            return stopped

        def __exit__(self, *_: object) -> None:
            pass

    monkeypatch.setattr("edge.cli.collect_job.stop_on_signals", Stopping)
    with pytest.raises(StoppedError, match="0 microscopes, 0 entries taken"):
        collected(BrokerAddress("127.0.0.1", 1), tmp_path / "d.sqlite", once=False, json=False)
    assert "from mqtt://127.0.0.1:1 into" in capsys.readouterr().err
