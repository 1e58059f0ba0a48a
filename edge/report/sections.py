"""The parts of a page, from the verdict down to the settings; each takes the report and gives HTML."""

from __future__ import annotations

from collections.abc import Iterable

from edge import words
from edge.outputs.console import took, why_of
from edge.report import plots
from edge.report.html import Markup, el, facts, join, table, text
from edge.report.records import Report
from edge.report.words import flat, means, named, plural
from edge.verdict.flag import percent_range, percent_value
from edge.verdict.units import said

_NAMED = 20  # unreadable inputs listed by name


def head(report: Report) -> Markup:
    """Whose sample, when, and the verdict."""
    tally, verdict, about = report.event.tally, report.event.verdict, report.about
    when = report.made.replace("T", " ").replace("Z", " UTC")
    scope = f", microscope {about.bound.scope}" if about.bound.scope else ""
    positives = sum(tally.counts[label] for label in about.card.positive)
    numbers = [
        (f"{tally.cells:,}", f"{about.unit}s counted"),
        (f"{positives:,}", named(about.card.positive)) if about.card.positive else None,
        (f"{tally.kept:,}", "fields used"),
        (f"{sum(tally.rejected.values()) + len(tally.unreadable):,}", "fields left out"),
    ]
    return join(
        el("h1", f"Sample {tally.sample}"),
        el("p", f"Counted {when}{scope}, model {about.model.name}", class_="soft"),
        el(
            "section",
            el("p", verdict.flag, class_="flag"),
            el("p", means(verdict, about.card.positive, about.unit), class_="means"),
            el("ul", *(el("li", reason) for reason in verdict.reasons)),
            class_=f"verdict {verdict.flag}",
        ),
        el("ul", *(el("li", el("b", pair[0]), pair[1]) for pair in numbers if pair), class_="numbers"),
    )


def interval(report: Report) -> Markup:
    """The drawing of shares and limits."""
    tally, verdict, card = report.event.tally, report.event.verdict, report.about.card
    if tally.cells == 0:
        return join()
    watched = card.positive or card.labels
    drawn = watched[: plots.MOST_LANES]
    lines = [
        f"Share of the {report.about.unit}s counted, with 95 % intervals; the scale grows tenfold from mark to mark."
    ]
    if verdict.findings:
        lines.append(
            "Counted: as the model has it, mistakes included. Estimated: what that means once they are allowed for."
        )
    else:
        lines.append(
            "Counted as the model has it, mistakes included; without a calibration there is no limit to hold it against."
        )
    if len(drawn) < len(watched):
        lines.append(f"Drawn: the first {len(drawn)} of {len(watched)} classes; all of them stand under Counts.")
    if verdict.target is not None:
        lines.append(f"Dashed: the target, {said(verdict.target, verdict.rbc_per_ul)}.")
    if verdict.rbc_per_ul is not None:
        lines.append(f"Per µL: at {verdict.rbc_per_ul:,.0f} red cells/µL, which is assumed.")
    return join(el("h2", "Share and limits"), plots.shares(verdict, drawn), el("p", " ".join(lines), class_="soft"))


def counts(report: Report) -> Markup:
    """Per class, then what was set aside."""
    tally, verdict, about = report.event.tally, report.event.verdict, report.about
    rows = []
    for label, count in tally.counts.items():
        share = verdict.share[label]
        mark = el("b", label) if label in about.card.positive else label
        rows.append((mark, f"{count:,}", percent_value(share), percent_range(share)))
    aside = [(thing, f"{n:,}") for thing, n in words.things(tally.set_aside, about.unit)]
    other = (
        table(("set aside, not counted", "number"), list(aside))
        if aside
        else el("p", "Nothing was set aside.", class_="soft")
    )
    bold = el("p", "In bold: classes that make a sample suspicious.", class_="soft") if about.card.positive else ""
    return join(
        el("h2", "Counts"),
        el(
            "div",
            el("div", table(("class", "count", "share", "95 % interval"), rows), bold),
            other,
            class_="columns broad",
        ),
    )


def fields(report: Report) -> Markup:
    """Which fields count, and a square for each."""
    tally, gathered = report.event.tally, report.gathered
    out = sum(tally.rejected.values()) + len(tally.unreadable)
    used = f"{plural(tally.kept, 'field')} used, {out:,} left out"
    if out:
        used += f" ({words.reasons(tally.rejected, len(tally.unreadable))})"
    gate = "" if report.about.bound.gate else " The gate was off: every field that could be read counts."
    several = any(stretch.first != stretch.last for stretch in gathered.stretches)
    each = "some fields that followed each other" if several else "a field"
    parts = [el("h2", "Fields"), el("p", f"{used}.{gate}"), *(el("p", note) for note in report.event.notes)]
    if gathered.stretches:
        parts += [
            plots.field_map(gathered.stretches, bool(report.about.card.positive)),
            el("p", f"Each square is {each}, in the order they came. Crossed: rejected; struck: unreadable; "
               "a number: positives counted there, the more of them the stronger the colour.", class_="soft"),
        ]  # fmt: skip
    if tally.unreadable:
        rows: list[tuple[object, ...]] = [(name, why_of(name, why)) for name, why in tally.unreadable[:_NAMED]]
        if len(tally.unreadable) > _NAMED:
            rows.append((f"and {len(tally.unreadable) - _NAMED:,} more", "--csv names them all"))
        parts.append(table(("unreadable", "why"), rows, "words"))
    return join(*parts)


