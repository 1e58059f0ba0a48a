from __future__ import annotations

import io
from dataclasses import replace

import pytest

from edge.errors import OutputError
from edge.outputs.console import Screen, Summary, clock, printable, took
from edge.outputs.live_line import Progress, fit
from edge.outputs.pace import EndConditions
from edge.types import Tally
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

  set aside  red cells 2 (not counted)
  unreadable notes.jpg: not an image
  flag       uncalibrated
  because    - No calibration for this model, finder and microscope: its false positives are not known, so the counts \
are not turned into a judgement.
             - 27 of 2,013 cells counted as parasitized: 0.89 to 1.95 % with 95 % confidence, false positives included.
  model      fake abababababab, finder fake-finder
             For research and triage: puts suspicious cells before a trained person. Not a diagnosis."""
    )


def test_notes_are_shown_between_what_was_set_aside_and_the_flag() -> None:
    stream = io.StringIO()
    event = replace(events.sample(), notes=("few cells.", "a darker lamp\x1b."))
    Summary(Screen(file=stream, width=100), events.MODEL, ("parasitized",)).sample(event)
    shown = [line.rstrip() for line in stream.getvalue().splitlines()]
    place = shown.index("  set aside  red cells 2 (not counted)")
    assert shown[place + 1 : place + 3] == ["  note       - few cells.", "             - a darker lamp\\x1b."]


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
    monkeypatch.setattr("edge.outputs.live_line.monotonic", lambda: now[0])
    progress = Progress(Screen(file=stream, width=60), ("parasitized",), EndConditions(cells=100))
    for _ in range(25):
        now[0] += 1.0
        progress.field(events.field(result([0] * 9 + [1])))
    progress.close()
    lines = stream.getvalue().splitlines()
    assert len(lines) == 2
    assert "1 kept, 0 rejected · 10 cells" in lines[0]
    assert "\x1b" not in stream.getvalue()


def live(monkeypatch: pytest.MonkeyPatch, ends: EndConditions, seconds: int, *, sooner: bool = False) -> str:
    """What is on the screen after some seconds with a field of ten cells in each."""
    stream = io.StringIO()
    now = [0.0]
    monkeypatch.setattr("edge.outputs.live_line.monotonic", lambda: now[0])
    screen = Screen(file=stream, width=120, force_terminal=True, color_system=None)
    progress = Progress(screen, ("parasitized",), ends, sooner=sooner)
    for i in range(seconds):
        now[0] += 1.0
        cells = 10 * (i + 1)
        progress.field(events.field(result([0] * (cells - 1) + [1]), index=i))
    progress.sample(events.sample())
    assert stream.getvalue().endswith("\x1b[2K")  # the line goes at the end
    return stream.getvalue().split("\x1b[2K")[-3]


def test_on_a_terminal_the_line_shows_counts_rate_and_time_left(monkeypatch: pytest.MonkeyPatch) -> None:
    line = live(monkeypatch, EndConditions(cells=200), 10)
    assert "100 cells · 10 cells/s · uninfected 99 · parasitized 1 · 10 s left" in line


def test_before_enough_is_known_neither_rate_nor_time_left_is_claimed(monkeypatch: pytest.MonkeyPatch) -> None:
    line = live(monkeypatch, EndConditions(cells=200, seconds=8), 3)
    assert "30 cells · uninfected 29" in line
    assert "left" not in line


def test_a_sample_that_may_be_decided_sooner_has_at_most_so_long(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "at most 10 s left" in live(monkeypatch, EndConditions(cells=200), 10, sooner=True)


def several(width: int = 100, *names: str, positive: tuple[str, ...] = ("parasitized",), hint: str = "") -> str:
    """What is printed after the last of some samples, on a terminal."""
    stream = io.StringIO()
    screen = Screen(file=stream, width=width, force_terminal=True, color_system=None, highlight=False)
    shown = Summary(screen, events.MODEL, positive, hint)
    for name in names:
        shown.sample(events.sample(name=name))
    before = len(stream.getvalue())
    shown.close()
    return "\n".join(line.rstrip() for line in stream.getvalue()[before:].splitlines())


def test_several_samples_are_closed_with_a_table_of_all(monkeypatch: pytest.MonkeyPatch) -> None:
    times = iter([10.0, 14.0])
    monkeypatch.setattr("edge.outputs.console.monotonic", lambda: next(times))
    assert (
        several(100, "slide 1", "образец 2")
        == """
All samples
  sample     fields  cells  parasitized  flag
  slide 1         1  2,013           27  uncalibrated
  образец 2       1  2,013           27  uncalibrated
  together   2 samples, 2 fields, 4,026 cells in 4.0 s, 1,006 cells/s"""
    )


@pytest.mark.parametrize("width", [40, 60, 80, 120])
def test_the_table_of_all_keeps_within_the_width(width: int) -> None:
    printed = several(width, "a", "b" * 90, positive=("uninfected", "parasitized"))
    assert max(len(line) for line in printed.splitlines()) <= width
    assert "2,013" in printed


def test_very_many_positive_classes_are_one_column() -> None:
    stream = io.StringIO()
    labels = tuple(f"class {i}" for i in range(40))
    shown = Summary(Screen(file=stream, width=100), events.MODEL, labels)
    for name in "ab":
        tally = Tally(name, dict.fromkeys(labels, 3), {}, 1, {})
        shown._done.append((tally, events.sample().verdict))
    shown.close()
    assert "positive" in stream.getvalue()
    assert "120" in stream.getvalue()
    assert "class" not in stream.getvalue()


def test_one_sample_has_no_table_of_all_and_none_has_nothing() -> None:
    assert several(100, "s") == ""
    assert several(100, hint="there is more") == ""


def test_what_else_there_is_is_said_once_at_the_end_to_who_sits_there() -> None:
    assert several(100, "s", hint="there is more") == "there is more"
    assert several(100, "a", "b", hint="there is more").count("there is more") == 1
    stream = io.StringIO()
    piped = Summary(Screen(file=stream, width=100), events.MODEL, (), "there is more")
    piped.sample(events.sample())
    piped.close()
    assert "there is more" not in stream.getvalue()


def test_where_samples_shared_the_workers_no_speed_is_claimed() -> None:
    event = events.sample()
    assert took(event) == "7.3 s, 275 cells/s"
    assert took(replace(event, alone=False)) == "7.3 s, other samples were under way"
    assert took(replace(event, seconds=0.0)) == "0.0 s"


def test_a_new_reason_of_the_gate_is_shown_as_it_is() -> None:
    stream = io.StringIO()
    event = events.sample()
    rejected = {"incomplete": 3, **{f"same view as field {i}": 1 for i in range(50)}, "\x1b[2J": 1}
    Summary(Screen(file=stream, width=100), events.MODEL, ()).sample(
        replace(event, tally=replace(event.tally, rejected=rejected))
    )
    assert "54 rejected (same view as field … 50, incomplete 3, \\x1b[2J 1)" in stream.getvalue()


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
    monkeypatch.setattr("edge.outputs.live_line.monotonic", lambda: now[0])
    progress = Progress(Screen(file=Broken(), width=60, force_terminal=terminal), ())
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
    monkeypatch.setattr("edge.outputs.live_line.monotonic", lambda: now[0])
    progress = Progress(Screen(file=stream, width=60), ())
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
