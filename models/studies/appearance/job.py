"""``python -m models appearance``: measure, choose, check, write the page and, where asked, the ranges into the shelf's cards."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from pathlib import Path

import cv2

from edge.errors import ModelError
from edge.finders.learned import LearnedFinder
from edge.modelfile import read_model, write_model
from edge.types import SampleAppearance, UInt8Array
from edge.verdict.fitness import FEWEST, LOG_SLACK, SLACK
from edge.verdict.interval import clopper_pearson
from models.studies.appearance import binding
from models.studies.appearance.choose import DRAWS, FINDERS, SIZES, RangeChoice, choose, outside, samples, told
from models.studies.appearance.material import (
    FOREIGN,
    JUDGING,
    TEACHING,
    VIRTUAL,
    FieldLook,
    grey,
    inverted,
    leaves,
    look_at,
    pages,
    real,
    spoilt,
    tinted,
    unstained,
    virtual,
)

CLASSIFIERS = ("malaria-thin-32", "malaria-thin-32-lite", "malaria-stages-32")
FINDER = "finder-thin"
_SPOILT = {"grey": grey, "grey in one tint": tinted, "inverted": inverted, "as without stain (drawn)": unstained}
_SIZES = (10, 30)


def make(shelf: Path, page: Path, tell: Callable[[str], None], *, write: bool) -> RangeChoice:
    """Measure everything and write the page; with ``write`` the shelf's cards get the ranges."""
    cv2.setNumThreads(1)
    finder = LearnedFinder(read_model(shelf / FINDER / f"{FINDER}.tflite"))
    seen = _material(finder, tell)
    drawn = {name: [s for size in SIZES for s in samples(seen[name], size)] for name in (*TEACHING, VIRTUAL)}
    chosen = choose(drawn)
    tell("holding calibrations against their own microscope")
    bound = {n: binding.refused(TEACHING[0], seen[TEACHING[0]], finder, n) for n in binding.BLANKS}
    page.write_text("\n".join(_page(seen, chosen, bound)) + "\n", encoding="utf-8")
    if write:
        for name in (*CLASSIFIERS, FINDER):
            _into_card(shelf / name / f"{name}.tflite", chosen)
            tell(f"{name}: ranges written into its card")
    return chosen


def _material(finder: LearnedFinder, tell: Callable[[str], None]) -> dict[str, list[FieldLook]]:
    seen: dict[str, list[FieldLook]] = {}
    for name in (*TEACHING, *JUDGING, *FOREIGN):
        tell(f"looking at {name}")
        seen[name] = real(name, finder)
    tell("looking at virtual slides, spoilt fields and drawings")
    seen[VIRTUAL] = virtual(finder)
    for name, change in _SPOILT.items():
        seen[name] = spoilt(change, finder)
    for name, pictures in (("text (drawn)", pages()), ("a leaf (drawn)", leaves())):
        seen[name] = _looked(pictures, finder, name)
    return seen


def _looked(pictures: Iterable[UInt8Array], finder: LearnedFinder, name: str) -> list[FieldLook]:
    return [look_at(rgb, finder, name) for rgb in pictures]


def _into_card(path: Path, chosen: RangeChoice) -> None:
    model = read_model(path)
    if model.card is None:
        raise ModelError(f"{path}: no card")
    finds = model.card.task == "find"
    reference = {name: span for name, span in chosen.ranges.items() if (name in FINDERS) == finds}
    write_model(path, model.flatbuffer, replace(model.card, reference=reference))


