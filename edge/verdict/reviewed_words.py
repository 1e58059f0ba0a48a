"""What a reviewed verdict says in words, each sentence with the numbers that it rests on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from edge.types import Verdict
from edge.verdict.readers import ReaderErrors
from edge.verdict.review_records import PartCounts, ReviewCounts, ReviewedVerdict
from edge.verdict.units import AS_GIVEN, digits_below, percent, plural, said


class Confirmed(StrEnum):
    """Which confirmed cells are counted."""

    SUSPECTS = "suspects"
    ALL = "all that were looked at"
    TWICE = "confirmed by two people"


_SHOWN = 0.01  # of a cell: a lower end below it is only said to be above 0


@dataclass(frozen=True, slots=True)
class ImaginedLimit:
    """A count of confirmed cells, and how many of them readers imagine on a blank slide at most."""

    what: Confirmed
    count: int
    limit: int

    @property
    def passed(self) -> bool:
        """More are confirmed than readers imagine."""
        return self.count > self.limit


@dataclass(frozen=True, slots=True, eq=False)
class Reviewed:
    """Everything that the sentences are made of.

    Attributes:
        counts: the sample as reviewed.
        machine: its verdict.
        verdict: the reviewed one, without its reasons.
        row: of ``edge.verdict.reviewed.REVIEWED_TABLE`` that gave the flag.
        limits: what readers imagine at most; of suspects first.
        readers: how they err.
        contradicted: the calibration is, by what was confirmed among cells that are no suspects.
    """

    counts: ReviewCounts
    machine: Verdict
    verdict: ReviewedVerdict
    row: str
    limits: tuple[ImaginedLimit, ...]
    readers: ReaderErrors
    contradicted: bool = False

    @property
    def unit(self) -> str:
        """What was counted."""
        return self.machine.unit

    def share(self, value: float, count: int = 2) -> str:
        """A share as it is shown, with parasites per µL where the cells are red cells."""
        return said(value, self.machine.rbc_per_ul, count)


def reasons(of: Reviewed) -> tuple[str, ...]:
    """Plain sentences: what was seen, what follows, and what it rests on."""
    if of.row == "cells":
        return (f"No {of.unit} was counted.",)
    if of.row == "looked":
        return ("Nobody has looked at any of its cells yet.",)
    out = [_seen(of), *_limit(of), _estimated(of)]
    sentence = _SENTENCES.get(of.row)
    said = sentence(of) if sentence else ""
    return (*out, *([said] if said else []), *_left_open(of), _readers(of), _rests_on(of))


def _seen(of: Reviewed) -> str:
    suspects = [part for part in of.counts.parts if part.suspect]
    others = [part for part in of.counts.parts if not part.suspect]
    looked = sum(part.looked for part in suspects)
    first = f"{_of(suspects)} suspects looked at confirmed"
    if looked < sum(part.size for part in suspects):
        first += f", {sum(part.size for part in suspects):,} suspects in all"
    if not sum(part.size for part in suspects):
        first = "The machine has no suspect"
    seen = [f"{part.positive:,} of {part.looked:,} {_named(part)}" for part in others if part.looked]
    return first + (f"; {' and '.join(seen)}" if seen else "") + "."


def _named(part: PartCounts) -> str:
    return {"near": "near misses", "rest": "others drawn at random"}.get(part.name, part.name)


def _of(parts: list[PartCounts]) -> str:
    return f"{sum(part.positive for part in parts):,} of {sum(part.looked for part in parts):,}"


def _limit(of: Reviewed) -> list[str]:
    passed = next((one for one in of.limits if one.passed), None)
    if passed is not None:
        sentence = {
            Confirmed.SUSPECTS: "That is more suspects than readers imagine on a blank slide",
            Confirmed.ALL: f"Together {passed.count:,} are confirmed, more than readers imagine among so many {of.unit}s",
            Confirmed.TWICE: f"Two people confirm {passed.count:,} of them, more than both imagine",
        }[passed.what]
        return [f"{sentence}: up to {passed.limit:,}, 95 times in 100."]
    if of.verdict.confirmed:
        few = f"up to {plural(of.limits[0].limit, 'suspect')}, 95 times in 100"
        return [
            f"Readers may imagine as many on a blank slide ({few}): let a second reader look at what was confirmed."
        ]
    return []


def _estimated(of: Reviewed) -> str:
    share = of.verdict.share
    digits = _digits(of)
    low = percent(share.low, digits) if share.low * of.counts.cells > _SHOWN else "above 0 %" if share.low else "0 %"
    range_ = f"{low} to {percent(share.high, digits)}"
    if of.verdict.flag == "negative":
        range_ = f"at most {percent(share.high, digits)}"
    if share.value is None:
        return f"Infected: {range_}; no closer, since too much has not been looked at, or could not be told."
    return f"Infected: {of.share(share.value)}, {range_} with 95 % confidence, readers' errors allowed for."


def _digits(of: Reviewed) -> int:
    target = of.verdict.target
    return 2 if target is None or of.verdict.most >= target else digits_below(of.verdict.most, target)


def _target(of: Reviewed) -> str:
    return "" if of.verdict.target is None else of.share(of.verdict.target, AS_GIVEN)


def _above(of: Reviewed) -> str:
    if of.verdict.target is None or of.verdict.most >= of.verdict.target:
        return ""
    return f"Positive, but less than the target of {_target(of)}."


def _alike(_: Reviewed) -> str:
    return "The fields do not look like what the model or the calibration was made for, so what was not confirmed is not ruled out."


def _fields(_: Reviewed) -> str:
    return "So few fields passed the gate that a sample in which nothing is confirmed cannot be judged."


def _detection(of: Reviewed) -> str:
    readers = ""
    if of.limits[0].limit:
        readers = f", or let more be read twice: of these readers {plural(of.limits[0].limit, 'suspect')} confirmed are no sign"
    return (
        f"{plural(of.counts.cells, of.unit)} are too few for the target of {_target(of)}, "
        f"even if all were looked at: count more {of.unit}s{readers}."
    )


def _below(of: Reviewed) -> str:
    most = of.share(of.verdict.most, _digits(of))
    return f"At most {most} with 95 % confidence: below the target of {_target(of)}."


def _undecided(of: Reviewed) -> str:
    more = of.verdict.short
    then = f"look at {more:,} more and it is decided, if they go on as they did" if more else _no_more(of)
    if of.verdict.target is None:
        return f"No target was given (--target-parasitaemia), so no sample can be called negative{f'; {then}' if more else ''}."
    return f"Neither more confirmed than readers imagine nor surely below the target of {_target(of)}: {then}."


def _no_more(of: Reviewed) -> str:
    if of.verdict.rests_on == "sample":
        return f"even all {of.unit}s looked at would not decide; count more, or calibrate"
    return f"even all suspects looked at would not decide; count more {of.unit}s"


_SENTENCES: dict[str, Callable[[Reviewed], str]] = {
    "above": _above,
    "alike": _alike,
    "fields": _fields,
    "detection": _detection,
    "below": _below,
    "undecided": _undecided,
}


def _left_open(of: Reviewed) -> list[str]:
    out = []
    waiting = sum(part.size - part.looked for part in of.counts.parts if part.ordered)
    if waiting:
        out.append(f"{waiting:,} of the highest suspects have not been looked at: counted as none to all of them.")
    unsure = sum(part.unsure for part in of.counts.parts)
    if unsure:
        out.append(f"{plural(unsure, of.unit)} could not be told or divide the readers: counted both ways.")
    junk = sum(part.no_cell for part in of.counts.parts)
    if junk:
        out.append(
            f"{junk:,} of {of.verdict.looked:,} looked at should not have been counted; shares are of what was counted."
        )
    if of.counts.added:
        out.append(
            f"{plural(of.counts.added, of.unit)} marked where the machine has none: no error rate of such marks is known, so they "
            "are counted at the upper end only."
        )
    return out


def _readers(of: Reviewed) -> str:
    imagined, missed = of.readers.means()
    rates = (
        f"to call {percent(imagined)} of the negative cells positive and to miss {percent(missed)} of the positive ones"
    )
    if not of.verdict.readers:
        return f"No cell was read twice: readers are taken {rates}, as readers do."
    again = max(one.cells for one in of.verdict.readers)
    return f"By {plural(again, 'cell')} read again, readers are expected {rates}."


def _rests_on(of: Reviewed) -> str:
    if of.contradicted:
        return (
            "The calibration does not hold here: so many confirmed among the cells that are no suspects are not likely by it. "
            "The figures rest on the cells looked at alone."
        )
    if of.verdict.rests_on == "calibration":
        return "How many infected cells become suspects is known from the calibration."
    return f"Without a calibration the figures rest on what was looked at alone; infected {of.unit}s not counted are left out."
