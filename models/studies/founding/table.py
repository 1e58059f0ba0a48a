"""``docs/founding.md``: how the founding nets were trained, what they are worth on the device, which targets they miss."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from models.report.markdown import table
from models.studies.founding.convert import ConversionFigures, Interval, PairedDifference
from models.studies.founding.data import COLLECTIONS
from models.studies.founding.nets import NETS
from models.studies.founding.train import FoundingRow, TrainedNet

ACCURACY_POINTS = 0.3  # a conversion may lose so many points
AUC_DROP = 0.002  # a conversion may lose so much
AGREEMENT = 0.995
"""The targets: the most points of accuracy and of AUC that a device file may lose, and the least agreement."""

_WORST = 3  # layers that are named
_WORD = {True: "met", False: "**missed**", None: "-"}
_INTRODUCTION = """\
# The founding nets, converted

Written by `python -m models founding` from the real images; how the converter works stands in [convert.md](convert.md).

Every net is built in Keras as its author built it, trained for minutes on cells as its notebook reads them, saved in its
author's file format, and put through `convert quantize` with its cells, labels, value range and colour. The device file
is judged in the device's own runtime on slides that neither training nor calibration saw. Intervals are 95 % bootstrap
by slide; differences are paired (same cells). Trained so briefly, these nets are worse than their authors': what counts here
is what conversion costs. Times were taken in turns on a machine that did other work too: read the ratio, not the figures.
""".rstrip()


@dataclass(frozen=True, slots=True)
class FoundingResult:
    """A row, its trained net and the figures of its conversion."""

    row: FoundingRow
    net: TrainedNet
    figures: ConversionFigures


@dataclass(frozen=True, slots=True)
class TargetsMet:
    """Which targets a device file meets; None where a target does not apply.

    Attributes:
        accuracy: within 0.3 points of the net as trained, from one half.
        operating: likewise, each at its own operating threshold.
        auc: within 0.002 of it.
        agreement: both put at least 99.5 % of the cells into the same class, each at its own operating threshold.
        same_graph: so do the device file and the float file of the same graph at one threshold: what int8 alone costs.
    """

    accuracy: bool
    operating: bool
    auc: bool | None
    agreement: bool
    same_graph: bool

    @property
    def met(self) -> bool:
        """All targets against the net as trained that apply."""
        return self.accuracy and self.operating and self.auc is not False and self.agreement


def targets(found: ConversionFigures) -> TargetsMet:
    """The targets that these figures meet; a gain meets them as well."""
    same_graph = found.report["agreement"]["int8_with_float"] >= AGREEMENT
    pair = found.paired
    if pair is None:
        return TargetsMet(accuracy=False, operating=False, auc=False, agreement=False, same_graph=same_graph)
    return TargetsMet(
        accuracy=_lost(pair.accuracy) * 100 <= ACCURACY_POINTS,
        operating=_lost(pair.operating) * 100 <= ACCURACY_POINTS,
        auc=None if pair.auc is None else _lost(pair.auc) <= AUC_DROP,
        agreement=pair.agreement >= AGREEMENT,
        same_graph=same_graph,
    )


def _lost(difference: PairedDifference) -> float:
    return round(-difference.value, 9)


def render(measured: Sequence[FoundingResult], lacking: Sequence[str] = (), reading: Sequence[str] = ()) -> str:
    """The whole page.

    Args:
        measured: in the order of the table.
        lacking: names of rows that were not measured.
        reading: lines on what the notebook's own reading of cells and the converter's differ in.
    """
    codes = sorted({one.figures.code for one in measured})
    same = f"All rows were converted by the same code (digest `{codes[0]}`)." if len(codes) == 1 else _mixed(measured)
    missing = [f"\nNot measured yet (the command goes on where it stopped): {', '.join(lacking)}."] if lacking else []
    parts = [
        _INTRODUCTION,
        *missing,
        "\n## Float as trained → int8 on the device\n",
        *table(_RESULT_HEAD, [_result(one) for one in measured]),
        "\nThe size is that of the file (the Keras file holds the optimizer's state too). µs per cell: float file → int8 file of the",
        "same graph, one thread.",
        "\n## Targets\n",
        f"At most {ACCURACY_POINTS} points of accuracy and {AUC_DROP} of AUC lost against the float net as trained, and",
        f"{AGREEMENT:.1%} of cells in the same class. The operating threshold is each net's own: the converter chooses it",
        "for 1 % false positives on cells that do not judge, where there are enough. The last column is the agreement with the",
        "float file of the device's own graph at the device's threshold: what int8 alone costs, without the way to 32x32.\n",
        *table(_TARGET_HEAD, [_target(one) for one in measured]),
        f"\n{_tally(measured)}",
        *_worst(measured),
        "\n## How they were trained\n",
        *table(_TRAINING_HEAD, [_training(one) for one in measured]),
        *(("\n## How cells are read\n", *reading) if reading else ()),
        "\n## The ways to 32x32 that were tried\n",
        *table(_WAYS_HEAD, [line for one in measured for line in _ways(one)]),
        f"\n{same}",
    ]
    return "\n".join(parts) + "\n"


_RESULT_HEAD = (
    "net",
    "input",
    "way to 32x32; rescue",
    "accuracy at one half, % (interval; n judged)",
    "AUC",
    "sensitivity at 1 % FP",
    "agreement with the net as trained, %",
    "size, kB",
    "µs per cell",
)
_TARGET_HEAD = (
    "net",
    "accuracy at one half, points",
    "agreement at one half, %",
    "accuracy at the operating threshold, points",
    "AUC",
    "agreement at the operating threshold, %",
    "all",
    "int8 against float, same graph, %",
)
_TRAINING_HEAD = (
    "net",
    "file",
    "cells",
    "trained on",
    "epochs, seconds",
    "as the notebook reads the same cells, operating threshold",
)
_WAYS_HEAD = (
    "net",
    "way",
    "accuracy of int8 on the cells that choose, %",
    "MMAC",
    "would pass the gate",
    "recipes tried (loss, 1 is tolerable)",
)


def _result(one: FoundingResult) -> tuple[str, ...]:
    report, pair = one.figures.report, one.figures.paired
    figures, speed = report["figures"], report["us_per_cell"]
    before, after = figures["as_trained"], figures["int8"]
    if pair is None:
        accuracy = (
            f"at the operating threshold: {_percents(before['accuracy'], after['accuracy'])} (n = {after['cells']})"
        )
    else:
        low, high = (100 * value for value in pair.interval)
        accuracy = _percents(pair.accuracy.before, pair.accuracy.after)
        accuracy += f" ({low:.1f} to {high:.1f}; n = {pair.cells})"
    return (
        _name(one),
        f"{one.row.side}x{one.row.side} {one.row.colour.upper()}, /255",
        f"{report['way']}; {_rescue(report['recipe'])}{'' if report['passed'] else '; **refused by the gate**'}",
        accuracy,
        _change(before, after, "auc", ".4f"),
        _change(before, after, "sensitivity_at_1_percent_fp", ".3f"),
        "-" if pair is None else _share(pair.agreement, pair.agreement_interval),
        f"{report['model']['bytes'] / 1000:.0f} → {report['device_bytes'] / 1000:.0f}",
        f"{speed['float']:.0f} → {speed['int8']:.0f} (÷ {speed['float'] / speed['int8']:.1f})",
    )


def _name(one: FoundingResult) -> str:
    return one.row.name.replace("_", " ")


def _percents(before: float, after: float) -> str:
    return f"{100 * before:.2f} → {100 * after:.2f}"


def _rescue(recipe: str) -> str:
    return "none needed" if recipe == "int8" else recipe


def _change(before: dict[str, float], after: dict[str, float], key: str, form: str) -> str:
    return f"{before[key]:{form}} → {after[key]:{form}}" if key in after else "-"


def _share(value: float, interval: Interval) -> str:
    return f"{value * 100:.2f} ({interval[0] * 100:.2f} to {interval[1] * 100:.2f})"


def _target(one: FoundingResult) -> tuple[str, ...]:
    pair, got = one.figures.paired, targets(one.figures)
    same_graph = f"{one.figures.report['agreement']['int8_with_float'] * 100:.2f}: {_WORD[got.same_graph]}"
    if pair is None:
        drop = f"{-one.figures.report['drop_points']:+.2f}: {_WORD[False]}"
        return (_name(one), "-", "-", drop, "-", "-", f"{_WORD[False]}: no device file", same_graph)
    return (
        _name(one),
        f"{_signed(pair.accuracy, 100, 2)}: {_WORD[got.accuracy]}",
        f"{100 * pair.agreement_at_half:.2f}",
        f"{_signed(pair.operating, 100, 2)}: {_WORD[got.operating]}",
        "-" if pair.auc is None else f"{_signed(pair.auc, 1, 4)}: {_WORD[got.auc]}",
        f"{_share(pair.agreement, pair.agreement_interval)}: {_WORD[got.agreement]}",
        _WORD[got.met],
        same_graph,
    )


def _signed(difference: PairedDifference, factor: int, digits: int) -> str:
    low, high = (f"{factor * value:+.{digits}f}" for value in difference.interval)
    return f"{factor * difference.value:+.{digits}f} ({low} to {high})"


def _tally(measured: Sequence[FoundingResult]) -> str:
    all_met = [one for one in measured if targets(one.figures).met]
    graph = [one for one in measured if targets(one.figures).same_graph]
    return (
        f"{len(all_met)} of {len(measured)} rows keep within all targets against the net as trained; "
        f"{len(graph)} of {len(measured)} agree with the float file of their own graph."
    )


def _worst(measured: Sequence[FoundingResult]) -> list[str]:
    """The layers with the largest errors of the rows where int8 itself loses too much."""
    lines = []
    for one in measured:
        layers = one.figures.report["layers"][:_WORST]
        if not targets(one.figures).same_graph and layers:
            listed = ", ".join(f"{layer['op']} {layer['ratio']:.2f}" for layer in layers)
            lines.append(f"- {_name(one)}, {one.figures.report['way']}: {listed}")
    if not lines:
        return []
    healthy = measured[0].figures.report["healthy_layer"]
    head = f"\nWhere int8 loses too much against its own graph, the largest errors of layers in steps ({healthy:.3f} is healthy):\n"
    return [head, *lines]


def _training(one: FoundingResult) -> tuple[str, ...]:
    net, kind = one.net, NETS[one.row.net]
    part = f"; the frozen part ({net.frozen / 1e6:.1f} of {net.parameters / 1e6:.1f} M parameters) stays random"
    frozen = part if net.frozen else ""
    own = one.figures.own_reading
    return (
        _name(one),
        kind.ending,
        COLLECTIONS[one.row.cells].what,
        f"{net.cells} images of {net.slides} {COLLECTIONS[one.row.cells].unit}{frozen}",
        f"{net.epochs}, {net.seconds:.0f} s",
        "-" if own is None else f"accuracy {own[0] * 100:.2f} %, agreement {own[1] * 100:.2f} %",
    )


def _ways(one: FoundingResult) -> list[tuple[str, ...]]:
    report, name = one.figures.report, _name(one)
    tried = [
        (
            name,
            way["way"],
            f"{way['accuracy'] * 100:.2f}",
            f"{way['macs'] / 1e6:.1f}",
            "yes" if way["passed"] else "no",
            "; ".join(f"{step['recipe']} ({step['loss']:.2f})" for step in way["tried"]),
        )
        for way in report["ways"]
    ]
    failed = [text for text in report["warnings"] if " does not apply" in text or " failed: " in text]
    return tried + [(name, text.split()[0], "-", "-", "no", text.split(": ", 1)[-1]) for text in failed]


def _mixed(measured: Sequence[FoundingResult]) -> str:
    listed = ", ".join(f"{one.row.name.replace('_', ' ')} `{one.figures.code}`" for one in measured)
    return f"Rows were converted by different states of the code (digests): {listed}."
