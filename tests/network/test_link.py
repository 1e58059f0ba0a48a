"""A publisher over a real Mosquitto."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks.network.certificates import CertificateFiles, make_certificates
from benchmarks.network.mosquitto import BrokerOptions, Mosquitto
from edge.network.client import BackOff
from edge.network.link import BrokerLink
from edge.network.outbox import Outbox
from edge.network.publisher import Publisher
from edge.network.records import BrokerAddress
from edge.network.speaker import Speaker
from tests.network.fake_broker import BASE, VOICE, FakeJournal
from tests.network.listener import listening_to, wait_for
from tests.network.mosquitto import broker, certificates, needs_mosquitto, needs_openssl, silent_server

__all__ = ["broker", "certificates"]


@contextmanager
def publishing(address: BrokerAddress, journal: FakeJournal) -> Iterator[tuple[Publisher, list[str]]]:
    """A publisher in its thread, and what it tells a person."""
    lines: list[str] = []
    outbox = Outbox(
        journal,
        "bench-3",
        names=False,
        encode=lambda message: f'{{"number": {message.number}}}'.encode(),
        tell=lines.append,
    )
    publisher = Publisher(
        Speaker(VOICE, outbox, lines.append),
        lambda hearer, will: BrokerLink(address, "edge-test", hearer, will),
        lines.append,
        str(address),
        back_off=BackOff(lambda: 0.0),
    )
    publisher.start()
    try:
        yield publisher, lines
    finally:
        publisher.finish(0)
        assert publisher.over


def numbers(got: list[tuple[str, bytes]]) -> list[int]:
    return [json.loads(payload)["number"] for topic, payload in got if topic == f"{BASE}/journal"]


def test_a_whole_run(broker: Mosquitto) -> None:
    journal = FakeJournal(count=200)
    with listening_to(broker) as got:
        with publishing(broker.address, journal) as (publisher, lines):
            publisher.say({"state": "counting"})
            wait_for(lambda: journal.acknowledged == 200)
            journal.count += 50
            publisher.wake()
            assert publisher.finish(5) == 0
        wait_for(lambda: (f"{BASE}/availability", b"offline") in got)
        assert numbers(got) == list(range(1, 251))
        assert lines == []
    with listening_to(broker) as later:
        wait_for(lambda: len(later) >= 5)
    kept = dict(later)
    assert kept[f"{BASE}/availability"] == b"offline"
    assert json.loads(kept[f"{BASE}/about"])["newest"] == 250
    assert kept[f"{BASE}/state/state"] == b"counting"
    assert len([topic for topic in kept if topic.startswith("homeassistant/device/")]) == 2
    assert f"{BASE}/journal" not in kept


def test_a_broker_that_is_killed_and_comes_back(broker: Mosquitto) -> None:
    journal = FakeJournal(count=20)
    with publishing(broker.address, journal) as (_, lines):
        wait_for(lambda: journal.acknowledged == 20)
        broker.kill()
        wait_for(lambda: bool(lines))
        journal.count += 20
        broker.start()
        with listening_to(broker) as got:
            wait_for(lambda: journal.acknowledged == 40)
            wait_for(lambda: (f"{BASE}/availability", b"online") in got)
        wait_for(lambda: lines[-1].endswith("is back"))
        assert lines[0].startswith("the broker mqtt://127.0.0.1")


def test_a_microscope_that_is_killed_is_said_to_be_gone_by_its_will(broker: Mosquitto) -> None:
    with publishing(broker.address, FakeJournal()) as (publisher, _), listening_to(broker) as got:
        wait_for(lambda: (f"{BASE}/availability", b"online") in got)
        link = publisher._link
        assert isinstance(link, BrokerLink)
        link.drop()
        wait_for(lambda: (f"{BASE}/availability", b"offline") in got)


@needs_mosquitto
@needs_openssl
@pytest.mark.parametrize(
    ("given", "says"),
    [
        pytest.param({"password": "wrong"}, "it lets this user not in|it refuses the user", id="a wrong password"),
        pytest.param({"user": "", "password": ""}, "it lets this user not in", id="no user"),
        pytest.param({"ca": None}, "its certificate is not to be trusted", id="an authority that nobody knows"),
        pytest.param(
            {"host": "127.0.0.1"}, "its certificate is not to be trusted", id="the certificate of another host"
        ),
        pytest.param({"tls": False}, "the connection was lost|does not answer", id="no TLS where TLS is spoken"),
    ],
)
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # paho leaves a socket to the collector
def test_a_broker_that_refuses(given: dict[str, str], says: str, tmp_path: Path) -> None:
    files = make_certificates(tmp_path / "files", "broker.test" if given.get("host") else "localhost")
    options = BrokerOptions(users=(("anna", "hush"),), certificates=files)
    with Mosquitto(tmp_path / "broker", options) as broker:
        address = replace(broker.address, **given)  # type: ignore[arg-type]
        with publishing(address, FakeJournal(count=3)) as (_, lines):
            wait_for(lambda: bool(lines))
            (line,) = lines
        assert "hush" not in line
        assert any(words in line for words in says.split("|"))
        assert line.endswith(": 3 entries wait")


@needs_mosquitto
def test_users_and_certificates_that_fit(certificates: CertificateFiles, tmp_path: Path) -> None:
    options = BrokerOptions(users=(("anna", "hush"),), certificates=certificates, clients_certified=True)
    journal = FakeJournal(count=3)
    with Mosquitto(tmp_path / "broker", options) as broker, publishing(broker.address, journal) as (_, lines):
        wait_for(lambda: journal.acknowledged == 3)
        assert lines == []


def test_a_server_that_never_says_a_word(broker: Mosquitto) -> None:
    with silent_server() as port:
        address = BrokerAddress("127.0.0.1", port)
        with publishing(address, FakeJournal(count=3)) as (publisher, lines):
            wait_for(lambda: publisher._link is not None)
            assert publisher.finish(0.2) == 3
            assert publisher.over
            assert lines == []
