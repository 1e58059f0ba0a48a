"""Students: their teacher's colour, the same each time, honest scores of the cells they learnt from, and answers that are kept."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from convert.classify import distill, student, teacher
from convert.classify.preprocess import Preprocessing
from convert.classify.teacher import Teacher
from convert.classify.ways import ways_for
from convert.measure.cells import CellSet
from convert.measure.reading import read_cells
from convert.measure.scoring import outputs
from convert.net.batch import feed
from convert.net.int8 import quantise
from convert.net.values import RANGES
from edge.crops import to_colour
from edge.modelfile import CropSpec, ModelFile
from edge.runtime import Net
from tests.convert import cell_folders

pytestmark = [pytest.mark.build, pytest.mark.filterwarnings("ignore")]
pytest.importorskip("tensorflow", reason="needs TensorFlow (make test-build brings it)")
keras: Any = pytest.importorskip("keras")
UNIT = RANGES["0..1"]


def silent(_doing: str, _at: float = -1) -> None:
    """No progress."""


def net(height: int, width: int, channels: int) -> Any:
    keras.utils.set_random_seed(2)
    make = keras.layers
    stack = [make.Input((height, width, channels)), make.Conv2D(4, 3, 2, activation="relu"), make.Flatten()]
    return keras.Sequential([*stack, make.Dense(1, activation="sigmoid")])


@pytest.fixture(autouse=True)
def brief(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Students of a few steps, few virtual cells, and a cache folder of the test's own."""
    monkeypatch.setattr(distill, "STEPS", 6)
    monkeypatch.setattr(distill, "_PICTURES", (60, 60))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    plain = np.full((2, 48, 48, 3), 180, np.uint8)
    monkeypatch.setattr(distill, "virtual_cells", lambda *_: SimpleNamespace(images=plain))


@pytest.fixture(scope="module")
def cells(tmp_path_factory: pytest.TempPathFactory) -> tuple[CellSet, CellSet]:
    """The same cells at 48 px and as the device cuts them."""
    folder = cell_folders.make(tmp_path_factory.mktemp("distill") / "cells", count=20)
    native, small = (read_cells(folder, (), CropSpec(size=size)) for size in (48, 32))
    return native, small


@pytest.mark.parametrize(("colour", "channels"), [("grey", 1), ("rgb", 3)])
def test_a_student_of_a_net_that_is_not_square(cells: tuple[CellSet, CellSet], colour: str, channels: int) -> None:
    asked = Teacher(net(40, 48, channels), Preprocessing(UNIT, colour, logits=False), 10_000)
    ways = [distill.students(asked, *cells, seed, silent)[0] for seed in (0, 0, 1)]
    assert ways[0].colour == colour
    assert ways[0].make(1, False).input_shape == (1, 32, 32, channels)
    seen = to_colour(cells[1].images, colour)
    files = [quantise(way.make(1, False), feed(seen, student.VALUES)) for way in ways]
    raw = [Net(ModelFile(one, None, "", Path("net"))).run(seen)[0] for one in files]
    assert np.array_equal(raw[0], raw[1])
    assert not np.array_equal(raw[0], raw[2])


def test_the_cheapest_student_comes_first_and_none_is_trained_before_it_is_asked_for(
    monkeypatch: pytest.MonkeyPatch, cells: tuple[CellSet, CellSet]
) -> None:
    asked = Teacher(net(48, 48, 3), Preprocessing(UNIT, "rgb", logits=False), 10_000)
    trained: list[int] = []
    monkeypatch.setattr(student.StudentTrainer, "train", lambda *_args, **_named: trained.append(1))
    ways = distill.students(asked, *cells, 0, silent)
    assert not trained
    sizes = [way.make(1, False).count_params() for way in ways]
    assert sizes == sorted(sizes)
    assert len(trained) == len(ways) == len(student.WIDTHS)


