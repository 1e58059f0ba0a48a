"""``edge-run``: its options. What they build is in ``edge.cli.build``."""

from __future__ import annotations

import os
import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from edge import installed_version
from edge.door import door

_SIMULATED_FIELDS = 60
_LONGEST_ID = 200


class Tiling(StrEnum):
    """How a field is cut up."""

    CELLS = "cells"
    GRID = "grid"


class Until(StrEnum):
    """When a sample ends."""

    DECIDED = "decided"


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"edge-run {installed_version()}")
        raise typer.Exit


def _list(wanted: bool) -> None:
    if wanted:
        from edge.cli.models import print_shelf  # noqa: PLC0415 - only here

        with door(debug=False):
            print_shelf()
        raise typer.Exit


def _size(text: str) -> str:
    parts = text.lower().split("x")
    if len(parts) != 2 or not all(part.isdecimal() and 64 <= int(part) <= 8192 for part in parts):
        raise typer.BadParameter(f"{text!r}: give WIDTHxHEIGHT in pixels, 64 to 8192 each, as 1280x960")
    return text


def run(
    inputs: Annotated[
        list[str] | None, typer.Argument(help="Folders, image files, patterns or videos.", show_default=False)
    ] = None,
    *,
    simulate: Annotated[bool, typer.Option("--simulate", help="Count a virtual slide.")] = False,
    camera: Annotated[bool, typer.Option("--camera", help="Count what the camera sees: Pi camera, else USB.")] = False,
    max_cells: Annotated[
        int | None, typer.Option(min=1, metavar="N", help="Stop a sample after the field that reaches N cells.")
    ] = None,
    max_fields: Annotated[
        int | None,
        typer.Option(
            min=1,
            metavar="N",
            help=f"Stop a sample after N fields, bad ones included (--simulate: {_SIMULATED_FIELDS}).",
        ),
    ] = None,
    max_seconds: Annotated[
        float | None,
        typer.Option(min=1, metavar="S", help="Stop a sample after the field that comes S seconds after its start."),
    ] = None,
    until: Annotated[
        Until | None, typer.Option(help="Stop a sample as soon as its flag can no longer change (--calibration).")
    ] = None,
    calibration: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Judge samples by this file (edge calibrate).")
    ] = None,
    target: Annotated[
        str | None,
        typer.Option("--target-parasitaemia", metavar="SHARE", help="Share a negative is below: 0.1% or 200/uL."),
    ] = None,
    scope: Annotated[
        str | None, typer.Option(metavar="NAME", help="This microscope; a calibration of another is refused.")
    ] = None,
    rbc_per_ul: Annotated[
        float | None,
        typer.Option("--rbc-per-ul", min=1e5, max=1e8, metavar="N", help="Red cells per µL.  [default: 5e6]"),
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="JSON Lines on stdout instead of the table.")] = False,
    detections: Annotated[Path | None, typer.Option(metavar="FILE", help="Write every cell as COCO JSON.")] = None,
    csv: Annotated[Path | None, typer.Option(metavar="FILE", help="Write one row per field.")] = None,
    annotate: Annotated[Path | None, typer.Option(metavar="DIR", help="Write fields with coloured boxes.")] = None,
    report: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Write a page per sample: verdict, suspects, fields (HTML).")
    ] = None,
    sample_id: Annotated[str | None, typer.Option(metavar="ID", help="Everything is one sample of this name.")] = None,
    sample_per_folder: Annotated[
        bool, typer.Option("--sample-per-folder", help="Every sub-folder is a sample of its own.")
    ] = False,
    every: Annotated[
        str | None, typer.Option(metavar="N|Ts", help="Of a video, every N frames or T seconds.  [default: 1s]")
    ] = None,
    z: Annotated[
        int | None, typer.Option("--z", min=1, metavar="N", help="Of a TIFF stack, plane N.  [default: the sharpest]")
    ] = None,
    depth: Annotated[
        int | None,
        typer.Option(min=10, max=16, metavar="BITS", help="Bits that count of 16-bit pixels: 10, 12, 14 or 16."),
    ] = None,
    model: Annotated[str | None, typer.Option(metavar="NAME|PATH", help="Classifier (--list-models).")] = None,
    finder: Annotated[str, typer.Option(metavar="auto|learned|classical|PATH", help="What finds the cells.")] = "auto",
    tiling: Annotated[Tiling, typer.Option(help="grid: classify tiles instead of cells (thick films).")] = Tiling.CELLS,
    tile_px: Annotated[int | None, typer.Option(min=8, metavar="PX", help="Side of a tile in field pixels.")] = None,
    tile_overlap: Annotated[
        float, typer.Option(min=0, max=0.9, metavar="SHARE", help="Overlap of neighbouring tiles.")
    ] = 0.0,
    labels: Annotated[str | None, typer.Option(metavar="A,B,...", help="Classes of a model without card.")] = None,
    positive: Annotated[str | None, typer.Option(metavar="A,...", help="Which of --labels are suspicious.")] = None,
    threshold: Annotated[
        float | None,
        typer.Option(min=0, max=1, metavar="SCORE", help="Score at which a cell is positive, instead of the card's."),
    ] = None,
    workers: Annotated[
        int | None, typer.Option(min=1, max=64, metavar="N", help="Threads.  [default: cores, at most 4]")
    ] = None,
    gate: Annotated[bool, typer.Option("--gate/--no-gate", help="Leave out bad and repeated fields.")] = True,
    overlap: Annotated[
        bool, typer.Option("--overlap/--no-overlap", help="Count once what overlapping fields show twice.")
    ] = True,
    seed: Annotated[int, typer.Option(min=0, metavar="N", help="Of the virtual slide.")] = 0,
    size: Annotated[str, typer.Option(metavar="WxH", callback=_size, help="Of virtual or camera fields.")] = "1280x960",
    device: Annotated[str, typer.Option(metavar="N|PATH", help="Which camera, from 0, or /dev/videoN.")] = "0",
    interval: Annotated[
        float, typer.Option(min=0, max=86400, metavar="SECONDS", help="From one camera field to the next; 0: at once.")
    ] = 1.0,
    debug: Annotated[bool, typer.Option("--debug", help="Show tracebacks and what the runtime says.")] = False,
    list_models: Annotated[
        bool, typer.Option("--list-models", callback=_list, is_eager=True, help="List models and exit.")
    ] = False,
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    """Count cells on whole microscope fields: per-sample counts and a flag out.

    \b
    Examples:
      edge-run --simulate --max-cells 5000
      edge-run fields/                            one folder is one sample
      edge-run slides/ --sample-per-folder --json
      edge-run fields/ --detections out.json --csv out.csv --sample-id S-0042
      edge-run "fields/*.png" --tiling grid --tile-px 64 --annotate seen/
      edge-run --camera --max-cells 2000
      edge-run fields/ --calibration scope-3.json --report out/
      edge-run fields/ --calibration scope-3.json --target-parasitaemia 0.1%
      edge-run --camera --calibration scope-3.json --until decided

    Exit codes: 0 done; 1 a defect of this program; 2 wrong command line; 3 done, but some inputs unreadable; 4 nothing to
    read; 5 model refused; 6 no camera; 7 output not writable; 8 calibration refused; 9 of a sample no field counts (which, and
    why, is said); 130 stopped by Ctrl-C (what was counted is printed).

    For research and triage. Not a diagnostic device.
    """  # noqa: D301 - \b keeps the lines as they are
    del list_models, version
    given = sum([bool(inputs), simulate, camera])
    if given != 1:
        what = "nothing to count" if given == 0 else "too much to count"
        raise typer.BadParameter(f"{what}: give inputs, or --simulate, or --camera")
    if sample_id is not None and sample_per_folder:
        raise typer.BadParameter("--sample-id makes one sample, --sample-per-folder many: give one of them")
    if sample_id is not None and not (sample_id.isprintable() and 0 < len(sample_id) <= _LONGEST_ID):
        raise typer.BadParameter(f"--sample-id must be printable, 1 to {_LONGEST_ID} letters")
    if labels is None and positive is not None:
        raise typer.BadParameter("--positive needs --labels: a model with a card says for itself what is positive")
    if detections is not None and csv is not None and os.path.realpath(detections) == os.path.realpath(csv):
        raise typer.BadParameter("--detections and --csv name the same file")
    if every is not None:
        _check_every(every)
    _check_calibrated(calibration, threshold, target, scope, rbc_per_ul, until=until is not None)
    with door(debug=debug):
        import edge.sources.decode  # noqa: F401, PLC0415 - first of all, for it sets limits that OpenCV reads on import

        # isort: split
        from edge.cli.build import Options, count  # noqa: PLC0415 - numpy, OpenCV and the runtime come with it

        options = Options(
            inputs=tuple(inputs or ()),
            simulate=simulate,
            camera=camera,
            max_cells=max_cells,
            max_fields=max_fields or (_SIMULATED_FIELDS if simulate and not (max_cells or max_seconds) else None),
            json=json,
            detections=detections,
            csv=csv,
            annotate=annotate,
            sample_id=sample_id,
            sample_per_folder=sample_per_folder,
            every=every,
            model=model,
            finder=finder,
            grid=tiling is Tiling.GRID,
            tile_px=tile_px,
            tile_overlap=tile_overlap,
            labels=_names(labels),
            positive=_names(positive),
            threshold=threshold,
            workers=workers or min(4, cores()),
            gate=gate,
            seed=seed,
            device=device,
            interval=interval,
            size=(int(size.lower().split("x")[0]), int(size.lower().split("x")[1])),
            debug=debug,
            max_seconds=max_seconds,
            calibration=calibration,
            target=target,
            until_decided=until is not None,
            scope=scope,
            rbc_per_ul=rbc_per_ul,
            report=report,
            z=z,
            depth=depth,
            overlap=overlap,
        )
        code = count(options)
    sys.exit(code)


