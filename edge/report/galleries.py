"""The pictures of a page: cells to look at, and fields."""

from __future__ import annotations

import base64

from edge import near, words
from edge.outputs.annotate import NEAR
from edge.report.gather import BELOW, HIGHEST, LOWEST
from edge.report.html import Markup, el, join, void
from edge.report.pictures import SIDE
from edge.report.records import FieldView, Gallery, GalleryCell, Report
from edge.report.words import named, plural

_MISSED = "What was missed is most likely among them."


def galleries(report: Report) -> Markup:
    """Suspicious cells per class, then some that the classifier did not call suspicious."""
    shown = report.gathered.galleries
    unit, threshold = report.about.unit, report.about.card.threshold
    suspicious = bool(report.about.card.positive)
    parts = [el("h2", f"{unit.capitalize()}s to look at")]
    if not shown:
        return join(*parts, el("p", f"No {unit} was counted."))
    if suspicious:
        parts.append(
            el("p", f"Scores run from 0 to 1; from {threshold:.4g} on a {unit} counts as positive. "
               f"Below each: its score, its id (field and number), its field.", class_="soft")
        )  # fmt: skip
        if not any(gallery.label for gallery in shown):
            parts.append(el("p", f"No {unit} was counted as {named(report.about.card.positive)}."))
    for gallery in shown:
        below = gallery.key == BELOW
        parts.append(el("h3", _title(gallery, unit, suspicious)))
        if below:
            parts.append(el("p", _near_words(report), class_="soft"))
        names = gallery.label is None
        kind = f"gallery {unit}"
        least = near.lowest(threshold) if below else None
        parts.append(el("div", *(_card(cell, names, least) for cell in gallery.cells), class_=kind))
    return join(*parts)


def _near_words(report: Report) -> str:
    n, unit = report.gathered.near, report.about.unit
    least = f"from half of it, {near.lowest(report.about.card.threshold):.4g}, on"
    if not n:
        return f"No {unit} scored {near.WORDS} ({least})."
    return f"{plural(n, unit)} scored {near.WORDS} ({least}): with a dashed frame, here and in the fields. {_MISSED}"


def _title(gallery: Gallery, unit: str, suspicious: bool) -> str:
    n, of = len(gallery.cells), gallery.of
    if gallery.key == HIGHEST:
        return (
            f"{gallery.label}: all {of:,}, by score"
            if n == of
            else f"{gallery.label}: the {n} highest scores of {of:,}"
        )
    if gallery.key == LOWEST:
        return f"{gallery.label}: the {n} lowest scores of {of:,}, where mistakes are likeliest"
    if gallery.key == BELOW:
        return f"Not counted as positive: {'all' if n == of else f'the {n} highest scores of'} {plural(of, unit)}"
    what = f"other {unit}s" if suspicious else f"{unit}s"
    return f"All {of:,} {what}" if n == of else f"A random {n} of {of:,} {what}, highest score first"


def _card(cell: GalleryCell, label: bool, least: float | None) -> Markup:
    """``least``: the score from which it is a near miss; None: it is none."""
    missed = least is not None and cell.score >= least > 0
    where = f"{cell.label}, score {cell.score:.4f}, {cell.cell} in {cell.name}"
    lines = [el("b", f"{cell.score:.4f}"), el("span", cell.cell), el("span", cell.name)]
    if label:
        lines.insert(1, el("span", cell.label))
    side = str(SIDE)
    picture = void("img", src=_uri(cell.jpeg), width=side, height=side, alt=where)
    frame = "picture near" if missed else "picture"
    return el("figure", el("span", picture, class_=frame), el("figcaption", *lines), title=where)


def views(report: Report) -> Markup:
    """The whole fields that the page shows."""
    if not report.gathered.views:
        return join()
    return join(
        el("h2", "Some of the fields"),
        el("p", "Scaled down. What is set aside is not counted.", class_="soft"),
        el("ul", *_key(report), class_="key"),
        el("div", *(_view(view, bool(report.about.card.positive)) for view in report.gathered.views), class_="views"),
    )


def _key(report: Report) -> list[Markup]:
    card, unit = report.about.card, report.about.unit
    entries = [
        _swatch(
            name if name in card.labels else f"{words.thing(name, 2, unit)}, {words.SET_ASIDE}", fill=f"rgb{colour}"
        )
        for name, colour in report.gathered.colours.items()
    ]
    if entries and report.gathered.near:
        dashes = {"fill": "none", "stroke": f"rgb{NEAR}", "stroke_width": "3", "stroke_dasharray": "4 2"}
        entries.append(_swatch(f"{near.WORDS}, not counted as positive", **dashes))
    return entries


def _swatch(name: str, **colours: str) -> Markup:
    square = el("rect", width="12", height="12", **colours)
    return el("li", el("svg", square, width="12", height="12", aria_hidden="true"), name)


def _view(view: FieldView, suspicious: bool) -> Markup:
    if view.reason is not None:
        words = f"rejected: {view.reason}"
    elif suspicious:
        words = f"{view.positives:,} positive"
    else:
        words = "counted"
    caption = f"Field {view.field}, {view.name}: {words}"
    picture = void("img", src=_uri(view.jpeg), width=str(view.width), height=str(view.height), alt=caption)
    return el("figure", picture, el("figcaption", caption))


def _uri(jpeg: bytes) -> Markup:
    return Markup("data:image/jpeg;base64," + base64.b64encode(jpeg).decode())
