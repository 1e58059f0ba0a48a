"""Energy joined by time."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.errors import ResultError
from benchmarks.measure.power import read_power, with_energy
from benchmarks.record.run import Round
from tests.benchmarks.steps import case


def log(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "power.csv"
    path.write_text(text)
    return path


def test_energy_is_the_area_under_the_watts(tmp_path: Path) -> None:
    power = read_power(log(tmp_path, "time,watts\n100,2\n102,4\n104,4\n"))
    assert power.joules(100.0, 4.0) == pytest.approx(6 + 8)
    assert power.joules(101.0, 0.5) == pytest.approx((3 + 3.5) / 2 * 0.5)


def test_columns_may_stand_in_any_order_and_time_may_be_a_date(tmp_path: Path) -> None:
    path = log(tmp_path, "volts,Watts, time\n5,3,2026-11-21T10:00:00+00:00\n5,3,2026-11-21T10:00:02Z\n")
    assert read_power(path).joules(1795255200.5, 1.0) == pytest.approx(3.0)


def test_what_the_log_does_not_cover_has_no_energy(tmp_path: Path) -> None:
    power = read_power(log(tmp_path, "time,watts\n100,2\n101,2\n120,2\n121,2\n"))
    assert power.joules(99.0, 1.5) is None
    assert power.joules(120.5, 1.0) is None
    assert power.joules(105.0, 1.0) is None  # the meter was silent for 19 s
    assert power.joules(120.2, 0.5) == pytest.approx(1.0)


def test_rounds_get_their_own_energy_and_the_uncovered_are_counted(tmp_path: Path) -> None:
    power = read_power(log(tmp_path, "time,watts\n1000,5\n1001.5,5\n"))
    (joined,), missing = with_energy((case("a", [10.0, 10.0]),), power)
    first, second = joined.rounds
    assert first.joules == pytest.approx(5 * 0.03)
    assert second.joules == pytest.approx(5 * 0.03)
    assert missing == 0
    assert with_energy((case("a", [10.0] * 4),), power)[1] == 2
    assert isinstance(first, Round)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "columns time and watts"),
        ("a,b\n1,2\n", "columns time and watts"),
        ("time,watts\n", "holds 0"),
        ("time,watts\n1,2\n", "holds 1"),
        ("time,watts\n1,2\n2,x\n", "line 3"),
        ("time,watts\n1,2\n2\n", "line 3"),
        ("time,watts\n1,2\n2,nan\n", "line 3"),
        ("time,watts\n1,2\n2,-1\n", "line 3"),
        ("time,watts\n2026-11-21T10:00:00,2\n", "line 2"),
        ("time,watts\n1,2\n3,2\n2,2\n", "line 4: time does not rise"),
    ],
)
def test_a_log_that_makes_no_sense_is_refused_in_one_line(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(ResultError, match=said):
        read_power(log(tmp_path, text))


def test_a_missing_log_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ResultError, match="power log"):
        read_power(tmp_path / "none.csv")
