"""Locks of runs: who is alive, and what the dead leave behind."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from edge.book.holding import Hold, is_alive, sweep
from edge.book.opening import open_book

OLD, YOUNG = 7200.0, 10.0  # seconds


@pytest.mark.parametrize(
    ("age", "held", "left"),
    [
        pytest.param(OLD, False, False, id="of a run that died long ago"),
        pytest.param(YOUNG, False, True, id="so young that it may be about to be locked"),
        pytest.param(OLD, True, True, id="of a run that lives"),
    ],
)
def test_files_of_dead_runs_are_removed_when_the_book_is_opened(
    tmp_path: Path, age: float, held: bool, left: bool
) -> None:
    book = tmp_path / "a[1].sqlite"
    open_book(book, print).close()
    hold = Hold(book, "some-run")
    file = next(tmp_path.glob(".*.run"))
    if not held:
        assert hold._handle is not None
        os.close(hold._handle)  # as when its process ends
    then = time.time() - age
    os.utime(file, (then, then))
    open_book(book, print).close()
    assert file.exists() is left
    hold.release() if held else None


def test_other_books_files_are_left_alone(tmp_path: Path) -> None:
    other = tmp_path / ".other.sqlite.some-run.run"
    other.touch()
    os.utime(other, (0, 0))
    sweep(tmp_path / "book.sqlite")
    assert other.exists()
    assert not is_alive(tmp_path / "other.sqlite", "some-run")
