"""The page of all options, made from the settings records: ``python -m tests.cli.reference`` writes docs/options.md."""

from __future__ import annotations

import re
from pathlib import Path

from edge.cli.options import RecordOption, options_of
from edge.cli.run_settings import RUN_RECORDS
from edge.usage import expected

PAGE = Path(__file__).parents[2] / "docs" / "options.md"
_TOP = """# Options of edge-run

Every option of `edge-run` (the same as `edge run`). A configuration file (`--config FILE`,
[running.md](running.md#a-file-of-options)) takes the same options by their names without dashes, and `inputs` for the folders and
files. A test compares this page with the program; `python -m tests.cli.reference` writes it.
"""
_DEFAULT = re.compile(r"  \[default: (.*)\]$")


def reference() -> str:
    """The page as Markdown."""
    panels: dict[str, list[str]] = {}
    for option in options_of(*RUN_RECORDS).values():
        panels.setdefault(option.panel, []).append(_row(option))
    head = "| option | what it is | default | in a file |\n|---|---|---|---|"
    return "\n".join([_TOP, *(f"## {name}\n\n{head}\n" + "\n".join(rows) + "\n" for name, rows in panels.items())])


def _row(option: RecordOption) -> str:
    text = option.info.help or ""
    words = _DEFAULT.search(text)
    switch = option.kind is bool
    name = "`INPUT...`" if option.many else f"`--{option.key}{'' if switch else f' {_metavar(option)}'}`"
    if option.default is True:
        name = f"`--{option.key}`, `--no-{option.key}`"
    default = words[1] if words else "" if option.default in (None, ()) else _default(option.default)
    low, high = option.info.min, option.info.max
    values = "a list of texts" if option.many else expected(option.kind, option.choices, low, high)
    return f"| {name} | {_DEFAULT.sub('', text)} | {default} | `{option.key}`: {values} |"


def _metavar(option: RecordOption) -> str:
    return (option.info.metavar or "|".join(option.choices)).replace("|", "\\|")  # a bar would end the table's cell


def _default(value: object) -> str:
    return {True: "on", False: "off"}[value] if isinstance(value, bool) else str(value)


if __name__ == "__main__":
    PAGE.write_text(reference())
