"""``edge-bench``: what it costs, on the machine in front of you. Heavy imports wait until a command runs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from benchmarks.arm.cli import app as arm
from edge.door import door
from edge.program import enter, make_app

PROGRAM = "edge-bench"
_EPILOG = (
    "Example: edge-bench standard -o my-board.json (about five minutes).\n\n"
    "Exit codes: 0 done; 1 a defect of this program; 2 the command line is wrong; 3 some cases failed; 4 nothing to measure; "
    "5 a model was refused; 7 an output could not be written; 11 a package of the extra bench is missing; 12 a result or "
    "power file cannot be used; 13 results cannot be compared; 14 slower than --fail-over allows; 15 invalid: the board "
    "throttled; 130 stopped by Ctrl-C (what was measured is kept)."
)

app = make_app(PROGRAM, "What a cell and a field cost on this machine, with the machine's state on record.", _EPILOG)
app.add_typer(arm, name="arm", short_help="ARM without a board, in emulated systems.")

Json = Annotated[bool, typer.Option("--json", help="JSON on stdout instead of tables.")]
Debug = Annotated[bool, typer.Option("--debug", help="Show tracebacks.")]
Out = Annotated[
    Path | None, typer.Option("--out", "-o", metavar="FILE", help="Write the result file, raw samples and all.")
]
Seconds = Annotated[float, typer.Option(min=0.001, metavar="S", help="Measured per case.")]


def _turns(text: str) -> str:
    processes, times, rounds = text.partition("x")
    if not (times and all(part.isdecimal() and 1 <= int(part) <= 1000 for part in (processes, rounds))):
        raise typer.BadParameter(f"{text!r}: give PROCESSESxROUNDS, 1 to 1000 each, as 5x2")
    return text


Turns = Annotated[
    str,
    typer.Option(metavar="PxR", callback=_turns, help="Processes of a case, one after the other, and rounds in each."),
]
PowerLog = Annotated[
    Path | None, typer.Option("--power", metavar="CSV", help="A meter's log (time,watts) written meanwhile.")
]


@app.command(
    short_help="Microseconds per cell of a net.",
    epilog="Examples: edge-bench model    edge-bench model my.tflite --batch 1,32 --threads 1 -o my.json",
)
def model(
    models: Annotated[
        list[str] | None, typer.Argument(metavar="MODEL", help="Names on the shelf or paths; default: the shelf.")
    ] = None,
    *,
    batch: Annotated[str, typer.Option(metavar="N,N", help="Images per call.")] = "1,8,32,64",
    threads: Annotated[str, typer.Option(metavar="N,N", help="Threads of the bare interpreter.")] = "1,2,4",
    runtime: Annotated[str, typer.Option(metavar="A,B", help="litert, tflite.")] = "litert,tflite",
    out: Out = None,
    power: PowerLog = None,
    seconds: Seconds = 10.0,
    turns: Turns = "5x2",
    json: Json = False,
    debug: Debug = False,
) -> None:
    """Microseconds per cell of a net: the bare interpreter, and through the runner's classifier."""
    batches, counts = _numbers(batch, "--batch", 4096), _numbers(threads, "--threads", 64)
    runtimes = _words(runtime, "--runtime", ("litert", "tflite"))
    with door(debug=debug, program=PROGRAM):
        from benchmarks.commands import measure, model_cases, plan  # noqa: PLC0415 - see the module's docstring

        cases = model_cases(tuple(models or ()), batches, counts, runtimes)
        code = measure(cases, plan(seconds, turns), out, power, json=json)
    raise typer.Exit(code)


@app.command(
    short_help="Microseconds per field, split into stages.",
    epilog="Examples: edge-bench run    edge-bench run --source fields/ --workers 1,2 -o fields.json",
)
def run(
    *,
    source: Annotated[str, typer.Option(metavar="simulate|DIR", help="Virtual fields, or a folder.")] = "simulate",
    size: Annotated[
        str, typer.Option(metavar="WxH,WxH", help="Size of virtual fields in pixels.")
    ] = "640x480,1280x960,2028x1520,4056x3040",
    cells: Annotated[str, typer.Option(metavar="N,N", help="Cells per virtual field.")] = "50,200,1000",
    workers: Annotated[str, typer.Option(metavar="N,N", help="Threads, each with a field of its own.")] = "1,2,4",
    finder: Annotated[str, typer.Option(metavar="auto|learned|classical|PATH", help="What finds the cells.")] = "auto",
    out: Out = None,
    power: PowerLog = None,
    seconds: Seconds = 10.0,
    turns: Turns = "5x2",
    json: Json = False,
    debug: Debug = False,
) -> None:
    """Microseconds per field of the whole analysis, split into its stages."""
    sizes, densities, counts = _sizes(size), _numbers(cells, "--cells", 5000), _numbers(workers, "--workers", 64)
    with door(debug=debug, program=PROGRAM):
        from benchmarks.commands import measure, plan, run_cases  # noqa: PLC0415 - see the module's docstring

        cases = run_cases(source, sizes, densities, counts, finder)
        code = measure(cases, plan(seconds, turns), out, power, json=json)
    raise typer.Exit(code)


