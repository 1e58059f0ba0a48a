"""Every failure the workshop knows, one class each, as in ``edge.errors``: the docstring says cause and remedy.

| code | meaning |
|---|---|
| 0 | done |
| 1 | a defect of this program (please report it; ``--debug`` shows the traceback) |
| 2 | the command line is wrong |
| 5 | the model was refused: missing, incomplete, damaged, of an unknown kind, or not to be trusted |
| 7 | an output could not be written |
| 8 | the accuracy gate refused the device file (the report is written, the file is not) |
| 9 | the folder of cells or fields cannot be used |
| 10 | out of time or memory |
| 11 | TensorFlow is not installed, or too old |
| 130 | stopped by Ctrl-C |
"""

from __future__ import annotations

from edge.errors import EdgeError, ModelError, OutputError

__all__ = [
    "CellsError",
    "EdgeError",
    "GateError",
    "LimitError",
    "ModelError",
    "OutputError",
    "SourceError",
    "ToolError",
    "UnsupportedError",
    "UntrustedError",
]


class SourceError(ModelError):
    """The model is missing, truncated, incomplete or no Keras model. Save it whole with ``model.save("name.keras")``."""


class UntrustedError(ModelError):
    """The model carries code, or classes that are not known here. Read that code; if you trust it, pass ``--trust-code``."""


class UnsupportedError(ModelError):
    """The model is sound but has a layer or an option that has no place on the device. Replace that layer and retrain."""


class GateError(EdgeError):
    """The int8 file surely loses more accuracy than allowed, or the net itself is at chance. The message says what may help."""

    exit_code = 8


class CellsError(EdgeError):
    """The cells or fields are missing, empty or do not fit the model. Give ``DIR/<class>/*.png``, or annotated ``--fields``."""

    exit_code = 9


class LimitError(EdgeError):
    """The work ran out of time or memory. Use a smaller model, or a machine with more memory."""

    exit_code = 10


class ToolError(EdgeError):
    """A package of an extra (TensorFlow, Keras, matplotlib) is missing or too old. Install it: the message says how."""

    exit_code = 11


KNOWN: dict[str, type[EdgeError]] = {name: globals()[name] for name in __all__ if name != "EdgeError"}
"""Failures by name: what a child process raises, the parent raises as the same class."""


def gist(error: BaseException) -> str:
    """A library's error in one short line: the first line of its text, or the name of its class."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return (lines[0] if lines else type(error).__name__)[:200]
