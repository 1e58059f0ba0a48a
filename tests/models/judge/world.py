"""A tiny world to judge in: images on disk, card files of folds, and nets that read their score off a cell's red channel.

Ten NIH slides, ``s00`` to ``s09``; fold k holds out ``s0k``, known to be negative, and the infected ``s0(k + 5)``. Four blocks
of two IML fields; fold k holds out block k. Everything but the nets is the product's own: tables, annotations, crops, cards, rules.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from edge import analysis
from edge.card import FinderSpec
from edge.decision import classes_of
from edge.modelfile import Card, CropSpec, ModelFile, read_model, write_model
from edge.pixels import Image, pyramid
from edge.types import Cells, FloatArray, Int32Array, UInt8Array
from models.data.folds import CLASSIFIERS, FINDER, SLIDE_FOLDS, fold_paths
from models.judge import finder_thresholds, microscopes, thresholds, unseen
from models.places import SHELF

SIDE = 40
PAPER = 10
HEALTHY, SICK = 0.2, 0.9
SPEC = CropSpec(size=32, margin=1.0)
Square = tuple[float, float, str | None]
"""Score, confidence and annotated type of a drawn cell; None: it is not annotated."""

LABELS = ("uninfected", "parasitized")

NOT_RED = (0.3, 0.4, 0.5)
"""Thresholds of what is no red cell on the finders' cards."""


class RedNet:
    """Stands for ``Classifier``: a cell's score is its red channel, 0 to 1."""

    def __init__(self, model: ModelFile) -> None:
        assert model.card is not None
        self.card = model.card

    def scores(self, crops: UInt8Array) -> FloatArray:
        red = crops[:, 16, 16, 0].astype(np.float32) / 255
        return np.stack([1 - red, red], axis=1)

    def classes(self, scores: FloatArray) -> Int32Array:
        return classes_of(scores, self.card.positive_mask, self.card.threshold)


class SquareFinder:
    """Stands for ``LearnedFinder``: finds squares whose green channel, 0 to 1, reaches the threshold of cells."""

    name = "squares"

    def __init__(self, model: ModelFile) -> None:
        assert model.card is not None
        assert model.card.finder is not None
        self.spec = model.card.finder
        self._least = self.spec.thresholds[0]

    def set_thresholds(self, thresholds: tuple[float, ...]) -> None:
        self._least = thresholds[0]

    def find(self, image: Image) -> Cells:
        rgb = pyramid(image).rgb
        count, _, stats, _ = cv2.connectedComponentsWithStats((rgb[:, :, 2] > 2 * PAPER).astype(np.uint8))
        boxes = stats[1:count, :4].astype(np.int32)
        green = np.array([rgb[y + 5, x + 5, 1] / 255 for x, y, _, _ in boxes], np.float32)
        kept = green >= self._least
        return Cells(boxes[kept], green[kept], np.zeros(int(kept.sum()), np.int32), ("cell",))