def test_held_out_scores_are_of_students_that_did_not_learn_from_the_cell(
    monkeypatch: pytest.MonkeyPatch, cells: tuple[CellSet, CellSet]
) -> None:
    native, small = cells
    learnt: list[np.ndarray] = []

    def train(_trainer: object, pictures: np.ndarray, *_args: Any, **_named: Any) -> None:
        learnt.append(pictures)

    def scores(_net: Any, crops: np.ndarray) -> np.ndarray:
        known = learnt[-1].reshape(len(learnt[-1]), -1)
        met = [(known == crop.reshape(-1)).all(axis=1).any() for crop in crops]
        return np.stack([np.array(met), ~np.array(met)], axis=1).astype(np.float32)

    monkeypatch.setattr(student.StudentTrainer, "train", train)
    monkeypatch.setattr(student, "scores", scores)
    asked = Teacher(net(48, 48, 3), Preprocessing(UNIT, "rgb", logits=False), 10_000)
    way = distill.students(asked, native, small, 0, silent, held_out=True)[0]
    assert way.held_out is not None
    found = way.held_out(small.take(np.array([7, 3, 30])))
    assert found.shape == (3, 2)
    assert not found[:, 0].any()
    assert len(learnt) == 3
    assert distill.students(asked, native, small, 0, silent)[0].held_out is None


def test_answers_are_kept_for_the_same_net_and_pictures_only(
    monkeypatch: pytest.MonkeyPatch, cells: tuple[CellSet, CellSet]
) -> None:
    pictures = cells[0].images
    asked: list[int] = []
    by_runtime = Teacher._by_runtime

    def counted(self: Teacher, *given: Any) -> Any:
        asked.append(1)
        return by_runtime(self, *given)

    monkeypatch.setattr(Teacher, "_by_runtime", counted)
    one = Teacher(net(48, 48, 3), Preprocessing(UNIT, "rgb", logits=False), 10_000)
    first = one.answers(pictures, "key", silent)
    want = outputs(one.model, pictures, UNIT, "rgb")
    assert np.abs(first[:, 1:] - want).max() < 1e-4
    assert np.array_equal(one.answers(pictures, "key", silent), first)
    assert len(asked) == 1
    one.answers(pictures, "other", silent)
    replace(one, prep=Preprocessing(RANGES["-1..1"], "rgb", logits=False)).answers(pictures, "key", silent)
    assert len(asked) == 3


@pytest.mark.parametrize(
    "found",
    [b"", b"nonsense", None],
    ids=["an empty file", "a file that is no array", "a folder that cannot be written"],
)
def test_a_cache_that_is_of_no_use_does_no_harm(
    monkeypatch: pytest.MonkeyPatch, cells: tuple[CellSet, CellSet], tmp_path: Path, found: bytes | None
) -> None:
    one = Teacher(net(48, 48, 3), Preprocessing(UNIT, "rgb", logits=False), 10_000)
    want = one.answers(cells[0].images, "key", silent)
    if found is None:
        (tmp_path / "file").touch()
        monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    else:
        for kept in teacher.cache_folder().glob("*.npy"):
            kept.write_bytes(found)
    assert np.array_equal(one.answers(cells[0].images, "key", silent), want)


def test_the_cache_keeps_the_newest_files_only(monkeypatch: pytest.MonkeyPatch, cells: tuple[CellSet, CellSet]) -> None:
    monkeypatch.setattr(teacher, "_KEPT", 2)
    one = Teacher(net(48, 48, 3), Preprocessing(UNIT, "rgb", logits=False), 10_000)
    for key in "abc":
        one.answers(cells[0].images[:6], key, silent)
    assert len(list(teacher.cache_folder().iterdir())) == 2


def test_a_net_that_is_not_square_sees_the_cell_squashed_as_the_file_squashes_it(
    cells: tuple[CellSet, CellSet],
) -> None:
    small = cells[1]
    made = net(40, 48, 3)
    want = outputs(made, small.images, UNIT, "rgb")
    ways, _ = ways_for(made, UNIT, "upscale", logits=False, keep_head=True)
    got = np.asarray(ways[0].make(None, False)(UNIT.values(to_colour(small.images, "rgb"))))
    assert np.abs(got - want).max() < 1e-5


def test_a_trainer_gives_the_same_student_again_whatever_it_trained_in_between() -> None:
    rng = np.random.default_rng(4)
    pictures = rng.integers(0, 256, (40, 32, 32, 3), dtype=np.uint8)
    targets = np.eye(2, dtype=np.float32)[rng.integers(0, 2, 40)]
    trainer = student.StudentTrainer((4, 4, 4, 4), 2, 3)
    made = []
    for steps in (5, 3, 5):
        trainer.train(pictures, targets, steps, seed=1, progress=lambda _share: None)
        made.append(trainer.copy())
    said = [student.scores(one, pictures) for one in made]
    assert np.array_equal(said[0], said[2])
    assert not np.array_equal(said[0], said[1])