@app.command(
    short_help="The standard set of cases: five minutes.",
    epilog="Example: edge-bench standard -o results/my-board.json",
)
def standard(
    *,
    out: Out = None,
    into: Annotated[
        Path | None, typer.Option("--into", metavar="DIR", help="Write into this folder, named after board and time.")
    ] = None,
    power: PowerLog = None,
    seconds: Seconds = 10.0,
    turns: Turns = "5x2",
    json: Json = False,
    debug: Debug = False,
) -> None:
    """The standard set of cases, the same on every machine: about five minutes."""
    with door(debug=debug, program=PROGRAM):
        from benchmarks.commands import measure, named_after_board, plan  # noqa: PLC0415 - see the module's docstring
        from benchmarks.standard import standard as cases  # noqa: PLC0415

        target = out or (named_after_board(into) if into else None)
        code = measure(cases(), plan(seconds, turns), target, power, json=json)
    raise typer.Exit(code)


@app.command(
    short_help="The same work through other software.",
    epilog="Examples: edge-bench peers    edge-bench peers --source fields/ -o peers.json",
)
def peers(
    *,
    source: Annotated[str, typer.Option(metavar="simulate|DIR", help="Virtual fields, or a folder.")] = "simulate",
    model: Annotated[str, typer.Option(metavar="MODEL", help="Classifier: name on the shelf or path.")] = "",
    out: Out = None,
    power: PowerLog = None,
    seconds: Seconds = 10.0,
    turns: Turns = "5x2",
    json: Json = False,
    debug: Debug = False,
) -> None:
    """The same cells and fields through what a user would otherwise write or take (extra peers)."""
    with door(debug=debug, program=PROGRAM):
        from benchmarks.commands import measure, peer_cases, plan  # noqa: PLC0415 - see the module's docstring

        code = measure(peer_cases(source, model), plan(seconds, turns), out, power, json=json)
    raise typer.Exit(code)


@app.command(short_help="What this machine is, and its state.", epilog="Example: edge-bench device --json")
def device(*, json: Json = False, debug: Debug = False) -> None:
    """What this machine is: board, cores, clocks, governor, temperature, throttling, runtimes."""
    with door(debug=debug, program=PROGRAM):
        from benchmarks.commands import show_this_device  # noqa: PLC0415 - see the module's docstring

        show_this_device(json=json)


@app.command(epilog="Example: edge-bench compare old.json new.json --fail-over 5%")
def compare(
    old: Annotated[Path, typer.Argument(metavar="OLD", help="A result file.")],
    new: Annotated[Path, typer.Argument(metavar="NEW", help="Another.")],
    *,
    fail_over: Annotated[
        str | None,
        typer.Option("--fail-over", metavar="PERCENT", help="Exit with 14 where a case is slower by more, for real."),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Compare other boards, versions or models as well.")] = False,
    json: Json = False,
    debug: Debug = False,
) -> None:
    """Which differences between two results are real."""
    limit = _percent(fail_over)
    with door(debug=debug, program=PROGRAM):
        from benchmarks.commands import show_comparison  # noqa: PLC0415 - see the module's docstring

        show_comparison(old, new, limit, force=force, json=json)


@app.command(
    short_help="Tables and plots of many results.",
    epilog="Example: edge-bench report benchmarks/results/*.json -o docs/benchmarks.md",
)
def report(
    results: Annotated[list[Path], typer.Argument(metavar="RESULT", help="Result files.")],
    *,
    out: Annotated[Path, typer.Option("--out", "-o", metavar="FILE", help="The page; plots go beside it.")],
    plots: Annotated[bool, typer.Option("--plots/--no-plots", help="Draw plots (needs matplotlib).")] = True,
    debug: Debug = False,
) -> None:
    """Tables and plots of many results for people; invalid and partial ones are named and left out."""
    with door(debug=debug, program=PROGRAM):
        from benchmarks.commands import write_report  # noqa: PLC0415 - see the module's docstring

        write_report(results, out, plots=plots)


def _numbers(text: str, option: str, most: int) -> tuple[int, ...]:
    parts = [part.strip() for part in text.split(",")]
    if not all(part.isdecimal() and 1 <= int(part) <= most for part in parts):
        raise typer.BadParameter(f"{option} {text!r}: give whole numbers from 1 to {most}, as 1,2,4")
    return tuple(dict.fromkeys(int(part) for part in parts))


def _words(text: str, option: str, known: tuple[str, ...]) -> tuple[str, ...]:
    parts = [part.strip() for part in text.split(",")]
    if not set(parts) <= set(known):
        raise typer.BadParameter(f"{option} {text!r}: give some of {', '.join(known)}")
    return tuple(dict.fromkeys(parts))


def _sizes(text: str) -> tuple[str, ...]:
    parts = [part.strip().lower() for part in text.split(",")]
    for part in parts:
        sides = part.split("x")
        if len(sides) != 2 or not all(side.isdecimal() and 64 <= int(side) <= 8192 for side in sides):
            raise typer.BadParameter(f"--size {part!r}: give WIDTHxHEIGHT in pixels, 64 to 8192 each, as 1280x960")
    return tuple(dict.fromkeys(parts))


def _percent(text: str | None) -> float | None:
    if text is None:
        return None
    try:
        value = float(text.strip().removesuffix("%"))
    except ValueError:
        value = -1.0
    if not 0 <= value < 1e6:
        raise typer.BadParameter(f"--fail-over {text!r}: give a percentage, as 5%")
    return value / 100


def main() -> None:
    """Entry point of ``edge-bench``."""
    enter(app, PROGRAM)


if __name__ == "__main__":
    main()
