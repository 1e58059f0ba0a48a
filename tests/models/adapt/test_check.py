"""Cross-validation inside the given fields: what is judged was never learned from, and what follows from the figures."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from convert.measure.matching import Match
from edge import shelf
from edge.modelfile import Card, ModelFile
from models.adapt import check as checking
from models.adapt import curve, job
from models.adapt import finder as finding
from models.adapt.check import ClassifierCheck, FinderCheck, Fold, cell_threshold, finder_threshold
from models.adapt.tune import AdaptationSetup, HeldOutScores, TunedClassifier, TuningSettings, joined
from models.data.cells import FOUND, LabelledCells
from models.data.classes import ClassScheme
from models.data.fieldset import Fields
from models.train.start import open_start

LABELS = ("uninfected", "parasitized")
PLAN = ClassScheme(LABELS, "uninfected", ("parasitized",))


class FieldFolder:
    """Stands for ``convert``'s annotated fields: names, groups and annotated types."""

    def __init__(self, groups: tuple[str, ...], positives: tuple[int, ...]) -> None:
        self.groups = groups
        self.fields = tuple(
            SimpleNamespace(path=Path(f"f{i}.png"), types=("parasitized",) * count + ("uninfected",) * 9)
            for i, count in enumerate(positives)
        )

    def __len__(self) -> int:
        return len(self.fields)

    def take(self, rows: np.ndarray) -> FieldFolder:
        chosen = np.arange(len(self))[rows]
        taken = FieldFolder((), ())
        taken.groups = tuple(self.groups[i] for i in chosen)
        taken.fields = tuple(self.fields[i] for i in chosen)
        return taken


def given(groups: str = "aabbcd", positives: tuple[int, ...] = (1, 1, 5, 0, 3, 0)) -> Fields:
    """A field per letter, which names its group."""
    folder: Any = FieldFolder(tuple(groups), positives)
    finder: Any = None
    return Fields("mine", folder, finder)


def names(fields: Fields) -> set[str]:
    return {one.path.stem for one in fields.fields.fields}


@pytest.fixture(scope="module")
def setup() -> AdaptationSetup:
    starts = open_start(shelf.FINDER, "find"), open_start(shelf.CLASSIFIER, "classify")
    return AdaptationSetup(*starts, PLAN, TuningSettings(), lambda *_: None, lambda _: None)


def cells(truth: list[int]) -> LabelledCells:
    count = len(truth)
    groups = np.array([f"g{i % 3}" for i in range(count)])
    crops, role = np.zeros((count, 4, 4, 3), np.uint8), np.full(count, FOUND, np.int8)
    return LabelledCells(crops, np.array(truth, np.int32), LABELS, groups, np.arange(count, dtype=np.int32), role)


def scored(truth: list[int], suspicion: list[float]) -> HeldOutScores:
    yes = np.array(suspicion, np.float32)
    return HeldOutScores(cells(truth), np.stack([1 - yes, yes], axis=1), [])


# folds


@pytest.mark.parametrize("groups", ["aabbcd", "abcdef", "aabbab", "aaabbc"])
def test_each_field_is_judged_once_and_never_beside_its_own_group(groups: str) -> None:
    fields = given(groups)
    folds = checking.folds_of(fields, PLAN)
    assert len(folds) == min(checking.FOLDS, len(set(groups)))
    judged = [name for fold in folds for name in names(fold.rest)]
    assert sorted(judged) == sorted(names(fields))
    for fold in folds:
        assert not set(fold.learn.fields.groups) & set(fold.rest.fields.groups)
        assert names(fold.learn) | names(fold.rest) == names(fields)


def test_groups_with_positive_cells_are_spread_over_the_folds() -> None:
    folds = checking.folds_of(given(), PLAN)
    assert [sum(checking.positive_cells(fold.rest, PLAN).values()) for fold in folds] == [5, 3, 2]


def test_fields_of_one_group_are_not_split() -> None:
    assert checking.folds_of(given("aaaaaa"), PLAN) == []


# what is judged was never learned from