class World:
    """What is in it; change it, then ``build``.

    Attributes:
        slides: scores of each slide's cells.
        second: second opinion by (slide, number of the cell).
        fields: per block, rows of squares: score, confidence, annotated type; None: not annotated.
        held_out_slides: what the cards of the folds say instead of the truth.
    """

    def __init__(self, folder: Path) -> None:
        self.data, self.folds, self.shelf = folder / "data", folder / "folds", folder / "shelf"
        self.slides = {f"s{i:02}": [HEALTHY if i < 5 else SICK] * 6 for i in range(10)}
        self.second: dict[tuple[str, int], str] = {}
        row = [(HEALTHY, 0.8, "red blood cell")] * 7 + [(SICK, 0.8, "ring")]
        self.fields: list[list[Square]] = [list(row) for _ in range(4)]
        self.held_out_slides: dict[int, list[str]] = {}

    def build(self) -> World:
        """Write images, tables and model files."""
        for folder in (self.data / "nih_cells", self.data / "iml_fields" / "images", self.folds):
            folder.mkdir(parents=True, exist_ok=True)
        rows = []
        for slide, scores in self.slides.items():
            label = "parasitized" if int(slide[1:]) >= 5 else "uninfected"
            for i, score in enumerate(scores):
                cell = np.full((SIDE, SIDE, 3), (round(255 * score), 120, 120), np.uint8)
                _write(self.data / "nih_cells" / f"{slide}_{i}.png", cell)
                rows.append((f"{slide}_{i}.png", label, slide, self.second.get((slide, i), "")))
        with (self.data / "nih_cells" / "cells.csv").open("w", newline="") as file:
            csv.writer(file).writerows([("file", "label", "slide", "second_label"), *rows])
        self._write_fields()
        self._write_models()
        return self

    def _write_fields(self) -> None:
        entries: list[dict[str, Any]] = []
        for block, squares in enumerate(self.fields):
            for i in range(2):
                name = f"field_{100 * block + i:03}.png"
                rgb, boxes = drawn(squares)
                _write(self.data / "iml_fields" / "images" / name, rgb)
                known = [{"type": k, "bbox": {"x": x, "y": y, "w": SIDE, "h": SIDE}} for k, (x, y) in boxes]
                entries.append({"image_name": name, "objects": known})
        (self.data / "iml_fields" / "annotations.json").write_text(json.dumps(entries))
        reading = "image_name,x,y,w,h,annotated,both\nfield_000.png,12,12,40,40,red blood cell,uninfected\n"
        (self.data / "iml_fields" / "second_reading.csv").write_text(reading)

    def write_coco(self, name: str, fields: Sequence[Sequence[Square]]) -> None:
        """Write a set of annotated fields in COCO form, each of these squares."""
        kinds = sorted({kind for squares in fields for _, _, kind in squares if kind is not None})
        images: list[dict[str, Any]] = []
        annotations: list[dict[str, Any]] = []
        (self.data / name / "images").mkdir(parents=True)
        for number, squares in enumerate(fields):
            rgb, boxes = drawn(squares)
            file = f"piece_{number}.png"
            _write(self.data / name / "images" / file, rgb)
            images.append({"id": number, "file_name": file, "width": rgb.shape[1], "height": rgb.shape[0]})
            for kind, (x, y) in boxes:
                at = {"image_id": number, "category_id": kinds.index(kind), "bbox": [x, y, SIDE, SIDE]}
                annotations.append({"id": len(annotations), **at})
        categories = [{"id": i, "name": kind} for i, kind in enumerate(kinds)]
        raw = {"images": images, "annotations": annotations, "categories": categories}
        (self.data / name / "annotations.json").write_text(json.dumps(raw))

    def write_net(self, card: Card, path: Path) -> None:
        """Write a file with that card."""
        path.parent.mkdir(parents=True, exist_ok=True)
        write_model(path, flatbuffer_of(CLASSIFIERS[0]), card)

    def _write_models(self) -> None:
        flatbuffer, finders = flatbuffer_of(CLASSIFIERS[0]), flatbuffer_of(FINDER)
        for fold in range(SLIDE_FOLDS):
            blocks = {"held_out_blocks": [fold] if fold < 4 else []}
            held = {
                **blocks,
                "held_out_slides": self.held_out_slides.get(fold, [f"s0{fold}", f"s0{fold + 5}"]),
            }
            for name in CLASSIFIERS:
                write_model(
                    fold_paths(self.folds, name)[fold], flatbuffer, replace(classifier_card(name), training=held)
                )
            if fold < 4:
                write_model(fold_paths(self.folds, FINDER)[fold], finders, replace(finder_card(), training=blocks))
        for card in (*map(classifier_card, CLASSIFIERS), finder_card()):
            path = self.shelf / card.name / f"{card.name}.tflite"
            path.parent.mkdir(parents=True, exist_ok=True)
            write_model(path, finders if card.name == FINDER else flatbuffer, card)

    def card(self, name: str, fold: int | None) -> Card:
        """The card of a fold's file, or of the shipped one."""
        return self.read(self.shelf / name / f"{name}.tflite" if fold is None else fold_paths(self.folds, name)[fold])

    def read(self, path: Path) -> Card:
        """The card of a file."""
        card = read_model(path).card
        assert card is not None
        return card


def drawn(squares: Sequence[Square]) -> tuple[UInt8Array, list[tuple[str, tuple[int, int]]]]:
    """A field of these squares, uint8 [240, 320, 3]; name and upper left corner of the annotated ones."""
    rgb, boxes = np.full((240, 320, 3), PAPER, np.uint8), []
    for number, (score, confidence, kind) in enumerate(squares):
        x, y = 12 + number % 4 * 70, 12 + number // 4 * 70
        rgb[y : y + SIDE, x : x + SIDE] = (round(255 * score), round(255 * confidence), 200)
        if kind is not None:
            boxes.append((kind, (x, y)))
    return rgb, boxes


def classifier_card(name: str) -> Card:
    return Card(name, "classify", LABELS, positive=("parasitized",), crop=SPEC, threshold=0.5, accuracy={"of": name})


def finder_card() -> Card:
    kinds = ("cell", "suspect", "not-white cell", "not-platelet", "not-other")
    return Card(FINDER, "find", kinds, finder=FinderSpec(kinds, (0.5, 0.3, *NOT_RED)))


def flatbuffer_of(name: str) -> bytes:
    """The shelf's net, of which nothing but its cost counts here."""
    return read_model(SHELF / name / f"{name}.tflite").flatbuffer


def _write(path: Path, rgb: UInt8Array) -> None:
    cv2.imwrite(str(path), cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR))


def make_world(folder: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    """An unbuilt world; its nets stand for the real ones wherever fold files are opened."""
    monkeypatch.setenv("EDGE_DATA", str(folder / "data"))
    for module in (unseen, microscopes, thresholds):
        monkeypatch.setattr(module, "Classifier", RedNet)
        monkeypatch.setattr(module, "LearnedFinder", SquareFinder)
    monkeypatch.setattr(analysis, "find_region", lambda _: None)
    monkeypatch.setattr(microscopes, "JUDGING_ONLY", ())
    monkeypatch.setattr(finder_thresholds, "CELL_GRID", (0.34, 0.38, 0.5))
    monkeypatch.setattr(finder_thresholds, "SUSPECT_GRID", (0.25,))
    return World(folder)
