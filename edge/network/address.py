"""``mqtt://user@broker.local:1883``: where a broker is, read from what a person typed.

A password in it works, and is taken out of everything that is kept or shown. Better: a file, or the variable ``EDGE_MQTT_PASSWORD``.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Final
from urllib.parse import quote, unquote, urlsplit

from edge.errors import BrokerError
from edge.network.records import BrokerAddress

PASSWORD: Final = "EDGE_MQTT_PASSWORD"  # noqa: S105 - its name
"""Variable of the environment that holds the password."""

PORTS: Final = {"mqtt": 1883, "mqtts": 8883}
"""Scheme to the port that it means; ``mqtts`` is with TLS."""

_LONGEST_PASSWORD = 65_535  # bytes, by the protocol
_EXAMPLE = "give it as mqtt://broker.local, mqtts://user@broker.local or mqtt://192.168.1.5:1884"

_LETTERS = " (a / # ? [ or @ of a password is written %2F %23 %3F %5B %40)"


def parse_broker(url: str) -> BrokerAddress:
    """Read an address, with a user and a password where they stand in it. Raises ValueError; its text never holds the password."""
    scheme = url.partition("://")[0].lower() if "://" in url else ""
    if not url.isprintable():
        raise ValueError(f"has a letter that is not printable: {_EXAMPLE}")
    if scheme not in PORTS:
        if scheme in ("tcp", "ssl", "ws", "wss", "http", "https"):
            raise ValueError(f"begins with {scheme}://: {_EXAMPLE}")
        raise ValueError(f"does not begin with mqtt:// or mqtts://: {_EXAMPLE}")
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:  # its text may hold the password
        raise ValueError(f"has a host or port that is none{_LETTERS}: {_EXAMPLE}") from None
    if parts.path not in ("", "/") or parts.query or parts.fragment:
        raise ValueError(f"has something after host and port{_LETTERS}: {_EXAMPLE}")
    if not host or any(letter.isspace() for letter in host) or port == 0:
        raise ValueError(f"names no host: {_EXAMPLE}")
    user, password = unquote(parts.username or ""), unquote(parts.password or "")
    if password and not user:
        raise ValueError(f"has a password and no user: {_EXAMPLE}")
    return BrokerAddress(host, port or PORTS[scheme], scheme == "mqtts", user, password)


def without_password(url: str) -> str:
    """The same address to keep and to show; one that cannot be read is returned as far as its host's name."""
    try:
        address = parse_broker(url)
    except ValueError:
        return url if "@" not in url else f"{url.partition('://')[0]}://...@{url.rpartition('@')[2]}"
    user = f"{quote(address.user, safe='')}@" if address.user else ""
    scheme, at = url.partition("://")[0], urlsplit(url).netloc.rpartition("@")[2]
    return f"{scheme}://{user}{at}"


def broker_address(
    url: str,
    *,
    password_file: Path | None = None,
    ca: Path | None = None,
    certificate: Path | None = None,
    key: Path | None = None,
    environment: Mapping[str, str] = os.environ,
) -> BrokerAddress:
    """Where the broker is, and how it is spoken to.

    Args:
        url: as it was typed.
        password_file: holds the password in its first line; it comes before the variable, and that before one in the URL.
        ca: certificates of the authorities that may vouch for the broker; None: the system's.
        certificate: our own, for a broker that asks for one.
        key: that one's; None: it is in the same file.
        environment: variables.

    Raises:
        BrokerError: a file cannot be read, or the address makes no sense.
    """
    try:
        address = parse_broker(url)
    except ValueError as error:
        raise BrokerError(f"--mqtt {error}") from None
    if not address.tls and (ca or certificate or key):
        raise BrokerError(f"{address}: certificates are for TLS: write mqtts://")
    if key and not certificate:
        raise BrokerError("--mqtt-key belongs to --mqtt-cert: give both")
    password = _password(password_file, environment) or address.password
    if password and not address.user:
        raise BrokerError(
            f"there is a password for the broker and no user: mqtt{'s' * address.tls}://USER@{address.host}"
        )
    files = [_readable(*pair) for pair in (("--mqtt-ca", ca), ("--mqtt-cert", certificate), ("--mqtt-key", key))]
    return replace(address, password=password, ca=files[0], certificate=files[1], key=files[2])


def _password(path: Path | None, environment: Mapping[str, str]) -> str:
    if path is None:
        return environment.get(PASSWORD, "")
    try:
        with path.open("rb") as stream:
            first = stream.readline(_LONGEST_PASSWORD + 2).rstrip(b"\r\n").decode()
    except OSError as error:
        raise BrokerError(f"--mqtt-password-file {path}: cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise BrokerError(f"--mqtt-password-file {path}: not UTF-8 text") from None
    if not first:
        raise BrokerError(f"--mqtt-password-file {path}: its first line is empty: write the password there")
    return first


def _readable(option: str, path: Path | None) -> str | None:
    if path is None:
        return None
    try:
        path.open("rb").close()
    except OSError as error:
        raise BrokerError(f"{option} {path}: cannot be read: {error.strerror}") from None
    return str(path)
