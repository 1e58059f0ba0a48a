"""Command-line options made from settings records.

A settings record is a frozen dataclass whose fields are options: ``name: Annotated[type, typer.Option(help=...), ValueRule(...)]``. A
command gets its options from the records (``takes``) and so does the configuration file (``edge.cli.config``), so each option
is written down once.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from copy import copy
from dataclasses import MISSING, dataclass, field, fields
from enum import Enum
from functools import cache
from types import NoneType, UnionType
from typing import TYPE_CHECKING, Annotated, Any, TypeVar, Union, get_args, get_origin, get_type_hints

import typer
from typer.models import ArgumentInfo, OptionInfo

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

Record = TypeVar("Record", bound="DataclassInstance")
Command = TypeVar("Command", bound=Callable[..., None])


def _never(_text: str) -> bool:
    return False


@dataclass(frozen=True, slots=True)
class ValueRule:
    """Rules of an option that typer does not know.

    Attributes:
        check: raises ValueError for a wrong value; the message follows the option's name.
        is_path: whether a text names a file; a relative one in a configuration file starts at the folder of that file.
    """

    check: Callable[[str], object] | None = None
    is_path: Callable[[str], bool] = _never


@dataclass(frozen=True, slots=True)
class RecordOption:
    """One option of a settings record.

    Attributes:
        name: of the record's field.
        kind: type of one value: bool, int, float, str, Path or an enum.
        many: whether it takes a list of values.
        default: None means that the program chooses; MISSING that the option is required.
        info: typer's metadata: help, metavar, limits.
        panel: heading in ``--help``.
        rule: see ValueRule.
    """

    name: str
    kind: type
    many: bool
    default: object
    info: OptionInfo | ArgumentInfo = field(compare=False)
    panel: str
    rule: ValueRule = field(compare=False)

    @property
    def key(self) -> str:
        """Its long name without dashes, which is also its key in a configuration file."""
        return self.name.replace("_", "-")

    @property
    def choices(self) -> tuple[str, ...]:
        """The words it takes; empty where it is no choice."""
        return tuple(str(choice.value) for choice in self.kind) if issubclass(self.kind, Enum) else ()

    def parameter(self) -> inspect.Parameter:
        """Make the parameter that typer reads."""
        info = copy(self.info)
        info.rich_help_panel = self.panel
        annotation: Any = self.kind
        if isinstance(info, OptionInfo) and not info.param_decls and info.default is ...:
            switch = f"/--no-{self.key}" if self.default is True else ""
            info.param_decls = (f"--{self.key}{switch}",)
        if self.many:
            annotation = list[self.kind]  # type: ignore[name-defined]  # typer knows lists, not tuples
        default = inspect.Parameter.empty if self.default is MISSING else None if self.many else self.default
        if default is None:
            annotation = annotation | None
        keyword = inspect.Parameter.KEYWORD_ONLY
        return inspect.Parameter(self.name, keyword, default=default, annotation=Annotated[annotation, info])


@cache
def options_of(*records: type) -> Mapping[str, RecordOption]:
    """Return the options of these records by field name, in order."""
    return {name: option for record in records for name, option in _options(record)}


def _options(record: type) -> list[tuple[str, RecordOption]]:
    hints = get_type_hints(record, include_extras=True)
    found = []
    for one in fields(record):
        declared, *extras = get_args(hints[one.name])
        info = next(extra for extra in extras if isinstance(extra, OptionInfo | ArgumentInfo))
        rule = next((extra for extra in extras if isinstance(extra, ValueRule)), ValueRule())
        parts = get_args(declared) if get_origin(declared) in (Union, UnionType) else (declared,)
        (kind,) = (part for part in parts if part is not NoneType)
        many = get_origin(kind) is tuple
        kind = get_args(kind)[0] if many else kind
        panel = info.rich_help_panel or str(getattr(record, "PANEL", "Options"))
        found.append((one.name, RecordOption(one.name, kind, many, one.default, info, panel, rule)))
    return found


def takes(*records: type) -> Callable[[Command], Command]:
    """Give a command the options of these records in place of its ``**values``."""

    def with_options(command: Command) -> Command:
        hints = get_type_hints(command, include_extras=True)
        own = [
            parameter.replace(annotation=hints[parameter.name])
            for parameter in inspect.signature(command).parameters.values()
            if parameter.kind is not inspect.Parameter.VAR_KEYWORD
        ]
        made = [option.parameter() for option in options_of(*records).values()]
        first = [one for one in own if one.kind is inspect.Parameter.POSITIONAL_OR_KEYWORD]
        parameters = [*first, *made, *(one for one in own if one not in first)]
        command.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
        command.__annotations__ = {one.name: one.annotation for one in parameters}
        return command

    return with_options


def typed_values(context: typer.Context, values: Mapping[str, Any]) -> dict[str, Any]:
    """Those of a command's values that were typed: no defaults."""
    sources = {name: context.get_parameter_source(name) for name in values}
    return {
        name: values[name] for name, source in sources.items() if source is not None and source.name == "COMMANDLINE"
    }


def record_of(record: type[Record], values: Mapping[str, Any]) -> Record:
    """Make a record from the values that typer hands to a command: lists become tuples."""
    options = options_of(record)
    return record(**{name: tuple(values[name] or ()) if one.many else values[name] for name, one in options.items()})


def check_values(values: Mapping[str, Any], *records: type) -> None:
    """Check values by the rules of their options.

    Raises:
        BadParameter: a value is wrong.
    """
    for name, option in options_of(*records).items():
        if option.rule.check is not None and values[name] is not None:
            try:
                option.rule.check(values[name])
            except ValueError as error:
                raise typer.BadParameter(f"--{option.key} {error}") from None
