"""The service, where it is installed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from edge.errors import ServiceError, exit_code_meaning
from edge.health.records import CheckResult, Fact, Health
from edge.service.places import ServicePlaces
from edge.service.systemctl import booted, properties

_LOGS = "edge service logs"


@dataclass(frozen=True, slots=True)
class Service:
    """Whether the system's or this user's service runs.

    Attributes:
        user: whether it is this user's.
    """

    user: bool = False
    name: str = "service"

    def run(self) -> CheckResult:
        """Ask systemd."""
        if not ServicePlaces.of(user=self.user).unit.exists():
            return CheckResult(self.name, Health.NOT_APPLICABLE, "not installed (edge service install --camera)")
        if not booted():
            return CheckResult(
                self.name, Health.UNKNOWN, "installed, but systemd does not run here", "boot it by systemd"
            )
        try:
            found = properties(user=self.user)
        except ServiceError as error:
            return CheckResult(self.name, Health.UNKNOWN, str(error), "try: systemctl status edge")
        return CheckResult(self.name, *_state(found), _facts(found))


def _state(found: Mapping[str, str]) -> tuple[Health, str, str]:
    """State, what is said and what to do, from systemd's properties."""
    state, restarts = found.get("ActiveState", ""), int(found.get("NRestarts") or 0)
    code = int(found.get("ExecMainStatus") or 0)
    why = f": {exit_code_meaning(code) or f'exit code {code}'}" if code else ""
    if found.get("SubState") == "auto-restart":
        return Health.FAILED, f"it was started anew {restarts} times and waits{why}", _LOGS
    anew = (Health.WARNING, f"runs; started anew {restarts} times", f"{_LOGS} says why")
    return {
        "failed": (Health.FAILED, f"it has failed{why}", _LOGS),
        "active": anew if restarts else (Health.OK, "runs", ""),
        "activating": (Health.UNKNOWN, "it starts: no field was taken yet", "look again in a minute"),
    }.get(state, (Health.WARNING, "it is installed and does not run", "systemctl start edge"))


def _facts(found: Mapping[str, str]) -> dict[str, Fact]:
    return {"restarts": int(found.get("NRestarts") or 0), "runs": found.get("ActiveState") == "active"}
