"""From settings to fields: the source, and what decides per sample which fields and cells count."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from edge.cli.settings import FieldSettings, InputSettings, NetSettings
from edge.deciding import Placer
from edge.door import say
from edge.gate import Gate
from edge.overlap import Register
from edge.sources import Source
from edge.sources.decode import ReadOptions
from edge.sources.files import open_source
from edge.sources.video import FrameInterval
from edge.sources.virtual import VirtualSlide
from edge.virtual_slide import SlideSpec

_USUAL_PIXELS = 1280 * 960
"""Pixels of a virtual field for which ``_USUAL_CELL_PX`` holds; both are what the default microscope of SlideSpec shows."""

_USUAL_CELL_PX, _SMALLEST_CELL_PX = 66.0, 8.0
"""Pixels of a virtual red cell's diameter: at the usual size, and at least."""


def open_fields(source: InputSettings, fields: FieldSettings) -> Source:
    """Open the source of fields, of all but cameras (``edge.cli.camera_control``); raises NoInputError."""
    if source.simulate:
        width, height = source.size_px
        # Another camera on the same microscope: the same cells on more or fewer pixels.
        scale = (width * height / _USUAL_PIXELS) ** 0.5
        spec = SlideSpec(source.seed, width, height, cell_px=max(_SMALLEST_CELL_PX, _USUAL_CELL_PX * scale))
        return VirtualSlide(spec, source.sample_id or f"simulated-{source.seed}")
    return open_source(
        source.inputs,
        sample_id=source.sample_id,
        sample_per_folder=source.sample_per_folder,
        every=FrameInterval.parse(source.every) if source.every else None,
        reading=ReadOptions(fields.z, fields.depth),
    )


def say_what_is_left_out(source: Source, program: str = "edge-run") -> None:
    """Say what the source passes over or does not read, one line each."""
    for note in getattr(source, "notes", ()):
        say(f"note: {note}", program)


def gate_of(fields: FieldSettings, nets: NetSettings) -> Callable[[], Gate] | None:
    """Return what makes one gate per sample; None: every field counts."""
    if not fields.gate:
        return None
    registered = register_of(fields, nets) is not None
    return lambda: Gate(registered=registered)


def register_of(fields: FieldSettings, nets: NetSettings) -> Callable[[], Placer] | None:
    """Return what makes one register of a sample's fields; None: fields are not registered.

    Tiles of a grid are never registered: they stand in the same places in every field.
    """
    if nets.grid or not fields.overlap:
        return None

    return Register


def may_hold_several_samples(source: InputSettings, total: int | None) -> bool:
    """Whether a full sample must not end the run; ``total``: fields of the source, None where it cannot tell."""
    one_file = len(source.inputs) == 1 and Path(source.inputs[0]).is_file()
    one = source.simulate or source.camera or source.sample_id is not None or one_file
    return not one and (total is not None or len(source.inputs) > 1)
