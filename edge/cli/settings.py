"""The settings of ``edge-run``: one frozen record per concern, one field per option. ``edge.cli.run_settings`` puts them together.

Each option stands here once, with its type, default, help text and limits. ``edge.cli.options`` makes the command line from these
records, ``edge.cli.config`` the configuration file. Values are kept as they are typed; properties give them parsed.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Annotated, ClassVar

import typer

from edge.cli.checks import check_every, check_name, check_share, check_size, names_a_model_file
from edge.cli.options import ValueRule

SIMULATED_FIELDS = 60
"""Fields after which ``--simulate`` stops where no limit is given: the virtual slide has no end of its own."""

MOST_DEFAULT_WORKERS = 4
"""Workers where none are asked for: a Pi has four cores, and more fields at once need more memory."""

RUN = "Run"
"""Panel of the options that say how the program runs."""


class Tiling(StrEnum):
    """How a field is cut up."""

    CELLS = "cells"
    GRID = "grid"


class Until(StrEnum):
    """When a sample ends before its limits."""

    DECIDED = "decided"


@dataclass(frozen=True, slots=True)
class InputSettings:
    """Where fields come from, and which sample they belong to."""

    PANEL: ClassVar[str] = "Input"

    inputs: Annotated[
        tuple[str, ...],
        typer.Argument(metavar="INPUT", help="Folders, image files, patterns or videos.", show_default=False),
        ValueRule(is_path=bool),
    ] = ()
    simulate: Annotated[bool, typer.Option(help="Count a virtual slide.")] = False
    camera: Annotated[bool, typer.Option(help="Count what the camera sees: Pi camera, else USB.")] = False
    sample_id: Annotated[
        str | None,
        typer.Option(metavar="ID", help="Name of the sample; all inputs belong to it.  [default: folder's or video's]"),
        ValueRule(check_name),
    ] = None
    sample_per_folder: Annotated[bool, typer.Option(help="Make each sub-folder a sample of its own.")] = False
    every: Annotated[
        str | None,
        typer.Option(metavar="N|Ts", help="Step through a video: N frames or T seconds.  [default: 1s]"),
        ValueRule(check_every),
    ] = None
    seed: Annotated[int, typer.Option(min=0, metavar="N", help="Random seed of the virtual slide.")] = 0
    size: Annotated[
        str, typer.Option(metavar="WxH", help="Size of virtual or camera fields in pixels."), ValueRule(check_size)
    ] = "1280x960"
    device: Annotated[
        str,
        typer.Option(
            metavar="N|PATH", help="Number of the camera, from 0, or /dev/videoN; simulated: a virtual microscope."
        ),
    ] = "0"
    interval: Annotated[
        float | None,
        typer.Option(
            min=0,
            max=86400,
            metavar="SECONDS",
            help="Take a camera field every so often; 0: no wait.  [default: once the view is new, still and sharp]",
        ),
    ] = None
    camera_patience: Annotated[
        float | None,
        typer.Option(
            min=1,
            max=86400,
            metavar="SECONDS",
            help="Wait so long for a lost camera.  [default: 600; a service: for ever]",
        ),
    ] = None

    @property
    def size_px(self) -> tuple[int, int]:
        """Width and height of a virtual or camera field in pixels."""
        return check_size(self.size)


@dataclass(frozen=True, slots=True)
class StopSettings:
    """When a sample ends."""

    PANEL: ClassVar[str] = "When to stop"

    max_cells: Annotated[
        int | None, typer.Option(min=1, metavar="N", help="Stop a sample after the field that reaches N cells.")
    ] = None
    max_fields: Annotated[
        int | None,
        typer.Option(
            min=1,
            metavar="N",
            help=f"Stop a sample after N fields, bad ones included (--simulate: {SIMULATED_FIELDS}).",
        ),
    ] = None
    max_seconds: Annotated[
        float | None,
        typer.Option(min=1, metavar="S", help="Stop a sample after the field that comes S seconds after its start."),
    ] = None
    until: Annotated[
        Until | None, typer.Option(help="Stop a sample as soon as its flag can no longer change (--calibration).")
    ] = None


@dataclass(frozen=True, slots=True)
class ModelSettings:
    """Which nets there are."""

    PANEL: ClassVar[str] = "Nets and counting"

    model: Annotated[
        str | None,
        typer.Option(metavar="NAME|PATH", help="Classifier: shelf name or file (--list-models)."),
        ValueRule(is_path=names_a_model_file),
    ] = None
    finder: Annotated[
        str,
        typer.Option(metavar="auto|learned|classical|PATH", help="Finder: what finds the cells."),
        ValueRule(is_path=names_a_model_file),
    ] = "auto"


@dataclass(frozen=True, slots=True)
class NetSettings(ModelSettings):
    """Which nets look at which parts of a field, and what they compare it with."""

    tiling: Annotated[Tiling, typer.Option(help="Classify cells, or tiles of a grid (thick films).")] = Tiling.CELLS
    tile_px: Annotated[
        int | None, typer.Option(min=8, metavar="PX", help="Side of a tile in field pixels.  [default: 32]")
    ] = None
    tile_overlap: Annotated[
        float, typer.Option(min=0, max=0.9, metavar="SHARE", help="Overlap of neighbouring tiles.")
    ] = 0.0
    settled: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="Typical cell of this microscope, for fields with few cells (edge scope settle)."
        ),
    ] = None

    @property
    def grid(self) -> bool:
        """Whether tiles are classified instead of cells."""
        return self.tiling is Tiling.GRID

    @property
    def unit(self) -> str:
        """What is counted: ``cell`` or ``tile``."""
        return "tile" if self.grid else "cell"


@dataclass(frozen=True, slots=True)
class CardSettings:
    """What replaces a model's card or stands in for a missing one."""

    PANEL: ClassVar[str] = "Nets and counting"

    labels: Annotated[
        str | None, typer.Option(metavar="A,B,...", help="Classes of a model without card, in its order.")
    ] = None
    positive: Annotated[str | None, typer.Option(metavar="A,...", help="Suspicious classes, a choice of --labels.")] = (
        None
    )
    threshold: Annotated[
        float | None,
        typer.Option(
            min=0, max=1, metavar="SCORE", help="Threshold: score at which a cell is positive.  [default: the card's]"
        ),
    ] = None

    @property
    def label_names(self) -> tuple[str, ...]:
        """The classes, one by one; empty: not given."""
        return _names(self.labels)

    @property
    def positive_names(self) -> tuple[str, ...]:
        """The suspicious classes, one by one; empty: not given."""
        return _names(self.positive)


