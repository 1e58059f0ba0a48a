"""``docs/search.md``: the table of the candidates, and what a reader must know of it."""

from __future__ import annotations

from edge import shelf
from edge.classifier import BATCH
from models.judge.figures import Measurement
from models.report.markdown import paragraph, table
from models.studies.search.candidates import REFERENCE
from models.studies.search.cost import BATCHES, PROCESSES, ROUNDS, NetInstructions, TimingRun
from models.studies.search.judge import ACCURACY, AT_01, AT_1, AUC, RATE
from models.studies.search.make import FOLD, training_code
from models.studies.search.results import SearchResult, SearchRow
from models.studies.search.sentences import shelf_sentences, work_sentence

_BARELY = 0.05  # accuracy above that of one answer for all cells, below which a net has not learned


def render(found: SearchResult, plot: str) -> str:
    """The whole page; ``plot`` is the picture's file name."""
    ordered = sorted(found.rows, key=lambda row: row.time.us)
    parts = [
        "# The search for the cheapest net",
        "",
        *_introduction(found),
        "",
        *table(_head(found), [_cells(row) for row in ordered]),
        "",
        *_notes(found),
        "",
        f"![AUC on unseen slides against microseconds per cell, a number per net]({plot})",
        "",
        *paragraph(
            "Squares are the shelf's nets; the dotted line joins the nets that no other net beats in both. "
            "The table has the intervals."
        ),
        "",
        "## How much of it is chance",
        "",
        *_chance(found),
        "",
        *_unlearned(found),
        "",
        "## What the table says of the nets on the shelf",
        "",
        *(line for text in shelf_sentences(found) for line in paragraph(text, bullet=True)),
        "",
        "## Nets of about the same work",
        "",
        *paragraph(work_sentence(found)),
    ]
    return "\n".join(parts) + "\n"


def _head(found: SearchResult) -> list[str]:
    return [
        "net",
        "what it is",
        "MACs per cell",
        "file, bytes",
        "µs per cell here (batch)",
        f"times {REFERENCE}'s (rounds)",
        "instructions per cell, Cortex-A76",
        "NIH: AUC",
        f"AUC minus {REFERENCE}'s, paired",
        f"AUC without slide {found.hardest.slide}",
        "NIH: accuracy",
        "NIH: sensitivity at 1 % false positives",
        "NIH: at 0.1 %",
        f"IML end to end: found at {100 * RATE:g} %",
    ]


def _cells(row: SearchRow) -> list[str]:
    at, nih = row.time, row.figures.nih
    return [
        f"`{row.name}`",
        row.candidate.words,
        f"{row.figures.macs:,}",
        f"{row.size:,}",
        f"{at.us:.2f} ({at.batch})" + ("" if at.delegated else ", not all in the delegate"),
        "1" if row.gain is None else f"{at.ratio:.2f} ({at.low:.2f} to {at.high:.2f})",
        "-" if row.instructions is None else f"{row.instructions:,}",
        nih[AUC].text(percent=False),
        "0" if row.gain is None else signed(row.gain),
        f"{row.easier:.4f}",
        nih[ACCURACY].text(),
        nih[AT_1].text(),
        nih[AT_01].text(),
        row.figures.found.text(),
    ]


def signed(value: Measurement) -> str:
    """A difference with its interval."""
    interval = "" if value.low is None or value.high is None else f" ({value.low:+.4f} to {value.high:+.4f})"
    return f"{value.value:+.4f}{interval}"


def _introduction(found: SearchResult) -> list[str]:
    settings, judged = found.plan.settings, found.reference.figures
    lacking = f" Not in the table yet: {', '.join(found.lacking)}." if found.lacking else ""
    return [
        *paragraph(
            "Written by `python -m models search`. Every net learned from the same crops of 32x32 in the same way: the same "
            f"cells and augmentation, {settings.steps:,} steps of {settings.batch} cells, loss, optimiser and seed; large nets "
            "had no more steps than small ones. Each gives a logit, whatever its author's net gave, was converted to int8 and judged "
            f"as the device runs it, on cells that it never saw: {judged.nih[AUC].n:,} NIH cells of {judged.slides} slides and "
            f"the fields of {len(found.plan.blocks)} IML blocks (fold {FOLD}), through a finder that never saw these blocks."
            f"{lacking}"
        ),
        "",
        *paragraph(
            f"Inputs are (byte - 128) / 64 and the learning rate is {settings.rate:g} at its highest, both as chosen for the "
            f"shelf's nets, which may favour them.{_own_rates(found)}"
        ),
        "",
        *paragraph(
            f"The shelf's own files learned for {_shelf_steps()}, and their figures are of all folds: they stand in "
            "[figures.md](figures.md). Figures of this table may be compared with each other only."
        ),
    ]


