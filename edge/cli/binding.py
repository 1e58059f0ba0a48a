"""What going on with a sample is bound to: every setting that could change a count or where it ends.

Names that begin with ``_`` are no settings; they are notes that find the run again, and are never compared.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from pathlib import Path

from edge import installed_version
from edge.cli.pipeline import CellPipeline
from edge.cli.run_settings import RunSettings
from edge.cli.settings import InputSettings
from edge.scope.file import facts as settled_facts
from edge.verdict.assess import Assessor

CHAIN = "_chain"
"""Names the run and all that went on with it."""

INPUTS = "_inputs"
"""What was typed, as places: without ``--sample-id`` a run is found by them."""


def binding_of(
    settings: RunSettings, pipeline: CellPipeline, assessor: Assessor | None, chain: str
) -> Mapping[str, str]:
    """The binding of a run: name of a setting to its value in words.

    Args:
        settings: of the run.
        pipeline: what it counts with.
        assessor: what its samples are judged by.
        chain: see ``CHAIN``.
    """
    source, stop, fields, nets = settings.input, settings.stop, settings.fields, settings.nets
    bound, card = pipeline.bound, pipeline.card
    told: dict[str, object] = {
        "version": installed_version(),
        "source": _kind(source),
        "model": f"{bound.model} {bound.model_sha256[:12]}",
        "card": _short(repr((card.labels, card.positive, card.crop, card.colour, card.reference))),
        "finder": f"{bound.finder} {bound.finder_id}".strip(),
        "cropping": bound.crops,
        "tiling": str(nets.tiling),
        "threshold": f"{card.threshold:.6g}",
        "settled": "none" if pipeline.settled is None else _short(json.dumps(settled_facts(pipeline.settled))),
        "gate": "on" if fields.gate else "off",
        "overlap": "on" if fields.overlap else "off",
        "z": fields.z or "the sharpest",
        "depth": fields.depth or "as the file says",
        "microscope": bound.scope or "not named",
        "calibration": "none" if assessor is None else _short(repr(assessor.calibration)),
        "target": "none" if assessor is None or assessor.target is None else f"{assessor.target:.9g}",
        "max-cells": stop.max_cells or "none",
        "max-fields": settings.field_limit or "none",
        "max-seconds": stop.max_seconds or "none",
        "until": stop.until or "its fields end",
        "sample-per-folder": "on" if source.sample_per_folder else "off",
        **({"profile": bound.profile} if bound.profile else {}),
        CHAIN: chain,
        INPUTS: places(source),
    }
    return {name: str(value) for name, value in told.items()}


def differing(then: Mapping[str, str], now: Mapping[str, str]) -> list[str]:
    """Each setting that differs, in words: ``threshold 0.97 (now 0.5)``."""
    names = [name for name in (*then, *(name for name in now if name not in then)) if not name.startswith("_")]
    return [
        f"{name} {then.get(name, 'not noted')} (now {now.get(name, 'not noted')})"
        for name in names
        if then.get(name) != now.get(name)
    ]


def places(source: InputSettings) -> str:
    """Where the fields come from, as one text."""
    if source.simulate:
        return f"virtual slide {source.seed}, {source.size}"
    if source.camera:
        return "camera"
    return json.dumps([os.path.realpath(Path(text).expanduser()) for text in source.inputs])


def _kind(source: InputSettings) -> str:
    if source.simulate:
        return f"virtual slide {source.seed}, {source.size}"
    if source.camera:
        return f"camera, {source.size}"
    return "files" if source.every is None else f"files, every {source.every} of a video"


def _short(text: str) -> str:
    return hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()[:12]
