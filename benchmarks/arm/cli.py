"""``edge-bench arm``: what can be known of ARM on a machine that is none. Heavy imports wait until a command runs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from benchmarks.arm import boards, camera, equality, floats, instructions, suite
from benchmarks.arm import build as builder
from benchmarks.arm import table as tables
from benchmarks.arm.boards import BOARDS
from benchmarks.arm.errors import DifferenceError
from benchmarks.arm.files import count_files
from benchmarks.arm.host import say
from benchmarks.arm.roots import ROOTS
from edge.door import door
from edge.program import enter, make_app
from edge.safe_file import write_text

if TYPE_CHECKING:
    from benchmarks.arm.boards import Board
    from benchmarks.arm.roots import Root

PROGRAM = "edge-bench arm"
_EPILOG = (
    "Example: edge-bench arm all.\n\n"
    "Exit codes: 0 done, and equal where something was compared; 1 a defect of this program; 2 the command line is wrong; "
    "8 the roots cannot be built here (the line says what to install); 9 tests failed, outputs differ or a count moved; "
    "130 stopped by Ctrl-C (the same command goes on where it stopped). Roots are kept in $EDGE_ARM_CACHE, else "
    "~/.cache/edge-microscopy/arm."
)

app = make_app(
    PROGRAM, "ARM without a board: tests, bit-equality and instruction counts in emulated Debian roots.", _EPILOG
)

Roots = Annotated[list[str] | None, typer.Argument(metavar="ROOT", help="bookworm, trixie, armhf; default: all.")]
Debug = Annotated[bool, typer.Option("--debug", help="Show tracebacks.")]
Tolerance = Annotated[float, typer.Option(min=0.0, max=1.0, metavar="SHARE", help="How far a count may move.")]
Cpus = Annotated[list[str] | None, typer.Option("--cpu", metavar="CPU", help="Only this core; may be repeated.")]
Pairs = Annotated[list[str] | None, typer.Option(metavar="CPU=N", help="Assume this instead, e.g. cortex-a76=2.0.")]


@app.command(epilog="Example: edge-bench arm build bookworm")
def build(roots: Roots = None, *, debug: Debug = False) -> None:
    """Build the roots, as far as they are not there yet."""
    wanted = _roots(roots)
    with door(debug=debug, program=PROGRAM):
        for root in wanted:
            typer.echo(f"{root.name}: {builder.build(root)}")


@app.command(name="test", epilog="Example: edge-bench arm test bookworm --quick")
def run_tests(
    roots: Roots = None,
    *,
    quick: Annotated[bool, typer.Option("--quick", help="Only the tests where bytes are made.")] = False,
    debug: Debug = False,
) -> None:
    """Run the runner's tests in the roots; says what was left out and why."""
    wanted = _roots(roots)
    with door(debug=debug, program=PROGRAM):
        _test(wanted, quick=quick)


@app.command(epilog="Example: edge-bench arm equal --nets")
def equal(
    *,
    nets: Annotated[bool, typer.Option("--nets", help="Only the nets, not whole fields.")] = False,
    debug: Debug = False,
) -> None:
    """Compare nets and whole fields with this machine, byte for byte, on every core."""
    with door(debug=debug, program=PROGRAM):
        _equal(nets=nets)


@app.command(epilog="Example: edge-bench arm count")
def count(
    *,
    keep: Annotated[bool, typer.Option("--keep", help="Write instructions.json and the table in docs/arm.md.")] = False,
    debug: Debug = False,
) -> None:
    """Count instructions per cell and per field on every core."""
    with door(debug=debug, program=PROGRAM):
        counts = instructions.count()
        typer.echo(tables.render(counts))
        if keep:
            counts.write(instructions.KEPT)
            tables.write_page("counts", tables.render(counts))


@app.command(name="camera", epilog="Example: edge-bench arm camera --keep")
def count_camera(
    *,
    keep: Annotated[bool, typer.Option("--keep", help="Write the table in docs/arm.md.")] = False,
    debug: Debug = False,
) -> None:
    """Count a frame's way from the camera's buffer to a counted field: instructions, and bytes written to memory."""
    with door(debug=debug, program=PROGRAM):
        text = camera.render(camera.count())
        typer.echo(text)
        if keep:
            tables.write_page("camera", text)


@app.command(name="nets", epilog="Example: edge-bench arm nets a.tflite b.tflite -o counts.json")
def count_nets(
    files: Annotated[list[Path], typer.Argument(metavar="FILE", help="Device files, names all different.")],
    *,
    out: Annotated[Path | None, typer.Option("--out", "-o", metavar="FILE", help="JSON; default: stdout.")] = None,
    cpu: Annotated[str, typer.Option("--cpu", metavar="CPU", help="The core.")] = "cortex-a76",
    cells: Annotated[int, typer.Option(min=32, metavar="N", help="Cells that are counted over.")] = 1024,
    debug: Debug = False,
) -> None:
    """Count instructions of any device files on one core, in a root that is built already: per cell, of a finder per field."""
    (board,) = _boards([cpu])
    named = {path.stem: path for path in files}
    if len(named) < len(files):
        raise typer.BadParameter("two files of the same name")
    with door(debug=debug, program=PROGRAM):
        import json  # noqa: PLC0415

        text = json.dumps(count_files(named, board, cells), indent=1)
        if out is None:
            typer.echo(text)
        else:
            write_text(out, text + "\n")


