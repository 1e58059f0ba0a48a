from __future__ import annotations

import io

import pytest

from edge.errors import OutputError
from edge.outputs.console import Progress, Screen, Summary, clock, fit, printable
from tests.fakes import result
from tests.outputs import events


def summary(width: int = 100, *, terminal: bool = False) -> str:
    stream = io.StringIO()
    screen = Screen(file=stream, width=width, force_terminal=terminal, color_system=None, highlight=False)
    Summary(screen, events.MODEL, ("parasitized",)).sample(events.sample())
    return stream.getvalue()


def test_the_summary_of_a_sample() -> None:
    got = "\n".join(line.rstrip() for line in summary().splitlines())
    assert (
        got
        == """\
Sample s
  fields     1 kept, 1 rejected (out of focus 1), 1 unreadable
  cells      2,013 counted in 7.3 s, 275 cells/s

  class        count    share  95 % interval
  uninfected   1,986  98.66 %  98.05 to 99.11 %
  parasitized     27   1.34 %  0.89 to 1.95 %

  set aside  not-red-cell 2 (not counted)
  unreadable notes.jpg: not an image
  flag       uncalibrated
  because    - No calibration for this model, finder and microscope: its false positives are not known, so the counts \
are not turned into a judgement.
             - 27 of 2,013 cells counted as parasitized: 0.89 to 1.95 % with 95 % confidence, false positives included.
  model      fake abababababab, finder fake-finder
             For research and triage: puts suspicious cells before a trained person. Not a diagnosis."""
    )


@pytest.mark.parametrize("width", [40, 60, 80, 120])
def test_on_a_terminal_it_keeps_within_the_width(width: int) -> None:
    assert max(len(line.rstrip()) for line in summary(width, terminal=True).splitlines()) <= width


def test_names_cannot_move_the_cursor_or_paint() -> None:
    assert printable("a\x1b[2Jb\n") == "a\\x1b[2Jb\\n"
    assert printable("\udcff") == "\\udcff"
    assert printable("Zellen [red]é") == "Zellen [red]é"


def test_the_live_line_gives_up_its_least_parts_first() -> None:
    pieces = [("sample", 5), ("12 kept", 0), ("9 cells/s", 3), ("bad 3", 1), ("good 900", 4)]
    assert fit(pieces, 80).plain == "sample · 12 kept · 9 cells/s · bad 3 · good 900"
    assert fit(pieces, 30).plain == "12 kept · 9 cells/s · bad 3"
    assert fit(pieces, 16).plain == "12 kept · bad 3"
    assert fit(pieces, 5).plain == "12 k…"


def test_without_a_terminal_there_is_a_plain_line_now_and_then(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = io.StringIO()
    now = [0.0]
    monkeypatch.setattr("edge.outputs.console.monotonic", lambda: now[0])
    progress = Progress(Screen(file=stream, width=60), ("parasitized",), 100, None)
    for _ in range(25):
        now[0] += 1.0
        progress.field(events.field(result([0] * 9 + [1])))
    progress.close()
    lines = stream.getvalue().splitlines()
    assert len(lines) == 2
    assert "1 kept, 0 rejected · 10 cells" in lines[0]
    assert "\x1b" not in stream.getvalue()


def test_on_a_terminal_the_line_shows_counts_rate_and_time_left_and_goes_at_the_end(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    stream = io.StringIO()
    now = [0.0]
    monkeypatch.setattr("edge.outputs.console.monotonic", lambda: now[0])
    screen = Screen(file=stream, width=120, force_terminal=True, color_system=None)
    progress = Progress(screen, ("parasitized",), 100, None)
    now[0] = 2.0
    progress.field(events.field(result([0] * 9 + [1])))
    assert "10 cells · 5 cells/s · uninfected 9 · parasitized 1 · 18 s left" in stream.getvalue()
    progress.sample(events.sample())
    assert stream.getvalue().endswith("\x1b[2K")


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(7.31, "7.3 s"), (9.97, "10 s"), (14.4, "14 s"), (65, "1:05"), (59.9, "1:00"), (7384, "2:03:04")],
)
def test_times(seconds: float, text: str) -> None:
    assert clock(seconds) == text


def test_an_unreadable_input_is_named_once() -> None:
    from edge.outputs.console import _named

    assert _named("a.jpg", "/long/way/a.jpg: truncated") == "a.jpg: truncated"
    assert _named("a.jpg", "truncated: no end") == "a.jpg: truncated: no end"


class Broken(io.StringIO):
    """A stream on a full disk."""

    def write(self, _: str) -> int:
        raise OSError(28, "No space left on device")


@pytest.mark.parametrize("terminal", [False, True])
def test_a_live_line_that_cannot_be_shown_does_not_stop_the_count(
    monkeypatch: pytest.MonkeyPatch, terminal: bool
) -> None:
    now = [0.0]
    monkeypatch.setattr("edge.outputs.console.monotonic", lambda: now[0])
    progress = Progress(Screen(file=Broken(), width=60, force_terminal=terminal), (), None, None)
    now[0] = 20.0
    progress.field(events.kept())
    progress.sample(events.sample())
    progress.close()


def test_a_summary_that_cannot_be_shown_is_one_known_error() -> None:
    with pytest.raises(OutputError, match="stdout: cannot be written: No space left"):
        Summary(Screen(file=Broken(), width=60), events.MODEL, ()).sample(events.sample())


def test_a_plain_line_says_what_the_last_field_that_overlapped_lies_on(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = io.StringIO()
    now = [0.0]
    monkeypatch.setattr("edge.outputs.console.monotonic", lambda: now[0])
    progress = Progress(Screen(file=stream, width=60), (), None, None)
    for event in (events.overlapping(), events.kept(), events.kept()):
        now[0] += 5.0
        progress.field(event)
    now[0] += 10.0
    progress.field(events.kept())
    first, second = stream.getvalue().splitlines()
    assert first.endswith("overlaps field 12: 71 cells counted there")
    assert "overlaps" not in second


@pytest.mark.parametrize(
    ("fields", "words"), [(1, "1 field overlaps earlier ones"), (2, "2 fields overlap earlier ones")]
)
def test_the_summary_says_how_many_fields_overlap(fields: int, words: str) -> None:
    stream = io.StringIO()
    table = Summary(Screen(file=stream, width=100), events.MODEL, ())
    for _ in range(fields):
        table.field(events.overlapping())
    table.sample(events.sample())
    table.sample(events.sample())  # the next sample has none
    assert stream.getvalue().count("earlier ones") == 1
    assert words in stream.getvalue()