def _check_every(text: str) -> None:
    from edge.sources.video import FrameInterval  # noqa: PLC0415 - comes with OpenCV

    try:
        FrameInterval.parse(text)
    except ValueError as error:
        raise typer.BadParameter(f"--every {error}") from None


def _check_calibrated(
    calibration: Path | None,
    threshold: float | None,
    target: str | None,
    scope: str | None,
    rbc: float | None,
    *,
    until: bool,
) -> None:
    if calibration is None and (until or target is not None or rbc is not None):
        what = "--until decided" if until else "--target-parasitaemia" if target is not None else "--rbc-per-ul"
        raise typer.BadParameter(f"{what} needs --calibration: without one no count can be judged")
    if calibration is not None and threshold is not None:
        raise typer.BadParameter("--calibration brings its own threshold: leave --threshold out")
    check_scope(scope)
    if target is not None:
        check_share("--target-parasitaemia", target)


def check_scope(scope: str | None) -> None:
    """Raise BadParameter for a microscope's name that is no name."""
    if scope is not None and not (scope.isprintable() and 0 < len(scope) <= _LONGEST_ID):
        raise typer.BadParameter(f"--scope must be printable, 1 to {_LONGEST_ID} letters")


def check_share(option: str, text: str) -> None:
    """Raise BadParameter for a share that is none; ``option`` is where it was given."""
    from edge.verdict.units import parse_share  # noqa: PLC0415 - light, but of no use before

    try:
        parse_share(text)
    except ValueError as error:
        raise typer.BadParameter(f"{option} {error}") from None


def _names(text: str | None) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(",") if part.strip()) if text else ()


def cores() -> int:
    """Cores this process may use."""
    return len(os.sched_getaffinity(0))
