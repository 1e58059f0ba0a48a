"""``edge calibrate``: its options; what they do is in ``edge.cli.calibration_job``."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from edge.cli.run import Tiling, check_scope, check_share, cores
from edge.door import door

_PROGRAM = "edge calibrate"


def calibrate(
    *,
    blank: Annotated[
        list[str],
        typer.Option(
            metavar="DIR",
            help="Slide known to be negative: folder (or folder of such folders), video, or COCO from --detections. Repeat.",
        ),
    ],
    output: Annotated[Path, typer.Option("-o", "--output", metavar="FILE", help="Calibration to write.")],
    positive: Annotated[
        list[str] | None,
        typer.Option(
            metavar="DIR[=SHARE]",
            help="Slide with infected cells: as read by a person (DIR=27/2000, DIR=1.4%), or with them marked in DIR/truth.json.",
        ),
    ] = None,
    target: Annotated[str | None, typer.Option(metavar="SHARE", help="Share to be detected: 200/uL or 0.1%.")] = None,
    cells: Annotated[
        int | None, typer.Option(min=1, metavar="N", help="Cells of a later sample.  [default: as the blanks have]")
    ] = None,
    false_positives: Annotated[
        str | None, typer.Option(metavar="SHARE", help="Budget instead of the lowest limit: 5/uL or 0.0001%.")
    ] = None,
    scope: Annotated[str | None, typer.Option(metavar="NAME", help="This microscope's name.")] = None,
    rbc_per_ul: Annotated[
        float, typer.Option("--rbc-per-ul", min=1e5, max=1e8, metavar="N", help="Red cells per µL.")
    ] = 5e6,
    model: Annotated[str | None, typer.Option(metavar="NAME|PATH", help="Classifier.")] = None,
    finder: Annotated[str, typer.Option(metavar="auto|learned|classical|PATH", help="As for edge-run.")] = "auto",
    tiling: Annotated[Tiling, typer.Option(help="As for edge-run.")] = Tiling.CELLS,
    tile_px: Annotated[int | None, typer.Option(min=8, metavar="PX", help="As for edge-run.")] = None,
    tile_overlap: Annotated[float, typer.Option(min=0, max=0.9, metavar="SHARE", help="As for edge-run.")] = 0.0,
    z: Annotated[int | None, typer.Option("--z", min=1, metavar="N", help="As for edge-run.")] = None,
    depth: Annotated[int | None, typer.Option(min=10, max=16, metavar="BITS", help="As for edge-run.")] = None,
    gate: Annotated[bool, typer.Option("--gate/--no-gate", help="As for edge-run.")] = True,
    overlap: Annotated[bool, typer.Option("--overlap/--no-overlap", help="As for edge-run.")] = True,
    workers: Annotated[int | None, typer.Option(min=1, max=64, metavar="N", help="As for edge-run.")] = None,
    cache: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Keep finished slides here; a second call goes on from them.")
    ] = None,
    debug: Annotated[bool, typer.Option("--debug", help="Show tracebacks.")] = False,
) -> None:
    """Learn from known slides what a count on this microscope means.

    \b
    Examples:
      edge calibrate --blank n1/ --blank n2/ --scope scope-3 -o scope-3.json
      edge calibrate --blank n/ --positive p1/=27/2000 --target 200/uL -o c.json
      edge calibrate --blank n/ --cells 50000 --cache work/ -o scope-3.json
      edge calibrate --blank n1.json --blank n2.json -o scope-3.json
                                       (n1.json: from edge-run --detections)

    Every slide counts as one: give as many blank slides as there are, from different people and days.

    Exit codes as for edge-run. For research and triage. Not a diagnostic device.
    """  # noqa: D301 - \b keeps the lines as they are
    check_scope(scope)
    for option, share in (("--target", target), ("--false-positives", false_positives)):
        if share is not None:
            check_share(option, share)
            if tiling is Tiling.GRID and share.rstrip().lower().endswith("l"):
                raise typer.BadParameter(f"{option} {share}: tiles have no parasites per µL: give a share of the tiles")
    with door(debug=debug, program=_PROGRAM):
        import edge.sources.decode  # noqa: F401, PLC0415 - first of all, for it sets limits that OpenCV reads on import

        # isort: split
        from edge.cli.build import Options  # noqa: PLC0415
        from edge.cli.calibration_job import Wanted, make  # noqa: PLC0415
        from edge.verdict.units import parse_share  # noqa: PLC0415

        options = Options(
            (), simulate=False, camera=False, max_cells=None, max_fields=None, json=False, detections=None, csv=None,
            annotate=None, sample_id=None, sample_per_folder=False, every=None, model=model, finder=finder,
            grid=tiling is Tiling.GRID, tile_px=tile_px, tile_overlap=tile_overlap, labels=(), positive=(),
            threshold=None, workers=workers or min(4, cores()), gate=gate, seed=0, size=(1280, 960), device="0",
            interval=0.0, debug=debug, scope=scope, z=z, depth=depth, overlap=overlap,
        )  # fmt: skip
        wanted = Wanted(
            tuple(blank),
            tuple(positive or ()),
            output,
            None if target is None else parse_share(target, rbc_per_ul),
            cells,
            None if false_positives is None else parse_share(false_positives, rbc_per_ul),
            rbc_per_ul,
            cache,
        )
        make(options, wanted)
    sys.exit(0)
