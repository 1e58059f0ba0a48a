"""``python -m models appearance``: measure, choose the ranges, check them, write the page and, on request, the shelf's cards."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import cv2

from edge.errors import ModelError
from edge.finders.learned import LearnedFinder
from edge.modelfile import read_model, write_model
from edge.safe_file import write_text
from edge.types import SampleAppearance
from edge.verdict.fitness import FEWEST, LOG_SLACK, SLACK
from edge.verdict.interval import clopper_pearson
from models.report.markdown import table
from models.studies.appearance import binding
from models.studies.appearance.choose import DRAWS, FINDERS, SIZES, RangeChoice, choose, large_enough, outside, samples
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

CLASSIFIERS = ("malaria-thin-32", "malaria-stages-32")
FINDER = "finder-thin"
_SPOILT = {"grey": grey, "grey in one tint": tinted, "inverted": inverted, "as without stain (drawn)": unstained}
_DRAWN = {"text (drawn)": pages, "a leaf (drawn)": leaves}
_LARGE = (10, 30)
"""Sizes of the samples that the summary counts, in fields."""

Looks = Mapping[str, Sequence[FieldLook]]
Refusals = Mapping[int, Mapping[str, tuple[int, int]]]


def make(shelf: Path, page: Path, tell: Callable[[str], None], *, write: bool) -> RangeChoice:
    """Measure everything and write the page; with ``write`` the shelf's cards get the ranges."""
    cv2.setNumThreads(1)
    finder = LearnedFinder(read_model(shelf / FINDER / f"{FINDER}.tflite"))
    looks = _looks(finder, tell)
    chosen = chosen_ranges(looks)
    tell("testing calibrations on their own microscope")
    refused = {n: binding.refused(TEACHING[0], looks[TEACHING[0]], finder, n) for n in binding.BLANKS}
    write_text(page, "\n".join(page_lines(looks, chosen, refused)) + "\n")
    if write:
        for name in (*CLASSIFIERS, FINDER):
            into_card(shelf / name / f"{name}.tflite", chosen)
            tell(f"{name}: ranges written into its card")
    return chosen


def chosen_ranges(looks: Looks) -> RangeChoice:
    """The ranges, chosen on the microscopes that may teach what ships and on virtual slides, and on nothing else."""
    return choose({name: [s for size in SIZES for s in samples(looks[name], size)] for name in (*TEACHING, VIRTUAL)})


def _looks(finder: LearnedFinder, tell: Callable[[str], None]) -> dict[str, list[FieldLook]]:
    looks: dict[str, list[FieldLook]] = {}
    for name in (*TEACHING, *JUDGING, *FOREIGN):
        tell(f"looking at {name}")
        looks[name] = real(name, finder)
    tell("looking at virtual slides, spoilt fields and drawings")
    looks[VIRTUAL] = virtual(finder)
    looks |= {name: spoilt(change, finder) for name, change in _SPOILT.items()}
    return looks | {name: [look_at(rgb, finder, name) for rgb in draw()] for name, draw in _DRAWN.items()}


def into_card(path: Path, chosen: RangeChoice) -> None:
    """Write into a model's card the ranges of the measures that are its own; raises ModelError where there is no card."""
    model = read_model(path)
    if model.card is None:
        raise ModelError(f"{path}: no card")
    finds = model.card.task == "find"
    reference = {name: span for name, span in chosen.ranges.items() if (name in FINDERS) == finds}
    write_model(path, model.flatbuffer, replace(model.card, reference=reference))


def page_lines(looks: Looks, chosen: RangeChoice, refused: Refusals) -> list[str]:
    """The whole page."""
    rows = []
    for name, (low, high) in chosen.ranges.items():
        span = f"{low} or more" if high is None else f"{high} or less"
        rows.append((name, span, f"{chosen.widths[name]:.1f}", "finder" if name in FINDERS else "classifiers"))
    left = ", ".join(f"{name} {share:.1%}" for name, share in chosen.left_out.items())
    return [
        "# What the models were made for",
        "",
        "Written by `python -m models appearance`. A sample whose fields do not look like what its model was made for is",
        f"`insufficient`, and so is one of fewer than {FEWEST} cells, from which that cannot be told ([verdict.md](verdict.md)). The",
        "measures stand in `edge/appearance.py`. The ranges come from the microscopes that may teach what ships (IML, Raabin, PBC)",
        "and from virtual slides: the most extreme value that their samples show, moved outwards by so many standard deviations",
        "between microscopes that one that is left out of the choice has at most 1 % of its samples outside, a third of it by each",
        "measure.",
        "",
        *table(("measure", "range", "moved by", "stands in the card of the"), rows),
        "",
        f"Outside when left out: {left}.",
        "",
        f"Share of samples that cannot be judged, {DRAWS} drawn of each (in brackets: so many had {FEWEST} cells):",
        "",
        *refusal_table(looks, chosen),
        "",
        *refusal_sentences(refusals(looks, chosen)),
        "",
        *_calibration_lines(refused),
    ]


