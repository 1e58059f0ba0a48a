"""``edge service status`` and ``remove``."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from contextlib import suppress

from edge.errors import ServiceError, exit_code_meaning
from edge.lines import print_json, print_lines
from edge.safe_file import plain_errors
from edge.service.places import ServicePlaces
from edge.service.systemctl import booted, properties, systemctl
from edge.service.unit import NAME
from edge.service.written import aside, changed_by_hand

_STATES = {
    "active": "runs",
    "reloading": "runs",
    "activating": "starts: no field was taken yet",
    "deactivating": "stops: it completes what it counted",
    "inactive": "is stopped",
    "failed": "has failed",
}
"""States of a unit (systemd's ActiveState) in words."""


def show_status(*, user: bool, json: bool) -> int:
    """Print the state; return the exit code: 0, or 11 where the service has failed or is not installed; raises ServiceError."""
    places = ServicePlaces.of(user=user)
    if not booted():
        raise ServiceError("systemd does not run this machine")
    found = properties(user=user)
    if json:
        print_json(
            {
                "installed": places.unit.exists(),
                "state": found.get("ActiveState"),
                "detail": found.get("SubState"),
                "result": found.get("Result"),
                "exit_code": int(found.get("ExecMainStatus") or 0),
                "restarts": int(found.get("NRestarts") or 0),
                "since": found.get("ActiveEnterTimestamp") or None,
                "at_boot": found.get("UnitFileState") == "enabled",
                "counting": found.get("StatusText") or None,
                "drop_ins": [str(path) for path in places.drop_ins],
                "book": str(places.book),
            }
        )
    else:
        print_lines(status_lines(found, places))
    failed = found.get("ActiveState") == "failed" or not places.unit.exists()
    return ServiceError.exit_code if failed else 0


def status_lines(found: Mapping[str, str], places: ServicePlaces) -> Iterator[str]:
    """Say in lines what systemd's properties mean."""
    mine = "" if places.system else " --user"
    if not places.unit.exists():
        yield f"service   is not installed: edge service install{mine} --camera"
        return
    state = found.get("ActiveState", "")
    words = _STATES.get(state, state or "is not known")
    if found.get("SubState") == "auto-restart":
        words = "waits before it starts anew"
    since = found.get("ActiveEnterTimestamp", "")
    yield f"service   {words}{f', since {since}' if since and state == 'active' else ''}"
    if found.get("StatusText") and state in ("active", "deactivating"):
        yield f"counting  {found['StatusText']}"
    code = int(found.get("ExecMainStatus") or 0)
    if found.get("Result") == "watchdog":
        yield "ended     no field came for too long, so it was stopped: look at camera and cable"
    elif code and (state == "failed" or found.get("SubState") == "auto-restart"):
        yield f"ended     exit code {code}: {exit_code_meaning(code) or 'not one of edge-run: see the logs'}"
    if int(found.get("NRestarts") or 0):
        yield f"restarts  {found['NRestarts']} since it was started"
    yield f"at boot   {'starts' if found.get('UnitFileState') == 'enabled' else 'does not start'}"
    if found.get("NeedDaemonReload") == "yes":
        yield f"changed   the unit changed since: systemctl{mine} daemon-reload"
    yield from (f"drop-in   {path}" for path in places.drop_ins)
    yield f"settings  {places.settings}"
    yield f"book      {places.book}"


def remove_service(*, user: bool) -> None:
    """Stop and disable the unit and remove it with its settings; raises ServiceError, OutputError."""
    places = ServicePlaces.of(user=user)
    if not places.unit.exists():
        raise ServiceError(f"{places.unit}: there is none: nothing to remove")
    if not user and os.geteuid() != 0:
        raise ServiceError(f"removing {places.unit} needs root: sudo")
    systemctl("disable", *(["--now"] if booted() else []), NAME, user=user)
    kept = []
    for path in (places.unit, places.settings):
        with plain_errors(path):
            if changed_by_hand(path):
                kept.append(aside(path))
            else:
                path.unlink(missing_ok=True)
    if booted():
        systemctl("daemon-reload", user=user)
        with suppress(ServiceError):  # it had not failed
            systemctl("reset-failed", NAME, user=user)
    print_lines(
        [
            f"removed   {places.unit}",
            f"removed   {places.settings}",
            *(f"stays     {path}: changed by hand" for path in kept),
            *(f"stays     {path}: yours" for path in places.drop_ins),
            f"stays     {places.state}: the book, all that was counted",
        ]
    )
