"""The page of the simulation of reviews: docs/review-statistics.md."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

from edge.safe_file import write_text
from edge.verdict.interval import clopper_pearson
from models.report.markdown import table
from models.studies.coverage.page import BAND, ERROR, Promise
from models.studies.coverage.simulate import HitRate, pooled
from models.studies.review.cases import MOST, SHARES, every, grid, noisy, simulate, stopping
from models.studies.review.simulate import READERS, TARGET, TOP, WITH_CALIBRATION, WITHOUT, ReviewCase, ReviewTally

SPECIFIC = 0.98
"""Blanks that are not flagged after a review of at most ``TOP`` suspects."""

NAME = "review-statistics.md"
"""Of the page."""

Tallies = Mapping[ReviewCase, ReviewTally]


def make_review_page(folder: Path, samples: int, work: Path, say: Callable[[str], None]) -> bool:
    """Simulate what is not kept in ``work`` yet, write the page into ``folder``; returns whether every target is met."""
    tallies = simulate(every(), samples, work, say)
    promises = summary(tallies)
    write_text(folder / NAME, page(tallies, promises, samples))
    return all(one.met for one in promises)


def covered(tally: ReviewTally) -> HitRate:
    """Intervals that hold the share."""
    return HitRate(tally.covered, tally.samples)


def flagged(tally: ReviewTally) -> HitRate:
    """Samples that are positive after review."""
    return HitRate(tally.positive, tally.samples)


def before(tally: ReviewTally) -> HitRate:
    """Samples that the machine alone calls positive."""
    return HitRate(tally.before, tally.samples)


def cleared(tally: ReviewTally) -> HitRate:
    """Samples that are negative after review."""
    return HitRate(tally.negative, tally.samples)


def summary(tallies: Tallies) -> list[Promise]:
    """Every promise, and whether the simulation contradicts it."""
    fixed = {case: tally for case, tally in tallies.items() if not case.most}
    stopped = {case: tally for case, tally in tallies.items() if case.most}
    inner = {case: tally for case, tally in fixed.items() if case.share}
    blank = {case: tally for case, tally in fixed.items() if not case.share}
    infected = {case: tally for case, tally in fixed.items() if case.share >= TARGET}
    known = [tally for case, tally in blank.items() if case.blanks]
    samples, agree = sum(t.samples for t in tallies.values()), sum(t.agree for t in tallies.values())
    return [
        _coverage("coverage, with a calibration", (t for c, t in inner.items() if c.blanks)),
        _coverage("coverage, without one", (t for c, t in inner.items() if not c.blanks)),
        _at_least("coverage where nothing is infected", 1 - ERROR, map(covered, blank.values())),
        _at_most("blanks flagged after review", map(flagged, blank.values())),
        _at_least("specificity after review, with a calibration", SPECIFIC, (_not(flagged(t)) for t in known)),
        _sensitivity([(case, tally) for case, tally in infected.items() if case.blanks]),
        _at_most("called negative at or above the target", map(cleared, infected.values())),
        _at_most("until decided: blanks flagged", (flagged(t) for c, t in stopped.items() if not c.share)),
        _at_most(
            "until decided: called negative at or above the target",
            (cleared(t) for c, t in stopped.items() if c.share >= TARGET),
        ),
        _at_least("until decided: coverage", BAND[0], (covered(t) for c, t in stopped.items())),
        Promise("flag, interval and bound agree", "always", f"{agree:,} of {samples:,}", agree == samples),
    ]


def _not(rate: HitRate) -> HitRate:
    return HitRate(rate.trials - rate.hits, rate.trials)


def _coverage(what: str, tallies: Iterable[ReviewTally]) -> Promise:
    rates = [covered(tally) for tally in tallies]
    inside, enough = sum(one.within(*BAND) for one in rates), sum(one.within(BAND[0], 1) for one in rates)
    whole = pooled(rates)
    value = f"{whole.share:.1%} over all; {inside} of {len(rates)} cases agree with the band, {enough} are not below it"
    return Promise(what, "94 to 97 %", value, inside == len(rates) and BAND[0] <= whole.share <= BAND[1])


def _at_least(what: str, least: float, rates: Iterable[HitRate]) -> Promise:
    known = list(rates)
    return Promise(
        what,
        f">= {least:.0%}",
        f"{pooled(known).share:.1%} over all; lowest {_exact(min(known, key=_share))}",
        all(one.within(least, 1) for one in known),
    )


def _at_most(what: str, rates: Iterable[HitRate]) -> Promise:
    known = list(rates)
    return Promise(
        what,
        f"<= {ERROR:.0%}",
        f"{pooled(known).share:.1%} over all; highest {_exact(max(known, key=_share))}",
        all(one.within(0, ERROR) for one in known),
    )


def _sensitivity(cases: Sequence[tuple[ReviewCase, ReviewTally]]) -> Promise:
    """After review at least as many infected samples are found as before, but for what chance explains."""
    was, now = pooled(before(t) for _, t in cases), pooled(flagged(t) for _, t in cases)
    worse = [c for c, t in cases if flagged(t).share < before(t).share and not flagged(t).within(before(t).share, 1)]
    value = f"{was.share:.1%} before, {now.share:.1%} after; lower in {len(worse)} of {len(cases)} cases"
    return Promise("infected samples found, with a calibration", "as before", value, not worse)


def _share(rate: HitRate) -> float:
    return rate.share


def _exact(rate: HitRate) -> str:
    interval = clopper_pearson(rate.hits, rate.trials)
    return f"{rate.share:.1%} of {rate.trials} ({interval.low:.1%} to {interval.high:.1%})"


def page(tallies: Tallies, promises: Sequence[Promise], samples: int) -> str:
    """The whole page; ``samples`` of each case were drawn."""
    kinds = "; ".join(f"*{r.name}*: {r.imagined:.1%} imagined, {r.missed:.0%} missed" for r in READERS)
    lines = [
        "# Does what follows from a review keep its promises?",
        "",
        f"Printed by `python -m models review-coverage --samples {samples}`. Every sample is a slide with rates of its own,",
        "sorted by a machine into highest suspects, other suspects, near misses and the rest. Readers look at some and err;",
        "with *reread* that many of them are read by a second reader as well, and where the two differ the cell cannot be told.",
        "The machine finds 80 % of the infected cells, give or take, and has 1,000 false positives per million, which differ by",
        "50 % from slide to slide. All is judged by the code of the device.",
        f"The target is {TARGET:.1%}. Readers: {kinds}.",
        "",
        f"Looked at: all of the up to {TOP} highest suspects; with a calibration {WITH_CALIBRATION.suspects} other suspects,",
        f"{WITH_CALIBRATION.near} near misses and {WITH_CALIBRATION.rest} of the rest;",
        f"without one {WITHOUT.suspects}, {WITHOUT.near} and {WITHOUT.rest}.",
        f"A chance seen {samples} times is known to about {2 * (0.05 * 0.95 / samples) ** 0.5:.1%}; a target counts as met where the",
        "figures do not contradict it.",
        "",
        *table(
            ("promise", "target", "simulated", ""),
            [(one.what, one.target, one.value, "met" if one.met else "**missed**") for one in promises],
        ),
        "",
        *_WHY.splitlines(),
        "",
        "## Before and after",
        "",
        "Samples called positive: by the machine's own limit of blank (without a calibration: any suspect), and after review.",
        "",
        *table(_BEFORE_HEAD, _before_rows(tallies)),
        "",
        f"## Until decided, at most {MOST:,} cells",
        "",
        "Readers look as they are advised and stop as soon as the flag is positive or negative; 20,000 cells.",
        "",
        *table(_STOPPED_HEAD, [_stopped_row(case, tallies[case]) for case in stopping()]),
        "",
        "## Coverage: every case",
        "",
        "Share of the intervals that hold the infected share; in brackets those that are wholly below it and wholly above it.",
        "",
        *table(_COVER_HEAD, _cover_rows(tallies)),
    ]
    return "\n".join(lines) + "\n"


_WHY = """\
## What stays away from its target, and why

