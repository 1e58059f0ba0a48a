"""``edge doctor``: from settings to checks, and from what they say to lines, JSON and the support file."""

from __future__ import annotations

import json
import sys
import textwrap
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from dataclasses import asdict, replace
from pathlib import Path

from edge import shelf
from edge.cli.config import read_config
from edge.cli.judging import assessor_for, calibration_for
from edge.cli.pipeline import make_pipeline
from edge.cli.run_settings import RunSettings
from edge.door import quiet_native_stderr
from edge.errors import EXIT_UNFIT
from edge.health.bundle import support_file
from edge.health.checks import DeviceToCheck, device_checks
from edge.health.examine import examine
from edge.health.machine import ROOT
from edge.health.records import CheckResult, Health, HealthReport
from edge.lines import columns, plain, print_json, print_text
from edge.safe_file import write_text
from edge.service.places import ServicePlaces

_NAME = 16  # columns of a check's name
_WIDEST = 100  # columns where stdout is no terminal
_MARKS = {
    Health.OK: "ok",
    Health.WARNING: "WARNING",
    Health.FAILED: "FAILED",
    Health.UNKNOWN: "UNKNOWN",
    Health.NOT_APPLICABLE: "-",
}
"""How a state is shown: what needs a person stands out without colour."""


def examine_device(config: Path | None, book: Path | None, bundle: Path | None, *, json: bool, debug: bool) -> int:
    """Run all checks, print what they say and return the exit code.

    Raises:
        BadParameter: the settings cannot be read.
        OutputError: stdout or the support file cannot be written.
    """
    device = device_of(config, book)
    with nullcontext() if debug else quiet_native_stderr():
        report = examine(device_checks(device))
    if bundle is not None:
        write_text(bundle, support_text(report))
    if json:
        print_json(as_json(report))
    else:
        print_text("\n".join(report_lines(report, columns(sys.stdout) or _WIDEST)) + "\n")
        if bundle is not None:
            print_text(
                f"\nSupport file: {plain(str(bundle))} (no names, no paths, no samples: look at it before you send it)\n"
            )
    return EXIT_UNFIT if report.failed else 0


def device_of(config: Path | None, book: Path | None) -> DeviceToCheck:
    """Return what is to be looked at: with these settings, else with those of the service that is installed."""
    user = not ServicePlaces.of(user=False).unit.exists()
    places = ServicePlaces.of(user=user)
    installed = places.unit.exists() and places.settings.exists()
    source = config or (places.settings if installed else None)
    configured = {} if source is None else read_config(source)
    settings = RunSettings.of({**RunSettings().values(), **configured})
    theirs = settings.book.path if config is not None else None
    return device_with(settings, book or theirs or places.book, user=user)


def device_with(settings: RunSettings, book: Path, *, user: bool) -> DeviceToCheck:
    """Return what is to be looked at, with these settings; ``user``: the service is this user's."""
    return DeviceToCheck(
        book,
        settings.input.camera,
        _models(settings),
        _fits(settings) if settings.judging.calibration is not None else None,
        _fits_settled(settings) if settings.nets.settled is not None else None,
        user,
    )


def _models(settings: RunSettings) -> tuple[str, ...]:
    nets = settings.nets
    finders = {"auto": shelf.FINDER, "learned": shelf.FINDER, "classical": None}
    finder = None if nets.grid else finders.get(nets.finder, nets.finder)
    return (nets.model or shelf.CLASSIFIER, *([finder] if finder else []))


def _fits(settings: RunSettings) -> Callable[[], None]:
    """Open all that the run opens, but the settled microscope."""
    nets = replace(settings.nets, settled=None)
    return lambda: _open(replace(settings, nets=nets))


def _fits_settled(settings: RunSettings) -> Callable[[], None]:
    """The same with the settled microscope, but without the calibration."""
    judging = replace(settings.judging, calibration=None)
    return lambda: _open(replace(settings, judging=judging))


def _open(settings: RunSettings) -> None:
    calibration = calibration_for(settings.judging)
    one = replace(settings.process, workers=1, debug=True)  # debug: stderr is taken care of by the caller
    gate, scope = settings.fields.gate, settings.judging.scope
    pipeline = make_pipeline(settings.nets, one, settings.card, calibration, gate=gate, scope=scope)
    assessor_for(settings, pipeline.bound, calibration)


def report_lines(report: HealthReport, width: int) -> Iterator[str]:
    """Write a report for a person, wrapped to ``width`` columns: what was found, and below it what to do."""
    for result in report.results:
        yield from _lines(result, width)
    yield ""
    counted = [f"{report.count(state)} {state}" for state in Health if report.count(state)]
    yield from textwrap.wrap(f"{', '.join(counted)}: {_judged(report)}.", width)


def _judged(report: HealthReport) -> str:
    if report.failed:
        return "not fit to count before that is mended"
    if report.count(Health.UNKNOWN):
        return "nothing failed, but what is unknown may be broken"
    return "fit to count" if report.healthy else "fit to count, but see the warnings"


def _lines(result: CheckResult, width: int) -> Iterator[str]:
    head = f"{_MARKS[result.health]:<9}{result.name:<{_NAME}}"
    indent = " " * len(head)
    yield from _wrapped(head + plain(result.says), indent, width)
    if result.remedy:
        yield from _wrapped(f"{indent}> {plain(result.remedy)}", f"{indent}  ", width)


def _wrapped(text: str, indent: str, width: int) -> list[str]:
    return textwrap.wrap(
        text,
        max(width, 2 * len(indent)),
        subsequent_indent=indent,
        break_long_words=False,
        break_on_hyphens=False,
    )


def as_json(report: HealthReport) -> dict[str, object]:
    """The report as JSON values, for programs on this device: it may hold paths and names."""
    return {
        "healthy": report.healthy,
        "failed": report.failed,
        "checks": [{**asdict(result), "health": str(result.health)} for result in report.results],
    }


def support_text(report: HealthReport, root: Path = ROOT) -> str:
    """The support file as text; ``root`` is where /proc, /sys and /etc are."""
    return json.dumps(support_file(report, root), indent=1, sort_keys=True) + "\n"
