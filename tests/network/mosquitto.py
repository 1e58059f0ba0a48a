"""A real Mosquitto for tests (``benchmarks.network.mosquitto``); where there is none, they are skipped with the reason.

A test module takes the fixtures by ``from tests.network.mosquitto import broker, certificates``. One that sets up its broker in
another way takes ``needs_mosquitto`` as its mark, and ``Mosquitto(tmp_path / "broker", BrokerOptions(...))`` as a context manager.
"""

from __future__ import annotations

import shutil
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from benchmarks.network.certificates import CertificateFiles, make_certificates
from benchmarks.network.mosquitto import Mosquitto, mosquitto_missing

needs_mosquitto = pytest.mark.skipif(bool(mosquitto_missing()), reason=f"{mosquitto_missing()}: apt install mosquitto")

needs_openssl = pytest.mark.skipif(shutil.which("openssl") is None, reason="no openssl: apt install openssl")


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Mosquitto]:
    """A broker that lets anybody in and keeps nothing."""
    if missing := mosquitto_missing():
        pytest.skip(f"{missing}: apt install mosquitto")
    with Mosquitto(tmp_path / "broker") as running:
        yield running


@pytest.fixture(scope="session")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> CertificateFiles:
    """An authority, and a server ``localhost`` and a client that it vouches for."""
    if shutil.which("openssl") is None:
        pytest.skip("no openssl: apt install openssl")
    return make_certificates(tmp_path_factory.mktemp("certificates"))


@contextmanager
def silent_server() -> Iterator[int]:
    """The port of a server that accepts and never says a word."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        one.listen(50)
        yield int(one.getsockname()[1])
