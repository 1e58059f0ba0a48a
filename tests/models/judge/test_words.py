"""Figures as lines of text: what a reader is told of a net, of its classes, of known negatives and of two nets."""

from __future__ import annotations

from typing import Any

import pytest

from models.judge.figures import Measurement, NegativeGroup
from models.judge.words import (
    class_lines,
    compared_lines,
    evaluated_lines,
    few_groups,
    known_lines,
    measured,
    row,
    scored_lines,
)


def figure(value: float, low: float | None, high: float | None, n: int) -> dict[str, Any]:
    return {"value": value, "low": low, "high": high, "n": n}


CLASSES = {
    "labels": ["clear", "early", "late"],
    "confusion": [[1200, 3, 0, 0], [1, 8, 1, 0], [0, 0, 5, 0]],
    "accuracy": figure(0.99, 0.98, 1.0, 1218),
    "macro_f1": figure(0.875, None, None, 3),
    "recall": {"clear": figure(0.9975, 0.99, 1.0, 1203), "early": figure(0.8, 0.6, 0.9, 10), "late": None},
    "precision": {"clear": figure(0.9992, 0.99, 1.0, 1201), "early": None, "late": figure(0.8333, 0.5, 1.0, 6)},
}
EVALUATED = {
    "path": "net.tflite",
    "set": "mine",
    "cells": 1218,
    "groups": 9,
    "classes_of_the_cells": {"clear": 1203, "ill": 15},
    "runtime": "LiteRT 2",
    "threshold": 0.97450001,
    "threshold_origin": "as asked",
    "lost_by_the_finder": 0,
    "auc": figure(0.9912, 0.98, 0.9951, 1218),
    "sensitivity": figure(0.9612, 0.951, 0.97, 15),
}


@pytest.mark.parametrize(
    ("found", "lines"),
    [
        pytest.param(
            EVALUATED,
            [
                "net: 1,218 cells, mine",
                "  AUC                                  0.9912 (0.980 to 0.995)        n = 1,218",
                "  sensitivity at the threshold         96.12 % (95.1 to 97.0)         n = 15",
            ],
            id="figures in their own order and unit; what was not measured is left out",
        ),
        pytest.param(
            {"cells": 7, "set": "x", "agreement_with_float": figure(0.5, None, None, 7)},
            ["net: 7 cells, x", "  agrees with the float net            50.00 %                        n = 7"],
            id="agreement with the float net",
        ),
        pytest.param(
            {"cells": 7, "set": "x", "found": figure(0.5, None, None, 8)},
            ["net: 7 cells, x", "  end to end at the threshold          50.00 %                        n = 8"],
            id="end to end",
        ),
        pytest.param(
            {"cells": 7, "set": "x", "classes": CLASSES},
            ["net: 7 cells, x", *class_lines(CLASSES)],
            id="with its classes",
        ),
    ],
)
def test_a_net_has_a_line_per_figure(found: dict[str, Any], lines: list[str]) -> None:
    assert scored_lines("net", found) == lines


def test_a_figure_is_read_back_and_none_stays_none() -> None:
    assert measured(figure(0.5, 0.4, 0.6, 9)) == Measurement(0.5, 0.4, 0.6, 9)
    assert measured(None) is None
    assert row("AUC", Measurement(0.5, 0.4, 0.6, 9000), percent=False).split() == [
        "AUC",
        "0.5000",
        "(0.400",
        "to",
        "0.600)",
        "n",
        "=",
        "9,000",
    ]


def test_classes_have_recall_precision_and_the_matrix() -> None:
    assert class_lines(CLASSES) == [
        "  right class at the threshold         99.00 % (98.0 to 100.0)        1,218 cells",
        "  macro F1                             87.50 %                        3 classes",
        "  clear                recall 99.75 % (99.0 to 100.0) of 1,203; precision 99.92 % (99.0 to 100.0) of 1,201",
        "  early                recall 80.00 % (60.0 to 90.0) of 10; precision - (there are none)",
        "  late                 recall - (there are none); precision 83.33 % (50.0 to 100.0) of 6",
        "  true \\ called   clear   early    late",
        "  clear       1,200       3       0",
        "  early           1       8       1",
        "  late            0       0       5",
    ]


def test_lost_cells_have_a_column_of_their_own_where_there_are_any() -> None:
    lost = {**CLASSES, "confusion": [[1200, 3, 0, 0], [1, 8, 1, 2], [0, 0, 5, 0]]}
    head, *rows = class_lines(lost)[-4:]
    assert head.split() == ["true", "\\", "called", "clear", "early", "late", "lost"]
    assert [line.split() for line in rows] == [
        ["clear", "1,200", "3", "0", "0"],
        ["early", "1", "8", "1", "2"],
        ["late", "0", "0", "5", "0"],
    ]


