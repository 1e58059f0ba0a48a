"""The report of ``quantize --task finder`` on screen."""

from __future__ import annotations

from typing import Any

from rich import box
from rich.table import Table

from convert.cli.show import amount, ending, interval_cell, screen, worst_groups, worst_layers

_ROWS = (
    ("F1", "f1", "f1_interval"),
    ("precision", "precision", None),
    ("recall", "recall", None),
    ("infected cells kept", "infected_kept", "infected_kept_interval"),
    ("count bias", "count_bias", None),
)
_COLUMNS = {"float": "float", "int8": "int8, device"}


def show_finder(report: dict[str, Any], out: str) -> None:
    """Print it."""
    with screen() as console:
        console.print(_facts(report))
        if report["figures"]:
            console.print(_figures(report))
            low, high = report["drop_interval"]
            console.print(
                f"int8 loses {report['drop_points']:.2f} points of F1 ({low:.2f} to {high:.2f}); "
                f"{report['max_drop_points']:g} are allowed"
            )
        if len(report["tried"]) > 1:
            steps = ", ".join(f"{one['recipe']} {one['drop_points']:.2f}" for one in report["tried"])
            console.print(f"Tried (points of F1 lost): {steps}", soft_wrap=True)
        if worst := worst_groups(report):
            console.print(f"Worst groups, int8: {worst}")
        worst_layers(console, report)
        ending(console, report, out)


def _facts(report: dict[str, Any]) -> Table:
    model, speed, spec = report["model"], report["us_per_field"], report["finder"]
    height, width, channels = model["input"]
    table = Table(box=box.SIMPLE_HEAD)
    for heading in ("", "before", "after"):
        table.add_column(heading, justify="left" if not heading else "right")
    table.add_row("input", f"{height}x{width}x{channels}", "the same, and any other")
    table.add_row("size", f"{amount(model['bytes'])}B", f"{amount(report['device_bytes'])}B")
    table.add_row("parameters", amount(model["parameters"]), "")
    table.add_row("multiply-accumulates", amount(model["macs"]), "the same")
    table.add_row(
        "the net on one field, here",
        f"{speed['float']:.0f} µs (float)",
        f"{speed['int8']:.0f} µs ({report['speed_ratio']:.2f}x)",
    )
    if ms := report["find_ms_per_field"]:
        table.add_row("finding, with all that belongs to it", f"{ms['float']:.1f} ms (float)", f"{ms['int8']:.1f} ms")
    if agree := report["agreement"]:
        table.add_row("agreement of boxes", "", f"{agree['boxes']:.2%}, median IoU {agree['median_iou']:.3f}")
    kinds = ", ".join(f"{kind} {level:g}" for kind, level in zip(spec["kinds"], spec["thresholds"], strict=True))
    outputs = " + ".join(report["outputs"]["boxes"])
    table.add_row("outputs", f"{report['outputs']['heat']}; {outputs}", f"heat, boxes at stride {spec['stride']}")
    table.add_row("kinds and thresholds", "", kinds)
    table.add_row("value range, cell at the input", report["value_range"], f"{spec['cell_px']:g} px")
    return table


def _figures(report: dict[str, Any]) -> Table:
    fields, figures = report["fields"], report["figures"]
    title = (
        f"{fields['check']} fields of {fields['check_groups']} groups, {figures['int8']['cells']} cells, matched by "
        f"{fields['matched_by']}; 95 % intervals over {report['intervals_over']}"
    )
    table = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD)
    table.add_column("")
    for name in figures:
        table.add_column(_COLUMNS.get(name, name), justify="right")
    for label, key, interval in _ROWS:
        if all(found[key] is not None for found in figures.values()):
            count = f" (of {figures['int8']['infected']})" if key == "infected_kept" else ""
            table.add_row(label + count, *(interval_cell(found, key, interval) for found in figures.values()))
    return table
