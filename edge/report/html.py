"""HTML and SVG from Python, where all that is not made here is escaped: names of samples, fields, classes and models are not ours."""

from __future__ import annotations

import html
from collections.abc import Sequence


class Markup(str):
    """Text that is HTML already. Whatever is only ``str`` is escaped where it goes in."""

    __slots__ = ()


def text(value: object) -> Markup:
    """Anything as text: escaped, on one line, and encodable (control characters and broken Unicode become ``?``)."""
    if isinstance(value, Markup):
        return value
    return Markup(html.escape("".join(c if c.isprintable() else "?" for c in str(value))))


def el(tag: str, *children: object, **attributes: object) -> Markup:
    """An element. ``class_`` is class, ``stroke_width`` is stroke-width; an attribute that is None is left out.

    Floats are written with one decimal: they are pixels of a drawing.
    """
    words = "".join(
        f' {name.rstrip("_").replace("_", "-")}="{text(_number(value))}"'
        for name, value in attributes.items()
        if value is not None
    )
    return Markup(f"<{tag}{words}>{join(*children)}</{tag}>")


def void(tag: str, **attributes: object) -> Markup:
    """An element that has no end tag (img, meta)."""
    return Markup(el(tag, **attributes).removesuffix(f"</{tag}>"))


def join(*parts: object) -> Markup:
    """Parts one after the other."""
    return Markup("".join(map(text, parts)))


def table(head: tuple[str, ...], rows: Sequence[tuple[object, ...]], kind: str = "") -> Markup:
    """A table; numbers stand in the columns after the first, which are set to the right."""
    top = el("thead", el("tr", *(el("th", name, scope="col") for name in head)))
    lines = [el("tr", el("th", row[0], scope="row"), *(el("td", cell) for cell in row[1:])) for row in rows]
    return el("div", el("table", top, el("tbody", *lines), class_=kind or None), class_="wide")


def facts(pairs: Sequence[tuple[str, object]]) -> Markup:
    """Names and what they stand for."""
    return el("dl", *(el("div", el("dt", name), el("dd", value)) for name, value in pairs))


def _number(value: object) -> object:
    return f"{value:.1f}" if isinstance(value, float) else value