@pytest.mark.parametrize(("classes", "matrix"), [(12, True), (13, False)])
def test_a_matrix_too_wide_to_read_is_left_out(classes: int, *, matrix: bool) -> None:
    labels = [f"class number {i}" for i in range(classes)]
    wide = {
        "labels": labels,
        "confusion": [[0] * (classes + 1)] * classes,
        "accuracy": None,
        "macro_f1": None,
        "recall": dict.fromkeys(labels),
        "precision": dict.fromkeys(labels),
    }
    lines = class_lines(wide)
    assert len(lines) == classes + (classes + 1 if matrix else 0)
    if matrix:
        assert lines[classes].endswith("  class number 9  class number 10  class number 11")
        assert len({len(line) for line in lines[classes + 1 :]}) == 1


def test_known_negatives_are_told_together_and_one_by_one() -> None:
    assert known_lines([NegativeGroup("s1", 1500, 6), NegativeGroup("s2", 500, 0)]) == [
        "  2 groups without a positive cell: 3.00 false positives per 1,000 cells",
        f"    {'s1':40}     4.00 per 1,000 (6 of 1,500)",
        f"    {'s2':40}     0.00 per 1,000 (0 of 500)",
    ]
    assert known_lines([]) == ["  no group without positive cells: false positives slide by slide are unknown"]


@pytest.mark.parametrize(("groups", "only"), [(1, "1 group"), (2, "2 groups"), (7, "7 groups"), (8, None)])
def test_few_groups_are_a_warning(groups: int, only: str | None) -> None:
    said = f"  ! {only} only: intervals are over its fields, where there are any, and narrower than a new film deserves"
    assert few_groups(groups) == ([said] if only else [])


@pytest.mark.parametrize(
    ("change", "at", "lines"),
    [
        pytest.param({}, 2, [], id="nothing lost, slides enough"),
        pytest.param(
            {"lost_by_the_finder": 1234},
            2,
            ["  the finder lost 1,234 annotated cells: end to end, and in recall, they count as missed"],
            id="lost cells are told before the figures",
        ),
        pytest.param({"groups": 3}, 4, few_groups(3), id="few groups"),
        pytest.param(
            {"known_negative_groups": [{"group": "s1", "cells": 10, "flagged": 1, "per_1000": 100.0}]},
            4,
            ["  known negatives, at the threshold:", *known_lines([NegativeGroup("s1", 10, 1)])],
            id="known negatives",
        ),
    ],
)
def test_the_report_on_a_net_begins_with_what_it_was_judged_on(
    change: dict[str, Any], at: int, lines: list[str]
) -> None:
    found = {**EVALUATED, **change}
    expected = [
        f"net.tflite on mine: 1,218 cells in {found['groups']} groups (1,203 clear, 15 ill)",
        "  int8 in LiteRT 2, threshold 0.9745 (as asked)",
        *scored_lines("net", EVALUATED)[1:],
    ]
    assert evaluated_lines(found) == [*expected[:at], *lines, *expected[at:]]


def test_two_nets_are_compared_with_their_costs_and_each_figures_difference() -> None:
    nets = [
        {"path": "a.tflite", "macs_per_cell": 1_234_000, "flatbuffer_bytes": 45_600, "threshold": 0.5},
        {"path": "b.tflite", "macs_per_cell": 99_000, "flatbuffer_bytes": 7_800, "threshold": 0.97456},
    ]
    share = {
        "name": "accuracy",
        "first": 0.9,
        "second": 0.95,
        "low": 0.01,
        "high": 0.09,
        "percent": True,
        "verdict": "better",
    }
    area = {
        "name": "AUC",
        "first": 0.99,
        "second": 0.98,
        "low": None,
        "high": None,
        "percent": False,
        "verdict": "unclear",
    }
    found = {
        "set": "mine",
        "cells": 1218,
        "groups": 3,
        "nets": nets,
        "against_the_first": [{"second": "b.tflite", "figures": [share, area]}],
    }
    assert compared_lines(found) == [
        "mine: 1,218 cells in 3 groups, the same for all; 95 % intervals over groups",
        f"  {'a.tflite':40}  1.234 MMAC per cell,    45.6 kB, threshold 0.5",
        f"  {'b.tflite':40}  0.099 MMAC per cell,     7.8 kB, threshold 0.9746",
        *few_groups(3),
        "b.tflite against a.tflite:",
        f"  {'accuracy':36} {'90.00 % -> 95.00 %':24} +5.00 (+1.00 to +9.00): better",
        f"  {'AUC':36} {'0.9900 -> 0.9800':24} -0.0100: unclear",
    ]
