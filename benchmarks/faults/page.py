"""docs/faults.md: what stands in it always, and the figures that are kept."""

from __future__ import annotations

from benchmarks.faults.endurance import EVERY, Endurance
from benchmarks.faults.figures import Figures, Trials
from benchmarks.faults.trouble import Trouble

_TEXT = """\
# When it is killed, cut off, or the disk is full

Written by `python -m benchmarks.faults` from `benchmarks/faults/kept.json`; `--only` measures one part again. The program under
test is `edge-run` itself with the book, CSV, COCO, report, annotated pictures and JSON Lines, from its command line to its exit
code. How samples are kept stands in [book.md](book.md). It needs Linux and a C compiler, for power cuts root and mkfs.ext4 too; a
part that cannot be tried is left out, and that is said. `--count 50` is a quick look.

- **Moment**: a call that changes something in the run's folder (writing, fsync, renaming, removing, making a file), at which a
  library that stands between program and system kills or stops the process, or from which on calls fail. Of every second
  writing at which it is killed the first half is done.
- **The same sample**: all fields and cells in the book, its sums and flag, its cell pictures, the CSV, the COCO file, the annotated
  pictures, what the report says and shows, and the JSON Lines are those of the run that was left alone. Times are not compared.
- **Looks complete**: a file under its final name. It must hold just what it holds at the end.
- **Fields**: eight drawn ones of 480x360 px; two of them overlap, one is a copy, one out of focus, one black, one cut short.

"""


def page(figures: Figures) -> str:
    """The page as Markdown; parts that were not measured are left out."""
    parts = [_TEXT]
    if figures.kills:
        parts.append(_kills(figures.kills, figures.real))
    if figures.cuts:
        parts.append(_cuts(figures.cuts))
    if figures.answers:
        parts.append(_answers(figures.answers, figures.answers_cut))
    if figures.endurance:
        parts.append(_endurance(figures.endurance))
    if figures.troubles:
        parts.append(_troubles(figures.troubles))
    if figures.measured:
        rows = [f"- {name}: {one.day}, {one.machine}, {one.disk}" for name, one in sorted(figures.measured.items())]
        parts.append("## Measured\n\n" + "\n".join(rows))
    return "\n".join(part.rstrip() + "\n" for part in parts)


def _kills(kills: Trials, real: Trials | None) -> str:
    rows = [_row("drawn", kills)] + ([_row("IML, real", real)] if real else [])
    return f"""\
## kill -9

After `--resume` the sample is the one that was never interrupted. Where the sample was complete already, `--resume` says so (exit
code 10), and `edge export` and `edge report` make from the book the CSV, the COCO file and the report that the run would have left.

| fields | moments | the same sample | at calls | at random times | killed again while it went on | fields shown before, in all |
|---|---|---|---|---|---|---|
{chr(10).join(rows)}

{_called(kills)}
{_wrong(kills.wrong)}"""


def _cuts(cuts: Trials) -> str:
    return f"""\
## Power cut

ext4 in a file, mounted; the cut is the file system's own shutdown without flushing its log, so that nothing that was not synced is
left; then it is mounted again. Right is: every field that the screen had shown is in the book, a sample shown as complete is complete
there, the book opens and passes its integrity check, no file looks complete that is not, and after `--resume` the sample is the same.

| moments | right | at calls | at random times | fields shown before, in all |
|---|---|---|---|---|
| {cuts.tried:,} | {cuts.right:,} | {cuts.tried - cuts.at_times:,} | {cuts.at_times:,} | {cuts.shown:,} |

{_called(cuts)}
{_wrong(cuts.wrong)}"""


def _answers(kills: Trials, cuts: Trials | None) -> str:
    tried = [("kill -9", kills)] + ([("power cut", cuts)] if cuts else [])
    rows = [
        f"| {name} | {one.tried:,} | {one.right:,} | {one.tried - one.at_times:,} | {one.shown:,} |"
        for name, one in tried
    ]
    return f"""\
## Answers of readers

A program answers cell after cell, as the page does, with a mark where the machine has nothing at each third, and says each answer
when it is in the book; in every second trial the book is of version 1, which the first answer brings up to date. Right is: every
answer that was said is there, none is half there, the book passes `edge book check`, and when the same answers are given once more
each is there once.

| disturbed by | moments | right | at calls | answers said before, in all |
|---|---|---|---|---|
{chr(10).join(rows)}

{_called(kills)}
{_wrong([*kills.wrong, *(cuts.wrong if cuts else ())])}"""


def _row(name: str, one: Trials) -> str:
    calls = one.tried - one.at_times
    return (
        f"| {name} | {one.tried:,} | {one.right:,} | {calls:,} | {one.at_times:,} | {one.several:,} | {one.shown:,} |"
    )


def _called(trials: Trials) -> str:
    named = ", ".join(f"{call} {count}" for call, count in trials.calls.items())
    return f"Calls: {named}."


def _wrong(lines: object) -> str:
    listed = list(lines) if isinstance(lines, list | tuple) else []
    return "".join(["\nWrong:\n\n", *(f"- {line}\n" for line in listed)]) if listed else ""


def _endurance(run: Endurance) -> str:
    first, last = run.looks[0], run.looks[-1]
    shown = [run.looks[round(n * (len(run.looks) - 1) / 8)] for n in range(9)] if len(run.looks) > 8 else run.looks
    rows = [f"| {one.fields:,} | {one.kilobytes / 1000:.1f} | {one.files} | {one.threads} |" for one in shown]
    most = max(one.kilobytes for one in run.looks)
    peak = (most - first.kilobytes) / 1000
    files, threads = _range([one.files for one in run.looks]), _range([one.threads for one in run.looks])
    return f"""\
## Many fields

{run.kept:,} fields (sixteen drawn ones, over and over) through one process with all outputs, the gate off so that each of them
counts, looked at from outside every {EVERY:,} fields. Memory is what is the process's own (RssAnon). From {first.fields:,} to
{last.fields:,} fields it grew by {peak:.1f} MB at most; open files {files}, threads {threads}. The last look may meet the
process as it ends.

| fields | own memory, MB | open files | threads |
|---|---|---|---|
{chr(10).join(rows)}
"""


def _range(values: list[int]) -> str:
    low, high = min(values), max(values)
    return f"{low}" if low == high else f"{low} to {high}"


def _troubles(troubles: tuple[Trouble, ...]) -> str:
    rows = [f"| {one.name} | {one.tried:,} | {one.right:,} | {_cell(one.line)} |" for one in troubles]
    wrong = [f"{one.name}: {line}" for one in troubles for line in one.wrong]
    return f"""\
## Disks, folders, locks

From a moment on it is so; moments are spread over the run. Right is: nothing that was shown is lost, one clear line besides notes and
the exit code for it (or the trouble does not matter), no file looks complete that holds less than was shown, and when the trouble is
over `--resume` ends in the same sample. Where book and folder are deleted only the line is asked for.

| what | moments | right | what is said |
|---|---|---|---|
{chr(10).join(rows)}
{_wrong(wrong)}"""


def _cell(text: str) -> str:
    return text.replace("|", "\\|") or "(nothing)"
