"""docs/recount-figures.md, from what is kept."""

from __future__ import annotations

from collections.abc import Iterator
from statistics import median
from typing import Final

from benchmarks.archive.figures import ArchiveFigures, MeasuredOn, RecountSpeed
from edge.errors import exit_code_meaning

ONE, TWO, EDGE_RUN = "edge recount, 1 worker", "edge recount, 2 workers", "edge-run, 2 workers"
"""Ways of counting that are held against each other."""

TARGET_TWO: Final = 1.85
"""How many times as fast two workers are as one, at least."""

TARGET_EDGE_RUN: Final = 1.10
"""Whole time of a recount over that of edge-run with as many workers, at most."""

TARGET_WORKER_MB: Final = 350
"""MiB that a worker holds at most."""

TARGET_CLIENT_MB: Final = 200
"""MiB that the client holds at most when it lists a million fields."""

_ENOUGH_FIELDS: Final = 2000
"""Fewer fields than these: starting a cluster is a share of the time that a real archive has not."""


def page(figures: ArchiveFigures) -> str:
    """The whole page."""
    lines = [
        "# What a recount costs, and what it survives",
        "",
        "Written by `python -m benchmarks.archive --write`; its `--help` says what each part is. Recounts: [recount.md](recount.md).",
    ]
    for part in (_speed(figures), _killed(figures), _memory(figures), _listing(figures)):
        lines += ["", *part]
    return "\n".join(lines) + "\n"


def ratios(speed: RecountSpeed) -> tuple[float, float]:
    """How many times as fast two workers are as one, and recount's whole time over edge-run's: medians over the turns."""
    times = {way: [turn.seconds for turn in speed.turns if turn.way == way] for way in (ONE, TWO, EDGE_RUN)}
    faster = [one / two for one, two in zip(times[ONE], times[TWO], strict=True)]
    over = [two / run for two, run in zip(times[TWO], times[EDGE_RUN], strict=True)]
    return median(faster), median(over)


def processor_ratio(speed: RecountSpeed) -> float:
    """Processor time of a recount with two workers over that of edge-run: what hangs least on what else the machine does."""
    spent = {way: median(turn.processor_s for turn in speed.turns if turn.way == way) for way in (TWO, EDGE_RUN)}
    return spent[TWO] / spent[EDGE_RUN]


def _speed(figures: ArchiveFigures) -> Iterator[str]:
    yield "## Speed"
    yield ""
    speed = figures.speed
    if speed is None:
        yield "Not measured yet."
        return
    yield from _where(speed.machine, f"{speed.fields:,} fields in {speed.samples:,} samples, the ways in turns")
    yield ""
    yield "| way | whole time, s | fields/s | processor time a field, ms | largest process, MiB |"
    yield "|---|---|---|---|---|"
    for way in (ONE, TWO, EDGE_RUN):
        turns = [turn for turn in speed.turns if turn.way == way]
        seconds = median(turn.seconds for turn in turns)
        spent = 1000 * median(turn.processor_s for turn in turns) / speed.fields
        largest = max(max(turn.others_mb, turn.own_mb) for turn in turns)
        yield f"| {way} | {seconds:.1f} | {speed.fields / seconds:.1f} | {spent:.0f} | {largest:.0f} |"
    faster, over = ratios(speed)
    yield ""
    yield f"- two workers over one: {faster:.2f} times as fast {_target(faster, TARGET_TWO, str(TARGET_TWO), least=True)}"
    most = _target(over, TARGET_EDGE_RUN, f"{TARGET_EDGE_RUN:.2f}")
    yield f"- recount over edge-run, 2 workers each, whole time: {over:.2f} {most}"
    yield f"- the same in processor time: {processor_ratio(speed):.2f}"
    if speed.machine.load > speed.machine.cores / 2:
        yield "- the machine had other work: whole times, and ratios of them, hang on that; processor times hardly do"
    yield f"- results of all recounts: {'equal, row by row' if speed.same else 'NOT EQUAL'}"
    if speed.fields < _ENOUGH_FIELDS:
        yield f"- fewer than {_ENOUGH_FIELDS:,} fields: the start of the cluster, some seconds, weighs more than in a real archive"


def _killed(figures: ArchiveFigures) -> Iterator[str]:
    yield "## Workers and scheduler killed"
    yield ""
    killed = figures.killed
    if killed is None:
        yield "Not measured yet."
        return
    run, found = killed.run, killed.compared
    yield from _where(
        killed.machine, f"{killed.fields:,} fields; a worker is killed (signal 9) every {killed.every_s:.0f} s"
    )
    yield ""
    times = "once" if run.schedulers_killed == 1 else f"{run.schedulers_killed} times"
    yield f"- killed: {run.workers_killed} workers, the scheduler {times}, in {run.seconds:.0f} s"
    codes = "; ".join(f"{code}: {(exit_code_meaning(code) or '').split(':')[0]}" for code in sorted(set(run.codes)))
    yield f"- calls of `edge recount` until all was counted: {run.calls} (exit codes {codes})"
    yield f"- rows: {', '.join(f'{number:,} {name}' for name, number in found.rows.items())}; counted twice: {found.doubled}"
    same = "equal, row by row" if not found.different else f"NOT EQUAL in {', '.join(found.different)}"
    yield f"- beside the results of an undisturbed recount: {same}"


def _memory(figures: ArchiveFigures) -> Iterator[str]:
    yield "## Memory of a worker"
    yield ""
    memory = figures.memory
    if memory is None:
        yield "Not measured yet."
        return
    yield from _where(
        memory.machine, f"{memory.fields:,} fields, three of 12 megapixels, a decompression bomb, half a file"
    )
    yield ""
    yield f"- largest worker: {memory.worker_mb:.0f} MiB {_target(memory.worker_mb, TARGET_WORKER_MB, str(TARGET_WORKER_MB))}"
    yield f"- client: {memory.client_mb:.0f} MiB"
    yield f"- fields named as unreadable: {memory.unreadable} (the bomb by its header, the half file)"


def _listing(figures: ArchiveFigures) -> Iterator[str]:
    yield "## The client of a large archive"
    yield ""
    listing = figures.listing
    if listing is None:
        yield "Not measured yet."
        return
    yield from _where(
        listing.machine, f"a made-up file system of {listing.fields:,} fields, and a cluster that does nothing"
    )
    yield ""
    yield f"- memory of the client: {listing.memory_mb:.0f} MiB {_target(listing.memory_mb, TARGET_CLIENT_MB, str(TARGET_CLIENT_MB))}"
    yield f"- the same with 1,000 fields: {listing.few_mb:.0f} MiB"
    each = 1e6 * listing.seconds / listing.fields
    yield f"- listing, cutting into {listing.tasks:,} tasks and giving these out: {listing.seconds:.0f} s, {each:.0f} µs a field"


def _target(value: float, limit: float, words: str, *, least: bool = False) -> str:
    """``(target: at most 350): met``."""
    is_met = value >= limit if least else value <= limit
    return f"(target: at {'least' if least else 'most'} {words}): {'met' if is_met else '**missed**'}"


def _where(machine: MeasuredOn, what: str) -> Iterator[str]:
    features = ", ".join(machine.features) or "no vector features that are known here"
    yield (
        f"{machine.day}, {machine.cpu} ({features}), {machine.cores} cores, load {machine.load:.1f} when it began: {what}."
    )