def refusal_table(looks: Looks, chosen: RangeChoice) -> list[str]:
    """The share of refused samples of each set, by fields in a sample."""
    kinds = dict.fromkeys((*TEACHING, VIRTUAL), "may not be refused")
    kinds |= dict.fromkeys(JUDGING, "may not be refused; never used")
    rows = [
        (f"{name} ({kinds.get(name, 'foreign')})", f"{len(fields)}", *(_share(chosen, fields, size) for size in SIZES))
        for name, fields in looks.items()
    ]
    return table(("samples of", "pictures", *(f"{n} field{'s' * (n != 1)}" for n in SIZES)), rows)


def _share(chosen: RangeChoice, fields: Sequence[FieldLook], size: int) -> str:
    drawn = large_enough(samples(fields, size))
    if not drawn:
        return "too few cells"
    return f"{outside(chosen.ranges, drawn):.1%}" + ("" if len(drawn) == DRAWS else f" ({len(drawn)})")


@dataclass(frozen=True, slots=True)
class RefusalCounts:
    """Large samples refused, of all: of the microscopes that were never used, and of foreign fields."""

    unused: tuple[int, int]
    foreign: tuple[int, int]


def refusals(looks: Looks, chosen: RangeChoice) -> RefusalCounts:
    """Count the refused samples of ``_LARGE`` fields; sets that the ranges were chosen on do not count."""
    foreign = [name for name in looks if name not in (*TEACHING, *JUDGING, VIRTUAL)]
    return RefusalCounts(_refused(looks, JUDGING, chosen), _refused(looks, foreign, chosen))


def _refused(looks: Looks, names: Sequence[str], chosen: RangeChoice) -> tuple[int, int]:
    drawn: list[SampleAppearance] = []
    for name in names:
        drawn += [sample for size in _LARGE for sample in large_enough(samples(looks[name], size))]
    return (round(outside(chosen.ranges, drawn) * len(drawn)) if drawn else 0), len(drawn)


def refusal_sentences(counts: RefusalCounts) -> list[str]:
    """What the counts say, and what limits them."""
    return [
        f"Samples of 10 and 30 fields: {_of(*counts.unused)} of the microscopes never used refused,",
        f"{_of(*counts.foreign)} of the foreign ones caught. Samples are drawn from the same pictures again and again,",
        "so the intervals are too narrow. The measures were picked while looking at these sets; the ranges were not.",
    ]


def _of(k: int, n: int) -> str:
    span = clopper_pearson(k, n)
    return f"{k} of {n} ({span.low:.1%} to {span.high:.1%})"


def _calibration_lines(refused: Refusals) -> list[str]:
    counts = list(refused)
    slack = ", ".join(f"{name} {value:g}" for name, value in (LOG_SLACK | SLACK).items())
    rows = [
        (name, *(f"{k / n:.1%} ({k} of {n})" for k, n in (refused[count][name] for count in counts)))
        for name in refused[counts[0]]
    ]
    return [
        "## What a calibration is bound to",
        "",
        "Each blank's looks stand in the calibration; a sample has to lie within their range, widened by 2 / n of it for n",
        f"blanks and by a slack at least (in natural logarithms: {slack}).",
        f"Samples of {binding.FIELDS} IML fields, blocks of 35 images in place of slides, every choice of blanks; share refused:",
        "",
        *table(("fields", *(f"{n} blanks" for n in counts)), rows),
        "",
        "The slack was set while looking at this table, so its first line is no forecast. IML blocks differ a good deal in stain:",
        "a slide stained unlike every blank is refused, which is meant. More blanks of different days help.",
    ]
