"""The report of ``quantize --task finder`` on screen."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from rich.table import Table

from convert.cli.show import amount, before_and_after, ending, figures_table, screen, worst

_COLUMNS = {"float": "float", "int8": "int8, device"}


def show_finder(report: dict[str, Any], out: str) -> None:
    """Print the report."""
    with screen() as console:
        console.print(before_and_after(_facts(report)))
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
        worst(console, report, ", int8")
        ending(console, report, out)


def _facts(report: dict[str, Any]) -> Iterator[tuple[str, str, str]]:
    model, speed, spec = report["model"], report["us_per_field"], report["finder"]
    height, width, channels = model["input"]
    yield "input", f"{height}x{width}x{channels}", "the same, and any other"
    yield "size", f"{amount(model['bytes'])}B", f"{amount(report['device_bytes'])}B"
    yield "parameters", amount(model["parameters"]), ""
    yield "multiply-accumulates", amount(model["macs"]), "the same"
    faster = f"{report['speed_ratio']:.2f}x"
    yield "the net on one field, here", f"{speed['float']:.0f} µs (float)", f"{speed['int8']:.0f} µs ({faster})"
    if ms := report["find_ms_per_field"]:
        yield "finding, with all that belongs to it", f"{ms['float']:.1f} ms (float)", f"{ms['int8']:.1f} ms"
    if agree := report["agreement"]:
        yield "agreement of boxes", "", f"{agree['boxes']:.2%}, median IoU {agree['median_iou']:.3f}"
    outputs = f"{report['outputs']['heat']}; {' + '.join(report['outputs']['boxes'])}"
    yield "outputs", outputs, f"heat, boxes at stride {spec['stride']}"
    kinds = zip(spec["kinds"], spec["thresholds"], strict=True)
    yield "kinds and thresholds", "", ", ".join(f"{kind} {level:g}" for kind, level in kinds)
    yield "value range, cell at the input", report["value_range"], f"{spec['cell_px']:g} px"


def _figures(report: dict[str, Any]) -> Table:
    fields, figures = report["fields"], report["figures"]
    title = (
        f"{fields['check']} fields of {fields['check_groups']} groups, {figures['int8']['cells']} cells, matched by "
        f"{fields['matched_by']}; 95 % intervals over {report['intervals_over']}"
    )
    rows = (
        ("F1", "f1", "f1_interval"),
        ("precision", "precision", None),
        ("recall", "recall", None),
        (f"infected cells kept (of {figures['int8']['infected']})", "infected_kept", "infected_kept_interval"),
        ("count bias", "count_bias", None),
    )
    return figures_table(title, figures, rows, _COLUMNS)
