"""All settings of one run of ``edge-run``, and the checks that they fit together."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any, Self, get_type_hints

import typer

from edge.cli.book_settings import BookSettings
from edge.cli.network_settings import NetworkSettings
from edge.cli.options import record_of
from edge.cli.settings import (
    SIMULATED_FIELDS,
    CardSettings,
    FieldSettings,
    InputSettings,
    JudgingSettings,
    NetSettings,
    OutputSettings,
    ProcessSettings,
    StopSettings,
)


@dataclass(frozen=True, slots=True)
class RunSettings:
    """All settings of one run of ``edge-run``."""

    input: InputSettings = field(default_factory=InputSettings)
    stop: StopSettings = field(default_factory=StopSettings)
    nets: NetSettings = field(default_factory=NetSettings)
    card: CardSettings = field(default_factory=CardSettings)
    fields: FieldSettings = field(default_factory=FieldSettings)
    judging: JudgingSettings = field(default_factory=JudgingSettings)
    outputs: OutputSettings = field(default_factory=OutputSettings)
    book: BookSettings = field(default_factory=BookSettings)
    network: NetworkSettings = field(default_factory=NetworkSettings)
    process: ProcessSettings = field(default_factory=ProcessSettings)

    @classmethod
    def of(cls, values: Mapping[str, Any]) -> Self:
        """Make the settings from values by option name; a password in the broker's URL is taken out (``NetworkSettings.kept``)."""
        hints = get_type_hints(cls)
        made = cls(**{one.name: record_of(hints[one.name], values) for one in fields(cls)})
        return replace(made, network=made.network.kept())

    def values(self) -> dict[str, Any]:
        """Return the value of each option by its name."""
        records = [getattr(self, one.name) for one in fields(self)]
        return {one.name: getattr(record, one.name) for record in records for one in fields(record)}

    @property
    def field_limit(self) -> int | None:
        """Fields after which a sample ends; None: no limit."""
        stop = self.stop
        endless = self.input.simulate and not (stop.max_cells or stop.max_seconds)
        return stop.max_fields or (SIMULATED_FIELDS if endless else None)


RUN_RECORDS: tuple[type, ...] = tuple(get_type_hints(RunSettings).values())
"""The records whose options ``edge-run`` and its configuration file take, in the order of ``--help``."""


def check_source(settings: RunSettings) -> None:
    """Raise BadParameter unless there is exactly one source of fields."""
    source = settings.input
    given = sum([bool(source.inputs), source.simulate, source.camera])
    if given != 1:
        what = "nothing to count" if given == 0 else "too much to count"
        raise typer.BadParameter(f"{what}: give inputs, or --simulate, or --camera")


def check_together(settings: RunSettings) -> None:
    """Raise BadParameter for settings that contradict each other."""
    judging, outputs = settings.judging, settings.outputs
    if settings.input.sample_id is not None and settings.input.sample_per_folder:
        raise typer.BadParameter("--sample-id makes one sample, --sample-per-folder many: give one of them")
    _check_book(settings.book)
    _check_network(settings.network, settings.book)
    if settings.card.labels is None and settings.card.positive is not None:
        raise typer.BadParameter("--positive needs --labels: a model with a card says for itself what is positive")
    places = [os.path.realpath(path) for path in (outputs.detections, outputs.csv) if path is not None]
    if len(set(places)) < len(places):
        raise typer.BadParameter("--detections and --csv name the same file")
    if settings.nets.grid and settings.nets.settled is not None:
        raise typer.BadParameter(
            "--settled tells a typical cell, and tiles are no cells: leave it out with --tiling grid"
        )
    if judging.calibration is not None and settings.card.threshold is not None:
        raise typer.BadParameter("--calibration brings its own threshold: leave --threshold out")
    if judging.calibration is None:
        for option, given in (
            ("--until decided", settings.stop.until is not None),
            ("--target-parasitaemia", judging.target_parasitaemia is not None),
            ("--rbc-per-ul", judging.rbc_per_ul is not None),
        ):
            if given:
                raise typer.BadParameter(f"{option} needs --calibration: without one no count can be judged")


def _check_book(book: BookSettings) -> None:
    if book.no_book and (book.book is not None or book.resume):
        raise typer.BadParameter(
            f"--no-book keeps no book: leave {'--resume' if book.resume else '--book'} or --no-book out"
        )
    if book.resume and book.again:
        raise typer.BadParameter("--resume goes on with a sample, --again counts it once more: give one of them")


def _check_network(network: NetworkSettings, book: BookSettings) -> None:
    if network.mqtt is None and network != NetworkSettings():
        raise typer.BadParameter(
            "--mqtt-names, --mqtt-ca, --mqtt-cert, --mqtt-key and --mqtt-password-file need --mqtt URL"
        )
    if network.mqtt is not None and book.no_book:
        raise typer.BadParameter("--mqtt sends what is in the book, and keeps there what waits: leave --no-book out")