def _shelf_steps() -> str:
    card = shelf.load(REFERENCE).card
    steps = card.training.get("settings", {}).get("steps") if card is not None else None
    return f"{steps:,} steps" if isinstance(steps, int) else "longer"


def _own_rates(found: SearchResult) -> str:
    own = [row.candidate for row in found.rows if row.candidate.rate is not None]
    if not own:
        return ""
    told = ", ".join(f"`{one.name}` ({one.rate:g})" for one in own)
    return f" With their author's own rate: {told}; with the shelf's rate this graph learned nothing."


def _unlearned(found: SearchResult) -> list[str]:
    """Nets that are no better at one half than saying the same of every cell."""
    nih = found.reference.figures.nih
    larger = nih[AT_1].n / nih[ACCURACY].n
    larger = max(larger, 1 - larger)
    poor = [f"`{row.name}`" for row in found.rows if row.figures.nih[ACCURACY].value < larger + _BARELY]
    if not poor:
        return []
    return paragraph(
        f"Not learned within these steps: {', '.join(poor)} at one half is hardly better than saying the same of every cell "
        f"({100 * larger:.1f} %). Such a row shows what the net costs, not what it could reach."
    )


def _notes(found: SearchResult) -> list[str]:
    judged = found.reference.figures
    nih = judged.nih[AUC]
    positives = judged.nih[AT_1].n
    slides = (
        f"NIH: published labels, n = {nih.n:,} cells, {positives:,} of them infected (on which sensitivities rest); 95 % "
        f"intervals over {judged.slides} slides."
    )
    fields = (
        f"IML: n = {judged.found.n} infected cells; the finder lost {judged.lost} of them, which count as missed. The "
        f"threshold lets {100 * RATE:g} % of these same {judged.healthy:,} uninfected finds through, so the figure is optimistic. "
        "Exact 95 % intervals."
    )
    texts = (
        slides,
        fields,
        _about_times(found.run),
        _about_counts(found.counts),
        "Multiply-accumulates are read off the int8 file: convolutions, depthwise ones and dense layers.",
        _about_code(found),
    )
    return [line for text in texts for line in paragraph(text, bullet=True)]


def _about_code(found: SearchResult) -> str:
    codes = sorted({row.code for row in found.rows})
    if len(codes) == 1:
        since = "" if codes[0] == training_code() else ", which has changed since: a new run may come out otherwise"
        return f"All rows were trained by the same code (digest `{codes[0]}`){since}."
    told = "; ".join(f"`{code}`: {', '.join(row.name for row in found.rows if row.code == code)}" for code in codes)
    return f"**Not all rows were trained by the same code**, which may show in the figures. By digest: {told}."


def _about_times(run: TimingRun) -> str:
    return (
        f"µs: the bare interpreter on {run.cpu}, one thread, the median at the best of batches "
        f"{', '.join(map(str, BATCHES))}. All nets were measured in turn in one run ({PROCESSES} processes of "
        f"{ROUNDS} rounds each); ratios are medians over rounds, with the smallest and the largest."
    ) + "".join(f" Note: {note}." for note in run.notes)


def _about_counts(counts: NetInstructions) -> str:
    if counts.missing:
        return f"Instructions were not counted: {counts.missing}."
    versions = ", ".join(f"{name} {version}" for name, version in counts.versions.items())
    return (
        f"Instructions: {counts.core}, emulated, counted over {counts.cells:,} cells in batches of {BATCH}; {versions}. "
        "They are not times: see [arm.md](arm.md)."
    )


def _chance(found: SearchResult) -> list[str]:
    spread, hard = found.spread, found.hardest
    seeds = "What the seed alone changes was not measured."
    if spread is not None:
        others = ", ".join(f"{one.nih[AUC].value:.4f}" for one in found.seeds)
        seeds = (
            f"`{REFERENCE}` trained again with {len(found.seeds)} other seeds: AUC {others}, against "
            f"{found.reference.auc:.4f} in the table, a spread of {spread:.4f}. Smaller differences between two rows are chance "
            "as far as this table can tell, and so few seeds say little of larger ones."
        )
    return [
        *paragraph(
            f"Every row is a single training, on one fold. {seeds} Intervals of single nets are wide since slides differ; all "
            "nets had the same slides, so the paired column is narrower, but it does not contain the seeds."
        ),
        "",
        *paragraph(
            f"One slide of this fold, {hard.slide} with {hard.cells} cells, weighs much: the nets are right about "
            f"{100 * hard.right:.0f} % of its cells (mean of all), and the table also has each AUC without it."
        ),
    ]
