"""What is said of a recount while it goes on, and at its end."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import suppress
from time import monotonic

from edge.archive.records import RecountEnd, RecountProgress
from edge.door import say
from edge.lines import columns

_EVERY_S = 0.25  # seconds between two updates of a line that is overwritten
_PLAIN_EVERY_S = 30.0  # seconds between two lines where nothing can be overwritten
_NAMED = 10  # fields, samples or folders that are named at the end
_USUAL_COLUMNS = 80  # of a terminal that does not say
_CLEAR = "\r\x1b[2K"  # terminal sequence (ANSI) that empties the line


class ProgressLine:
    """A line on stderr: written over on a terminal, else a new one now and then.

    Args:
        program: that the line begins with.
    """

    def __init__(self, program: str) -> None:
        self._program = program
        self._shown = monotonic()
        self._open = False

    def show(self, progress: RecountProgress) -> None:
        """Show how far it is, unless that was shown a moment ago."""
        now = monotonic()
        terminal = sys.stderr.isatty()
        if now - self._shown < (_EVERY_S if terminal else _PLAIN_EVERY_S):
            return
        self._shown = now
        line = progress_words(progress)
        if not terminal:
            say(line, self._program)
            return
        width = columns(sys.stderr) or _USUAL_COLUMNS
        with suppress(OSError):
            sys.stderr.write(f"{_CLEAR}{line[: width - 1]}")
            sys.stderr.flush()
        self._open = True

    def close(self) -> None:
        """Remove the line."""
        if self._open:
            with suppress(OSError):
                sys.stderr.write(_CLEAR)
                sys.stderr.flush()
        self._open = False


def progress_words(progress: RecountProgress) -> str:
    """``1,203 of 40,000 fields, 21 min left, 31 fields/s, 12 samples, 141,002 cells, 2 workers``: what matters most comes first."""
    done = progress.before + progress.fields
    parts = [f"{done:,} of {progress.listed:,}{' or more' * progress.listing} fields"]
    if progress.seconds_left is not None:
        parts.append(f"{duration_words(progress.seconds_left)} left")
    if progress.rate is not None:
        parts.append(f"{progress.rate:,.1f} fields/s")
    if progress.unreadable:
        parts.append(f"{progress.unreadable:,} unreadable")
    parts += [f"{progress.samples:,} sample{'s' * (progress.samples != 1)}", f"{progress.cells:,} cells"]
    parts.append(f"{progress.workers} worker{'s' * (progress.workers != 1)}")
    return ", ".join(parts)


def duration_words(seconds: float) -> str:
    """``40 s``, ``21 min``, ``3.5 h``."""
    if seconds < 100:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 6000 else f"{seconds / 3600:.1f} h"


def end_lines(end: RecountEnd, results: str) -> Iterator[str]:
    """What a person reads at the end."""
    yield f"{end.samples:,} samples, {end.fields:,} fields, {end.cells:,} cells: {results}"
    if end.unreadable:
        yield f"{end.unreadable:,} field{'s' * (end.unreadable != 1)} could not be read:"
        yield from (f"  {name}: {why}" for name, why in end.named[:_NAMED])
        more = end.unreadable - min(len(end.named), _NAMED)
        if more > 0:
            yield f"  and {more:,} more: in the table fields, state unreadable"
    if end.changed:
        named = ", ".join(end.changed[:_NAMED])
        yield f"{len(end.changed):,} samples have changed since they were counted, and stay as they were: {named}"
    for folder, why in end.left_out[:_NAMED]:
        yield f"left out: {folder}: {why}"
    yield from (f"note: {note}" for note in end.notes[:_NAMED])
    if len(end.notes) > _NAMED:
        yield f"note: and {len(end.notes) - _NAMED:,} such files more"
    if end.videos:
        yield f"left out: {end.videos:,} videos: edge-run counts them one by one"
