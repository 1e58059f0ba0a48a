"""The broker that other tests rely on: it is there, keeps what it should, lets in whom it should, and leaves no process behind."""

from __future__ import annotations

import os
import signal
import socket
import ssl
import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import paho.mqtt.client as mqtt
import pytest
from paho.mqtt.enums import CallbackAPIVersion

from benchmarks.network.certificates import CertificateFiles
from benchmarks.network.mosquitto import BrokerOptions, Mosquitto
from edge.network.records import BrokerAddress
from tests.network.listener import wait_for
from tests.network.mosquitto import broker, certificates, needs_mosquitto, silent_server

__all__ = ["broker", "certificates"]


def connected(address: BrokerAddress, *, leave: bool = True) -> str:
    """What the broker says to a client: ``Success``, ``Not authorized``; or the error that comes before it says anything."""
    client = mqtt.Client(CallbackAPIVersion.VERSION2)
    answers: list[str] = []
    said = threading.Event()

    def on_connect(_client: object, _data: object, _flags: object, reason: Any, _properties: object) -> None:
        answers.append(str(reason))
        said.set()

    client.on_connect = on_connect
    if address.user:
        client.username_pw_set(address.user, address.password)
    if address.tls:
        client.tls_set(address.ca, address.certificate, address.key)
    try:
        client.connect(address.host, address.port)
    except (OSError, ssl.SSLError) as error:
        return str(error)
    client.loop_start()
    said.wait(5)
    client.disconnect()
    client.loop_stop()
    return answers[0] if answers else "nothing"


def retained(broker: Mosquitto, payload: bytes | None = None) -> bytes | None:
    """Leave a retained message, or, without one, tell which one is there."""
    client = mqtt.Client(CallbackAPIVersion.VERSION2)
    got: list[bytes] = []
    came = threading.Event()

    def on_message(_client: object, _data: object, message: mqtt.MQTTMessage) -> None:
        got.append(bytes(message.payload))
        came.set()

    client.on_message = on_message
    client.connect(broker.address.host, broker.port)
    client.loop_start()
    if payload is not None:
        client.publish("a", payload, qos=1, retain=True).wait_for_publish(5)
    else:
        client.subscribe("a", 1)
        came.wait(0.5)
    client.disconnect()
    client.loop_stop()
    return got[0] if got else None


def test_it_is_there_and_gone_again(tmp_path: Path, broker: Mosquitto) -> None:
    assert connected(broker.address) == "Success"
    port, process = broker.port, broker._process
    assert process is not None
    broker.kill()
    assert not broker.running
    assert "refused" in connected(broker.address)
    broker.start()
    assert (broker.port, connected(broker.address)) == (port, "Success")
    broker.stop()
    assert not Path(f"/proc/{process.pid}").exists()


@needs_mosquitto
@pytest.mark.parametrize(
    ("options", "end", "kept"),
    [
        pytest.param(BrokerOptions(), Mosquitto.stop, None, id="no persistence, stopped"),
        pytest.param(BrokerOptions(persistence=True), Mosquitto.stop, b"1", id="persistence, stopped"),
        pytest.param(BrokerOptions(persistence=True), Mosquitto.kill, None, id="persistence, killed before it saved"),
        pytest.param(BrokerOptions(persistence=True, saved_after=1), Mosquitto.kill, b"1", id="saved at once, killed"),
    ],
)
def test_what_it_keeps(options: BrokerOptions, end: Any, kept: bytes | None, tmp_path: Path) -> None:
    with Mosquitto(tmp_path / "broker", options) as broker:
        retained(broker, b"1")
        if options.saved_after:
            wait_for((tmp_path / "broker" / "mosquitto.db").exists)
        end(broker)
        broker.start()
        assert retained(broker) == kept


@needs_mosquitto
def test_users(tmp_path: Path) -> None:
    options = BrokerOptions(users=(("bench-3", "a b:ü"), ("other", "x")))
    with Mosquitto(tmp_path / "broker", options) as broker:
        assert connected(broker.address) == "Success"
        assert connected(replace(broker.address, password="")) == "Not authorized"
        assert connected(BrokerAddress("127.0.0.1", broker.port)) == "Not authorized"
        assert "a b" not in str(broker.address)


@needs_mosquitto
def test_certificates(tmp_path: Path, certificates: CertificateFiles) -> None:
    options = BrokerOptions(certificates=certificates, clients_certified=True)
    with Mosquitto(tmp_path / "broker", options) as broker:
        assert connected(broker.address) == "Success"
        with (
            socket.create_connection(("127.0.0.1", broker.port), 1) as way,
            pytest.raises(ssl.SSLCertVerificationError),
        ):
            ssl.create_default_context().wrap_socket(way, server_hostname="localhost")
        without = replace(broker.address, certificate=None, key=None)
        assert connected(without) != "Success"


def test_a_broker_that_is_held_accepts_and_does_not_answer(broker: Mosquitto) -> None:
    broker.hold()
    with silent_server() as port:
        for other in (broker.port, port):
            with socket.create_connection(("127.0.0.1", other), 1) as way:
                way.sendall(bytes.fromhex("100c00044d5154540402003c0000"))  # CONNECT
                way.settimeout(0.1)
                with pytest.raises(TimeoutError):
                    way.recv(1)
    broker.go_on()
    assert connected(broker.address) == "Success"


def test_it_dies_with_the_process_that_started_it(tmp_path: Path, broker: Mosquitto) -> None:
    read, write = os.pipe()
    child = os.fork()
    if child == 0:  # starts a broker and is killed, as a test run may be
        other = Mosquitto(tmp_path / "other")
        other.start()
        assert other._process is not None
        os.write(write, str(other._process.pid).encode())
        os.kill(os.getpid(), signal.SIGKILL)
    pid = int(os.read(read, 20))
    os.waitpid(child, 0)
    wait_for(lambda: not Path(f"/proc/{pid}").exists())
