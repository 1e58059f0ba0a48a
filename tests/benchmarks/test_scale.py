"""What counting very many fields takes: arithmetic, portions that go on, the page, and a real scheduler in small."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest

from benchmarks.archive.figures import MeasuredOn
from benchmarks.errors import ResultError
from benchmarks.scale import run
from benchmarks.scale.comparison import compare, make
from benchmarks.scale.drive import PER_SAMPLE, DrivenFields, connected, drive, samples
from benchmarks.scale.figures import (
    EDGE_RUN,
    RECOUNT,
    ComparedSamples,
    CountingCall,
    DrivenBatch,
    FieldCosts,
    ListedFields,
    ScaleFigures,
    read_scale,
    write_scale,
)
from benchmarks.scale.forecast import AssumedPrices, FieldMeasures, forecast, lost_s
from benchmarks.scale.page import DEFAULT_BATCH, measures, page
from benchmarks.scale.processes import cluster_processes
from benchmarks.scale.run import SchedulerRun, added_up, drive_all, kept_portions, portions

COST = FieldMeasures(
    worker_ms=100.0,
    scheduler_ms=2.0,
    client_ms=1.0,
    listing_ms=0.05,
    file_bytes=1e6,
    result_bytes=4e3,
    per_sample=50,
)
PRICES = AssumedPrices(core_hour=0.04, thousand_reads=0.0004, thousand_writes=0.005, store_mb_s=10_000, busy=0.5)
HERE = MeasuredOn("2026-11-30", "a processor", 2, ("avx2",), 1.0)


def test_hours_money_and_limits_of_a_million_fields() -> None:
    one = forecast(10**6, 32, COST, PRICES)
    assert one.core_hours == pytest.approx(1e6 * 0.1 / 3600)
    assert one.compute == pytest.approx(one.core_hours * 0.04)
    assert one.parts == 31_250
    assert one.requests == pytest.approx((10**6 * 0.0004 + (3 * 31_250 + 1000) * 0.005) / 1000)
    assert one.most_workers == 0.5 * 100 * 32 / 2  # a task keeps a core busy for 3.2 s and the scheduler for 2 ms
    assert one.listing_workers == int(0.5 * 100 / (0.05 + 1 / 32))
    assert one.store_workers == 1000  # 10 MB/s a core
    assert (one.workers, one.limit) == (one.listing_workers, "listing")
    assert one.days == pytest.approx(one.core_hours / one.listing_workers / 24)
    assert (one.read_gb, one.written_gb) == (1000, 4)


def test_a_thousand_times_the_fields_takes_a_thousand_times_as_much() -> None:
    one, many = forecast(10**6, 32, COST, PRICES), forecast(10**9, 32, COST, PRICES)
    for name in (
        "core_hours",
        "scheduler_hours",
        "client_hours",
        "compute",
        "requests",
        "days",
        "read_gb",
        "client_mb",
    ):
        assert getattr(many, name) == pytest.approx(1000 * getattr(one, name))
    assert many.workers == one.workers


LIMITS = {"scheduler": replace(COST, scheduler_ms=50.0), "storage": replace(COST, file_bytes=1e8), "listing": COST}


@pytest.mark.parametrize("limit", LIMITS)
def test_what_allows_the_fewest_cores_is_the_limit(limit: str) -> None:
    one = forecast(10**6, 32, LIMITS[limit], PRICES)
    assert one.limit == limit
    assert one.workers == min(one.most_workers, one.listing_workers, one.store_workers)


def test_larger_tasks_feed_more_cores_and_lose_more_work() -> None:
    small, large = (forecast(10**6, batch, COST, PRICES) for batch in (1, 64))
    assert large.most_workers == 64 * small.most_workers
    assert large.scheduler_hours == pytest.approx(small.scheduler_hours / 64)
    assert lost_s(64, COST) == 6.4


@pytest.mark.parametrize(("fields", "tasks", "batch"), [(1000, 3, 32), (50, 1, 1), (130, 1, 200), (1_000_000, 250, 32)])
def test_portions_hold_each_field_once_in_whole_samples(fields: int, tasks: int, batch: int) -> None:
    cut = list(portions(fields, tasks, batch))
    assert [first for first, _ in cut] == [sum(size for _, size in cut[:n]) for n in range(len(cut))]
    assert sum(size for _, size in cut) == fields
    assert all(first % PER_SAMPLE == 0 for first, _ in cut)


def test_samples_hold_the_fields_that_were_asked_for() -> None:
    made = list(samples(100, 130))
    assert [len(one.files) for one in made] == [50, 50, 30]
    assert len({file.path for one in made for file in one.files}) == 130
    assert made[0].files[0].path == "archive/2026/site-02/slide-00000002/field-0000.png"


def portion(first: int, fields: int, batch: int) -> DrivenFields:
    return DrivenFields(first, fields, batch, fields // batch, 2.0, 0.5, 0.25, 1.0, 100.0 + first / 100, 80.0)


@contextmanager
def _no_cluster(*_: object) -> Iterator[object]:
    yield None


@pytest.fixture
def driven(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The first fields of the portions that were driven, by nobody."""
    done: list[int] = []

    def drive_nobody(_client: object, _processes: object, first: int, fields: int, batch: int) -> DrivenFields:
        done.append(first)
        return portion(first, fields, batch)

    monkeypatch.setattr(run, "cluster_processes", _no_cluster)
    monkeypatch.setattr(run, "connected", lambda _: SimpleNamespace(close=lambda: None))
    monkeypatch.setattr(run, "drive", drive_nobody)
    return done


