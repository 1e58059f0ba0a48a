"""``models/REPORT.md``: figures, plots, slide by slide, stage by stage, the noise audit, and the targets missed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from edge.errors import OutputError
from edge.macs import macs
from edge.modelfile import read_model
from models.judge.card_table import AGREEMENT
from models.judge.figures import Measurement
from models.judge.scores import FieldCells, NetScores, NihCells
from models.judge.targets import NIH_TARGETS
from models.report import measure, tables, targets
from models.report.blind import BlindReading
from models.report.curves import calibration_error, curve, reliability
from models.report.figure import WORD, Figure
from models.report.markdown import paragraph, table
from models.report.operating import points
from models.report.plots import NetPlots, draw
from models.report.sheets import COUNT, shown, worst
from models.report.tables import NetFigures

PAGE, PLOTS = "REPORT.md", "report"


@dataclass(frozen=True, slots=True, eq=False)
class ReportPage:
    """The page's text and its plots by file name."""

    text: str
    plots: dict[str, str]


def assemble(
    nih: NihCells, iml: FieldCells, nets: Sequence[NetScores], shelf: Path, reading: BlindReading | None = None
) -> ReportPage:
    """The page from scores; raises ToolError, and ModelError where a shipped file is missing.

    Args:
        nih: the NIH cells.
        iml: the fields' cells.
        nets: the accurate one, the small one.
        shelf: of the shipped files.
        reading: the blind reading of the first net's worst false positives, if somebody read them.
    """
    figures = [_figures(nih, iml, net, nets[0], shelf) for net in nets]
    drawn = [_drawn(nih, iml, net, mine) for net, mine in zip(nets, figures, strict=True)]
    judged = targets.rows(figures)
    lines = _lines(nih, iml, nets, figures, shelf=shelf, judged=judged, reading=reading)
    return ReportPage("\n".join(lines) + "\n", draw(drawn))


def write(out: Path, report: ReportPage) -> list[Path]:
    """Write page and plots under a folder; raises OutputError."""
    files = {out / PAGE: report.text, **{out / PLOTS / name: svg for name, svg in report.plots.items()}}
    for path, text in files.items():
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        except OSError as error:
            raise OutputError(f"{path}: cannot be written: {error.strerror or error}") from error
    return list(files)


def _figures(nih: NihCells, iml: FieldCells, net: NetScores, first: NetScores, shelf: Path) -> NetFigures:
    path = shelf / net.name / f"{net.name}.tflite"
    model = read_model(path)
    agreed = model.card.accuracy.get(AGREEMENT, {}) if model.card is not None else {}
    nih_error = calibration_error(reliability(nih.infected, net.nih))
    iml_error = calibration_error(reliability(iml.infected, net.iml))
    return NetFigures(
        net.name,
        macs(model.flatbuffer),
        path.stat().st_size,
        measure.nih_figures(nih, net, nih.infected),
        measure.nih_figures(nih, net, nih.cleaned),
        {rate: measure.found(iml, net, rate) for rate in measure.RATES},
        measure.negatives(nih, net),
        measure.by_stage(iml, net, measure.RATES[0]),
        None if net is first else measure.auc_share(nih, net.nih, first.nih),
        {key: Measurement(**value) for key, value in agreed.items()},
        (nih_error, iml_error),
    )


def _drawn(nih: NihCells, iml: FieldCells, net: NetScores, mine: NetFigures) -> NetPlots:
    return NetPlots(
        net.name,
        (curve(nih.infected, net.nih), curve(iml.infected, net.iml, iml.lost)),
        (
            {rate: mine.raw[name] for name, rate in measure.SENSITIVITY.items()},
            {rate: mine.found[rate].share for rate in measure.RATES},
        ),
        (reliability(nih.infected, net.nih), reliability(iml.infected, net.iml)),
        mine.macs,
        mine.size,
        mine.raw["AUC"],
    )


def _others(nets: Sequence[NetScores], shelf: Path) -> list[str]:
    """Classifiers on the shelf that are not on the page."""
    names = {net.name for net in nets}
    cards = [read_model(path).card for path in sorted(shelf.glob("*/*.tflite")) if path.stem not in names]
    return [card.name for card in cards if card is not None and card.task == "classify"]


