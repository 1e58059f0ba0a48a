"""The work of ``edge review``: which of its three ways it goes."""

from __future__ import annotations

from pathlib import Path

import edge.sources.decode  # noqa: F401 - first of all, for it sets limits that OpenCV reads on import

# isort: split
from edge.cli.book_reading import open_existing
from edge.cli.review_in import AnswersTaken, take_answers
from edge.cli.review_out import ReviewSent, send_review
from edge.cli.review_settings import ReviewInSettings, ReviewOutSettings
from edge.cli.review_words import sent_lines, state_facts, state_lines, taken_lines
from edge.lines import print_json, print_lines
from edge.record_json import plain_of
from edge.review.state import state_of

_PROGRAM = "edge review"


def review_job(
    path: Path | None,
    named: tuple[str, int | None],
    out: ReviewOutSettings,
    back: ReviewInSettings,
    stages: tuple[str, ...],
    *,
    json: bool,
) -> None:
    """Say how a review stands, write what is to be looked at, or take answers.

    Args:
        path: of the book; None: the usual one.
        named: the sample's name, and which of its counts (None: the newest).
        out: what goes out.
        back: what comes back.
        stages: words that readers may add to the positive class.
        json: one object on stdout instead of lines.

    Raises:
        BookError: no such sample, or the book is damaged.
        ReviewError: a file does not fit the sample.
        OutputError: a file or the book cannot be written.
    """
    writes = out.export is not None or (back.import_ is not None and not back.check)
    with open_existing(path, _PROGRAM, write=writes) as book:
        row = book.sample(*named)
        done: ReviewSent | AnswersTaken | None = None
        if out.export is not None:
            done = send_review(book, row, out, stages)
        elif back.import_ is not None:
            done = take_answers(book, row, back, stages)
        state = None if isinstance(done, ReviewSent) else state_of(book, row)
    if json:
        told = {} if done is None else {"exported" if isinstance(done, ReviewSent) else "imported": plain_of(done)}
        print_json({**({} if state is None else state_facts(state)), **told})
        return
    lines = sent_lines(done) if isinstance(done, ReviewSent) else [] if done is None else taken_lines(done)
    print_lines([*lines, *([] if state is None else state_lines(state, short=done is not None))])