@app.command(name="float", epilog="Example: edge-bench arm float --keep")
def count_in_float(
    *,
    keep: Annotated[bool, typer.Option("--keep", help="Write the table in docs/arm.md.")] = False,
    debug: Debug = False,
) -> None:
    """Count the shelf's nets as they ship and in float, on every core and on an older PC; TensorFlow and valgrind are needed."""
    with door(debug=debug, program=PROGRAM):
        text = floats.render(floats.count_floats())
        typer.echo(text)
        if keep:
            tables.write_page("float", text)


@app.command(epilog="Example: edge-bench arm operations")
def operations(
    *,
    keep: Annotated[bool, typer.Option("--keep", help="Write the table in docs/arm.md.")] = False,
    debug: Debug = False,
) -> None:
    """Show which operations of OpenCV and NumPy differ between this machine and a Cortex-A76."""
    with door(debug=debug, program=PROGRAM):
        text = equality.compare_operations(boards.PI_5)
        typer.echo(text)
        if keep:
            tables.write_page("operations", text)


@app.command(epilog="Example: edge-bench arm check --cpu cortex-a76")
def check(*, tolerance: Tolerance = 0.02, cpu: Cpus = None, debug: Debug = False) -> None:
    """Count anew and compare with what was kept."""
    boards = _boards(cpu)
    with door(debug=debug, program=PROGRAM):
        _check(tolerance, boards)


@app.command(epilog="Example: edge-bench arm table --ipc cortex-a76=2.0")
def table(*, ipc: Pairs = None, ghz: Pairs = None, debug: Debug = False) -> None:
    """Show the counts that were kept, with times estimated from the assumptions given."""
    ipcs, clocks = _numbers(ipc, "--ipc"), _numbers(ghz, "--ghz")
    with door(debug=debug, program=PROGRAM):
        boards = tables.boards_with(ipcs, clocks)
        typer.echo(tables.render(instructions.read(), boards))


@app.command(name="all", epilog="Example: edge-bench arm all --quick")
def everything(
    *,
    quick: Annotated[bool, typer.Option("--quick", help="A few minutes: bookworm only, nets and their tests.")] = False,
    tolerance: Tolerance = 0.02,
    debug: Debug = False,
) -> None:
    """Tests, bit-equality and counts, one after the other; ``--quick`` says what it leaves out."""
    wanted = _roots(["bookworm"] if quick else None)
    with door(debug=debug, program=PROGRAM):
        _equal(nets=quick)
        _test(wanted, quick=quick)
        if quick:
            say(
                "left out by --quick: trixie, armhf, the other tests, whole fields, instruction counts (make bench-arm)"
            )
        else:
            _check(tolerance, _boards(None))


def _test(roots: list[Root], *, quick: bool) -> None:

    outcomes = suite.run(roots, suite.QUICK if quick else ())
    if quick:
        typer.echo(f"left out by --quick: all but {', '.join(suite.QUICK)}")
    for outcome in outcomes:
        typer.echo("\n".join(outcome.lines()))
    for place, reason in suite.left_out(roots[-1]).items():
        typer.echo(f"left out: {place}: {reason}")
    suite.fail_on_failure(outcomes)


def _equal(*, nets: bool) -> None:

    found = equality.compare(fields=not nets)
    for one in found:
        typer.echo(str(one))
    equality.fail_on_difference(found)


def _check(tolerance: float, boards: list[Board]) -> None:

    kept = instructions.read()
    counts = instructions.count(boards, cells=int(kept.conditions["cells"]), fields=int(kept.conditions["fields"]))
    typer.echo(tables.render(counts))
    lines = instructions.moved(kept, counts, tolerance)
    for line in lines:
        typer.echo(line)
    if lines:
        raise DifferenceError(
            f"{len(lines)} counts or conditions moved by more than {tolerance:.1%} (count --keep takes them)"
        )
    typer.echo(f"all counts are within {tolerance:.1%} of those kept")


def _roots(names: list[str] | None) -> list[Root]:

    known = {root.name: root for root in ROOTS}
    for name in names or ():
        if name not in known:
            raise typer.BadParameter(f"{name}: no such root (there: {', '.join(known)})")
    return [known[name] for name in names or known]


def _boards(cpus: list[str] | None) -> list[Board]:

    known = {board.cpu: board for board in BOARDS}
    for cpu in cpus or ():
        if cpu not in known:
            raise typer.BadParameter(f"--cpu {cpu}: no such core (there: {', '.join(known)})")
    return [known[cpu] for cpu in cpus or known]


def _numbers(pairs: list[str] | None, option: str) -> dict[str, float]:

    found = {}
    for pair in pairs or ():
        cpu, _, text = pair.partition("=")
        if cpu not in {board.cpu for board in BOARDS} or not text.replace(".", "", 1).isdigit() or float(text) <= 0:
            raise typer.BadParameter(
                f"{option} {pair}: wanted CPU=NUMBER with one of cortex-a53, cortex-a72, cortex-a76"
            )
        found[cpu] = float(text)
    return found


def main() -> None:
    """Entry point of ``python -m benchmarks.arm``."""
    enter(app, PROGRAM)