- **Coverage above 97 %**: the interval errs on the wide side. Nobody is taken to be perfect; slides may differ more than
  those of a calibration show; 0 is left in until the flag's own tests have ruled it out; and a few confirmed cells cannot
  be split into 2.5 % steps.
- **Hasty readers without a calibration, where one cell in a thousand is infected**: among 600 random cells they imagine a
  dozen, six for each true one. Two of them who happen to agree on the 40 cells that both read look careful, and the
  interval is then too high. More cells read twice show it; with a calibration so few random cells are needed that it does
  not matter.
- **Readers who are never wrong**: the interval lies a little high, since 5 % of the positive cells are thought to be
  missed.
- **No blank is negative without a calibration**: so few random cells cannot show the target among 20,000, however clean
  they are. With one it takes the suspects alone.

Tried and given up, each for misses in these same worlds (so the figures of hasty readers are a little optimistic): a prior
for what readers imagine that is dense near 0, Beta(1/2, 60), with which hasty readers looked careful and flagged a fifth of
the blanks; Beta(1, 100), with which their intervals without a calibration were too high in one of five; subtracting what
readers imagine without the condition that something is left, which made the bound 0 where a careful reader found none;
weighing the machine's sensitivity by the chance of so many or more random cells confirmed, which put intervals too high.

