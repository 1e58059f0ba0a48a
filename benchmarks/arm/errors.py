"""What can go wrong with the emulated roots, and the exit codes.

| code | meaning |
|---|---|
| 0 | done, and equal where something was compared |
| 2 | the command line is wrong |
| 8 | a root cannot be built or entered here: the line says what to install or to set |
| 9 | done, but the tests failed, outputs differ, or a count moved beyond the tolerance |
| 130 | stopped by Ctrl-C; the same command goes on where it stopped |
"""

from __future__ import annotations

from edge.errors import EdgeError


class ArmError(EdgeError):
    """A root cannot be built or entered on this machine. The message says what to install or to set."""

    exit_code = 8


class DifferenceError(EdgeError):
    """Something that must be the same on ARM is not. The lines printed before say what and where."""

    exit_code = 9
