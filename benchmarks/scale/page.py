"""docs/scale.md, from what is kept and what is assumed."""

from __future__ import annotations

from collections.abc import Iterator
from textwrap import wrap
from typing import Final

from benchmarks.archive.figures import MeasuredOn
from benchmarks.scale.drive import PER_SAMPLE
from benchmarks.scale.figures import (
    EDGE_RUN,
    RECOUNT,
    ComparedSamples,
    DrivenBatch,
    FieldCosts,
    ListedFields,
    ScaleFigures,
)
from benchmarks.scale.forecast import SAMPLE_BYTES, AssumedPrices, FieldMeasures, Forecast, forecast, lost_s
from benchmarks.scale.run import THREADS, WORKERS
from edge.archive.partitions import PartitionLimits

TARGET_MS: Final = 0.2
"""Of the scheduler's processor time per field, at most."""

SIZES: Final = (10**6, 10**9)
"""Archives that are forecast."""

DEFAULT_BATCH: Final = PartitionLimits().fields
"""Fields of a task of ``edge recount``."""

FIELDS_OF_A_CALL: Final = 10_000_000
"""That one call should count at most: its tables have a third of a million files each, as many as folders take."""

_WIDTH: Final = 150  # characters in a line


def page(figures: ScaleFigures, prices: AssumedPrices) -> str:
    """The whole page."""
    lines = [
        "# A million fields, and a thousand million",
        "",
        *_text(
            "Written by `python -m benchmarks.scale --write`; its `--help` says what each part is. Counting archives: "
            "[recount.md](recount.md); what a recount survives: [recount-figures.md](recount-figures.md)."
        ),
        "",
        *_costs(figures.costs),
        "",
        *_listed(figures.listed),
        "",
        *_driven(figures.batches),
        "",
        *_compared(figures.compared),
    ]
    if figures.costs and figures.listed and figures.batches:
        lines += ["", *_forecasts(figures.costs, figures.listed, figures.batches, prices)]
    return "\n".join(lines) + "\n"


def measures(costs: FieldCosts, listed: ListedFields, batch: DrivenBatch) -> FieldMeasures:
    """The measured costs, with those of a task as of this batch."""
    driven = batch.driven
    return FieldMeasures(
        costs.ms(RECOUNT),
        1e3 * driven.scheduler_s / driven.tasks,
        1e3 * driven.client_s / driven.tasks,
        1e3 * listed.processor_s / listed.fields,
        costs.file_bytes,
        costs.result_bytes,
        PER_SAMPLE,
    )


def _where(machine: MeasuredOn) -> str:
    features = ", ".join(machine.features) or "no vector features that matter to the nets"
    load = f"load at its beginning {machine.load:.1f}"
    return f"Measured {machine.day} on {machine.cpu} ({features}), {machine.cores} cores, {load}"


def _costs(costs: FieldCosts | None) -> Iterator[str]:
    yield from ("## What a field costs to count", "")
    if costs is None:
        yield "Not measured yet."
        return
    turns = len(costs.calls) // 4
    yield from _text(
        f"{_where(costs.machine)}: {costs.what}, in turns ({turns} each), few fields and four times as many. What a field more "
        "costs, and what a call costs before its first field:"
    )
    yield from ("", "| | processor time of a field, ms | starting, s |", "|---|---:|---:|")
    for way in (EDGE_RUN, RECOUNT):
        yield f"| {way} | {costs.ms(way):.0f} | {costs.start_s(way):.1f} |"
    yield ""
    yield f"A field is a file of {costs.file_bytes / 1e3:.0f} kB, and {costs.result_bytes / 1e3:.1f} kB of tables."


def _listed(listed: ListedFields | None) -> Iterator[str]:
    yield from ("## What the client costs", "")
    if listed is None:
        yield "Not measured yet."
        return
    each = 1e6 * listed.processor_s / listed.fields
    yield from _text(
        f"{_where(listed.machine)}: a made-up file system of {listed.fields:,} fields, {PER_SAMPLE} to a sample, listed and cut "
        f"into tasks: {each:.0f} µs of processor time a field, starting included; the client held {listed.memory_mb:.0f} MiB at most."
    )


def _driven(batches: tuple[DrivenBatch, ...]) -> Iterator[str]:
    yield from ("## Simulated fields through a real scheduler", "")
    yield from _text(
        f"A Dask scheduler with its page, {WORKERS} worker processes of {THREADS} threads and a client, each a process of its own. "
        "Fields are named, cut into tasks and handed over as a recount does it, a window of tasks at a time; a worker gives back at "
        "once what a counted task would. All is processor time: what else the machine does matters less, but not nothing, for "
        "processes that take turns on a busy core cost more, and what a scheduler does by the clock weighs more where it waits."
    )
    yield ""
    if not batches:
        yield "Not measured yet."
        return
    yield (
        "| most fields of a task | fields | tasks | scheduler, ms a field | ms a task | client, ms a task | scheduler, MiB "
        "| client, MiB | load | |"
    )
    yield "|---:|---:|---:|---:|---:|---:|---:|---:|---:|---|"
    for one in batches:
        driven, ms = one.driven, 1e3 * one.driven.scheduler_s
        short = "" if driven.fields >= one.wanted else f"of {one.wanted:,}"
        done = f"{driven.batch} | {driven.fields:,} | {driven.tasks:,}"
        spent = f"{ms / driven.fields:.3f} | {ms / driven.tasks:.1f} | {1e3 * driven.client_s / driven.tasks:.1f}"
        yield f"| {done} | {spent} | {driven.scheduler_mb:.0f} | {driven.client_mb:.0f} | {one.load:.1f} | {short} |"
    usual = next((one for one in batches if one.driven.batch == DEFAULT_BATCH), None)
    if usual is not None:
        each = 1e3 * usual.driven.scheduler_s / usual.driven.fields
        met = "met" if each <= TARGET_MS else "**missed**"
        yield ""
        yield from _text(
            f"{_where(usual.machine)}. Target: at most {TARGET_MS} ms of the scheduler's time a field, in tasks as `edge recount` "
            f"makes them (at most {DEFAULT_BATCH} fields, {usual.per_task:.0f} on average, for samples have {PER_SAMPLE}): "
            f"{each:.3f} ms, {met}."
        )


