"""Reports on screen: what went in, what came out, and what was lost, side by side."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from rich import box
from rich.table import Table

from edge.outputs.console import NOTICE, Screen
from edge.streams import stdout_errors

WIDTH = 120
"""Columns of output that goes to no terminal."""

Row = tuple[str, str, str | None]
"""A row of a table of figures: its title, the key of the figure, and the key of its interval."""

_LAYERS = 5  # that are shown of those that rounding hurts most
_GROUPS = 3  # that are shown of those with the lowest figure
_ROWS: tuple[Row, ...] = (
    ("accuracy at the threshold", "accuracy", "accuracy_interval"),
    ("AUC", "auc", "auc_interval"),
    ("sensitivity at 1 % FP", "sensitivity_at_1_percent_fp", "sensitivity_at_1_percent_fp_interval"),
    ("sensitivity at 0.1 % FP", "sensitivity_at_0.1_percent_fp", "sensitivity_at_0.1_percent_fp_interval"),
    ("sensitivity at the threshold", "sensitivity", None),
    ("false positives at the threshold", "false_positive_rate", None),
)
_COLUMNS = {
    "as_trained": "float, as trained",
    "float": "float, same graph",
    "int8": "int8, device",
    "int8_on_paper": "int8, on paper",
    "int8_on_black": "int8, on black",
}


@contextmanager
def screen(width: int = WIDTH) -> Iterator[Screen]:
    """A console on stdout whose errors are known ones; ``width`` counts where it is no terminal and COLUMNS is not set."""
    with stdout_errors():
        own = sys.stdout.isatty() or "COLUMNS" in os.environ
        yield Screen(width=None if own else width, highlight=False, emoji=False, markup=False)
        sys.stdout.flush()


def show_quantized(report: dict[str, Any], out: str) -> None:
    """Print the report of ``quantize`` on a classifier."""
    with screen() as console:
        if report["way"] is None:  # a net at chance: nothing was made of it
            console.print(_figures(report))
            _warnings(console, report)
            console.print(NOTICE)
            return
        console.print(before_and_after(_facts(report)))
        if report["figures"]:
            console.print(_figures(report))
        if len(report["ways"]) > 1:
            console.print(_ways(report))
        worst(console, report, ", int8")
        if report["figures"]:
            _targets(console, report)
        ending(console, report, out)


def show_evaluated(report: dict[str, Any]) -> None:
    """Print the report of ``evaluate``."""
    with screen() as console:
        console.print(f"{report['model']} in {report['runtime']}, threshold {report['threshold']:g}", soft_wrap=True)
        console.print(_figures(report))
        worst(console, report)
        _warnings(console, report)
        console.print(NOTICE)


def show_compared(report: dict[str, Any], sheet: str | None) -> None:
    """Print the report of ``compare``."""
    with screen() as console:
        console.print(
            f"agreement {report['agreement']:.2%}: {len(report['disagree'])} of {report['cells']['check']} cells get another class; "
            f"largest difference of a score {report['largest_difference']:.3f}",
            soft_wrap=True,
        )
        console.print(_figures(report))
        worst(console, report)
        _warnings(console, report)
        if sheet:
            console.print(f"written: {sheet}", soft_wrap=True)


def ending(console: Screen, report: dict[str, Any], out: str) -> None:
    """Print warnings and, where the gate was passed, what was written."""
    _warnings(console, report)
    if report["passed"]:
        console.print(f"\nwritten: {out} ({report['recipe']})", soft_wrap=True)
    console.print(NOTICE)


def worst(console: Screen, report: dict[str, Any], of: str = "") -> None:
    """Print the groups with the lowest int8 figure and the layers that rounding hurts most."""
    groups = sorted(report.get("groups", {}).get("int8", {}).items(), key=lambda item: item[1])[:_GROUPS]
    if groups:
        console.print(f"Worst groups{of}: {', '.join(f'{name} {value:.1%}' for name, value in groups)}")
    if report.get("layers"):
        title = f"Worst layers: error in steps of their scale ({report['healthy_layer']:.3f} is rounding alone)"
        table = titled(title, ("op", "output"), ("RMSE/scale",))
        for layer in report["layers"][:_LAYERS]:
            table.add_row(layer["op"], layer["tensor"].split(";")[0][-60:], f"{layer['ratio']:.3f}")
        console.print(table)


def titled(title: str | None, texts: Sequence[str], numbers: Sequence[str] = ()) -> Table:
    """An empty table with columns of text, then columns of numbers."""
    table = Table(title=title, title_justify="left", box=box.SIMPLE_HEAD)
    for heading in texts:
        table.add_column(heading, overflow="fold")
    for heading in numbers:
        table.add_column(heading, justify="right", overflow="fold")
    return table


def before_and_after(rows: Iterable[tuple[str, str, str]]) -> Table:
    """The model that was given beside the file that was made of it."""
    table = titled(None, ("",), ("before", "after"))
    for row in rows:
        table.add_row(*row)
    return table


def figures_table(
    title: str, figures: Mapping[str, dict[str, Any]], rows: Iterable[Row], columns: Mapping[str, str]
) -> Table:
    """Figures with their intervals, one column for each net that was judged."""
    table = titled(title, ("",), [columns.get(name, name) for name in figures])
    for label, key, interval in rows:
        if any(found.get(key) is not None for found in figures.values()):
            table.add_row(label, *(_interval_cell(found, key, interval) for found in figures.values()))
    return table


def amount(value: float) -> str:
    """Three digits and a unit: 18.1 k."""
    for unit in ("", " k", " M", " G"):
        if value < 999.5:
            return f"{value:.3g}{unit}" if unit else f"{value:.0f}"
        value /= 1000
    return f"{value:.3g} T"


def _warnings(console: Screen, report: dict[str, Any]) -> None:
    for warning in report["warnings"]:
        console.print(f"  ! {warning}", soft_wrap=True)


def _targets(console: Screen, report: dict[str, Any]) -> None:
    """Print how the threshold was chosen, which recipes were tried, and the targets of int8."""
    console.print(f"Threshold {report['threshold']:g}: {report['threshold_origin']}", soft_wrap=True)
    if halves := report["accuracy_from_one_half"]:
        shares = ", ".join(f"{_COLUMNS[name]} {share:.2%}" for name, share in halves.items())
        console.print(f"Accuracy from one half (what the gate compares): {shares}", soft_wrap=True)
        _gate(console, report)
    way = next(one for one in report["ways"] if one["way"] == report["way"])
    if len(way["tried"]) > 1:
        steps = ", ".join(f"{one['recipe']} {one['loss']:.2f}" for one in way["tried"])
        console.print(f"Tried (largest loss; 1 is tolerable): {steps}", soft_wrap=True)
    for one in report["targets"]:
        verdict = "met" if one["met"] else "MISSED"
        console.print(f"Target {verdict}: {one['target']} {one['wanted']:.4g}: {one['reached']:.4g}", soft_wrap=True)


def _gate(console: Screen, report: dict[str, Any]) -> None:
    """Print the loss with its interval, the verdict, and what the device's way of cutting costs beside."""
    for one in report["judged_ways"]:
        low, high = one["drop_interval"]
        console.print(
            f"Gate: {one['way']}: loss {one['drop_points']:.2f} points ({low:.2f} to {high:.2f} at {one['drop_level']:.1%}, over "
            f"{one['drop_over']}); {report['max_drop_points']:g} are allowed: {one['verdict']}",
            soft_wrap=True,
        )
    if (ways := report["ways_that_could_be_judged"]) > 1:
        console.print(
            f"The level is 95 % divided among the {ways} ways that could be judged (Bonferroni)", soft_wrap=True
        )
    if cost := report["device_cut_cost"]:
        low, high = cost["drop_interval"]
        console.print(
            f"The author's cuts: {report['author']}. On the device's squares the float net has {cost['accuracy']:.2%}, which costs "
            f"{cost['drop_points']:.2f} points ({low:.2f} to {high:.2f}) of the loss above",
            soft_wrap=True,
        )


