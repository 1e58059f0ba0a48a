"""``edge-convert``, also installed as ``convert``: the workshop's command line. Heavy imports wait until a command runs."""

from __future__ import annotations

from convert.cli.commands import PROGRAM, register
from edge.program import enter, make_app

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
register(app)


def main() -> None:
    """Entry point of ``edge-convert`` and ``convert``."""
    enter(app, PROGRAM)