def test_a_run_that_was_broken_off_goes_on_with_what_is_left(driven: list[int], tmp_path: Path) -> None:
    work, how = tmp_path / "work.jsonl", SchedulerRun(fields=400, batch=10, portion=10, most_s=2.5)
    clock = iter(range(100))
    first = drive_all(work, how, lambda _: None, lambda: float(next(clock)))
    assert driven == [0, 100]  # the clock says that it is enough
    with work.open("a") as file:
        file.write('{"driven": {"first": 200')  # a power cut
    whole = drive_all(work, replace(how, most_s=99.0), lambda _: None, lambda: 0.0)
    assert driven == [0, 100, 200, 300]
    assert whole[:2] == first
    assert drive_all(work, how, lambda _: None, lambda: 0.0) == whole
    total = added_up(whole)
    assert (total.fields, total.tasks, total.scheduler_s, total.scheduler_mb) == (400, 40, 2.0, 103.0)


def test_portions_of_another_batch_are_others(driven: list[int], tmp_path: Path) -> None:
    for batch in (10, 20):
        drive_all(tmp_path / "w", SchedulerRun(200, batch, 200 // batch, 99.0), lambda _: None, lambda: 0.0)
    assert driven == [0, 0]
    assert [one.driven.batch for one in kept_portions(tmp_path / "w")] == [10, 20]


def test_a_file_that_holds_no_portions_is_refused(tmp_path: Path) -> None:
    (tmp_path / "w").write_text("{}\n")
    with pytest.raises(ResultError, match="remove it"):
        kept_portions(tmp_path / "w")


def made_figures() -> ScaleFigures:
    calls = [
        CountingCall(way, fields, start + fields * each)
        for way, start, each in ((EDGE_RUN, 2.0, 0.09), (RECOUNT, 5.0, 0.1))
        for fields in (40, 160)
    ]
    costs = FieldCosts(HERE, tuple(calls), 1e6, 4e3, "virtual fields")
    driven = DrivenFields(0, 320_000, DEFAULT_BATCH, 10_000, 900.0, 20.0, 10.0, 30.0, 120.0, 90.0)
    single = DrivenFields(0, 2000, 1, 2000, 60.0, 4.0, 2.0, 6.0, 110.0, 85.0)
    batches = (DrivenBatch(HERE, single, 2, 5.0, 10**6), DrivenBatch(HERE, driven, 40, 5.0, 320_000))
    compared = ComparedSamples(HERE, 1000, 2.0, 100.0, 11_000, 7.0, 110.0)
    return ScaleFigures(costs, ListedFields(HERE, 100_000, 5.0, 90.0), batches, compared)


def test_a_field_costs_what_more_fields_cost_more() -> None:
    costs = made_figures().costs
    assert costs is not None
    assert [costs.ms(RECOUNT), costs.ms(EDGE_RUN)] == pytest.approx([100.0, 90.0])
    assert costs.start_s(RECOUNT) == pytest.approx(5.0)


def test_the_page_says_figures_target_limits_and_assumptions() -> None:
    figures = made_figures()
    told = page(figures, PRICES)
    words = " ".join(told.split())
    assert "| edge recount, 1 worker | 100 | 5.0 |" in told
    assert f"| {DEFAULT_BATCH} | 320,000 | 10,000 | 0.062 | 2.0 | 1.0 | 120 | 90 | 5.0 |  |" in told
    assert "| 1 | 2,000 | 2,000 | 2.000 | 2.0 | 1.0 | 110 | 85 | 5.0 | of 1,000,000 |" in told
    assert "0.062 ms, met." in words
    assert "**assumptions**" in words
    assert "$0.04 a core hour" in words
    assert "avx2" in words
    assert "0.50 ms of processor time and 1.02 KiB a sample more; 100 and 110 MiB at most." in words
    assert "| 1,000,000,000 | 32 | 27,778 |" in told
    slow = replace(figures.batches[1], driven=replace(figures.batches[1].driven, scheduler_s=100.0))
    assert "0.312 ms, **missed**." in " ".join(page(replace(figures, batches=(slow,)), PRICES).split())
    assert figures.costs is not None
    assert figures.listed is not None
    assert measures(figures.costs, figures.listed, figures.batches[1]).listing_ms == pytest.approx(0.05)


def test_a_page_of_nothing_measured_says_so() -> None:
    assert page(ScaleFigures(), PRICES).count("Not measured yet.") == 4


def test_kept_figures_come_back(tmp_path: Path) -> None:
    write_scale(made_figures(), tmp_path / "kept.json")
    assert read_scale(tmp_path / "kept.json") == made_figures()
    assert read_scale(tmp_path / "none.json") == ScaleFigures()
    (tmp_path / "kept.json").write_text("[]")
    with pytest.raises(ResultError, match="cannot be used"):
        read_scale(tmp_path / "kept.json")


def test_two_made_up_counts_are_compared(tmp_path: Path) -> None:
    pytest.importorskip("pyarrow", reason="pyarrow (extra archive) is not installed")
    make(tmp_path, 40)
    told = compare(tmp_path)
    assert told["samples"] == 40
    assert 0 < told["memory_mb"] < 2000


def test_a_real_scheduler_gives_every_field_back() -> None:
    pytest.importorskip("distributed", reason="distributed (extra archive) is not installed")
    with cluster_processes(1, 2) as processes:
        client = connected(processes)
        done = drive(client, processes, 0, 200, 20)
        client.close()
    assert (done.fields, done.tasks) == (200, 12)  # a sample of 50 fields is cut into three
    assert done.scheduler_mb > 10