def _figures(report: dict[str, Any]) -> Table:
    cells, figures = report["cells"], report["figures"]
    title = f"{cells['check']} cells of {cells['check_groups']} groups, 95 % intervals over groups"
    table = figures_table(title, figures, _ROWS, _COLUMNS)
    for label in next(iter(figures.values())).get("recall", {}):
        table.add_row(f"recall {label}", *(f"{found['recall'][label]:.2%}" for found in figures.values()))
    return table


def _facts(report: dict[str, Any]) -> Iterator[tuple[str, str, str]]:
    model, speed = report["model"], report["us_per_cell"]
    height, width, channels = model["input"]
    side = report["crop_size"]
    how = f"{report['way']}, stretched" if report["crop_shape"] == "stretch" else report["way"]
    yield "input", f"{height}x{width}x{channels}", f"{side}x{side}x{channels} ({how})"
    yield "size", f"{amount(model['bytes'])}B", f"{amount(report['device_bytes'])}B"
    yield "multiply-accumulates", amount(model["macs"]), amount(report["device_macs"])
    yield "parameters", amount(model["parameters"]), ""
    # The same graph in float, which is the net as trained only where that takes 32 x 32
    graph = "float" if report["way"] == "native" else f"float, {report['way']}"
    low, high = report["speed_ratio_spread"]
    yield "one cell, here and now", f"{speed['float']:.1f} µs ({graph})", f"{speed['int8']:.1f} µs"
    yield "quicker than float, in turns", "", f"{report['speed_ratio']:.2f}x ({low:.2f} to {high:.2f})"
    agree = report["agreement"]
    yield "agreement", "", f"{agree['int8_with_float']:.2%} with {graph}, at {report['threshold']:g}"
    if report["way"] != "native" and "int8_with_as_trained" in agree:
        yield "", "", f"{agree['int8_with_as_trained']:.2%} with the net as trained"
    yield "preprocessing", "", f"{report['colour']}, {report['value_range']}"


def _interval_cell(found: dict[str, Any], key: str, interval: str | None) -> str:
    """A figure with its interval; shares in percent."""
    value, area = found.get(key), key == "auc"
    if value is None:
        return ""
    text = f"{value:.4f}" if area else f"{value:.2%}"
    if interval and interval in found:
        low, high = found[interval]
        text += f" ({low:.3f}-{high:.3f})" if area else f" ({low * 100:.1f}-{high * 100:.1f})"
    return text


def _ways(report: dict[str, Any]) -> Table:
    title, note = "Ways to the device, as far as they were made", "* on the cells that choose"
    table = Table(title=title, title_justify="left", caption=note, caption_justify="left", box=box.SIMPLE_HEAD)
    for heading in ("way", "made as", "accuracy*", "size", "MACs", "as good as float*"):
        table.add_column(heading, justify="left" if heading in ("way", "made as") else "right")
    for way in report["ways"]:
        accuracy = "" if way["accuracy"] is None else f"{way['accuracy']:.2%}"
        size, macs = f"{amount(way['bytes'])}B", amount(way["macs"])
        table.add_row(way["way"], way["recipe"], accuracy, size, macs, "yes" if way["passed"] else "no")
    return table
