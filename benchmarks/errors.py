"""Every failure the suite knows, one class each, in the manner of ``edge.errors``: cause and remedy in the docstring.

| code | meaning |
|---|---|
| 0 | done |
| 1 | a defect of this program (please report it; ``--debug`` shows the traceback) |
| 2 | the command line is wrong |
| 3 | done, but some cases failed (they are named) |
| 4 | nothing could be measured, or there is no input |
| 5 | a model was refused |
| 7 | an output could not be written |
| 11 | a package of the extra ``bench`` is not installed |
| 12 | a result or power file cannot be used: empty, foreign, damaged, or of another schema version |
| 13 | the results cannot be compared: another board, other versions, other models (``--force`` compares all the same) |
| 14 | a case became slower by more than ``--fail-over`` allows |
| 15 | the run is invalid: throttling or under-voltage appeared (the file is written and says so) |
| 130 | stopped by Ctrl-C (what was measured is written, marked partial) |
"""

from __future__ import annotations

from edge.errors import EdgeError, ModelError, NoInputError, OutputError

__all__ = [
    "CaseError",
    "ComparisonError",
    "EdgeError",
    "FailedCasesError",
    "InvalidRunError",
    "MissingPackageError",
    "ModelError",
    "NoInputError",
    "OutputError",
    "RegressionError",
    "ResultError",
]

EXIT_FAILED_CASES = 3
"""Exit code where some cases failed."""

EXIT_INVALID = 15
"""Exit code of a run during which the board throttled."""


class CaseError(EdgeError):
    """One case could not be set up or measured. It stands in the result with its reason; the others go on."""

    exit_code = EXIT_FAILED_CASES


class FailedCasesError(EdgeError):
    """Some cases failed. What was measured is written; each failed case says why."""

    exit_code = EXIT_FAILED_CASES


class MissingPackageError(EdgeError):
    """A package for statistics, plots or checking is not installed. Install it: the message says how."""

    exit_code = 11


class ResultError(EdgeError):
    """A result or power file is empty, foreign, damaged or of another version. Measure anew, or use the version that wrote it."""

    exit_code = 12


class ComparisonError(EdgeError):
    """The two results are of different machines, versions or models. Compare like with like, or give ``--force``."""

    exit_code = 13


class RegressionError(EdgeError):
    """A case became slower than ``--fail-over`` allows. Find out why, or accept it by giving a higher limit."""

    exit_code = 14


class InvalidRunError(EdgeError):
    """The board throttled or lacked voltage while it measured. Give it a better supply or cooling, and measure anew."""

    exit_code = EXIT_INVALID