def _compared(compared: ComparedSamples | None) -> Iterator[str]:
    yield from ("## Two counts compared", "")
    if compared is None:
        yield "Not measured yet."
        return
    each = 1e3 * (compared.many_s - compared.few_s) / (compared.many - compared.few)
    grown = 1024 * (compared.many_mb - compared.few_mb) / (compared.many - compared.few)
    yield from _text(
        f"{_where(compared.machine)}: `edge recount --like` comparing made-up results of {compared.few:,} and of {compared.many:,} "
        f"samples: {each:.2f} ms of processor time and {grown:.2f} KiB a sample more; {compared.few_mb:.0f} and "
        f"{compared.many_mb:.0f} MiB at most."
    )


def _forecasts(
    costs: FieldCosts, listed: ListedFields, batches: tuple[DrivenBatch, ...], prices: AssumedPrices
) -> Iterator[str]:
    yield from ("## What an archive takes", "")
    yield from _text(
        f"Worked out from the above and from **assumptions** (of {prices.as_of}; options of the command, for yours will differ): "
        f"${prices.core_hour:g} a core hour; ${prices.thousand_reads:g} for 1,000 reads and ${prices.thousand_writes:g} for 1,000 "
        f"writes or listings; a store that gives {prices.store_mb_s:,.0f} MB/s to all workers together; scheduler and client busy "
        f"{prices.busy:.0%} of their time at most. Cores are such as were measured here."
    )
    yield ""
    yield (
        "| fields | of a task | core hours | computing, $ | requests, $ | read, GB | tables, GB | files of a table "
        "| cores that are fed | limit | hours with these |"
    )
    yield "|---:|---:|---:|---:|---:|---:|---:|---:|---:|---|---:|"
    for fields in SIZES:
        for batch in batches:
            yield _forecast_row(forecast(fields, batch.per_task, measures(costs, listed, batch), prices))
    yield ""
    usual = next((one for one in batches if one.driven.batch == DEFAULT_BATCH), batches[0])
    yield from _limits(measures(costs, listed, usual), usual.per_task, prices)


def _forecast_row(one: Forecast) -> str:
    money = f"{one.core_hours:,.0f} | {one.compute:,.2f} | {one.requests:,.2f}"
    stored = f"{one.read_gb:,.0f} | {one.written_gb:,.1f} | {one.parts:,}"
    return f"| {one.fields:,} | {one.batch:.0f} | {money} | {stored} | {one.workers:,} | {one.limit} | {24 * one.days:,.1f} |"


def _limits(cost: FieldMeasures, batch: float, prices: AssumedPrices) -> Iterator[str]:
    one, large = (forecast(fields, batch, cost, prices) for fields in SIZES)
    yield from ("Where it ends, and what avoids it:", "")
    yield from _item(
        f"**Scheduler**: with {batch:.0f} fields to a task it feeds {one.most_workers:,} cores; twice the fields, about "
        "twice the cores. "
        f"A worker that dies loses its task, {lost_s(batch, cost):.0f} s of work here. The client gives the scheduler a window of "
        "tasks at a time, so neither grows with the archive."
    )
    yield from _item(
        f"**Listing**: one client lists and cuts for {one.listing_workers:,} cores where the file system is at hand. A store that "
        f"takes 0.1 s for 1,000 names lists 10,000 a second, enough for {10_000 * cost.worker_ms / 1e3:,.0f} cores; but each folder "
        f"is a request of its own: with {PER_SAMPLE} fields to a folder it is {10 * PER_SAMPLE * cost.worker_ms / 1e3:,.0f}. "
        "Several calls, each with a part of the archive and results of its own, list beside each other."
    )
    yield from _item(
        f"**Storage**: {one.read_gb:,.0f} GB are read for a million fields; {prices.store_mb_s:,.0f} MB/s feed "
        f"{one.store_workers:,} cores. Count where the pictures are."
    )
    yield from _item(
        f"**Results**: a task writes a file of each table. {large.parts:,} are too many for a folder: count a thousand million "
        f"fields as {SIZES[1] // FIELDS_OF_A_CALL} archives of {FIELDS_OF_A_CALL:,} "
        "(`edge recount s3://bucket/2026/01/ -o s3://counts/2026-01`), "
        f"{FIELDS_OF_A_CALL / batch:,.0f} files of a table each; pandas, polars and DuckDB read many folders at once."
    )
    yield from _item(
        f"**A client that goes on** holds the names of finished samples, some {SAMPLE_BYTES} bytes each: {one.client_mb:.0f} MiB "
        f"for a million fields, {large.client_mb / 1024:.1f} GiB for a thousand million in one call."
    )


def _text(words: str) -> list[str]:
    return wrap(words, _WIDTH, break_long_words=False, break_on_hyphens=False)


def _item(words: str) -> list[str]:
    return wrap(
        words, _WIDTH, initial_indent="- ", subsequent_indent="  ", break_long_words=False, break_on_hyphens=False
    )