def quality(report: Report) -> Markup:
    """Measures over time and where the time went."""
    gathered, event, unit = report.gathered, report.event, report.about.unit
    if not gathered.stages:
        return join()
    drawings = [
        plots.over_time(gathered.stretches, "focus (higher is sharper)", lambda s: s.focus, lambda s: s.focus_rejected),
        plots.over_time(
            gathered.stretches, "brightness (0 to 255)", lambda s: s.brightness, lambda s: s.brightness_rejected, 255
        ),
        plots.over_time(
            gathered.stretches, f"{unit}s per field", lambda s: s.cells / s.kept if s.kept else None, lambda _: None
        ),
    ]
    rows: list[tuple[object, ...]] = [
        (plots.stage_name(i, s.name), f"{s.mean:.1f} ms", f"{s.slowest:.1f} ms") for i, s in enumerate(gathered.stages)
    ]
    rows.append(("together", f"{sum(s.mean for s in gathered.stages):.1f} ms", ""))
    return join(
        el("h2", "Quality over time"),
        el("div", *drawings, class_="columns"),
        el(
            "p",
            "Dots: fields that count. Crosses: rejected ones; what is off the scale stands at its end.",
            class_="soft",
        ),
        el("h2", "Time"),
        plots.stages(gathered.stages),
        table(("stage", "per field", "slowest"), rows),
        el("p", f"The sample took {took(event)}; several workers share the fields.", class_="soft"),
    )


def model(report: Report) -> Markup:
    """The essentials of the card."""
    about, card = report.about, report.about.card
    crop = card.crop
    pairs: list[tuple[str, object]] = [
        ("model", card.name),
        ("SHA-256", el("code", about.model.sha256)),
        ("classes", ", ".join(card.labels)),
        ("suspicious", ", ".join(card.positive) or "none"),
        ("threshold", f"{card.threshold:.4g} ({card.threshold_origin})"),
        (
            "crops",
            f"{crop.size} x {crop.size}, {crop.margin:g} of the box, {crop.shape}, mask {crop.mask}, colour {crop.normalise}",
        ),
        ("finder", f"{about.model.finder} {about.bound.finder_id}"),
        ("licence", card.licence),
    ]
    parts = [el("h2", "Model"), facts(pairs)]
    for title, raw in (
        ("Accuracy, as the card has it", card.accuracy),
        ("Training, as the card has it", card.training),
    ):
        if raw:
            parts += [el("h3", title), facts([*flat(raw)])]
    return join(*parts)


def calibration(report: Report) -> Markup:
    """What the verdict rests on."""
    known, unit = report.about.calibration, report.about.unit
    title = el("h2", "Calibration")
    if known is None:
        return join(title, el("p", "None. Limits and a flag come with edge calibrate, from slides that are known."))
    rates = [
        f"{label}: {n:,} ({n / known.cells * 1e6:,.0f} per million {unit}s)"
        for label in known.positive
        if known.cells
        for n in [sum(blank.positives[label] for blank in known.blanks)]
    ]
    error = known.count_error
    pairs: list[tuple[str, object]] = [
        ("microscope", known.bound.scope or "not named"),
        ("blank slides", f"{len(known.blanks):,}, {plural(known.cells, unit)}"),
        ("false positives", "; ".join(rates)),
        ("sensitivity from", known.known_origin),
        (
            "finder's count",
            "error not known"
            if error is None
            else f"{error.bias:+.1%}, slides differ by {error.spread:.1%} ({error.source})",
        ),
        ("threshold", f"{known.threshold:.4g} ({known.threshold_origin})"),
        *flat(known.made),
    ]
    return join(title, facts(pairs))


def settings(report: Report) -> Markup:
    """The options of the run, in words and as a file that repeats it."""
    about = report.about
    pairs: Iterable[tuple[str, object]] = about.settings
    parts = [el("h2", "Settings"), facts([*pairs, ("edge-microscopy", about.version)])]
    if about.config:
        lines = [join(text(line), Markup("\n")) for line in about.config.splitlines()]
        shown = el("div", el("pre", el("code", *lines)), class_="wide")
        parts.append(el("details", el("summary", "Settings of this run"), shown))
    return join(*parts)