@pytest.fixture
def log(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str, set[str]]]:
    """Pretended training and judging: (what was done, which net, names of the fields), in order."""
    done: list[tuple[str, str, set[str]]] = []
    number = iter(range(100))

    def tuned_finder(setup: AdaptationSetup, fields: Fields) -> tuple[Any, ModelFile]:
        name = f"finder {next(number):02}"
        done.append(("learn", name, names(fields)))
        return object(), ModelFile(b"", setup.finder.card, "", Path(name))

    def tuned_classifier(_: AdaptationSetup, file: ModelFile, fields: Fields) -> TunedClassifier:
        name = f"classifier {next(number):02} behind {file.path.stem}"
        done.append(("learn", name, names(fields)))
        return TunedClassifier(object(), name.encode(), cells([0, 1]))

    def judge(file: ModelFile, flatbuffer: bytes, _card: Card, fields: Fields, _plan: ClassScheme) -> HeldOutScores:
        net = flatbuffer.decode() if flatbuffer.startswith(b"classifier") else f"start behind {file.path.stem}"
        assert net.endswith(file.path.stem), "a classifier is judged behind the finder that goes with it"
        done.append(("judge", net, names(fields)))
        return scored([0, 1, 0], [0.1, 0.9, 0.2])

    def matches(finder: str, fields: Fields, _: ClassScheme) -> list[Match]:
        done.append(("judge", finder, names(fields)))
        return [Match(9, 1, 1, 2, 0)] * len(fields.fields)

    def grid(finder: str, fields: Fields, _: ClassScheme) -> dict[tuple[float, float], list[Match]]:
        done.append(("judge", finder, names(fields)))
        return {(0.3, 0.2): [Match(9, 1, 1, 2, 0)]}

    for module in (checking, curve, job):
        monkeypatch.setattr(module, "tuned_finder", tuned_finder)
        monkeypatch.setattr(module, "tuned_classifier", tuned_classifier)
    for module in (checking, curve):
        monkeypatch.setattr(module, "judge", judge)
    monkeypatch.setattr(finding, "opened", lambda file: str(file.path))
    monkeypatch.setattr(finding, "matches", matches)
    monkeypatch.setattr(finding, "threshold_grid", grid)
    return done


def learned(log: list[tuple[str, str, set[str]]], net: str) -> set[str]:
    """All fields that a net and the finder before it were fine-tuned on."""
    return set().union(*(fields for what, name, fields in log if what == "learn" and name in net))


def test_no_finder_is_judged_on_a_field_it_learned_from(setup: AdaptationSetup, log: Any) -> None:
    checked = checking.check_finder(setup, checking.folds_of(given(), PLAN))
    assert len(checked.files) == checking.FOLDS
    assert len(checked.before) == len(checked.after) == 6
    assert any(learned(log, net) for what, net, _ in log if what == "judge")
    for what, net, fields in log:
        if what == "judge":
            assert not learned(log, net) & fields, net


def test_no_classifier_is_judged_on_a_field_that_it_or_its_finder_learned_from(
    setup: AdaptationSetup, log: Any
) -> None:
    folds = checking.folds_of(given(), PLAN)
    files = checking.check_finder(setup, folds).files
    checking.check_classifier(setup, files, folds)
    judged = [(net, fields) for what, net, fields in log if what == "judge" and "classifier" in net]
    assert len(judged) == checking.FOLDS
    for net, fields in judged:
        assert "behind finder" in net
        assert len(learned(log, net) | fields) == 6
        assert not learned(log, net) & fields, net


def test_the_nets_before_are_judged_on_the_same_fields(setup: AdaptationSetup, log: Any) -> None:
    folds = checking.folds_of(given(), PLAN)
    checking.check_classifier(setup, [setup.finder.file] * len(folds), folds)
    before = [fields for what, net, fields in log if what == "judge" and net.startswith("start")]
    assert before == [names(fold.rest) for fold in folds]


