"""Text for a terminal or a pipe: plain lines, wrapped between words on a terminal and left as they are in a pipe."""

from __future__ import annotations

import json
import os
import re
import sys
import textwrap
from collections.abc import Iterable
from typing import TextIO

from edge.streams import stdout_errors

_LABEL = re.compile(r"^ *\S+(?: \S+){0,2} {2,}|^ +")
"""A label (up to three words before two spaces), or the indent of a line without one."""

_NARROWEST = 40
"""Columns. A narrower terminal is treated as this wide: words would no longer fit."""


def plain(text: str) -> str:
    """Return the text as one line without control characters, so that it cannot move the cursor."""
    return "".join(c if c.isprintable() else " " for c in text)


def print_lines(lines: Iterable[str]) -> None:
    """Write a report to stdout.

    On a terminal, or where COLUMNS is set, long lines are wrapped. The wrapped part is indented to where the text began,
    so that labels (the words before two spaces) keep a column of their own.

    Raises:
        OutputError: stdout cannot be written.
    """
    width = columns(sys.stdout)
    print_text("".join(f"{part}\n" for line in lines for part in folded(plain(line), width)))


def print_text(text: str) -> None:
    """Write text to stdout as it is; raises OutputError when stdout cannot be written."""
    with stdout_errors():
        sys.stdout.write(text)
        sys.stdout.flush()


def columns(stream: TextIO) -> int | None:
    """Return the width to wrap at; None for a stream that is no terminal while COLUMNS is not set."""
    if os.environ.get("COLUMNS", "").isdecimal():
        return max(int(os.environ["COLUMNS"]), _NARROWEST)
    try:
        return max(os.get_terminal_size(stream.fileno()).columns, _NARROWEST) if stream.isatty() else None
    except (OSError, ValueError):
        return None


def print_json(value: object) -> None:
    """Write one JSON object to stdout; raises OutputError when stdout cannot be written."""
    print_text(json.dumps(value, indent=1, ensure_ascii=False, allow_nan=False) + "\n")


def folded(line: str, width: int | None) -> list[str]:
    """Wrap a line to ``width`` columns; None leaves it as it is. A word longer than that (a path) is not broken."""
    if width is None or len(line) <= width:
        return [line]
    label = _LABEL.match(line)
    start = min(len(label[0]) if label else 0, width // 2)
    head, text = line[:start], line[start:]
    indent = start if head.strip() else start + 2
    return textwrap.wrap(
        text,
        width,
        initial_indent=head,
        subsequent_indent=" " * indent,
        break_long_words=False,
        break_on_hyphens=False,
    )
