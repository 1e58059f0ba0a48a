"""Messages for a wrong command line: one plain line with what was typed, what is allowed, and where to read on.

The parser's own messages (``Invalid value for``, ``Value error``, ``Input should be``) differ between versions of typer and use
words that users do not know. So what an option takes is read from the option itself. The module also draws the panels of ``--help``.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NoReturn

import typer
from typer.core import TyperCommand, TyperGroup

from edge.door import say

EXIT_USAGE = 2  # what every shell expects of a wrong command line
USAGE_ERROR: type[Exception] = typer.BadParameter.__mro__[1]
"""Base class of the parser's errors: typer's own, or click's in earlier versions of typer."""

_PARSERS_WORDS = re.compile(
    r"^Input should|^Value error|unable to parse|is not a valid|is not in the range|is not one of|Value must be"
)
"""Messages in the parser's own words, which are replaced by ours."""

_TYPED = re.compile(r"^'(.*?)' is not|^(\S+) is not in the range")
"""Where such a message holds what the user typed."""

_SAID_OTHERWISE = (
    (re.compile(r"^Option '(.*)' requires an argument\.?$"), r"\1: a value must follow it"),
    (re.compile(r"^Option '(.*)' does not take a value\.?$"), r"\1: takes no value"),
    (re.compile(r"^Got unexpected extra argument(?:\(s\)|s)? \((.*)\)$"), r"\1: more than this command takes"),
)
"""Other messages of the parser, and what is said instead."""

_KINDS: dict[object, str] = {
    int: "a whole number",
    float: "a number",
    bool: "true or false",
    str: "text in quotes",
    Path: "a path in quotes",
}
"""Names of types in messages. The last three occur in configuration files only."""

_LIMITS = re.compile(r"x>=(?P<least>[0-9.e+]+)|(?P<low>[0-9.e+]+)<=x<=(?P<high>[0-9.e+]+)")
"""How the parser shows the limits of a number in ``--help``."""

_NAME_COLUMNS = 30
"""Columns for an option's name in ``--help``; the text of a longer one begins on the next line (click's own limit)."""

_END_OF_THOUGHT = re.compile(r"[.:;](?:\s|$)|,? \(")
"""Where the first part of a help text ends; a message on a missing option quotes it."""


def explained(error: Exception, program: str) -> str:
    """Turn a parser's error into one line: what is wrong, what is allowed, and where to read on."""
    return f"{_complaint(error)} (see {_command(error, program)} --help)"


def leave(error: Exception, program: str) -> NoReturn:
    """Report a wrong command line and end with exit code 2. A program called without a command shows its help."""
    if type(error).__name__ == "NoArgsIsHelpError":
        error.show()  # type: ignore[attr-defined]
    else:
        say(explained(error, program), _command(error, program))
    sys.exit(EXIT_USAGE)


def _command(error: Exception, program: str) -> str:
    context = getattr(error, "ctx", None)
    return program if context is None else str(context.command_path)


def _complaint(error: Any) -> str:
    kind, message = type(error).__name__, str(error.message)
    if kind == "NoSuchOption":
        near = sorted(error.possibilities or ())
        return f"{error.option_name}: no such option" + (f", do you mean {either(near)}?" if near else "")
    if message.startswith("No such command"):
        known = ", ".join(error.ctx.command.list_commands(error.ctx))
        return f"{message.split(chr(39))[1]}: no such command; there are {known}"
    param = getattr(error, "param", None)
    if param is not None:
        return _missing(param) if kind == "MissingParameter" else _wrong(param, error, message)
    for theirs, ours in _SAID_OTHERWISE:
        if theirs.match(message):
            return theirs.sub(ours, message)
    return message.rstrip(".")


def _missing(param: Any) -> str:
    takes = f" {param.metavar}" if param.metavar and param.param_type_name == "option" else ""
    what = _END_OF_THOUGHT.split(getattr(param, "help", None) or "")[0]
    if not what[1:2].isupper():
        what = what[:1].lower() + what[1:]
    return f"{_name(param)}{takes} is missing" + (f": {what}" if what else "")


def _wrong(param: Any, error: Exception, message: str) -> str:
    if not _PARSERS_WORDS.search(message):
        return f"{_name(param)} {message}"
    typed = _typed(error, message)
    return f"{_name(param)}{'' if typed is None else f' {typed}'}: give {_expected(param)}"


