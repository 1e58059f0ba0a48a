"""``python -m models strangers``: make, train, convert and judge strangers' nets, and write docs/strangers.md."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from edge.safe_file import write_text
from models.studies.founding.course import Say
from models.studies.kept import check_request
from models.studies.strangers.conversion import convert
from models.studies.strangers.facts import FACTS, keep, kept_facts
from models.studies.strangers.limits import kept_limits, lines, measure
from models.studies.strangers.nets import NETS
from models.studies.strangers.page import render
from models.studies.strangers.train import train


@dataclass(frozen=True, slots=True)
class StrangersSettings:
    """What a run does.

    Attributes:
        work: keeps nets and cells, outside the repository; a second run goes on where the first stopped.
        out: the page.
        only: names of nets to work on; empty: all.
        again: convert again what has facts already.
        limits: measure what limits of the converter rest on, and nothing else.
        facts: where the facts are kept.
    """

    work: Path
    out: Path
    only: tuple[str, ...] = ()
    again: bool = False
    limits: bool = False
    facts: Path = FACTS


def run(settings: StrangersSettings, say: Say) -> int:
    """Finish what is not finished, net by net, and write the page after each.

    Returns:
        number of nets that are finished.

    Raises:
        ValueError: ``work`` is inside the repository (cells must not get there), or a net has no such name.
    """
    check_request(settings.work, settings.only, [net.name for net in NETS])
    if settings.limits:
        measure(settings.work, say, settings.facts)
        return _write(settings)
    for net in NETS:
        if settings.only and net.name not in settings.only:
            continue
        if kept_facts(net.name, settings.facts) and not settings.again:
            continue
        made = train(net, settings.work, say)
        say(f"{net.name}: converting")
        found = convert(net, made, settings.work)
        keep(found, settings.facts)
        done = found.conversion
        loss = "no device file" if found.judged is None else f"{found.judged.points:+.1f} points lost"
        say(f"{net.name}: {done.way}, {loss}, {done.wall_s:.0f} s, exit code {done.exit_code}")
        _write(settings)
    return _write(settings)


def _write(settings: StrangersSettings) -> int:
    found = [facts for net in NETS if (facts := kept_facts(net.name, settings.facts))]
    write_text(settings.out, render(found, lines(kept_limits(settings.facts))))
    return len(found)
