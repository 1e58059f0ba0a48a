"""Errors of standard output as plain errors. No heavy import: command lines use it before anything else is loaded."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from edge.errors import OutputError


class ReaderGoneError(OutputError):
    """The reader closed the pipe (``| head``). Nothing needs to be done: the run ends quietly."""


@contextmanager
def stdout_errors() -> Iterator[None]:
    """Turn what the operating system says of stdout into one plain OutputError; a closed pipe has a class of its own."""
    try:
        yield
    except BrokenPipeError as error:
        raise ReaderGoneError("stdout: its reader has gone") from error
    except OSError as error:
        raise OutputError(f"stdout: cannot be written: {error.strerror or error}") from error
