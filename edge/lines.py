"""Reports of labelled lines: broken between words on a terminal, each line as it is in a pipe."""

from __future__ import annotations

import json
import os
import re
import sys
import textwrap
from collections.abc import Iterable
from typing import TextIO

from edge.door import plain

_LABEL = re.compile(r"^ *\S+(?: \S+){0,2} {2,}|^ +")
_LEAST = 40


def print_lines(lines: Iterable[str]) -> None:
    """Write a report to stdout; raises OutputError where that cannot be.

    On a terminal, or where COLUMNS says so, a long line goes on below its text: labels (what stands before two spaces) stay
    in a column of their own.
    """
    from edge.streams import stdout_errors  # noqa: PLC0415 - brings NumPy, which --help can do without

    width = columns(sys.stdout)
    with stdout_errors():
        for line in lines:
            sys.stdout.writelines(f"{part}\n" for part in folded(plain(line), width))
        sys.stdout.flush()


def columns(stream: TextIO) -> int | None:
    """How wide what is written there may be; None where it is no terminal and COLUMNS says nothing."""
    if os.environ.get("COLUMNS", "").isdecimal():
        return max(int(os.environ["COLUMNS"]), _LEAST)
    try:
        return max(os.get_terminal_size(stream.fileno()).columns, _LEAST) if stream.isatty() else None
    except (OSError, ValueError):
        return None


def print_json(value: object) -> None:
    """Write one JSON object to stdout; raises OutputError where that cannot be."""
    from edge.streams import stdout_errors  # noqa: PLC0415 - as above

    with stdout_errors():
        sys.stdout.write(json.dumps(value, indent=1, ensure_ascii=False, allow_nan=False) + "\n")
        sys.stdout.flush()


def folded(line: str, width: int | None) -> list[str]:
    """A line of at most ``width`` letters each; only a word longer than that (a path) stays longer."""
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
