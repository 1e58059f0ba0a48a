"""``edge-convert``, also installed as ``convert``: the workshop's command line. Heavy imports wait until a command runs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from convert.cli.commands import register
from edge.door import door
from edge.program import enter, make_app

PROGRAM = "edge-convert"
_EPILOG = (
    "Example: edge-convert quantize notebook.keras --cells cells -o notebook.tflite. ImageMagick has a convert of its own: "
    "edge-convert is always this one.\n\n"
    "Exit codes: 0 done; 1 a defect of this program; 2 the command line is wrong; 5 the model was refused; 7 an output "
    "could not be written; 8 the accuracy gate refused; 9 the folder of cells or fields cannot be used; 10 out of time or memory; "
    "11 TensorFlow is not installed; 130 stopped by Ctrl-C."
)

app = make_app(
    PROGRAM,
    "Trained Keras models become small int8 TFLite files. edge-convert and convert are the same program.",
    _EPILOG,
)

ModelPath = Annotated[Path, typer.Argument(metavar="MODEL", help="A .keras or .h5 file, or a SavedModel folder.")]
TrustCode = Annotated[
    Path | None,
    typer.Option(
        "--trust-code",
        metavar="FILE",
        help="Python file with this model's own layer classes. It will be run: read it first.",
    ),
]
Debug = Annotated[bool, typer.Option("--debug", help="Show tracebacks.")]
Verbose = Annotated[bool, typer.Option("--verbose", help="Show TensorFlow's own log.")]


@app.command(
    short_help="Say what is in a model; no code of it runs.",
    epilog="Example: edge-convert inspect notebook.keras --load",
)
def inspect(
    model: ModelPath,
    *,
    json: Annotated[bool, typer.Option("--json", help="JSON on stdout instead of the tables.")] = False,
    load: Annotated[
        bool, typer.Option("--load", help="Also load it, in a child process with limits, to prove that it loads.")
    ] = False,
    trust_code: TrustCode = None,
    verbose: Verbose = False,
    debug: Debug = False,
) -> None:
    """Say what is in a model: input, head, layers, parameters, MACs, risks. No code of it runs."""
    with door(debug=debug, program=PROGRAM):
        from convert.cli import screen  # noqa: PLC0415
        from convert.reading.inspection import inspect as look  # noqa: PLC0415
        from convert.reading.source import open_source  # noqa: PLC0415

        found = look(open_source(model), trust_code)
        loaded = None
        if load:
            from convert.child import run_in_child  # noqa: PLC0415

            payload = {"path": str(model), "trust_code": str(trust_code) if trust_code else None}
            loaded = run_in_child("convert.reading.load:describe", payload, verbose=verbose)
        if json:
            screen.write_json(found, loaded)
        else:
            screen.show(found, loaded)


register(app)


def main() -> None:
    """Entry point of ``edge-convert`` and ``convert``."""
    enter(app, PROGRAM)