@dataclass(frozen=True, slots=True)
class FieldSettings:
    """How a field is read, and whether it and its cells count."""

    PANEL: ClassVar[str] = "Nets and counting"

    z: Annotated[
        int | None,
        typer.Option(
            min=1, metavar="N", help="Plane of a TIFF stack, from 1.  [default: the sharpest]", rich_help_panel="Input"
        ),
    ] = None
    depth: Annotated[
        int | None,
        typer.Option(
            min=10,
            max=16,
            metavar="BITS",
            help="Bits in use of 16-bit pixels: 10, 12, 14 or 16.  [default: as the file says]",
            rich_help_panel="Input",
        ),
    ] = None
    gate: Annotated[bool, typer.Option(help="Leave out bad and repeated fields.")] = True
    overlap: Annotated[bool, typer.Option(help="Count once what overlapping fields show twice.")] = True


@dataclass(frozen=True, slots=True)
class JudgingSettings:
    """What a sample's flag rests on."""

    PANEL: ClassVar[str] = "Judging"

    calibration: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Calibration to judge samples by (from edge calibrate).")
    ] = None
    target_parasitaemia: Annotated[
        str | None,
        typer.Option(
            metavar="SHARE", help="Share that a negative sample is below: 0.1% or 200/uL.  [default: the calibration's]"
        ),
        ValueRule(check_share),
    ] = None
    scope: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="Name of this microscope: its profile (edge scope) is applied, a calibration of another is refused.",
        ),
        ValueRule(check_name),
    ] = None
    rbc_per_ul: Annotated[
        float | None,
        typer.Option(min=1e5, max=1e8, metavar="N", help="Red cells per µL.  [default: the calibration's]"),
    ] = None


@dataclass(frozen=True, slots=True)
class OutputSettings:
    """What is written where."""

    PANEL: ClassVar[str] = "Outputs"

    json: Annotated[bool, typer.Option(help="Print JSON Lines on stdout instead of the table.")] = False
    detections: Annotated[Path | None, typer.Option(metavar="FILE", help="Write every cell as COCO JSON.")] = None
    csv: Annotated[Path | None, typer.Option(metavar="FILE", help="Write one row per field.")] = None
    annotate: Annotated[Path | None, typer.Option(metavar="DIR", help="Write fields with coloured boxes.")] = None
    report: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Write a page per sample: verdict, suspects, fields (HTML).")
    ] = None

    bell: Annotated[bool, typer.Option(help="Ring the terminal's bell when a camera field is taken.")] = False

    @property
    def needs_pixels(self) -> bool:
        """Whether an output shows the fields themselves."""
        return self.annotate is not None or self.report is not None


@dataclass(frozen=True, slots=True)
class ProcessSettings:
    """How the program runs."""

    PANEL: ClassVar[str] = RUN

    workers: Annotated[
        int | None,
        typer.Option(
            min=1, max=64, metavar="N", help=f"Number of threads.  [default: cores, at most {MOST_DEFAULT_WORKERS}]"
        ),
    ] = None
    debug: Annotated[bool, typer.Option(help="Show tracebacks and what the runtime says.")] = False

    @property
    def worker_count(self) -> int:
        """Workers, one core each."""
        return self.workers or min(MOST_DEFAULT_WORKERS, len(os.sched_getaffinity(0)))


def _names(text: str | None) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(",") if part.strip()) if text else ()