def _lines(
    nih: NihCells,
    iml: FieldCells,
    nets: Sequence[NetScores],
    figures: Sequence[NetFigures],
    *,
    shelf: Path,
    judged: Sequence[Figure],
    reading: BlindReading | None,
) -> list[str]:
    healthy = int((~iml.infected).sum())
    missed, aimed = sum(row.met is False for row in judged), sum(row.met is not None for row in judged)
    low = worst(nets[0].nih, nih.infected)[1]
    rate = measure.RATES[0]
    return [
        *_introduction(nih, iml, nets, shelf),
        "",
        "## In figures",
        "",
        *tables.summary(figures, int((nih.cleaned != nih.infected).sum())),
        "",
        f"## Targets: {missed} of {aimed} missed",
        "",
        *table(
            ["figure", "where", "target", "measured", ""],
            [[row.what, row.where, row.target, row.value, WORD[row.met]] for row in judged],
        ),
        "",
        f"Where no net is named: `{figures[0].name}`. A target counts as met by its value, whatever its interval.",
        "",
        *_curves(nih, iml, figures),
        "",
        "## Stage by stage",
        "",
        f"IML end to end at {rate:.0%} false positives (thresholds of other folds); what the finder lost is missed. Exact intervals.",
        "",
        *tables.stages(figures),
        "",
        "## Where to set the threshold",
        "",
        *paragraph(
            f"`{nets[0].name}`; every fold's cells at a threshold chosen on other folds, exact intervals. `edge calibrate` "
            "chooses one for a microscope, on its own blank slides; `edge-run --threshold` takes any."
        ),
        "",
        *tables.operating(points(nih, iml, nets[0])),
        "",
        "## Labels",
        "",
        *tables.audit_lines(measure.audit(nih, nets), NIH_TARGETS["accuracy"][1]),
        "",
        *tables.one_slide(measure.worst_slide(nih, nets[0]), nets[0].name, len(nih.infected)),
        "",
        "## Worst mistakes",
        "",
        *paragraph(
            f"`python -m models report --sheets DIR` writes the {COUNT} worst of each kind as contact sheets, score and slide "
            "or field below each cell, to a folder outside the repository: they are real cells. Looked at once, for "
            f"`{nets[0].name}`, by an untrained eye:"
        ),
        "",
        *tables.mistakes(shown(nih, iml, nets[0]), nih.slides[low], {one: int(one * healthy) for one in measure.RATES}),
        "",
        "## Read blind",
        "",
        *tables.read_blind(reading, iml, nets[0]),
        "",
        "## Slides known to be negative, one by one",
        "",
        *paragraph(
            f"The {len(figures[0].negatives)} NIH slides without a cell published as infected, at the threshold of the fold's "
            "card (chosen on such slides of the other folds)."
        ),
        "",
        *tables.known_negatives(figures),
    ]


def _introduction(nih: NihCells, iml: FieldCells, nets: Sequence[NetScores], shelf: Path) -> list[str]:
    second, changed = int((nih.second >= 0).sum()), int((nih.cleaned != nih.infected).sum())
    others, unmatched = _others(nets, shelf), int((~iml.infected & ~iml.annotated).sum())
    items = [
        (
            f"**NIH**: {len(nih.infected):,} cells, {int(nih.infected.sum()):,} of them published as infected, "
            f"{len(np.unique(nih.slides))} slides. *Raw* labels are the published ones; *cleaned*: the second opinion of "
            f"`cells.csv` where there is one ({second:,} cells), which changes {changed} labels. Accuracy is at a score of one "
            "half, sensitivities are at the threshold that these same cells give."
        ),
        (
            f"**IML end to end**: {len(iml.names)} fields through finder, crops and classifier: {iml.total} infected cells, "
            f"{iml.lost} of them lost by the finder and so missed at every threshold; {int((~iml.infected).sum()):,} "
            f"other finds, {unmatched:,} of which match no annotated cell and count as uninfected. A fold's thresholds are chosen "
            "on the other folds' cells."
        ),
        (
            "Intervals are 95 %: bootstrap over slides (NIH) or fields (IML; thresholds as they are), exact where it says so. "
            "Fields of one block show the same film, so those of IML are too narrow for a film never seen."
        ),
    ]
    if others:
        items.append(f"Not on this page: {', '.join(f'`{name}`' for name in others)} (see the card).")
    return [
        "# The shipped classifiers",
        "",
        *paragraph(
            "Written by `python -m models report`; only the notes on the contact sheets are typed in. Every cell is scored "
            "once, in int8 by the device's runtime, by a fold's net that never saw its slide (NIH) or block of consecutive "
            "fields (IML); of the shipped file, which saw them all, only size and cost are given. All images are from the "
            "sets that the nets were developed on. Research software: not for diagnosis."
        ),
        "",
        *(line for item in items for line in paragraph(item, bullet=True)),
    ]


def _curves(nih: NihCells, iml: FieldCells, figures: Sequence[NetFigures]) -> list[str]:
    errors = "; ".join(f"`{one.name}` {one.calibration[0]:.3f} and {one.calibration[1]:.3f}" for one in figures)
    return [
        "## Curves",
        "",
        f"![ROC curves on NIH and IML]({PLOTS}/roc.svg)",
        "",
        f"![Sensitivity against false positives per million, logarithmic]({PLOTS}/sensitivity.svg)",
        "",
        *paragraph(
            "The curves pool the folds' scores and take their thresholds from the same cells; points with whiskers are the "
            "table's, drawn side by side. They begin at one false positive: with "
            f"{int((~nih.infected).sum()):,} uninfected cells (NIH) and {int((~iml.infected).sum()):,} (IML) nothing is known "
            "of rarer ones. Dotted: what the finder keeps."
        ),
        "",
        f"![Share infected against score]({PLOTS}/calibration.svg)",
        "",
        *paragraph(
            "Whiskers are exact intervals, cells taken as independent. Expected calibration error (mean distance of score "
            f"and share infected) on NIH and IML: {errors}. {nih.infected.mean():.0%} of the NIH cells and "
            f"{iml.infected.mean():.1%} of the IML finds are infected."
        ),
        "",
        f"![AUC on NIH against multiply-accumulates]({PLOTS}/cost.svg)",
    ]
