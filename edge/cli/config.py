"""The configuration file of ``edge-run``: any options by their long names, as TOML, read and written.

Reading checks each value as the command line does; a relative path starts at the folder of the file. Writing gives the
settings that differ from the defaults, so that a run can be repeated.
"""

from __future__ import annotations

import json
import os
import tomllib
from collections.abc import Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any

import typer

from edge.cli.options import RecordOption, options_of
from edge.cli.run_settings import RUN_RECORDS, RunSettings
from edge.lines import plain
from edge.usage import either, expected

LARGEST_FILE = 2**20
"""Bytes of a configuration file. A larger one, or a device, is not what was meant."""

_WIDEST_LIST = 100
"""Columns: a list that needs more is written with one value per line."""

_LONGEST_SHOWN = 60
"""Letters of a wrong value that a message shows."""

ALTERNATIVES: tuple[frozenset[str], ...] = (
    frozenset({"inputs", "simulate", "camera"}),
    frozenset({"sample_id", "sample_per_folder"}),
    frozenset({"book", "no_book"}),
    frozenset({"resume", "again"}),
)
"""Options of which one is given: one on the command line sets the others of its group in the file aside."""


def read_config(path: Path) -> dict[str, Any]:
    """Read a configuration file: values by the names of the records' fields.

    Raises:
        BadParameter: the file cannot be read, or holds an unknown option or a wrong value; the line names file and key.
    """
    try:
        with path.open("rb") as stream:
            data = stream.read(LARGEST_FILE + 1)
        if len(data) > LARGEST_FILE:
            raise typer.BadParameter(f"{path}: too large for a configuration file")
    except OSError as error:
        raise typer.BadParameter(f"{path}: cannot be read: {error.strerror}") from None
    try:
        text = data.decode()
    except UnicodeDecodeError:
        raise typer.BadParameter(f"{path}: not UTF-8 text") from None
    return config_values(text, str(path), path.parent, RUN_RECORDS)


def config_values(text: str, shown: str, folder: Path, records: tuple[type, ...]) -> dict[str, Any]:
    """The values of a configuration file's text by the names of the records' fields.

    Args:
        text: TOML.
        shown: what a message calls it.
        folder: where its relative paths start.
        records: whose options are wanted; those of other records are checked and left out.

    Raises:
        BadParameter: an unknown option or a wrong value.
    """
    try:
        given = tomllib.loads(text)
    except (ValueError, RecursionError) as error:  # ValueError: also a number of too many digits
        raise typer.BadParameter(f"{shown}: not TOML: {error}") from None
    options = {option.key: option for option in options_of(*RUN_RECORDS).values()}
    wanted = options_of(*records)
    values: dict[str, Any] = {}
    for key, value in given.items():
        option = options.get(key)
        if option is None:
            raise typer.BadParameter(f"{shown}: {plain(key)}: no such option{_near(key, list(options))}")
        try:
            one = _value(option, value, folder)
        except ValueError as error:
            raise typer.BadParameter(f"{shown}: {key} {error}") from None
        if option.name in wanted:
            values[option.name] = one
    return values


def with_whole_paths(settings: RunSettings) -> RunSettings:
    """The settings with every path of this machine whole, so that they mean the same in any folder."""
    options, here = options_of(*RUN_RECORDS), os.getcwd()  # noqa: PTH109 - a text
    values = settings.values()
    for name, value in values.items():
        if not isinstance(value, tuple) and isinstance(value, str | Path) and _is_relative(options[name], str(value)):
            values[name] = options[name].kind(_from_folder(Path(here), str(value)))
    return RunSettings.of(values)


def merged(typed: Mapping[str, Any], configured: Mapping[str, Any], defaults: Mapping[str, Any]) -> dict[str, Any]:
    """The value of each option: as typed on the command line, else as the file has it, else the default."""
    replaced = {name for group in ALTERNATIVES if group & typed.keys() for name in group}
    kept = {name: value for name, value in configured.items() if name not in replaced}
    return {**defaults, **kept, **typed}


