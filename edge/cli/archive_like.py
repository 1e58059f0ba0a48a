"""``edge recount --like``: the settings of earlier counts but for what is named now, and what another model changes of them."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path, PurePosixPath
from typing import Any

import typer

from edge.archive.compare import Comparison
from edge.archive.records import CountsDescription
from edge.archive.results import Results
from edge.cli.config import config_values, merged
from edge.cli.recount_words import comparison_facts, comparison_lines, sample_facts, sample_line
from edge.cli.run_settings import RunSettings
from edge.cli.settings import CardSettings, FieldSettings, JudgingSettings, NetSettings
from edge.errors import ArchiveError
from edge.lines import print_lines, print_text

_COUNTING: tuple[type, ...] = (NetSettings, CardSettings, FieldSettings, JudgingSettings)
"""The records that decide what is counted: outputs and workers are those of the call."""

_OF_THE_MODEL = ("labels", "positive", "threshold")
_OF_THE_NETS = ("calibration", "target_parasitaemia", "rbc_per_ul")
_DIGITS = 8  # of the fingerprint, in the name of a folder


def settings_like(counts: str, typed: Mapping[str, Any], say: Callable[[str], None]) -> RunSettings:
    """The settings of earlier counts, but for the options that were typed.

    What belongs to nets that are replaced does not come along: labels and threshold of another model, a calibration of other nets, a
    settled microscope of another finder.

    Args:
        counts: folder of results, path or URL.
        typed: values of options that were given.
        say: told what was left out.

    Raises:
        ArchiveError: no counts are there, or their settings cannot be read.
    """
    results = Results(counts)
    config = results.described().config
    try:
        then = config_values(config, f"{results.url}: the settings in it", Path(), _COUNTING)
    except typer.BadParameter as error:
        raise ArchiveError(f"{error.message}: name all options instead, and another folder (-o)") from None
    dropped = [
        *(_OF_THE_MODEL if "model" in typed else ()),
        *(_OF_THE_NETS if typed.keys() & {"model", "finder"} else ()),
        *(("settled",) if "finder" in typed else ()),
    ]
    gone = [name for name in dropped if name in then and name not in typed]
    if gone:
        named = ", ".join(f"--{name.replace('_', '-')}" for name in gone)
        say(
            f"note: {named} of {results.url} belong to its nets and are left out: give those of the new nets, if there are any"
        )
    kept = {name: value for name, value in then.items() if name not in gone}
    return RunSettings.of(merged(typed, kept, RunSettings().values()))


def results_like(counts: str, described: CountsDescription) -> str:
    """Where the results of a recount like ``counts`` go: beside them, named after the model and what else counts.

    Raises:
        ArchiveError: they were counted with the very same.
    """
    results = Results(counts)
    if results.described().fingerprint == described.fingerprint:
        raise ArchiveError(
            f"{results.url}: counted with the same nets and settings: name what shall differ (--model, --finder, ...)"
        )
    place = PurePosixPath(counts.rstrip("/"))
    model = "".join(c if c.isalnum() or c in "-." else "-" for c in PurePosixPath(described.model).name) or "model"
    name = f"{place.stem}-{model}-{described.fingerprint[:_DIGITS]}{place.suffix}"
    return f"{counts.rstrip('/').removesuffix(place.name)}{name}"


def tell_comparison(before: str, after: str, *, changed: bool, as_json: bool) -> None:
    """Print what two counts of one archive say of each sample, as they are compared.

    Args:
        before: folder of results.
        after: another one.
        changed: leave out samples of which nothing changed.
        as_json: a JSON object a line.

    Raises:
        ArchiveError: a part of them is damaged, or they count different things.
    """
    results = (Results(before), Results(after))
    comparison = Comparison(*results)
    for one in comparison:
        if one.changed or not changed:
            _print(sample_facts(one), [sample_line(one)], as_json=as_json)
    end = comparison.end()
    _print(
        comparison_facts(end, (results[0].url, results[1].url)),
        comparison_lines(end, comparison.positive),
        as_json=as_json,
    )


def _print(facts: Mapping[str, object], lines: Any, *, as_json: bool) -> None:
    if as_json:
        print_text(json.dumps(facts, ensure_ascii=False, allow_nan=False) + "\n")
    else:
        print_lines(lines)
