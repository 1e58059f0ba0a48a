"""Learning from a review: which cells are learned as what, which slides judge, when a net is refused; no TensorFlow."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import cv2
import numpy as np
import pytest

from convert.errors import CellsError
from convert.measure.annotations import AnnotatedField
from convert.measure.fields import FieldSet
from edge import shelf
from edge.crops import crop_cells
from edge.errors import BookError
from edge.events import AnalysedField
from edge.modelfile import Card, read_model
from edge.review.records import Consensus
from edge.types import Cells, FieldIdentity
from models.adapt import blank_slides
from models.adapt.blank_slides import DeviceNets, read_blanks
from models.adapt.known_cells import TaughtField, cells_of
from models.adapt.reviewed_book import AnsweredFile, ReviewedCells, read_reviewed
from models.adapt.reviewed_card import Gathered, ReviewedRequest
from models.adapt.reviewed_check import (
    BlankFigures,
    LeftOut,
    blank_figures,
    blank_threshold,
    level,
    rate_for,
    slide_folds,
)
from models.adapt.reviewed_job import contradictions, objections, threshold_alone
from models.adapt.reviewed_net import GuardedNet, Lessons, as_negatives, between, hardest, lost
from models.data.cells import HARD, LabelledCells
from models.data.classes import ClassScheme
from models.data.crops import LABELS, SPEC, with_slack
from models.train.start import open_start
from tests.book.answers import decided
from tests.book.made import a_book, begun, field_of, write

CLASSIFIER = Card("mine", "classify", LABELS, positive=LABELS[1:], output="logit", crop=SPEC, threshold=0.5)
PLACES = np.array([(40 + 60 * i, 50, 40, 40) for i in range(9)], np.int32)
"""Boxes of the nine cells of every field here."""


def cells(groups: Sequence[str], truth: Sequence[int]) -> LabelledCells:
    """Cells of these slides; nothing is to be seen of them."""
    n = len(groups)
    blank = np.zeros((n, 36, 36, 3), np.uint8)
    numbers = np.zeros(n, np.int32)
    return LabelledCells(
        blank, np.array(truth, np.int32), LABELS, np.array(groups), numbers, np.zeros(n, np.int8), lessons=None
    )


def picture(shade: int = 180) -> np.ndarray:
    rgb = np.full((200, 640, 3), 235, np.uint8)
    for number, (x, y, w, _) in enumerate(PLACES.tolist()):
        cv2.circle(rgb, (x + w // 2, y + w // 2), w // 2 - 2, (shade - 3 * number, 120, 130), -1)
    return rgb


# Cells that are known


def test_known_cells_are_cut_from_the_fields_own_pixels_beside_the_typical_cell_of_all_that_counted() -> None:
    rgb, rows = picture(), np.array([7, 2, 2], np.int32)
    field = TaughtField(rgb, PLACES, rows, np.array([0, 1, 0], np.int32), np.zeros(9, bool), "sample/s", 3)
    made = cells_of(field, LABELS, SPEC, np.random.default_rng(0))
    plain = crop_cells(rgb, PLACES, with_slack(replace(SPEC, normalise="none")))
    assert np.array_equal(made.crops, plain[rows])
    assert made.truth.tolist() == [0, 1, 0]
    assert set(made.groups.tolist()) == {"sample/s"}
    assert made.typical is not None
    assert len(made.typical) == 3


# Blanks


class FoundAll:
    """The device's analysis: nine cells, with a score that the field's brightness gives."""

    def __call__(self, field: Any) -> Any:
        score = np.float32(field.rgb[70, 60, 0] / 255)
        found = Cells(PLACES, np.ones(9, np.float32), np.array([0] * 8 + [1], np.int32), ("cell", "not-whole"))
        return SimpleNamespace(cells=found, scores=np.tile([[1 - score, score]], (9, 1)).astype(np.float32))


def slide(folder: Path, shades: Sequence[int]) -> Path:
    folder.mkdir()
    for number, shade in enumerate(shades):
        cv2.imwrite(str(folder / f"{number}.png"), picture(shade)[..., ::-1])
    return folder


def blanks(folders: Sequence[Path]) -> blank_slides.BlankSlides:
    nets: Any = DeviceNets(FoundAll(), CLASSIFIER)  # type: ignore[arg-type]
    return read_blanks(folders, nets, lambda *_: None, 0)


def test_every_cell_of_a_blank_is_negative_and_suspects_and_near_misses_are_counted(tmp_path: Path) -> None:
    made = blanks([slide(tmp_path / "a", [200, 100]), slide(tmp_path / "b", [20])])
    assert (len(made.cells), made.suspects, made.near) == (24, 8, 8)  # what is not whole does not count
    assert not made.cells.truth.any()
    assert (made.cells.role == HARD).all()
    assert np.unique(made.cells.groups).tolist() == ["blank/a", "blank/b"]


def test_blanks_of_one_name_are_two_slides(tmp_path: Path) -> None:
    (tmp_path / "x").mkdir()
    (tmp_path / "y").mkdir()
    made = blanks([slide(tmp_path / "x" / "s", [20]), slide(tmp_path / "y" / "s", [20])])
    assert np.unique(made.cells.groups).tolist() == ["blank/x/s", "blank/y/s"]


def test_a_field_that_cannot_be_read_is_left_out_and_told(tmp_path: Path) -> None:
    folder = slide(tmp_path / "a", [20])
    (folder / "9.png").write_bytes(b"no picture")
    assert any("1 of 2 fields of a cannot be read" in note for note in blanks([folder]).notes)


def test_a_very_large_blank_is_thinned_by_chance_and_it_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(blank_slides, "_MOST", 5)
    made = blanks([slide(tmp_path / "a", [20])])
    assert len(made.cells) == 5
    assert "drawn by chance" in made.notes[-1]


def test_bad_blanks_are_refused_in_a_line(tmp_path: Path) -> None:
    folder = slide(tmp_path / "a", [20])
    with pytest.raises(CellsError, match="given twice"):
        blanks([folder, folder])
    with pytest.raises(CellsError, match="--blank"):
        blanks([tmp_path / "nowhere"])
    (tmp_path / "empty").mkdir()
    with pytest.raises(CellsError, match="--blank"):
        blanks([tmp_path / "empty"])


# Answers


def counted_book(folder: Path, *, fields: int = 1) -> Path:
    """A book with one sample of pictures that are there, nine cells in each; the last three are suspects."""
    made = []
    for number in range(fields):
        file = folder / f"f{number}.png"
        cv2.imwrite(str(file), picture(180 - number)[..., ::-1])
        like = field_of(4 * number)
        scores = np.linspace(0.1, 0.9, 9, dtype=np.float32)
        aside = np.random.default_rng(number).integers(0, 15, (9, 2)).astype(np.int32) * np.int32(
            number > 0
        )  # no overlap
        places = PLACES + np.hstack([aside, np.zeros((9, 2), np.int32)])
        found = Cells(places, np.ones(9, np.float32), np.zeros(9, np.int32), like.result.cells.kinds)
        result = replace(
            like.result,
            cells=found,
            scores=np.stack([1 - scores, scores], axis=1),
            classes=(scores > 0.65).astype(np.int32),
            shape=(200, 640),
            region=None,
            metadata={},
            identity=FieldIdentity(str(file), file.stat().st_size, hashlib.sha256(file.read_bytes()).hexdigest()),
        )
        made.append(AnalysedField(result))
    with a_book(folder / "book.sqlite") as book:
        write(begun(book), made)
    return folder / "book.sqlite"


def answered(path: Path, *answers: Any) -> ReviewedCells:
    with a_book(path) as book:
        book.answer(book.sample("s").id, answers, ())
    return read_reviewed(path, CLASSIFIER, lambda *_: None, 0)


def test_answers_become_cells_of_the_class_that_readers_agree_on(tmp_path: Path) -> None:
    made = answered(
        counted_book(tmp_path),
        *(decided("0-8"), decided("0-7", "uninfected"), decided("0-6", "no cell"), decided("0-1", "unsure")),
    )
    learned = dict(zip(made.files[0].boxes[:, 0].tolist(), made.cells.truth.tolist(), strict=True))
    assert learned == {40 + 60 * 8: 1, 40 + 60 * 7: 0, 40 + 60 * 6: 0}
    assert made.answered == {
        Consensus.POSITIVE: 1,
        Consensus.NEGATIVE: 1,
        Consensus.NO_CELL: 1,
        Consensus.UNSURE: 1,
    }
    assert any("1 cells that nobody could tell are left out" in note for note in made.notes)
    assert np.unique(made.cells.groups).tolist() == ["sample/s"]


def test_where_readers_are_even_the_cell_is_learned_once_as_either(tmp_path: Path) -> None:
    made = answered(counted_book(tmp_path), decided("0-8"), decided("0-8", "uninfected", "Bob"))
    assert sorted(made.cells.truth.tolist()) == [0, 1]
    assert np.array_equal(made.cells.crops[0], made.cells.crops[1])
    assert made.disputed == 1


def test_the_newest_answer_of_a_reader_stands_and_one_that_was_withdrawn_teaches_nothing(tmp_path: Path) -> None:
    changed = (decided("0-8"), decided("0-8", "uninfected"), decided("0-7"), decided("0-7", "withdrawn"))
    assert answered(counted_book(tmp_path), *changed).cells.truth.tolist() == [0]


def test_cells_whose_pixels_are_gone_are_left_out_and_told(tmp_path: Path) -> None:
    path = counted_book(tmp_path, fields=2)
    (tmp_path / "f1.png").write_bytes(b"another")
    made = answered(path, decided("0-8"), decided("4-8"))
    assert len(made.cells) == 1
    assert any("1 answered cells are left out: the pixels" in note for note in made.notes)


def test_a_book_that_teaches_nothing_is_refused_in_a_line(tmp_path: Path) -> None:
    path = counted_book(tmp_path)
    with pytest.raises(CellsError, match="nobody has answered anything"):
        answered(path)
    with pytest.raises(BookError, match="no sample t"):
        read_reviewed(path, CLASSIFIER, lambda *_: None, 0, ("t",))
    (tmp_path / "f0.png").unlink()
    with pytest.raises(CellsError, match="are gone"):
        answered(path, decided("0-8"))


def test_an_answer_that_contradicts_an_annotation_is_counted_whatever_the_file_is_called(tmp_path: Path) -> None:
    file = tmp_path / "renamed.png"
    file.write_bytes(b"the same content")
    digest = hashlib.sha256(b"the same content").hexdigest()
    said = AnsweredFile(digest, PLACES[:3], np.array([1, 0, 1], np.int32))
    annotated = AnnotatedField(file, PLACES[:2] + np.int32(2), ("uninfected", "uninfected"))
    fields = FieldSet((annotated,), ("g",), grouped=True)
    plan = ClassScheme(LABELS, LABELS[0], LABELS[1:])
    assert contradictions(fields, plan, [said]) == 1
    assert contradictions(fields, plan, [replace(said, sha256="0" * 64)]) == 0


# What teaches, and what judges


def lessons(answers: Sequence[str] = ("s1", "s2"), blank: Sequence[str] = ("b1", "b2", "b3")) -> Lessons:
    told = cells(answers, [i % 2 for i in range(len(answers))]) if answers else None
    return Lessons(
        told, cells(blank, [0] * len(blank)) if blank else None, np.linspace(0, 1, len(blank), dtype=np.float32)
    )


def test_each_slide_is_held_out_once_blanks_and_answers_spread_over_the_parts() -> None:
    folds = slide_folds(lessons())
    assert sorted(name for fold in folds for name in fold) == ["b1", "b2", "b3", "s1", "s2"]
    assert all(sum(name.startswith("b") for name in fold) == 1 for fold in folds)


def test_one_slide_is_not_dealt() -> None:
    assert slide_folds(lessons((), ("b1", "b1"))) == []


def test_a_slide_left_out_leaves_no_cell_behind() -> None:
    rest, held = lessons().of(["b2", "s1"], without=True), lessons().of(["b2", "s1"])
    assert rest.groups() == ["b1", "b3", "s2"]
    assert held.groups() == ["b2", "s1"]
    assert rest.suspicion.tolist() == [0, 1]
    assert held.suspicion.tolist() == [0.5]


@pytest.mark.parametrize(
    ("made", "pools"), [(lessons(), 3), (lessons(()), 2), (lessons(blank=()), 1)], ids=["both", "blanks", "answers"]
)
def test_what_is_new_shares_a_batch_whatever_there_is(made: Lessons, pools: int) -> None:
    sources, shares = made.sources()
    assert len(sources) == pools
    assert sum(shares) == pytest.approx(1)
    assert all(len(source) for source in sources)


def test_the_most_suspicious_cells_of_blanks_are_the_hard_ones_at_least_one() -> None:
    assert hardest(np.array([0.1, 0.9, 0.5], np.float32)).tolist() == [1]
    assert hardest(np.linspace(0, 1, 40, dtype=np.float32)).tolist() == [39, 38, 37, 36]


def test_cells_of_a_blank_are_negative_whatever_they_were_taken_for() -> None:
    taken = replace(cells(["b", "b"], [1, 0]), lessons=np.array([1, 1], np.int32))
    assert as_negatives(taken).taught.tolist() == [0, 0]


@pytest.mark.parametrize(
    ("count", "asked", "rate"),
    [
        (100_000, None, 0.001),
        (1000, None, 0.002),
        (200, None, 0.01),
        (199, None, None),
        (500, 0.01, 0.01),
        (100, 0.01, None),
    ],
)
def test_the_threshold_never_rests_on_one_blank_cell(count: int, asked: float | None, rate: float | None) -> None:
    assert rate_for(count, asked) == (rate if rate is None else pytest.approx(rate))


def test_blanks_give_a_threshold_that_lets_so_many_through() -> None:
    scores = np.linspace(0, 0.999, 1000, dtype=np.float32)
    chosen = blank_threshold(scores, None)
    assert chosen is not None
    assert (scores >= chosen[0]).sum() <= 2


@pytest.mark.parametrize(("share", "found"), [(0.0, 0), (0.25, 1), (0.3, 2), (1.0, 4)])
def test_a_level_is_the_highest_score_that_so_many_reach(share: float, found: int) -> None:
    scores = np.array([0.4, 0.1, 0.3, 0.2], np.float32)
    assert (scores >= level(scores, share)).sum() == found


def left(after: Sequence[float], *, positives: int = 10) -> LeftOut:
    """Ten blank cells of which the old net calls two, and infected ones of which it finds half."""
    blank = np.array([True] * 10 + [False] * positives)
    before = np.array([0.9, 0.8, *[0.1] * 8, *[0.85, 0.2][:positives] * (positives // 2)], np.float32)
    groups = np.array(["b1"] * 5 + ["b2"] * 5 + ["s"] * positives)
    new = np.array([*after, *[0.95, 0.6][:positives] * (positives // 2)], np.float32)
    old = np.array([0.7, 0.3], np.float32)
    return LeftOut(groups, blank, ~blank, before, new, old, old[None])


def figures_of(seen: LeftOut) -> BlankFigures:
    made = blank_figures(seen, CLASSIFIER, None)
    assert made is not None
    return made


def test_figures_on_blanks_left_out_compare_where_as_much_is_found() -> None:
    made = figures_of(left([0.7, 0.5, *[0.1] * 8]))
    assert (made.slides, made.cells, made.rate) == (
        2,
        10,
        None,
    )  # too few cells to choose a threshold: the card's is taken
    assert (made.false_before, made.false_after, made.found_before, made.found_after) == (2, 2, 0.5, 1.0)
    assert (made.same_before, made.same_after) == (1, 0)
    assert not made.worse
    assert "AUC" in made.lines()[-1]


def test_without_enough_confirmed_cells_what_was_learned_before_says_what_is_found() -> None:
    assert "learned before" in figures_of(left([0.7] * 10, positives=2)).of


GUARDED = GuardedNet(None, b"", 0.5, {"auc": 0.99}, {"auc": 0.99}, stands=True)
FORGETFUL = replace(GUARDED, after={"auc": 0.98}, stands=False)
GOOD, BAD = figures_of(left([0.7, 0.5, *[0.1] * 8])), figures_of(left([0.99] * 10))


@pytest.mark.parametrize(
    ("made", "figures", "judged", "why"),
    [
        (GUARDED, GOOD, True, []),
        (GUARDED, None, True, []),
        (FORGETFUL, GOOD, True, ["learned before"]),
        (GUARDED, BAD, True, ["blanks left out"]),
        (FORGETFUL, BAD, True, ["learned before", "blanks left out"]),
        (GUARDED, None, False, ["one slide"]),
    ],
    ids=["good", "no blanks", "forgets", "worse on blanks", "both", "nothing to judge by"],
)
def test_a_net_that_is_worse_or_cannot_be_judged_is_refused(
    made: GuardedNet, figures: BlankFigures | None, judged: bool, why: list[str]
) -> None:
    found = objections(made, figures, 0.003, judged=judged)
    assert len(found) == len(why)
    assert all(word in line for word, line in zip(why, found, strict=True))


def asked(out: Path, **given: Any) -> ReviewedRequest:
    starts = open_start(shelf.FINDER, "find"), open_start(shelf.CLASSIFIER, "classify")
    return ReviewedRequest(*starts, out, **given)


def with_blanks(suspicion: np.ndarray) -> Gathered:
    many = cells([f"b{i % 3}" for i in range(len(suspicion))], [0] * len(suspicion))
    made = blank_slides.BlankSlides(many, suspicion, int((suspicion >= 0.5).sum()), 0, ())
    return Gathered(Lessons(None, many, suspicion), None, made)


def test_blanks_alone_choose_the_threshold_and_change_no_weight(tmp_path: Path) -> None:
    request = asked(tmp_path / "mine.tflite", blanks=(tmp_path,) * 3)
    lines = threshold_alone(request, with_blanks(np.linspace(0, 0.9, 1000, dtype=np.float32)), 0)
    assert "the weights stay as they are" in lines[0]
    assert "2 at the new one" in lines[1]
    made, before = read_model(tmp_path / "mine.tflite"), request.classifier.file
    assert made.flatbuffer == before.flatbuffer
    assert made.card is not None
    assert made.card.threshold == pytest.approx(0.898, abs=0.002)
    assert "none of which it learned from" in made.card.threshold_origin
    assert made.card.training["data"][-1] == "answers and blanks of the user"
    assert open_start(str(tmp_path / "mine.tflite"), "classify").card.name == "mine"


def test_without_blanks_or_with_too_few_cells_in_them_nothing_is_written(tmp_path: Path) -> None:
    request = asked(tmp_path / "mine.tflite", blanks=(tmp_path,))
    with pytest.raises(CellsError, match="too few to choose a threshold"):
        threshold_alone(request, with_blanks(np.zeros(50, np.float32)), 3)
    with pytest.raises(CellsError, match=r"3 cells are confirmed.*blanks \(--blank\) would"):
        threshold_alone(request, Gathered(lessons(blank=()), None, None), 3)
    assert not (tmp_path / "mine.tflite").exists()


def test_confirmed_cells_are_those_of_answers_and_annotated_fields() -> None:
    taught = replace(lessons(), fields=cells(["f", "f"], [1, 1]))
    assert taught.confirmed(CLASSIFIER) == 3


def test_weights_between_two_nets_lie_on_the_line_between_them() -> None:
    old, new = [np.zeros(2), np.ones((1, 2))], [np.full(2, 4.0), np.full((1, 2), 3.0)]
    assert [one.tolist() for one in between(old, new, 0.25)] == [[1.0, 1.0], [[1.5, 1.5]]]


def test_a_loss_is_the_largest_of_all_figures_and_a_gain_is_none() -> None:
    assert lost({"a": 0.9, "b": 0.8}, {"a": 0.95, "b": 0.75}) == pytest.approx(0.05)
    assert lost({"a": 0.9}, {"a": 0.95}) < 0
    assert lost({}, {}) == 0
