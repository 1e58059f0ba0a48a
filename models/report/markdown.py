"""Markdown as the pages in docs use it: tables and wrapped paragraphs."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Sequence

_WIDTH = 124
"""Characters in a line of text."""


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    """A Markdown table, a line per row."""
    return ["| " + " | ".join(head) + " |", "|" + "---|" * len(head), *("| " + " | ".join(row) + " |" for row in rows)]


def paragraph(text: str, *, bullet: bool = False) -> list[str]:
    """Text as lines of at most ``_WIDTH`` characters; with ``bullet`` as an item of a list."""
    start, rest = ("- ", "  ") if bullet else ("", "")
    return textwrap.wrap(
        text, _WIDTH, initial_indent=start, subsequent_indent=rest, break_long_words=False, break_on_hyphens=False
    )
