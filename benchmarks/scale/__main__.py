"""``python -m benchmarks.scale``: what counting 10^6 and 10^9 fields takes, measured, simulated and worked out."""

from __future__ import annotations

import tempfile
import time
from dataclasses import replace
from pathlib import Path
from statistics import median
from typing import Annotated

import typer

from benchmarks.archive.figures import this_machine
from benchmarks.command import Debug, single_command
from benchmarks.places import REPOSITORY, cache
from benchmarks.scale.figures import KEPT, DrivenBatch, ScaleFigures, read_scale, write_scale
from benchmarks.scale.forecast import AssumedPrices
from benchmarks.scale.measure import compared, field_costs, listed
from benchmarks.scale.page import DEFAULT_BATCH, page
from benchmarks.scale.run import SchedulerRun, added_up, drive_all
from edge.door import door, say
from edge.program import enter
from edge.safe_file import write_text

PROGRAM = "python -m benchmarks.scale"
PAGE = REPOSITORY / "docs" / "scale.md"
PARTS = ("costs", "listing", "comparison", "scheduler")
_USUAL = AssumedPrices()


def scale(  # noqa: PLR0917 - options of a command
    part: Annotated[list[str] | None, typer.Option(metavar="PART", help=f"{', '.join(PARTS)}; default: all.")] = None,
    fields: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Pictures of fields; default: virtual ones.")
    ] = None,
    turns: Annotated[int, typer.Option(min=1, metavar="N", help="Times that costs are measured.")] = 3,
    listing: Annotated[int, typer.Option(min=1000, metavar="N", help="Fields that are listed.")] = 100_000,
    samples: Annotated[int, typer.Option(min=100, metavar="N", help="Samples that are compared.")] = 100_000,
    simulated: Annotated[int, typer.Option(min=50, metavar="N", help="Fields through the scheduler.")] = 1_000_000,
    batch: Annotated[int, typer.Option(min=1, metavar="N", help="Simulated fields of a task.")] = DEFAULT_BATCH,
    portion: Annotated[int, typer.Option(min=1, metavar="N", help="Tasks after which figures are kept.")] = 250,
    most: Annotated[float, typer.Option(min=0, metavar="S", help="Seconds after which no portion begins.")] = 36_000.0,
    work: Annotated[Path | None, typer.Option(metavar="FILE", help="Kept portions; a second call goes on.")] = None,
    core_hour: Annotated[
        float, typer.Option(min=0, metavar="$", help="Assumed price of a core hour.")
    ] = _USUAL.core_hour,
    reads: Annotated[
        float, typer.Option(min=0, metavar="$", help="Assumed price of 1,000 reads.")
    ] = _USUAL.thousand_reads,
    writes: Annotated[float, typer.Option(min=0, metavar="$", help="The same of writes.")] = _USUAL.thousand_writes,
    store: Annotated[float, typer.Option(min=1, metavar="MB/S", help="Assumed of a store.")] = _USUAL.store_mb_s,
    *,
    write: Annotated[bool, typer.Option("--write", help="Keep the figures and write docs/scale.md.")] = False,
    debug: Debug = False,
) -> None:
    """Measure what a field costs, and drive a million simulated ones through a real scheduler; work out the rest.

    costs: few and more fields, by edge-run and by a recount, in turns. listing: the client of a made-up archive. comparison: two
    made-up counts. scheduler: simulated fields, --batch to a task; call it again with another --batch, and with the same one to
    go on. Half an hour on a free machine.
    """
    with door(debug=debug, program=PROGRAM), tempfile.TemporaryDirectory() as folder:
        wanted = part or list(PARTS)
        if unknown := [one for one in wanted if one not in PARTS]:
            raise typer.BadParameter(f"{unknown[0]}: no part; there are {', '.join(PARTS)}")
        figures = read_scale()
        if "costs" in wanted:
            figures = replace(figures, costs=field_costs(fields, Path(folder), turns, _say))
        if "listing" in wanted:
            figures = replace(figures, listed=listed(listing))
        if "comparison" in wanted:
            figures = replace(figures, compared=compared(samples, Path(folder)))
        if "scheduler" in wanted:
            place = work or cache() / "scale.jsonl"
            figures = with_batch(figures, place, SchedulerRun(simulated, batch, portion, most))
        prices = AssumedPrices(core_hour, reads, writes, store)
        typer.echo(page(figures, prices))
        if write:
            write_scale(figures)
            write_text(PAGE, page(figures, prices))
            say(f"written: {PAGE} and {KEPT}", PROGRAM)


def with_batch(figures: ScaleFigures, work: Path, how: SchedulerRun) -> ScaleFigures:
    """The figures with simulated fields, this many to a task."""
    machine = this_machine()
    done = drive_all(work, how, _say, time.monotonic)
    if not done:
        return figures
    load = median(one.load for one in done)
    mine = DrivenBatch(machine, added_up(done), len(done), load, how.fields)
    others = [one for one in figures.batches if one.driven.batch != how.batch]
    return replace(figures, batches=tuple(sorted([*others, mine], key=lambda one: one.driven.batch)))


def _say(line: str) -> None:
    say(line, PROGRAM)


app = single_command(scale, "Example: nice -n 10 python -m benchmarks.scale --part scheduler --write")

if __name__ == "__main__":
    enter(app, PROGRAM)
