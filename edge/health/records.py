"""What a check is and what it says. The same records serve the terminal, the page, MQTT and the support file."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

Fact = bool | int | float
"""What a check measured. Never a text: a text could hold a name, and facts are what the support file holds."""


class Health(StrEnum):
    """The five states of a check. Unknown is not healthy: what cannot be seen may be broken."""

    OK = "ok"
    WARNING = "warning"
    FAILED = "failed"
    UNKNOWN = "unknown"
    NOT_APPLICABLE = "not applicable"


@dataclass(frozen=True, slots=True)
class CheckResult:
    """What one check says.

    Attributes:
        name: of the check, one to three plain words.
        health: its state.
        says: what was found, for a person at this device: it may hold paths and names.
        remedy: what to do; empty where there is nothing to do.
        facts: what was measured, by name, with the unit in the name (``free_bytes``).
    """

    name: str
    health: Health
    says: str
    remedy: str = ""
    facts: Mapping[str, Fact] = field(default_factory=dict)


def graded(name: str, said: str, facts: Mapping[str, Fact], remedy: str, *, failed: str, warned: str) -> CheckResult:
    """A measured value against its two limits.

    Args:
        name: of the check.
        said: the value in words.
        facts: the value as a number.
        remedy: what to do beyond a limit.
        failed: what it means, if it is beyond the limit of failure; else empty.
        warned: the same of the limit of warning.
    """
    if failed:
        return CheckResult(name, Health.FAILED, f"{said}: {failed}", remedy, facts)
    if warned:
        return CheckResult(name, Health.WARNING, f"{said}: {warned}", remedy, facts)
    return CheckResult(name, Health.OK, said, facts=facts)


class Check(Protocol):
    """One thing that is looked at."""

    @property
    def name(self) -> str:
        """What is looked at, one to three plain words."""
        ...

    def run(self) -> CheckResult:
        """Look. It may raise anything and may hang: ``edge.health.examine`` makes both *unknown*. It changes nothing."""
        ...


@dataclass(frozen=True, slots=True)
class HealthReport:
    """What all checks say, in their order."""

    results: tuple[CheckResult, ...]

    def count(self, health: Health) -> int:
        """How many checks have this state."""
        return Counter(result.health for result in self.results)[health]

    @property
    def failed(self) -> bool:
        """Whether a check failed."""
        return self.count(Health.FAILED) > 0

    @property
    def healthy(self) -> bool:
        """Whether every check that applies is ok: none failed, none warns, none is unknown."""
        return all(result.health in (Health.OK, Health.NOT_APPLICABLE) for result in self.results)
