"""Runs checks one after the other. One that hangs or breaks is *unknown*, and the others are still made."""

from __future__ import annotations

import threading
from collections.abc import Iterable

from edge.health.records import Check, CheckResult, Health, HealthReport

PATIENCE_S = 20.0
"""Seconds that one check may take: opening a driver takes some."""


def examine(checks: Iterable[Check], patience: float = PATIENCE_S) -> HealthReport:
    """Run the checks in order; ``patience`` is in seconds, for each of them."""
    return HealthReport(tuple(_result(check, patience) for check in checks))


def _result(check: Check, patience: float) -> CheckResult:
    found: list[CheckResult] = []

    def look() -> None:
        try:
            found.append(check.run())
        except Exception as error:  # noqa: BLE001 - whatever breaks a check, the others must still be made
            said = f"{type(error).__name__}: {error}".strip().splitlines()[0]
            remedy = "report it: this is a defect of the check or of what it looks at"
            found.append(CheckResult(check.name, Health.UNKNOWN, f"could not be looked at: {said}", remedy))

    # A daemon: one that hangs in a driver for ever must not keep the program from ending.
    thread = threading.Thread(target=look, name=f"edge-check-{check.name}", daemon=True)
    thread.start()
    thread.join(patience)
    if found:
        return found[0]
    remedy = "look at what it looks at: a driver or a disk hangs"
    return CheckResult(check.name, Health.UNKNOWN, f"no answer after {patience:g} s", remedy)
