"""The settings records: each option stands in them once, with help, and nowhere else."""

from __future__ import annotations

import inspect
from collections import Counter
from dataclasses import MISSING, FrozenInstanceError, fields, replace
from typing import Any

import pytest
import typer

from edge.cli import edge_app
from edge.cli.calibrate import CALIBRATE_RECORDS
from edge.cli.options import options_of, record_of
from edge.cli.run import run
from edge.cli.run_settings import RUN_RECORDS, RunSettings
from edge.cli.settings import InputSettings, ProcessSettings, StopSettings
from tests.cli.reference import PAGE, reference

OPTIONS = options_of(*RUN_RECORDS)
ACTIONS = {"config", "show_config", "list_models", "version"}
NO_NOUN_OR_VERB = {
    "a", "an", "as", "at", "by", "each", "every", "everything", "for", "from", "how", "in", "of", "on", "the", "this", "to",
    "what", "when", "where", "which", "with",
}  # fmt: skip


def edge_options() -> list[Any]:
    command: Any = typer.main.get_command(edge_app())
    return [
        pytest.param(option, id=f"edge {name} {max(option.opts, key=len)}")
        for name, inner in command.commands.items()
        for option in inner.params
    ]


@pytest.mark.parametrize("option", edge_options())
def test_the_help_of_every_option_begins_with_a_noun_or_a_verb(option: Any) -> None:
    first = (option.help or "").split(" ")[0]
    assert first[:1].isupper(), option.help
    assert first.lower().strip(".,:;") not in NO_NOUN_OR_VERB, option.help


def test_no_option_stands_in_two_records() -> None:
    for records in (RUN_RECORDS, CALIBRATE_RECORDS):
        names = Counter(one.name for record in records for one in fields(record))
        assert [name for name, times in names.items() if times > 1] == []


def test_the_commands_options_are_those_of_the_records_and_a_few_that_only_show_something() -> None:
    assert set(inspect.signature(run).parameters) == {"context", *OPTIONS, *ACTIONS}


def test_the_page_of_options_says_what_the_program_says() -> None:
    assert PAGE.read_text() == reference(), "python -m tests.cli.reference writes it anew"


@pytest.mark.parametrize("option", OPTIONS.values(), ids=lambda option: option.key)
def test_every_option_has_a_default_and_a_panel(option: Any) -> None:
    assert option.default is not MISSING
    assert option.panel in (
        "Input",
        "When to stop",
        "Nets and counting",
        "Judging",
        "Outputs",
        "Book",
        "Network",
        "Run",
    )


def test_values_by_name_make_the_same_settings() -> None:
    settings = RunSettings(input=InputSettings(simulate=True, seed=4), stop=StopSettings(max_cells=9))
    assert RunSettings.of(settings.values()) == settings


def test_a_list_becomes_a_tuple_and_nothing_an_empty_one() -> None:
    defaults = RunSettings().values()
    assert record_of(InputSettings, {**defaults, "inputs": ["a", "b"]}).inputs == ("a", "b")
    assert record_of(InputSettings, {**defaults, "inputs": None}).inputs == ()


def test_settings_do_not_change() -> None:
    with pytest.raises(FrozenInstanceError):
        RunSettings().input.seed = 4  # type: ignore[misc]


@pytest.mark.parametrize(
    ("source", "stop", "limit"),
    [
        pytest.param(InputSettings(simulate=True), StopSettings(), 60, id="a virtual slide has no end of its own"),
        pytest.param(InputSettings(simulate=True), StopSettings(max_cells=5), None, id="but cells end it"),
        pytest.param(InputSettings(simulate=True), StopSettings(max_seconds=5), None, id="or seconds"),
        pytest.param(InputSettings(simulate=True), StopSettings(max_fields=7), 7, id="or fields"),
        pytest.param(InputSettings(camera=True), StopSettings(), None, id="a camera runs until it is stopped"),
        pytest.param(InputSettings(inputs=("a",)), StopSettings(max_fields=7), 7, id="a folder ends at the limit"),
    ],
)
def test_fields_after_which_a_sample_ends(source: InputSettings, stop: StopSettings, limit: int | None) -> None:
    assert replace(RunSettings(), input=source, stop=stop).field_limit == limit


@pytest.mark.parametrize(
    ("cores", "asked", "workers"),
    [(1, None, 1), (4, None, 4), (64, None, 4), (2, 7, 7)],
)
def test_workers(cores: int, asked: int | None, workers: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("os.sched_getaffinity", lambda _: set(range(cores)))
    assert ProcessSettings(workers=asked).worker_count == workers
