"""Checks run one after the other, and unknown is never healthy."""

from __future__ import annotations

import threading
from dataclasses import dataclass

import pytest

from edge.health.examine import examine
from edge.health.records import CheckResult, Health, HealthReport


@dataclass(frozen=True)
class Told:
    health: Health
    name: str = "told"

    def run(self) -> CheckResult:
        return CheckResult(self.name, self.health, "")


@dataclass(frozen=True)
class Broken:
    name: str = "broken"

    def run(self) -> CheckResult:
        raise RuntimeError("no\nsuch sensor")


@dataclass(frozen=True)
class Hanging:
    end: threading.Event
    name: str = "hanging"

    def run(self) -> CheckResult:
        self.end.wait(30)
        return CheckResult(self.name, Health.OK, "")


@pytest.mark.parametrize(
    ("states", "healthy", "failed"),
    [
        ([Health.OK, Health.NOT_APPLICABLE], True, False),
        ([], True, False),
        ([Health.OK, Health.UNKNOWN], False, False),
        ([Health.OK, Health.WARNING], False, False),
        ([Health.FAILED, Health.OK], False, True),
    ],
)
def test_unknown_is_not_healthy(states: list[Health], healthy: bool, failed: bool) -> None:
    report = examine([Told(state) for state in states])
    assert (report.healthy, report.failed) == (healthy, failed)


def test_a_check_that_breaks_or_hangs_is_unknown_and_the_others_are_still_made() -> None:
    end = threading.Event()
    report = examine([Broken(), Hanging(end), Told(Health.OK)], patience=0.1)
    end.set()
    assert [result.health for result in report.results] == [Health.UNKNOWN, Health.UNKNOWN, Health.OK]
    assert report.results[0].says == "could not be looked at: RuntimeError: no"
    assert report.results[1].says == "no answer after 0.1 s"


def test_a_report_is_counted_by_state() -> None:
    report = HealthReport((CheckResult("a", Health.OK, ""), CheckResult("b", Health.OK, "")))
    assert report.count(Health.OK) == 2
    assert report.count(Health.UNKNOWN) == 0
