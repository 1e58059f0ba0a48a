"""What a person sees of a run and of a comparison: tables on stdout, progress on stderr."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from benchmarks.record.run import FAILED, CaseRecord, Run
from benchmarks.report import screen
from benchmarks.report.compare import CaseDifference, RunComparison
from benchmarks.report.comparison_table import comparison_json, show_compared
from benchmarks.report.figures import digits, megabytes, percent, slug
from benchmarks.report.screen import progress, show_device, show_run
from tests.benchmarks.steps import DEVICE, STATE, case, run, work
from tests.benchmarks.test_summary import fields, staged

Captured = pytest.CaptureFixture[str]


def shown(capsys: Captured, found: Run) -> list[str]:
    """The lines a run is shown as, runs of blanks as one."""
    show_run(found)
    return [re.sub(r"\s+", " ", line).strip() for line in capsys.readouterr().out.splitlines()]


def test_a_case_is_a_row_of_all_its_figures(capsys: Captured) -> None:
    one = replace(case("a", [10.0] * 4, macs=480_000), peak_rss=123_456_789, peak_pss=99_000_000)
    rows = shown(capsys, run(one))
    assert "per cell p50 µs p90 µs p99 µs cells/s CPU µs GMAC/s start ms RSS MB PSS MB mJ" in rows
    (row,) = [row for row in rows if row.startswith("a ")]
    assert row.split()[1:] == ["10.00", "10.20", "10.20", "99,668", "9.667", "48.00", "305.0", "123.5", "99.0", "-"]


def test_a_narrow_terminal_gets_the_columns_that_stand_whole(capsys: Captured, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(screen, "_WHOLE", 10_000)
    rows = shown(capsys, run(case("a", [10.0] * 4)))
    assert "per cell p50 µs p99 µs cells/s RSS MB" in rows
    assert "(10000 columns show all figures; so do --json and -o FILE)" in rows


def test_cells_and_fields_are_tables_of_their_own(capsys: Captured) -> None:
    rows = shown(capsys, run(case("a", [10.0] * 4), staged("f", [100], [50], workers=1)))
    assert [row.split()[1] for row in rows if row.startswith("per ")] == ["cell", "field"]
    assert "µs in each stage, p50 decode gate find crop classify f+c+c / decode whole / decode" in rows
    assert "f 0.1000 0.007000 0.05000 0.01000 0.005000 0.6500 1.720" in rows


@pytest.mark.parametrize(
    ("found", "line"),
    [
        (run(case("a", [1.0]), notes=("other programs",)), "note: other programs"),
        (run(case("a", [1.0]), partial=True), "PARTIAL: stopped before the end; reports leave this run out"),
        (run(case("a", [1.0]), invalid=("hot",)), "INVALID: hot: these figures must not be used"),
        (run(case("a", [1.0]), CaseRecord(work("b"), FAILED, "broke")), "failed: b: broke"),
        (
            run(replace(case("a", [1.0]), status="partial")),
            "a (partial) 1.000 1.016 1.020 996,678 9.667 - 305.0 80.0 40.0 -",
        ),
        (
            run(*fields(2.0, 4.0, 10.0)),
            "ms per field = 2.000 + 4.000 x megapixels + 10.",
        ),
    ],
)
def test_what_speaks_against_a_run_is_said(capsys: Captured, found: Run, line: str) -> None:
    assert [row for row in shown(capsys, found) if row.startswith(line)]


def test_nothing_speaks_against_a_sound_run(capsys: Captured) -> None:
    assert not re.search("note|PARTIAL|INVALID|failed", "\n".join(shown(capsys, run(case("a", [1.0])))))


@pytest.mark.parametrize(("find", "word"), [([75], "met"), ([900], "MISSED")])
def test_targets_are_met_or_missed(capsys: Captured, find: list[int], word: str) -> None:
    rows = shown(capsys, run(staged("f", [100], find, workers=1)))
    assert rows[-2].startswith("f: find + crop + classify / decode <= 1.0 ")
    assert rows[-2].endswith(f" {word}")


@pytest.mark.parametrize(
    ("name", "value", "text"),
    [
        ("board", None, "unknown"),
        ("virtual", None, "no"),
        ("emulated", True, "yes"),
        ("throttled", 0x50005, "0x50005"),
        ("memory_bytes", 4_000_000_000, "4,000,000,000"),
        ("packages", {"numpy": "2.0", "scipy": "1.1"}, "numpy 2.0, scipy 1.1"),
        ("packages", {}, "none"),
        ("clock_mhz", [1500.0, 2400.0], "1500.0, 2400.0"),
        ("cores", 4, "4"),
    ],
)
def test_what_is_known_of_a_machine_is_shown_in_words(capsys: Captured, name: str, value: object, text: str) -> None:
    show_device({name: value}, {}, [])
    first = capsys.readouterr().out.splitlines()[0]
    assert re.sub(r"\s+", " ", first).strip() == f"{name} {text}"


def test_the_inner_counters_of_a_state_are_not_shown_and_notes_are(capsys: Captured) -> None:
    show_device(DEVICE, {**STATE, "busy_s": 17.25}, ["measure again"])
    out = capsys.readouterr().out
    assert "busy_s" not in out
    assert "17.25" not in out
    assert "governor" in out
    assert "note: measure again" in out


@pytest.mark.parametrize(("every", "lines"), [(0.0, 2), (60.0, 0)])
def test_progress_off_a_terminal_is_a_line_now_and_then(
    capsys: Captured, monkeypatch: pytest.MonkeyPatch, every: float, lines: int
) -> None:
    monkeypatch.setattr(screen, "_PLAIN_EVERY_S", every)
    with progress() as tell:
        tell("a: set-up", 0.0)
        tell("a", 0.256)
    said = capsys.readouterr().err.splitlines()
    assert len(said) == lines
    assert said[1:] == ["edge-bench:  26 %  a"][:lines]


SLOWER = CaseDifference("a", "cell", 10.0, 11.0, 1.1, 1.08, 1.12, 0.001, 1.0, 1.0, True, True)
SAME = replace(SLOWER, name="b", new_us=10.05, ratio=1.005, low=0.99, high=1.02, p=0.6, delta=0.1, real=False)


@pytest.mark.parametrize(
    ("one", "row"),
    [
        (SLOWER, "a 10.00 11.00 1.100 1.080 to 1.120 1.00 +1.00 0.001 slower by +10.0 %"),
        (SAME, "b 10.00 10.05 1.005 0.9900 to 1.020 1.00 +0.10 0.6 no real difference"),
        (replace(SLOWER, ratio=0.9, delta=-1.0), "faster by -10.0 %"),
        (replace(SLOWER, real=False, enough=False), "cannot be told: fewer than 4 rounds"),
    ],
)
def test_a_difference_is_a_row_that_ends_with_what_it_means(capsys: Captured, one: CaseDifference, row: str) -> None:
    show_compared(RunComparison((one,), (), (), ()))
    assert re.sub(r"\s+", " ", capsys.readouterr().out.splitlines()[1]).strip().endswith(row)


def test_cases_of_one_run_alone_and_warnings_stand_below(capsys: Captured) -> None:
    show_compared(RunComparison((SAME,), ("x", "y"), ("z",), ("board differs",)))
    lines = [line.strip() for line in capsys.readouterr().out.splitlines()[2:]]
    assert lines == ["only in the old one: x, y", "only in the new one: z", "note: board differs"]


def test_as_json_nothing_is_rounded_and_the_meaning_is_there() -> None:
    plain = comparison_json(RunComparison((SLOWER, SAME), ("x",), (), ()))
    assert [one["verdict"] for one in plain["differences"]] == ["slower by +10.0 %", "no real difference"]
    assert plain["differences"][1]["ratio"] == 1.005
    assert plain["only_old"] == ("x",)


@pytest.mark.parametrize(
    ("value", "significant", "text"),
    [
        (9999.5, 4, "10,000"),
        (0.00098765, 4, "0.0009877"),
        (99.99, 3, "100.0"),
        (12.3456, 2, "12"),
        (-0.5, 3, "-0.500"),
        (1e6, 4, "1,000,000"),
    ],
)
def test_numbers_have_their_digits_whatever_their_size(value: float, significant: int, text: str) -> None:
    assert digits(value, significant) == text


def test_changes_sizes_and_names() -> None:
    assert (percent(0.9), percent(1.0), percent(2.5)) == ("-10.0 %", "+0.0 %", "+150.0 %")
    assert (megabytes(None), megabytes(1_250_000)) == ("-", "1.2")
    assert (slug("  A/B..c "), slug("µ")) == ("a-b-c", "machine")
