"""``edge scope set-up``, ``show``, ``list``, ``check``: the profile of a microscope; done in ``set_up_job`` and ``scope_job``."""

from __future__ import annotations

import sys
from typing import Annotated, Any, NoReturn

import typer

from edge.cli.options import check_values, record_of, takes
from edge.cli.scope_settings import ScopeCameraSettings, ScopeQuestion, SetUpSettings
from edge.door import door

SET_UP_RECORDS = (SetUpSettings, ScopeCameraSettings)
"""The records whose options ``edge scope set-up`` takes."""

_NAME = Annotated[
    str | None, typer.Argument(metavar="NAME", help="The microscope.  [default: the only one]", show_default=False)
]
_JSON = Annotated[bool, typer.Option("--json", help="JSON on stdout instead of lines.")]


@takes(*SET_UP_RECORDS)
def set_up(**values: Any) -> None:
    """Make the profile of a microscope, step by step: light, white balance, flat field, dust, focus, scale.

    \b
    Examples:
      edge scope set-up bench-3 --objective "100x/1.25 oil" --operator Ada
      edge scope set-up bench-3 --division 10         with a stage micrometer
      edge scope set-up old-1 --fields empty/ --bar 50     image files, no camera
      edge scope set-up demo --simulate --yes
      edge scope set-up bench-3 --settled scope-3-settled.json

    Ctrl-C keeps what is done; the same command goes on with it.

    Exit codes: 0 done; 4 no image in the folder; 6 no camera; 7 not writable; 8 a step cannot be done (the line says why), or there
    is a profile already; 130 stopped, what is done is kept. For research and triage. Not a diagnostic device.
    """  # noqa: D301 - \b keeps the lines as they are
    check_values(values, *SET_UP_RECORDS)
    wanted, camera = record_of(SetUpSettings, values), record_of(ScopeCameraSettings, values)
    if wanted.division is not None and wanted.bar is not None:
        raise typer.BadParameter("--division and --bar both give the scale: leave one out")
    if camera.simulate and camera.fields is not None:
        raise typer.BadParameter("--simulate and --fields both stand for a camera: leave one out")
    with door(debug=False, program="edge scope set-up"):
        from edge.cli.set_up_job import set_up as work  # noqa: PLC0415 - NumPy and OpenCV come with it

        work(camera, wanted)
    sys.exit(0)


def show(name: _NAME = None, *, json: _JSON = False) -> None:
    """Show the profile of a microscope.

    \b
    Examples:
      edge scope show bench-3
      edge scope show bench-3 --json

    Exit codes: 0 shown; 8 there is no such profile, or it is damaged.
    """  # noqa: D301 - as above
    _answer(ScopeQuestion.SHOW, name, json=json)


def list_profiles(*, json: _JSON = False) -> None:
    """List the microscopes that have a profile here.

    \b
    Examples:
      edge scope list
      edge scope list --json

    Exit codes: 0 listed, also where there is none; 8 a profile is damaged (the others are listed).
    """  # noqa: D301 - as above
    _answer(ScopeQuestion.LIST, None, json=json)


@takes(ScopeCameraSettings)
def check(name: _NAME = None, *, json: _JSON = False, **values: Any) -> None:
    """Look through the camera and say what differs from the profile.

    \b
    Examples:
      edge scope check bench-3
      edge scope check old-1 --fields today/
      edge scope check demo --simulate

    Exit codes: 0 nothing differs; 4 no image; 6 no camera; 8 no such profile, or of another camera; 12 something differs
    (a line each says what).
    """  # noqa: D301 - as above
    check_values(values, ScopeCameraSettings)
    _answer(ScopeQuestion.CHECK, name, record_of(ScopeCameraSettings, values), json=json)


def _answer(
    question: ScopeQuestion, name: str | None, camera: ScopeCameraSettings | None = None, *, json: bool
) -> NoReturn:
    with door(debug=False, program=f"edge scope {question.name.lower()}"):
        from edge.cli.scope_job import answer  # noqa: PLC0415 - NumPy and OpenCV come with it

        code = answer(question, name, camera or ScopeCameraSettings(), as_json=json)
    sys.exit(code)
