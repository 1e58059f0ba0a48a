"""docs/network-faults.md, from what the trials recorded."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from benchmarks.network.district import FIELDS
from benchmarks.network.rough import LATE_S, SHARES
from benchmarks.network.trial import CUT_S, TrialRecord
from benchmarks.places import REPOSITORY

PAGE: Final[Path] = REPOSITORY / "docs" / "network-faults.md"
"""Where the figures are."""

_HEAD: Final = """# Many microscopes under faults

Written by `python -m benchmarks.network --write`. What is collected, and how: [collect.md](collect.md).

{scopes} microscopes, each a process with a book of its own and the runner's own publisher, count {samples} samples of {fields}
virtual fields each. A real Mosquitto hands on what they say, through a way that doubles {doubled:.0%} of their entries, lets
{late:.0%} be overtaken by the next one, and half of the time delays each packet by {held} s at most. Meanwhile, in an order that
chance chooses, the broker is killed (-9) and started again; so are microscopes, in the middle of a sample, and the collector; once
the network is cut for {hours:g} h of simulated time (the clocks of all programs are put forward) while the microscopes count on. A
microscope that was killed leaves an interrupted sample and counts one more. In the end the collected book is held against the
microscopes' own books: each sample (state, sums, flag, verdict), the checksum of each field, and the order in which fields came.
"""

_ROWS: Final = (
    "broker killed",
    "microscopes killed",
    "collector killed",
    "hours that the network was cut, simulated",
    "samples that the microscopes hold; of them complete",
    "fields; cells",
    "entries doubled; overtaken, on the way",
    "entries that came once more; too early (in the collector's last life)",
    "times that missing entries were asked for (in the same)",
    "**samples that did not arrive**",
    "**samples that say something else**",
    "**samples of nobody**",
    "**fields missing**",
    "**fields twice**",
    "**fields changed**",
    "**fields out of order**",
    "seconds from the last fault until all was there",
    "seconds of the trial",
)


def page_text(records: Sequence[TrialRecord]) -> str:
    """The page."""
    plan = records[0].plan
    head = _HEAD.format(
        scopes=plan.scopes,
        samples=plan.samples,
        fields=FIELDS,
        doubled=SHARES[0],
        late=SHARES[1],
        held=LATE_S,
        hours=CUT_S / 3600,
    )
    columns = [_column(record) for record in records]
    lines = [f"| | {' | '.join(record.plan.name for record in records)} |", f"|---|{'---:|' * len(records)}"]
    for number, name in enumerate(_ROWS):
        lines.append(f"| {name} | {' | '.join(column[number] for column in columns)} |")
    return "\n".join([head, *lines]) + "\n"


def _column(record: TrialRecord) -> list[str]:
    plan, found = record.plan, record.compared
    return [
        f"{plan.broker_kills:,} times",
        f"{plan.scope_kills:,} times",
        f"{plan.collector_kills:,} times",
        f"{record.simulated_s / 3600:g}",
        f"{found.samples:,}; {found.complete:,}",
        f"{found.fields:,}; {found.cells:,}",
        f"{record.doubled:,}; {record.overtaken:,}",
        f"{record.counts.known:,}; {record.counts.ahead:,}",
        f"{record.counts.asked:,}",
        f"{found.missing:,}",
        f"{found.changed:,}",
        f"{found.foreign:,}",
        f"{found.fields_missing:,}",
        f"{found.fields_twice:,}",
        f"{found.fields_changed:,}",
        f"{found.disordered:,}",
        "never" if record.left_s is None else f"{record.left_s:.0f}",
        f"{record.seconds:.0f}",
    ]
