"""The settings of a broker: who learns of the samples, and what of them."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, ClassVar, Self

import typer

from edge.cli.options import ValueRule
from edge.network.address import PASSWORD, broker_address, parse_broker, without_password
from edge.network.records import BrokerAddress

NETWORK = "Network"
"""Panel of these options."""


@dataclass(frozen=True, slots=True)
class BrokerSettings:
    """How a broker is spoken to."""

    PANEL: ClassVar[str] = NETWORK

    mqtt_ca: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Authorities that may vouch for the broker (PEM).  [default: the system's]"),
    ] = None
    mqtt_cert: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Our own certificate, where the broker asks for one (PEM).")
    ] = None
    mqtt_key: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Key of --mqtt-cert.  [default: in the same file]")
    ] = None
    mqtt_password_file: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help=f"Password of the broker's user.  [default: the variable {PASSWORD}]"),
    ] = None

    def address(self, url: str, environment: Mapping[str, str] = os.environ) -> BrokerAddress:
        """The broker at this URL; raises BrokerError where a file cannot be read."""
        return broker_address(
            url,
            password_file=self.mqtt_password_file,
            ca=self.mqtt_ca,
            certificate=self.mqtt_cert,
            key=self.mqtt_key,
            environment=environment,
        )


@dataclass(frozen=True, slots=True)
class NetworkSettings(BrokerSettings):
    """Whom a run tells of its samples."""

    mqtt: Annotated[
        str | None,
        typer.Option(
            metavar="URL",
            help="Tell this MQTT broker of each sample and of this microscope: mqtt://HOST, mqtts://USER@HOST (docs/mqtt.md).",
        ),
        ValueRule(parse_broker),
    ] = None
    mqtt_names: Annotated[
        bool, typer.Option(help="Tell it names of samples and files too: they may say who a patient is.")
    ] = False

    def kept(self) -> Self:
        """The same without a password in the URL: it goes into the environment, where the process that counts finds it too.

        So it stands in no settings that are printed, kept in a book, or handed to a program that is started.
        """
        return self if self.mqtt is None else replace(self, mqtt=told_apart(self.mqtt))


def told_apart(url: str) -> str:
    """A broker's URL without its password, which goes into the environment unless one is there already."""
    try:
        password = parse_broker(url).password
    except ValueError:  # the check of the option says so
        return url
    if not password:
        return url
    os.environ.setdefault(PASSWORD, password)
    return without_password(url)
