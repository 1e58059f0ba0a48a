"""A broker's address as people type it, and passwords that must not be seen."""

from __future__ import annotations

from pathlib import Path

import pytest

from edge.cli.network_settings import NetworkSettings
from edge.errors import BrokerError
from edge.network.address import PASSWORD, broker_address, parse_broker, without_password
from edge.network.records import BrokerAddress

SECRET = "hush"


@pytest.mark.parametrize(
    ("url", "address", "kept"),
    [
        pytest.param("mqtt://broker.local", BrokerAddress("broker.local", 1883), "mqtt://broker.local", id="a name"),
        pytest.param(
            "MQTT://Broker.local/", BrokerAddress("broker.local", 1883), "MQTT://Broker.local", id="large letters"
        ),
        pytest.param("mqtts://h", BrokerAddress("h", 8883, tls=True), "mqtts://h", id="TLS"),
        pytest.param("mqtt://10.0.0.5:1884", BrokerAddress("10.0.0.5", 1884), "mqtt://10.0.0.5:1884", id="a port"),
        pytest.param("mqtt://[fe80::1]:1", BrokerAddress("fe80::1", 1), "mqtt://[fe80::1]:1", id="IPv6"),
        pytest.param("mqtt://anna@h", BrokerAddress("h", 1883, user="anna"), "mqtt://anna@h", id="a user"),
        pytest.param("mqtt://a%40b@h", BrokerAddress("h", 1883, user="a@b"), "mqtt://a%40b@h", id="a user with @"),
        pytest.param(
            f"mqtts://anna:{SECRET}%2F@h:9",
            BrokerAddress("h", 9, True, "anna", f"{SECRET}/"),
            "mqtts://anna@h:9",
            id="a password",
        ),
    ],
)
def test_an_address_is_read_and_kept_without_its_password(url: str, address: BrokerAddress, kept: str) -> None:
    assert parse_broker(url) == address
    assert without_password(url) == kept


@pytest.mark.parametrize(
    ("url", "says"),
    [
        pytest.param("broker.local", "does not begin with mqtt://", id="no scheme"),
        pytest.param("", "does not begin with mqtt://", id="nothing"),
        pytest.param("http://broker", "begins with http://", id="another scheme"),
        pytest.param("mqtt://", "names no host", id="no host"),
        pytest.param("mqtt://h:0", "names no host", id="port 0"),
        pytest.param("mqtt://h:99999", "host or port that is none", id="no such port"),
        pytest.param("mqtt://h/topic", "after host and port", id="a path"),
        pytest.param("mqtt://h?x=1", "after host and port", id="a question"),
        pytest.param("mqtt://a b", "names no host", id="a space"),
        pytest.param("mqtt://h\n", "not printable", id="a line end"),
        pytest.param(f"mqtt://:{SECRET}@h", "no user", id="a password without a user"),
        pytest.param(f"mqtt://u:{SECRET}/x@h", "%2F", id="a slash in a password"),
        pytest.param(f"mqtt://u:{SECRET}[x@h", "%5B", id="a bracket in a password"),
        pytest.param(f"mqtt://u:{SECRET}#x@h", "%23", id="a hash in a password"),
    ],
)
def test_what_is_no_address_is_said_in_one_line_without_the_password(url: str, says: str) -> None:
    with pytest.raises(ValueError, match=says) as raised:
        parse_broker(url)
    assert SECRET not in str(raised.value)
    assert "\n" not in str(raised.value)
    assert SECRET not in without_password(url)


def test_a_password_comes_from_a_file_or_the_environment_or_the_url(tmp_path: Path) -> None:
    file = tmp_path / "password"
    file.write_text("of the file\r\nanother line\n")
    url, set_ = f"mqtt://anna:{SECRET}@h", {PASSWORD: "of the variable"}
    assert broker_address(url, environment={}).password == SECRET
    assert broker_address(url, environment=set_).password == "of the variable"
    assert broker_address(url, password_file=file, environment=set_).password == "of the file"
    for shown in (str(broker_address(url, environment={})), repr(broker_address(url, environment={}))):
        assert SECRET not in shown


@pytest.mark.parametrize(
    ("url", "files", "says"),
    [
        pytest.param("mqtt://u@h", {"password_file": None}, "cannot be read: No such file", id="no password file"),
        pytest.param("mqtt://u@h", {"password_file": b"\n"}, "first line is empty", id="an empty one"),
        pytest.param("mqtt://u@h", {"password_file": b"\xff"}, "not UTF-8", id="one of bytes"),
        pytest.param("mqtt://h", {"password_file": b"x"}, "no user", id="a password and no user"),
        pytest.param("mqtts://h", {"ca": None}, "--mqtt-ca .* cannot be read", id="no such authority"),
        pytest.param("mqtt://h", {"ca": b""}, "write mqtts://", id="an authority without TLS"),
        pytest.param("mqtts://h", {"key": b""}, "--mqtt-key belongs to --mqtt-cert", id="a key without a certificate"),
    ],
)
def test_files_that_do_not_fit_are_refused(url: str, files: dict[str, bytes | None], says: str, tmp_path: Path) -> None:
    paths = {name: tmp_path / name for name in files}
    for name, data in files.items():
        if data is not None:
            paths[name].write_bytes(data)
    with pytest.raises(BrokerError, match=says):
        broker_address(url, environment={}, **paths)


def test_settings_of_a_run_hold_no_password(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(PASSWORD, "")
    monkeypatch.delenv(PASSWORD)
    settings = NetworkSettings(mqtt=f"mqtt://anna:{SECRET}@h")
    kept = settings.kept()
    assert kept.mqtt == "mqtt://anna@h"
    assert kept.address(kept.mqtt).password == SECRET
    assert NetworkSettings(mqtt="mqtt://h").kept() == NetworkSettings(mqtt="mqtt://h")