def _page(
    seen: dict[str, list[FieldLook]], chosen: RangeChoice, bound: dict[int, dict[str, tuple[int, int]]]
) -> list[str]:
    lines = [
        "# What the models were made for",
        "",
        "Written by `python -m models appearance`. A sample whose fields do not look like what its model was made for is",
        f"`insufficient`, and so is one of fewer than {FEWEST} cells, from which that cannot be told ([verdict.md](verdict.md)). The",
        "measures stand in `edge/appearance.py`. The ranges come from the microscopes that may teach what ships (IML, Raabin, PBC)",
        "and from virtual slides: the most extreme value that their samples show, moved outwards by so many standard deviations",
        "between microscopes that one that is left out of the choice has at most 1 % of its samples outside, a third of it by each",
        "measure.",
        "",
        "| measure | range | moved by | stands in the card of the |",
        "|---|---|---|---|",
    ]
    for name, (low, high) in chosen.ranges.items():
        span = f"{low} or more" if high is None else f"{high} or less"
        whose = "finder" if name in FINDERS else "classifiers"
        lines.append(f"| {name} | {span} | {chosen.widths[name]:.1f} | {whose} |")
    left = ", ".join(f"{name} {share:.1%}" for name, share in chosen.left_out.items())
    lines += ["", f"Outside when left out: {left}.", "", *_caught(seen, chosen), "", *_bound_lines(bound)]
    return lines


def _caught(seen: dict[str, list[FieldLook]], chosen: RangeChoice) -> list[str]:
    head = " | ".join(f"{n} field{'s' * (n != 1)}" for n in SIZES)
    lines = [
        f"Share of samples that cannot be judged, {DRAWS} drawn of each (in brackets: so many had {FEWEST} cells):",
        "",
        f"| samples of | pictures | {head} |",
        f"|---|---|{'---|' * len(SIZES)}",
    ]
    kinds = dict.fromkeys((*TEACHING, VIRTUAL), "may not be refused") | dict.fromkeys(
        JUDGING, "may not be refused; never used"
    )
    false = caught = 0
    total = [0, 0]
    for name, fields in seen.items():
        drawn = [told(samples(fields, size)) for size in SIZES]
        cells = " | ".join(_share(chosen, some) for some in drawn)
        lines.append(f"| {name} ({kinds.get(name, 'foreign')}) | {len(fields)} | {cells} |")
        large = [s for size in _SIZES for s in told(samples(fields, size))]
        no = round(outside(chosen.ranges, large) * len(large)) if large else 0
        if name in JUDGING:
            false, total[0] = false + no, total[0] + len(large)
        elif name not in kinds:
            caught, total[1] = caught + no, total[1] + len(large)
    lines += [
        "",
        f"Samples of 10 and 30 fields: {_of(false, total[0])} of the microscopes never used refused,",
        f"{_of(caught, total[1])} of the foreign ones caught. Samples are drawn from the same pictures again and again,",
        "so the intervals are too narrow. The measures were picked while looking at these sets; the ranges were not.",
    ]
    return lines


def _share(chosen: RangeChoice, some: Sequence[SampleAppearance]) -> str:
    if not some:
        return "too few cells"
    note = "" if len(some) == DRAWS else f" ({len(some)})"
    return f"{outside(chosen.ranges, some):.1%}{note}"


def _of(k: int, n: int) -> str:
    span = clopper_pearson(k, n)
    return f"{k} of {n} ({span.low:.1%} to {span.high:.1%})"


def _bound_lines(bound: dict[int, dict[str, tuple[int, int]]]) -> list[str]:
    counts = list(bound)
    slack = ", ".join(f"{name} {value:g}" for name, value in (LOG_SLACK | SLACK).items())
    lines = [
        "## What a calibration is bound to",
        "",
        "Each blank's looks stand in the calibration; a sample has to lie within their range, widened by 2 / n of it for n",
        f"blanks and by a slack at least (in natural logarithms: {slack}).",
        f"Samples of {binding.FIELDS} IML fields, blocks of 35 images in place of slides, every choice of blanks; share refused:",
        "",
        "| fields | " + " | ".join(f"{n} blanks" for n in counts) + " |",
        "|---|" + "---|" * len(counts),
    ]
    for name in bound[counts[0]]:
        cells = " | ".join(f"{k / n:.1%} ({k} of {n})" for k, n in (bound[count][name] for count in counts))
        lines.append(f"| {name} | {cells} |")
    lines += [
        "",
        "The slack was set while looking at this table, so its first line is no forecast. IML blocks differ a good deal in stain:",
        "a slide stained unlike every blank is refused, which is meant. More blanks of different days help.",
    ]
    return lines
