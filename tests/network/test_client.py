"""What a broker's failures are called, and how long is waited between two attempts."""

from __future__ import annotations

import socket
import ssl
from pathlib import Path

import pytest

from edge.errors import BrokerError
from edge.network.client import BackOff, make_client, refusal_of, trouble_of
from edge.network.records import BrokerAddress


def not_to_be_trusted() -> ssl.SSLCertVerificationError:
    error = ssl.SSLCertVerificationError(1, "x")
    error.verify_message = "Hostname mismatch"
    return error


TROUBLES: dict[str, tuple[OSError | ValueError, str, bool]] = {
    "nobody listens": (ConnectionRefusedError(111, "Connection refused"), "no broker listens there", False),
    "no such host": (socket.gaierror(-2, "Name or service not known"), "no host of this name", False),
    "no answer": (TimeoutError("timed out"), "does not answer", False),
    "another host's certificate": (not_to_be_trusted(), "Hostname mismatch", True),
    "a broker without TLS": (ssl.SSLError(1, "wrong version number"), "mqtts:// with it", False),
    "no way there": (OSError(113, "No route to host"), "no route to host", False),
    "a port that is none": (ValueError("Invalid port number."), "Invalid port number", True),
}


@pytest.mark.parametrize("case", TROUBLES)
def test_a_failure_to_connect_is_said_in_words(case: str) -> None:
    error, words, lasting = TROUBLES[case]
    found = trouble_of(error)
    assert words in found.words
    assert found.lasting is lasting


@pytest.mark.parametrize(
    ("code", "words", "lasting"), [(134, "password", True), (135, "this user", True), (136, "not ready", False)]
)
def test_a_refusal_is_said_in_words(code: int, words: str, lasting: bool) -> None:
    assert words in refusal_of(code).words
    assert refusal_of(code).lasting is lasting


def test_waits_double_up_to_a_minute_and_begin_again_after_success() -> None:
    pauses = BackOff(chance=lambda: 1.0)
    assert [pauses.wait() for _ in range(8)] == [1, 2, 4, 8, 16, 32, 60, 60]
    pauses.reset()
    assert pauses.wait() == 1
    assert BackOff(chance=lambda: 0.0).wait() == 0.5


@pytest.mark.parametrize("field", ["ca", "certificate"])
def test_a_file_that_is_no_certificate_is_named(tmp_path: Path, field: str) -> None:
    pytest.importorskip("paho", reason="paho-mqtt (extra mqtt) is not installed")
    bad = tmp_path / "bad.pem"
    bad.write_text("no certificate")
    with pytest.raises(BrokerError, match=r"bad\.pem"):
        make_client(BrokerAddress("localhost", 8883, tls=True, **{field: str(bad)}), "x", session=False)