Not simulated: mistakes that two readers share or that one repeats; suspects that are harder to read than random cells, so
that reading random ones twice flatters; cells that the finder loses; and people who stop for a reason that the page does
not know.
"""

_CASE_HEAD = ("blanks", "cells", "readers", "reread")
_BEFORE_HEAD = (
    "false per million",
    *_CASE_HEAD,
    *(f"{'blanks' if not share else f'{share:.1%}'}: before / after" for share in SHARES[:3]),
)
_STOPPED_HEAD = ("blanks", "readers", "reread", "infected", "positive", "negative", "covered", "cells looked at")
_COVER_HEAD = (*_CASE_HEAD, *(f"{share:.1%}" for share in SHARES))


def _case_cells(case: ReviewCase) -> tuple[str, ...]:
    return f"{case.blanks or 'none'}", f"{case.cells:,}", case.readers.name, f"{case.reread}"


def _rows(cases: Iterable[ReviewCase]) -> list[dict[float, ReviewCase]]:
    """Cases that differ in their share alone, together."""
    rows: dict[tuple[object, ...], dict[float, ReviewCase]] = {}
    for case in cases:
        rows.setdefault((case.false, *_case_cells(case)), {})[case.share] = case
    return list(rows.values())


def _before_rows(tallies: Tallies) -> list[tuple[str, ...]]:
    out = []
    for row in _rows([*grid(), *noisy()]):
        first = next(iter(row.values()))
        pairs = ((before(tallies[row[s]]), flagged(tallies[row[s]])) for s in SHARES[:3])
        shown = (f"{was.share:.1%} / {now.share:.1%}" for was, now in pairs)
        out.append((f"{first.false * 1e6:,.0f}", *_case_cells(first), *shown))
    return out


def _cover_rows(tallies: Tallies) -> list[tuple[str, ...]]:
    out = []
    for row in _rows(grid()):
        first = next(iter(row.values()))
        out.append((*_case_cells(first), *(_covered_text(tallies[row[share]]) for share in SHARES)))
    return out


def _covered_text(tally: ReviewTally) -> str:
    return f"{tally.covered / tally.samples:.1%} ({tally.too_low}, {tally.too_high})"


def _stopped_row(case: ReviewCase, tally: ReviewTally) -> tuple[str, ...]:
    rates = (f"{one(tally).share:.1%}" for one in (flagged, cleared, covered))
    looked = f"{tally.looked / tally.samples:,.0f}"
    named = (f"{case.blanks or 'none'}", case.readers.name, f"{case.reread}")
    return *named, f"{case.share:.1%}", *rates, looked
