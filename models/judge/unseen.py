"""What the nets of each fold never saw: the one loop over folds that every figure and every threshold of the shelf comes from.

Which slides and blocks a fold holds out is said in one place; here the fold's files are opened only if their own cards say the
same. A net that learned from a slide or a block can therefore not be judged on it by a slip in the order of files.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar

from edge.classifier import Classifier
from edge.errors import ModelError
from edge.finders import Finder
from edge.finders.learned import LearnedFinder
from edge.modelfile import ModelFile, read_model
from edge.types import Int32Array, UInt8Array
from models.data.fields import ImlField, PointedField, load_iml
from models.data.folds import FINDER, SLIDE_FOLDS, blocks_by_fold, fold_paths, path_without, slides_held_out
from models.data.nih import nih_rows

AnyField = TypeVar("AnyField", ImlField, PointedField)


@dataclass(frozen=True, slots=True, eq=False)
class FieldFinds(Generic[AnyField]):
    """One field and what a finder counts in it.

    Attributes:
        field: with its annotations.
        rgb: uint8 [H, W, 3].
        boxes: int32 [n, 4], x, y, width and height of the cells found.
    """

    field: AnyField
    rgb: UInt8Array
    boxes: Int32Array

    @property
    def shape(self) -> tuple[int, int]:
        """Height and width in pixels."""
        return self.rgb.shape[0], self.rgb.shape[1]


def finds_of(finder: Finder, fields: Iterable[AnyField]) -> Iterator[FieldFinds[AnyField]]:
    """What a finder counts in each field, one image in memory at a time."""
    for field in fields:
        rgb = field.read()
        cells = finder.find(rgb)
        yield FieldFinds(field, rgb, cells.boxes[cells.kind == 0])


@dataclass(frozen=True, slots=True, eq=False)
class UnseenFold:
    """What the nets of one fold never saw.

    Attributes:
        number: of the fold.
        folder: of the fold files.
        rows: of the table of NIH cells, those of the slides that are held out.
        fields: IML fields of the blocks that are held out; none in the last fold, whose classifier saw all blocks.
    """

    number: int
    folder: Path
    rows: list[dict[str, str]]
    fields: list[ImlField]

    def path(self, name: str) -> Path:
        """The file of the net of that name which held this fold out."""
        return fold_paths(self.folder, name)[self.number]

    def classifier(self, name: str) -> Classifier:
        """The fold's classifier; raises ModelError where its card does not say that it held out these slides and blocks."""
        return Classifier(self._unseeing(self.path(name), slides=True))

    def finder(self) -> LearnedFinder:
        """The fold's finder; raises ModelError where its card does not say that it held out these blocks."""
        return LearnedFinder(self._unseeing(self.path(FINDER), slides=False))

    def finds(self) -> Iterator[FieldFinds[ImlField]]:
        """What the fold's finder counts in the fields it never saw."""
        return finds_of(self.finder(), self.fields) if self.fields else iter(())

    def _unseeing(self, path: Path, *, slides: bool) -> ModelFile:
        model = read_model(path)
        training = model.card.training if model.card is not None else {}
        wanted: dict[str, set[Any]] = {"held_out_blocks": {field.block for field in self.fields}}
        if slides:
            wanted["held_out_slides"] = {row["slide"] for row in self.rows}
        for key, groups in wanted.items():
            if seen := groups - set(training.get(key, ())):
                shown = ", ".join(sorted(map(str, seen)))
                raise ModelError(
                    f"{path}: its card does not say that it held out {shown} ({key}): it cannot be judged on them"
                )
        return model


def unseen_model(name: str, microscope: Collection[str], folds: Path, shelf: Path) -> ModelFile | None:
    """The net that learned from none of a microscope's sets, as its own card says; None: nobody has trained it.

    That is the shipped file where it did not learn from them, else the one that was trained without them.

    Args:
        name: of the net.
        microscope: names of its sets.
        folds: folder of the files that only give figures.
        shelf: folder of the shipped files.

    Raises:
        ModelError: the file that was trained without them does not say so.
    """
    shipped = read_model(shelf / name / f"{name}.tflite")
    if not _learned_from(shipped, microscope):
        return shipped
    path = path_without(folds, name, microscope)
    if not path.is_file():
        return None
    model = read_model(path)
    held = model.card.training.get("held_out_sets", ()) if model.card is not None else ()
    if _learned_from(model, microscope) or not set(microscope) <= set(held):
        raise ModelError(
            f"{path}: its card does not say that it held out {', '.join(microscope)} (held_out_sets): it cannot be judged on them"
        )
    return model


def _learned_from(model: ModelFile, microscope: Collection[str]) -> bool:
    """Whether a net may have learned from one of these sets; one whose card does not name its data may have.

    Older cards name sets in words: "fields composed of NIH cells".
    """
    learned = model.card.training.get("data") if model.card is not None else None
    if learned is None:
        return True
    words = [str(one).lower().replace(" ", "_") for one in learned]
    return any(name in one for name in microscope for one in words)


def unseen_folds(folder: Path) -> list[UnseenFold]:
    """Every fold: each NIH slide is held out once, and each block of IML fields once.

    Args:
        folder: of the fold files.
    """
    rows, fields = nih_rows(), load_iml()
    blocks = blocks_by_fold(fields)
    out = []
    for number in range(SLIDE_FOLDS):
        slides, mine = slides_held_out(number), blocks[number] if number < len(blocks) else []
        held = [row for row in rows if row["slide"] in slides]
        out.append(UnseenFold(number, folder, held, [field for field in fields if field.block in mine]))
    return out
