"""An inspection on screen: a few lines and a table of layers, plain where the output is no terminal; or as JSON."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from rich import box
from rich.table import Table

from convert.cli.show import amount, screen
from convert.reading.checked import Shape
from convert.reading.graph import INPUT
from convert.reading.inspection import Inspection
from edge.streams import stdout_errors

JSON_VERSION = 1
"""Counts changes of the form."""

_WIDTH = 100  # columns of output that goes to no terminal
_FORMATS = {"keras": ".keras", "h5": "HDF5", "savedmodel": "SavedModel"}


def show(found: Inspection, loaded: dict[str, Any] | None = None) -> None:
    """Print to stdout."""
    terminal = sys.stdout.isatty()
    with screen(_WIDTH) as console:
        for label, text in lines(found, loaded):
            console.print(f"{label:<12} {text}", soft_wrap=not terminal)
        if found.layers:
            console.print()
            console.print(_table(found))
        for heading, texts in (("Changed on the way in", found.notes), ("Risks", found.risks)):
            if texts:
                console.print(f"\n{heading}")
                for text in texts:
                    console.print(f"  - {text}", soft_wrap=not terminal)


def write_json(found: Inspection, loaded: dict[str, Any] | None = None) -> None:
    """Print as JSON to stdout."""
    with stdout_errors():
        sys.stdout.write(as_json(found, loaded) + "\n")
        sys.stdout.flush()


def lines(found: Inspection, loaded: dict[str, Any] | None = None) -> list[tuple[str, str]]:
    """Label and text of each fact above the table."""
    version = f", Keras {found.keras_version}" if found.keras_version else ""
    facts = [
        ("Model", f"{found.path} ({_FORMATS[found.format]}{version}, {amount(found.bytes)}B)"),
        ("Input", f"{shapes(found.inputs)}, {found.colour}"),
        ("Output", f"{shapes(found.outputs)}, {head(found)}"),
    ]
    if found.layers:
        macs = "unknown" if found.macs is None else amount(found.macs)
        facts.append(("Cost", f"{amount(found.parameters)} parameters, {macs} MACs per image"))
        size = "any: convolutions and global pooling only" if found.any_size else "fixed: its layers depend on it"
        if found.macs_32 is not None and found.native_size != (32, 32):
            size += f"; rebuilt at 32 x 32 it needs {amount(found.macs_32)} MACs"
        facts.append(("Image size", size))
    if found.preprocessing:
        facts.append(("Inside", ", ".join(found.preprocessing)))
    facts.append(("SHA-256", found.sha256))
    if loaded is not None:
        agrees = not found.layers or loaded["parameters"] == found.parameters
        doubt = "" if agrees else " (NOT what the config says)"
        facts.append(("Loads", f"yes, {loaded['parameters']:,} parameters{doubt}"))
    return facts


def head(found: Inspection) -> str:
    """The head in words."""
    if found.head in ("several outputs", "map", "unknown"):
        what = {"map": "a map, as of a finder: not a classifier", "unknown": "head not recognised"}
        return what.get(found.head, "several outputs: not a classifier")
    width = found.outputs[0][-1] if found.outputs[0] else None
    if found.head == "sigmoid" and width and width > 1:
        return f"sigmoid, {width} classes of their own (none, one or several at once)"
    return f"{found.head}, {found.classes} classes"


def shapes(values: Sequence[Shape]) -> str:
    """Shapes as ``64 x 64 x 3``, open sides as ``?``."""
    texts = ["unknown" if s is None else " x ".join("?" if side is None else str(side) for side in s) for s in values]
    return " and ".join(texts) or "unknown"


def as_json(found: Inspection, loaded: dict[str, Any] | None = None) -> str:
    """All facts, with ``JSON_VERSION``."""
    record = {"version": JSON_VERSION, **asdict(found), "path": str(found.path)}
    if loaded is not None:
        record["loaded"] = loaded
    return json.dumps(record, indent=1, allow_nan=False)


def _table(found: Inspection) -> Table:
    table = Table(box=box.SIMPLE_HEAD if sys.stdout.isatty() else None, pad_edge=False, header_style="bold")
    table.add_column("Layer", overflow="fold")
    table.add_column("Class", overflow="fold")
    for title in ("Output", "Parameters", "MACs"):
        table.add_column(title, justify="right", no_wrap=True)
    for facts in found.layers:
        macs = "?" if facts.macs is None else "" if facts.macs == 0 else amount(facts.macs)
        parameters = f"{facts.parameters:,}" if facts.parameters else ""
        kind = INPUT if facts.kind == INPUT else facts.written_as
        table.add_row(facts.name, kind, shapes([facts.shape]), parameters, macs)
    return table