def test_a_point_of_the_curve_is_judged_on_a_group_that_it_did_not_learn_from(
    setup: AdaptationSetup, log: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(curve, "figures", lambda *_: {})
    fields = given("aabbccdd", (1, 0, 2, 0, 3, 0, 0, 0))
    points = curve.run(setup, fields, curve.CurveSettings((0, 2, 6), 4, tmp_path))
    assert [point["block"] for point in points[::3]] == ["c", "b", "a", "c"]  # d has no positive cell
    group_of = {one.path.stem: group for one, group in zip(fields.fields.fields, fields.fields.groups, strict=True)}
    for what, net, judged in log:
        if what == "judge":
            assert len({group_of[name] for name in judged}) == 1
            assert not {group_of[name] for name in learned(log, net)} & {group_of[name] for name in judged}
    assert {len(learned(log, net)) for what, net, _ in log if what == "judge"} == {0, 2, 6}


def test_larger_counts_of_a_draw_contain_the_smaller(
    setup: AdaptationSetup, log: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(curve, "figures", lambda *_: {})
    curve.run(setup, given("aabbccdd", (1, 0, 2, 0, 3, 0, 0, 0)), curve.CurveSettings((2, 4, 6), 1, tmp_path))
    two, four, six = (fields for what, net, fields in log if what == "learn" and net.startswith("finder"))
    assert two < four < six


# what follows from the figures


@pytest.mark.parametrize(
    ("before", "after", "better"),
    [
        (Match(90, 10, 10, 20, 2), Match(95, 5, 5, 20, 2), True),
        (Match(90, 10, 10, 20, 2), Match(90, 10, 10, 20, 2), True),
        (Match(90, 10, 10, 20, 2), Match(89, 11, 11, 20, 2), False),
        (Match(90, 10, 10, 20, 2), Match(95, 5, 5, 20, 3), False),
        (Match(90, 10, 10, 0, 0), Match(95, 5, 5, 0, 0), True),
    ],
)
def test_a_finder_is_better_that_finds_as_much_and_loses_no_more_positive_cells(
    before: Match, after: Match, better: bool
) -> None:
    assert FinderCheck([], [before], [after], []).better is better


TRUTH = [0, 0, 1, 1]


@pytest.mark.parametrize(
    ("after", "better"),
    [
        (scored(TRUTH, [0.1, 0.2, 0.8, 0.9]), True),
        (scored(TRUTH, [0.1, 0.7, 0.6, 0.9]), True),
        (scored(TRUTH, [0.6, 0.7, 0.5, 0.9]), False),
        (scored([0, 0, 0, 0], [0.1, 0.2, 0.8, 0.9]), False),
        (scored([1, 1, 1, 1], [0.1, 0.2, 0.8, 0.9]), False),
        (None, False),
    ],
    ids=["better", "equal", "worse", "no positive cell", "no negative cell", "nothing to learn from"],
)
def test_a_classifier_is_better_that_ranks_held_out_cells_at_least_as_well(
    after: HeldOutScores | None, better: bool
) -> None:
    card = shelf.load(shelf.CLASSIFIER).card
    assert card is not None
    assert ClassifierCheck(scored(TRUTH, [0.1, 0.7, 0.6, 0.9]), after).better(card, PLAN) is better


def test_held_out_parts_are_one_set_with_the_scores_of_each() -> None:
    parts = [scored([0, 1], [0.1, 0.9]), scored([1], [0.4])]
    one = joined([replace(part, matches=[Match(1, 0, 0, 0, 0)]) for part in parts])
    assert one.cells.truth.tolist() == [0, 1, 1]
    assert one.scores[:, 1].tolist() == pytest.approx([0.1, 0.9, 0.4])
    assert len(one.matches) == 2
    assert len(np.unique(one.cells.fields)) == 3


def card_of(name: str) -> Card:
    card = shelf.load(name).card
    assert card is not None
    return card


def test_the_threshold_is_that_of_held_out_scores() -> None:
    card = card_of(shelf.CLASSIFIER)
    suspicion = [*np.linspace(0.0, 0.5, 1000).tolist(), *[0.9] * 20]
    chosen, line = cell_threshold(scored([0] * 1000 + [1] * 20, suspicion), card, 0.01)
    flagged = int((np.array(suspicion[:1000]) >= chosen.threshold).sum())
    assert 9 <= flagged <= 10
    assert chosen.threshold_origin.startswith("cross-validation inside the given fields")
    assert f"{chosen.threshold:.4g}" in line


def test_with_few_negative_cells_or_unchecked_the_threshold_is_kept_and_it_is_told() -> None:
    card = card_of(shelf.CLASSIFIER)
    for scores, why in ((scored(TRUTH, [0.1, 0.2, 0.8, 0.9]), "too few negative cells"), (None, "of one group")):
        kept, line = cell_threshold(scores, card, None)
        assert kept.threshold == card.threshold
        assert kept.threshold_origin == f"kept from {card.name}: {card.threshold_origin}"
        assert why in line


@pytest.mark.parametrize(("count", "chosen"), [(checking.FEWEST_FIELDS - 1, False), (checking.FEWEST_FIELDS, True)])
def test_a_finders_thresholds_are_chosen_from_eight_fields_on(count: int, chosen: bool) -> None:
    card = card_of(shelf.FINDER)
    assert card.finder is not None
    card = replace(card, finder=replace(card.finder, thresholds=(0.4, 0.3, 0.21, 0.43, 0.54)))
    good, poor = [Match(99, 1, 1, 5, 0)], [Match(50, 50, 50, 5, 5)]
    checked = FinderCheck([], [], [], [{(0.31, 0.17): good, (0.4, 0.2): poor}])
    made, line = finder_threshold(checked, card, count)
    assert made.finder is not None
    assert made.finder.thresholds == ((0.31, 0.17) if chosen else (0.4, 0.3)) + (0.21, 0.43, 0.54)
    assert ("kept" in line) is not chosen


# which nets are written


def fold(fields: Fields) -> Fold:
    return Fold(fields, fields)


def test_incomplete_annotations_leave_the_finder_as_it_is_for_every_fold(setup: AdaptationSetup, log: Any) -> None:
    fields = given()
    outcome = job.adapt_finder(setup, fields, [fold(fields)] * 3, complete=False)
    assert outcome.model is None
    assert outcome.file is setup.finder.file
    assert outcome.fold_files == [setup.finder.file] * 3
    assert log == []


@pytest.mark.parametrize("better", [True, False])
def test_a_finder_that_fine_tuning_does_not_help_stays_as_it_was(
    setup: AdaptationSetup, log: Any, monkeypatch: pytest.MonkeyPatch, better: bool
) -> None:
    fields, tuned = given(), ModelFile(b"", None, "", Path("tuned"))
    after = Match(95, 5, 5, 0, 0) if better else Match(80, 20, 20, 0, 0)
    checked = FinderCheck([tuned], [Match(90, 10, 10, 0, 0)], [after], [])
    monkeypatch.setattr(checking, "check_finder", lambda *_: checked)
    outcome = job.adapt_finder(setup, fields, [fold(fields)], complete=True)
    assert (outcome.model is not None) is better
    assert outcome.fold_files == [tuned if better else setup.finder.file]
    assert [names for what, _, names in log if what == "learn"] == ([names(fields)] if better else [])


@pytest.mark.parametrize("better", [True, False])
def test_a_classifier_that_fine_tuning_does_not_help_stays_as_it_was(
    setup: AdaptationSetup, log: Any, monkeypatch: pytest.MonkeyPatch, better: bool
) -> None:
    fields = given()
    after = scored(TRUTH, [0.1, 0.2, 0.8, 0.9] if better else [0.9, 0.8, 0.2, 0.1])
    monkeypatch.setattr(
        checking, "check_classifier", lambda *_: ClassifierCheck(scored(TRUTH, [0.1, 0.7, 0.6, 0.9]), after)
    )
    finder = job.FinderOutcome(setup.finder.file, None, None, [])
    outcome = job.adapt_classifier(setup, fields, [fold(fields)], finder)
    assert (outcome.flatbuffer is not None) is better
    assert (outcome.cells is not None) is better


def test_figures_are_shown_before_and_after_where_both_are_known() -> None:
    before = {
        "judged_fields": 5,
        "positive_cells": 7,
        "finder_f1": 0.9,
        "auc": None,
        "found_at_1_percent_fp": {"value": 0.5},
    }
    after = {**before, "finder_f1": 0.95, "auc": 0.9, "found_at_1_percent_fp": {"value": 0.6}}
    lines = job.figure_lines({"before": before, "after": after})
    assert lines[0] == "on 5 fields, each judged by nets that had not seen its group (7 positive cells):"
    assert [" ".join(line.split()) for line in lines[1:]] == [
        "finder, F1 0.9000 before, 0.9500 after",
        "end to end at 1 % false positives 0.5000 before, 0.6000 after",
    ]
    assert job.figure_lines({"before": before}) == []


@pytest.mark.parametrize(("fields", "factor", "anchor"), [(1, 1.025, 20), (5, 1.125, 20), (40, 2, 2.5), (400, 5, 0.25)])
def test_more_fields_mean_more_steps_and_a_weaker_pull_back(fields: int, factor: float, anchor: float) -> None:
    usual = TuningSettings()
    tuning = usual.scaled(fields)
    assert tuning.cell.steps == round(usual.cell.steps * factor)
    assert tuning.finder.steps == round(usual.finder.steps * factor)
    assert tuning.cell.anchor == pytest.approx(anchor)
