"""``edge service install``: from the settings of a run to two files, and to systemd."""

from __future__ import annotations

import grp
import os
import pwd
import shlex
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import typer

import edge
from edge import shelf
from edge.cli.config import to_toml
from edge.cli.judging import assessor_for, calibration_for
from edge.cli.options import options_of
from edge.cli.pipeline import make_pipeline
from edge.cli.run_settings import RUN_RECORDS, RunSettings
from edge.cli.service_settings import ServiceSettings
from edge.cli.settings import OutputSettings
from edge.door import say
from edge.errors import ServiceError
from edge.lines import print_lines, print_text
from edge.network.address import PASSWORD
from edge.safe_file import plain_errors
from edge.service.access import ServiceUser, in_homes, with_links
from edge.service.places import ServicePlaces
from edge.service.systemctl import booted, systemctl, version
from edge.service.unit import CAMERA_GROUP, NAME, STEPS_SINCE, UnitPlan, unit_text
from edge.service.written import changed_by_hand, marked, write_marked

_LEAST_PATIENCE_S = 120  # seconds without a field after which a run is given up
_INTERVALS = 3  # of the camera, if those are longer


@dataclass(frozen=True, slots=True)
class ServiceFiles:
    """What is written: the unit's and the settings' text, and where."""

    places: ServicePlaces
    unit: str
    settings: str

    def parts(self) -> Iterator[tuple[Path, str]]:
        """Each file and its text, in the order in which they are written."""
        yield self.places.settings, self.settings
        yield self.places.unit, self.unit


def install_service(settings: RunSettings, wanted: ServiceSettings) -> None:
    """Write the files, enable the unit and start it, or print what would be written.

    Raises:
        BadParameter: these settings are none of a service.
        ServiceError: no root, no systemd, or the service could not read what it needs.
        EdgeError: the run itself would be refused: model, calibration, settled microscope.
    """
    check_service(settings, wanted)
    if not (wanted.user or wanted.dry_run) and os.geteuid() != 0:
        raise ServiceError(
            f"a system's service needs root: sudo {shlex.quote(_program())} service install ..., "
            "or --user for a service of your own, or --dry-run to see what would be written"
        )
    settings, needed = with_absolute_paths(replace(settings, book=replace(settings.book, resume=True)))
    needed += [Path(sys.executable), Path(edge.__file__), *shelf.folders()]
    _try(settings)
    files = service_files(settings, wanted, needed)
    barred = "" if wanted.user else barred_from(needed, wanted.run_as)
    if wanted.dry_run:
        print_text("\n".join(f"# {path}\n{marked(text)}" for path, text in files.parts()))
        if barred:
            say(f"this would be refused: {barred}", "edge service install")
        return
    if barred:
        raise ServiceError(barred)
    if wanted.start and not booted():
        raise ServiceError("systemd does not run this machine: --no-start writes the unit for the next boot")
    kept = write_files(files, replace_changed=wanted.replace)
    if booted():
        systemctl("daemon-reload", user=wanted.user)
    systemctl("enable", NAME, user=wanted.user)
    if wanted.start:
        systemctl("restart", "--no-block", NAME, user=wanted.user)
    print_lines(_told(files.places, wanted, kept))


def write_files(files: ServiceFiles, *, replace_changed: bool) -> list[Path]:
    """Write the files; raises ServiceError if one was changed by hand, unless that is to be replaced, and OutputError.

    Returns:
        where what was changed by hand is now.
    """
    changed = [path for path, _ in files.parts() if changed_by_hand(path)]
    if changed and not replace_changed:
        raise ServiceError(
            f"{changed[0]}: was changed by hand and is left as it is. Of a unit, make the change a drop-in (systemctl edit edge); "
            "or give --replace, which keeps the changed file as *.before"
        )
    if files.places.system:
        os.umask(0o022)  # the service's user reads them
    else:
        with plain_errors(files.places.state):
            files.places.state.mkdir(parents=True, exist_ok=True)  # for a system's service systemd makes it
    return [kept for path, text in files.parts() if (kept := write_marked(path, text)) is not None]


def check_service(settings: RunSettings, wanted: ServiceSettings) -> None:
    """Raise BadParameter for settings that are none of a service."""
    source = settings.input
    if source.inputs or source.camera == source.simulate:
        raise typer.BadParameter(
            "a service counts what the camera sees: give --camera (--simulate to try it), no inputs"
        )
    if replace(settings.outputs, json=False) != OutputSettings():
        raise typer.BadParameter(
            "a service writes into its book and into nothing else: leave --csv, --detections, --annotate and --report out; "
            "edge export and edge report make them from the book"
        )
    if settings.book.no_book or settings.book.again or settings.book.book is not None:
        raise typer.BadParameter(
            "a service counts into its own book and always goes on there: leave --book, --no-book and --again out"
        )
    if settings.network.mqtt is not None and PASSWORD in os.environ and settings.network.mqtt_password_file is None:
        raise typer.BadParameter(
            f"a service knows neither {PASSWORD} nor a password in a URL, for they would be kept where others can read them: "
            "write it into a file that the service may read, and give --mqtt-password-file FILE"
        )
    if wanted.user and wanted.run_as is not None:
        raise typer.BadParameter("--run-as is for the system's service: with --user it runs as you")


