"""Settings of ``edge scope set-up`` and ``check``: which camera, and what is asked of the profile."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto
from pathlib import Path
from typing import Annotated, ClassVar

import typer

from edge.cli.checks import check_name, check_part, check_scope, check_size
from edge.cli.options import ValueRule


class ScopeQuestion(Enum):
    """What ``edge scope`` is asked."""

    SHOW = auto()
    LIST = auto()
    CHECK = auto()


@dataclass(frozen=True, slots=True)
class ScopeCameraSettings:
    """The camera that is looked through, or what stands for one."""

    PANEL: ClassVar = "Camera"

    simulate: Annotated[bool, typer.Option(help="Look through the virtual microscope.")] = False
    seed: Annotated[int, typer.Option(min=0, metavar="N", help="Slide of the virtual microscope.")] = 0
    fields: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="No camera: image files of this microscope, empty fields or with cells."),
    ] = None
    device: Annotated[str, typer.Option(metavar="N|PATH", help="Number of the camera, from 0, or /dev/videoN.")] = "0"
    size: Annotated[
        str, typer.Option(metavar="WxH", help="Size of camera fields in pixels."), ValueRule(check_size)
    ] = "1280x960"

    @property
    def size_px(self) -> tuple[int, int]:
        """Width and height in pixels."""
        return check_size(self.size)


@dataclass(frozen=True, slots=True)
class SetUpSettings:
    """What is asked of a profile."""

    PANEL: ClassVar = "Profile"

    name: Annotated[
        str,
        typer.Argument(metavar="NAME", help="Name of this microscope, as --scope takes it."),
        ValueRule(check_scope),
    ]
    division: Annotated[
        float | None,
        typer.Option(min=0.1, max=10000, metavar="UM", help="A stage micrometer is in view: µm from line to line."),
    ] = None
    bar: Annotated[
        float | None, typer.Option(min=0.1, max=10000, metavar="UM", help="A level bar is in view: its length in µm.")
    ] = None
    objective: Annotated[
        str | None, typer.Option(metavar="TEXT", help="Objective, as 100x/1.25 oil."), ValueRule(check_name)
    ] = None
    operator: Annotated[str | None, typer.Option(metavar="TEXT", help="Who sets it up."), ValueRule(check_name)] = None
    allow_light: Annotated[
        str, typer.Option(metavar="SHARE", help="By how much light may differ later."), ValueRule(check_part)
    ] = "15%"
    allow_colour: Annotated[
        str,
        typer.Option(metavar="SHARE", help="By how much red or blue beside green may."),
        ValueRule(check_part),
    ] = "10%"
    settled: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Settled microscope (edge scope settle) to keep in the profile."),
    ] = None
    skip: Annotated[
        tuple[str, ...],
        typer.Option(metavar="STEP", help="Leave a step out: flat-field, dust, focus or scale. Repeat."),
        ValueRule(),
    ] = ()
    yes: Annotated[bool, typer.Option(help="Ask nothing: each step is accepted once it is good.")] = False
    again: Annotated[bool, typer.Option(help="Begin anew, though there is a profile of this name.")] = False
    json: Annotated[bool, typer.Option(help="Print the profile as JSON on stdout.")] = False

    @property
    def allowed(self) -> tuple[float, float]:
        """Shares that light and colour may differ by."""
        return check_part(self.allow_light), check_part(self.allow_colour)