def to_toml(settings: RunSettings) -> str:
    """The settings that differ from the defaults, as a configuration file."""
    lines = ["# Settings of edge-run that differ from the defaults. To run it again: edge-run --config FILE"]
    values, defaults = settings.values(), RunSettings().values()
    changed = {name: value for name, value in values.items() if value != defaults[name]}
    options = options_of(*RUN_RECORDS)
    if any(_is_relative(options[name], text) for name, value in changed.items() for text in _texts(value)):
        lines.append(f"# Relative paths start at the folder of this file; this run was started in {_toml(os.getcwd())}")  # noqa: PTH109 - a text
    lines += [_line(options[name].key, value) for name, value in changed.items()]
    return "\n".join(lines) + "\n"


def _line(key: str, value: object) -> str:
    try:
        "".join(_texts(value)).encode()
    except UnicodeEncodeError:  # a byte of a file name that is not UTF-8; TOML cannot hold it
        return f"# {key} is not written: a name in it is not UTF-8"
    return f"{key} = {_toml(value)}"


def _near(key: str, known: list[str]) -> str:
    close = get_close_matches(key.lstrip("-").replace("_", "-").lower(), known, n=3)
    return f", do you mean {either(close)}?" if close else "; the keys are the long options of edge-run without dashes"


def _value(option: RecordOption, value: Any, folder: Path) -> Any:
    """A value of the file as the record takes it; raises ValueError whose message begins with the value."""
    if not option.many:
        return _single(option, value, folder)
    if not isinstance(value, list):
        raise ValueError(f"= {_shown(value)}: give a list of texts, as [{_toml(str(value))}]")  # noqa: TRY004 - of a file
    return tuple(_single(option, one, folder) for one in value)


def _single(option: RecordOption, value: Any, folder: Path) -> Any:
    kind, low, high = option.kind, getattr(option.info, "min", None), getattr(option.info, "max", None)
    wrong = f"= {_shown(value)}: give {expected(kind, option.choices, low, high)}"
    if kind in (bool, int, float):
        fits = type(value) is kind or (kind is float and type(value) is int)
        # not "value < low", for nan is neither below nor above
        if not fits or not (low is None or value >= low) or not (high is None or value <= high):
            raise ValueError(wrong)
        try:
            return kind(value)
        except OverflowError:
            raise ValueError(wrong) from None
    if not isinstance(value, str) or (option.choices and value not in option.choices):
        raise ValueError(wrong)
    if "\0" in value:
        raise ValueError(f"= {_shown(value)}: a text must not hold the character U+0000")
    if option.choices:
        return kind(value)
    if option.rule.check is not None:
        option.rule.check(value)
    return kind(_from_folder(folder, value) if _is_path(option, value) else value)


def _is_path(option: RecordOption, text: str) -> bool:
    return text != "" and (option.kind is Path or option.rule.is_path(text))


def _is_relative(option: RecordOption, text: str) -> bool:
    return _is_path(option, text) and not os.path.isabs(os.path.expanduser(text))  # noqa: PTH111, PTH117 - also patterns


def _from_folder(folder: Path, text: str) -> str:
    # Texts, not Paths: a pattern's "//" or a folder's trailing "/" stays as it is.
    joined = os.path.join("" if folder == Path() else folder, os.path.expanduser(text))  # noqa: PTH111, PTH118
    return str(joined)


def _texts(value: object) -> list[str]:
    """The texts in a value, for a check of paths."""
    return [str(one) for one in (value if isinstance(value, tuple) else (value,)) if isinstance(one, str | Path)]


def _shown(value: object) -> str:
    text = _toml(value)
    return text if len(text) <= _LONGEST_SHOWN else f"{text[:_LONGEST_SHOWN]}..."


def _toml(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return repr(value)
    if isinstance(value, tuple | list):
        parts = [_toml(one) for one in value]
        line = f"[{', '.join(parts)}]"
        return line if len(line) <= _WIDEST_LIST else "\n".join(["[", *(f"  {part}," for part in parts), "]"])
    text = json.dumps(str(value), ensure_ascii=False)
    return "".join(c if c.isprintable() else _escaped(c) for c in text)


def _escaped(character: str) -> str:
    return f"\\u{ord(character):04x}" if ord(character) < 2**16 else f"\\U{ord(character):08x}"