def service_files(settings: RunSettings, wanted: ServiceSettings, needed: list[Path]) -> ServiceFiles:
    """Plan the files.

    Args:
        settings: of the run, all paths absolute.
        wanted: how it is installed.
        needed: what the service must be able to read.

    Raises:
        ServiceError: a unit file cannot hold one of the paths.
    """
    places = ServicePlaces.of(user=wanted.user)
    own_shelf = os.environ.get(shelf.ENVIRONMENT)
    environment = {shelf.ENVIRONMENT: os.path.abspath(own_shelf)} if own_shelf else {}  # noqa: PTH100 - a text
    if not places.system:  # a session's manager need not know what this terminal has set
        environment["XDG_DATA_HOME"] = str(places.state.parent)
    interval = (settings.input.interval or 0) if settings.input.camera else 0
    plan = UnitPlan(
        (sys.executable, "-P", "-m", "edge", "run", "--config", str(places.settings)),
        places.settings,
        system=places.system,
        user=wanted.run_as,
        groups=tuple(_there(CAMERA_GROUP)),
        homes=in_homes(with_links(needed)),
        patience_s=max(_LEAST_PATIENCE_S, int(_INTERVALS * interval) + 1),
        version=version() or STEPS_SINCE,
        environment=environment,
        folder=None if places.system else places.state,
        network=settings.network.mqtt is not None,
    )
    try:
        return ServiceFiles(places, unit_text(plan), to_toml(settings))
    except ValueError as error:
        raise ServiceError(f"no unit can hold this: {error}") from error


def with_absolute_paths(settings: RunSettings) -> tuple[RunSettings, list[Path]]:
    """Return the settings with every path absolute, and these paths."""
    values, paths = settings.values(), []
    for name, option in options_of(*RUN_RECORDS).items():
        value = values[name]
        if isinstance(value, Path) or (isinstance(value, str) and value and option.rule.is_path(value)):
            path = Path(os.path.abspath(os.path.expanduser(value)))  # noqa: PTH100, PTH111 - links stay as they are
            values[name] = option.kind(path)
            paths.append(path)
    return RunSettings.of(values), paths


def _try(settings: RunSettings) -> None:
    """Open what the run opens but the camera, which may not be plugged in yet."""
    calibration = calibration_for(settings.judging)
    one = replace(settings.process, workers=1)
    gate, scope = settings.fields.gate, settings.judging.scope
    pipeline = make_pipeline(settings.nets, one, settings.card, calibration, gate=gate, scope=scope)
    assessor_for(settings, pipeline.bound, calibration)


def barred_from(needed: list[Path], run_as: str | None) -> str:
    """Say what the service could not read; empty: nothing. Raises ServiceError where there is no such user."""
    user = ServiceUser() if run_as is None else ServiceUser.named(run_as)
    for path in with_links(needed):
        barred = user.barred_at(path)
        if barred is not None:
            who = "the service's own user" if run_as is None else run_as
            return (
                f"{who} could not read {path}: {barred} is closed to it. Put program and files where all can read them "
                "(/opt/edge), or say whose they are: --run-as USER"
            )
    return ""


def _there(group: str) -> Iterator[str]:
    try:
        grp.getgrnam(group)
    except KeyError:
        return
    yield group


def _program() -> str:
    """This program's own path: root's PATH does not lead into a virtual environment."""
    return os.path.abspath(sys.argv[0])  # noqa: PTH100 - a link stays as it is


def _lingers() -> bool:
    """Whether this user's services start at boot (``loginctl enable-linger``)."""
    try:
        return (Path("/var/lib/systemd/linger") / pwd.getpwuid(os.getuid()).pw_name).exists()
    except KeyError:  # a user without a name
        return False


def _told(places: ServicePlaces, wanted: ServiceSettings, kept: list[Path]) -> Iterator[str]:
    mine = " --user" if wanted.user else ""
    yield f"settings  {places.settings}"
    yield f"unit      {places.unit}"
    yield from (f"changed   {path}: what was there, changed by hand" for path in kept)
    yield from (f"drop-in   {path}: yours, stays in force" for path in places.drop_ins)
    yield f"book      {places.book}"
    yield f"starts    {'now and ' if wanted.start else ''}at every {'login' if wanted.user else 'boot'}"
    if wanted.user and not _lingers():
        yield "note      to make that at every boot: loginctl enable-linger"
    yield f"to watch  edge service status{mine}; edge service logs --follow{mine}; edge doctor"