def _name(param: Any) -> str:
    """Return ``--max-cells``, or the argument's name as the usage line shows it."""
    if param.param_type_name == "option":
        return max((str(name) for name in param.opts), key=len)
    return str(param.metavar or param.name).strip("[].").upper()


def _typed(error: Exception, message: str) -> str | None:
    """Return what the user typed; None if the parser does not tell."""
    told = getattr(error.__cause__, "errors", None)
    if told is not None:
        return str(told()[0]["input"])
    found = _TYPED.search(message)
    return None if found is None else found[1] or found[2]


def _expected(param: Any) -> str:
    """Say what an option takes: from typer's description of it, else from click's type."""
    described = getattr(param, "type_descriptor", None)
    if described is not None:
        info = described.parameter_info
        return expected(described.annotation, [_word(choice) for choice in described.choices or ()], info.min, info.max)
    kind = {"integer": int, "float": float}.get(param.type.name.split()[0], str)
    choices, low, high = (getattr(param.type, name, None) for name in ("choices", "min", "max"))
    return expected(kind, [_word(choice) for choice in choices or ()], low, high)


def _word(choice: object) -> str:
    return str(getattr(choice, "value", choice))


def expected(kind: object, choices: Sequence[str], low: float | None, high: float | None) -> str:
    """Say which values are allowed: ``cells or grid``, ``a whole number from 1 to 64``."""
    if choices:
        return either(choices)
    what = _KINDS.get(kind, "another value")
    limits = limits_in_words(low, high)
    return f"{what} from {limits}" if low is not None and high is not None else f"{what}, {limits}" if limits else what


def limits_in_words(low: float | None, high: float | None) -> str:
    """Write the limits of a number: ``1 to 64``, ``1 or more``, ``64 at most``; an empty text without limits."""
    if low is not None and high is not None:
        return f"{_plain(low)} to {_plain(high)}"
    return f"{_plain(low)} or more" if low is not None else f"{_plain(high)} at most" if high is not None else ""


def either(words: Sequence[str]) -> str:
    """Join words to a choice: ``a, b or c``."""
    return " or ".join(filter(None, (", ".join(words[:-1]), words[-1])))


def _plain(number: float) -> str:
    return f"{int(number) if number == int(number) else number:,}"


class _Plain:
    """Reports the parser's errors in one line."""

    def main(self, *args: Any, standalone_mode: bool = True, **extra: Any) -> Any:
        """Run the command line like typer, except that errors are reported in one line."""
        if not standalone_mode:
            return super().main(*args, standalone_mode=False, **extra)  # type: ignore[misc]
        try:
            code = super().main(*args, standalone_mode=False, **extra)  # type: ignore[misc]
        except USAGE_ERROR as error:
            leave(error, str(extra.get("prog_name") or ""))
        sys.exit(code if isinstance(code, int) else 0)


class PlainCommand(_Plain, TyperCommand):
    """A command that reports a wrong command line in one line, and whose ``--help`` groups the options in panels."""

    def format_options(self, ctx: Any, formatter: Any) -> None:
        """Write the options panel by panel, in the order in which the panels first occur."""
        panels: dict[str, list[tuple[str, str]]] = {}
        panel = "Options"
        for param in self.get_params(ctx):
            record = param.get_help_record(ctx)
            if record is not None:
                panel = (
                    getattr(param, "rich_help_panel", None) or panel
                )  # --help itself has none: it goes with the last
                name = record[0].replace(" <list[str]>", "...")  # an argument's
                panels.setdefault(panel, []).append((name, _LIMITS.sub(_limits, record[1])))
        names = [len(name) for rows in panels.values() for name, _ in rows]
        width = max((length for length in names if length <= _NAME_COLUMNS), default=_NAME_COLUMNS)
        for panel, rows in panels.items():
            with formatter.section(panel):
                formatter.write_dl([(name.ljust(width), text) for name, text in rows], col_max=width)


def _limits(found: re.Match[str]) -> str:
    low, high = found["low"] or found["least"], found["high"]
    return limits_in_words(None if low is None else float(low), None if high is None else float(high))


class PlainGroup(_Plain, TyperGroup):
    """A program of several commands that reports a wrong command line in one line."""
