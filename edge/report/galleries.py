"""The pictures of a page: cells to look at, and fields."""

from __future__ import annotations

import base64

from edge.report.gather import HIGHEST, LOWEST
from edge.report.html import Markup, el, join, void
from edge.report.pictures import SIDE
from edge.report.records import Gallery, Report, Shown, View
from edge.report.words import named


def galleries(report: Report) -> Markup:
    """Suspects per class, then some of what the classifier passed by."""
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
        parts.append(el("h3", _title(gallery, unit, suspicious)))
        names = gallery.label is None
        kind = f"gallery {unit}"
        parts.append(el("div", *(_card(cell, names) for cell in gallery.cells), class_=kind))
    return join(*parts)


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
    what = f"{unit}s not counted as positive" if suspicious else f"{unit}s"
    return f"All {of:,} {what}" if n == of else f"A random {n} of {of:,} {what}, highest score first"


def _card(cell: Shown, label: bool) -> Markup:
    where = f"{cell.label}, score {cell.score:.4f}, {cell.cell} in {cell.name}"
    lines = [el("b", f"{cell.score:.4f}"), el("span", cell.cell), el("span", cell.name)]
    if label:
        lines.insert(1, el("span", cell.label))
    side = str(SIDE)
    picture = void("img", src=_uri(cell.jpeg), width=side, height=side, alt=where)
    return el("figure", el("span", picture, class_="picture"), el("figcaption", *lines), title=where)


def views(report: Report) -> Markup:
    """The fields that were kept in mind."""
    if not report.gathered.views:
        return join()
    return join(
        el("h2", "Some of the fields"),
        el("p", "Scaled down. What is set aside (not-...) is not counted.", class_="soft"),
        el("ul", *(_swatch(*pair) for pair in report.gathered.colours.items()), class_="key"),
        el("div", *(_view(view, bool(report.about.card.positive)) for view in report.gathered.views), class_="views"),
    )


def _swatch(name: str, colour: tuple[int, int, int]) -> Markup:
    square = el("rect", width="12", height="12", fill=f"rgb{colour}")
    return el("li", el("svg", square, width="12", height="12", aria_hidden="true"), name)


def _view(view: View, suspicious: bool) -> Markup:
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
