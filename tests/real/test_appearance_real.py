"""Real fields against the ranges in the shelf's cards: stained films of microscopes never used are judged, foreign ones are not."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import numpy as np
import pytest

from edge import shelf
from edge.appearance import Appearances
from edge.finders.learned import LearnedFinder
from edge.types import UInt8Array
from edge.verdict.fitness import Fitness, ReferenceRanges
from models.data.fields import data_dir, read_rgb
from models.studies.appearance.material import files_of, grey, look_at, tinted, unstained

pytestmark = [
    pytest.mark.real,
    pytest.mark.skipif(
        not (data_dir() / "bbbc_fields").is_dir(), reason="the real images are not beside this repository"
    ),
]


@cache
def tools() -> tuple[LearnedFinder, Fitness]:
    models = [shelf.load(name).card for name in (shelf.CLASSIFIER, shelf.FINDER)]
    fits = Fitness(tuple(ReferenceRanges(card.name, card.reference) for card in models if card))
    return LearnedFinder(shelf.load(shelf.FINDER)), fits


def same(rgb: UInt8Array) -> UInt8Array:
    return rgb


@pytest.mark.parametrize(
    ("folder", "change", "judged"),
    [
        ("iml_fields", same, True),
        ("chula_fields", same, True),
        ("bbbc_fields", same, True),
        ("healthy_tiles", same, True),
        ("iml_fields", grey, False),
        ("bbbc_fields", tinted, False),
        ("chula_fields", unstained, False),
        ("thick_fields", same, False),
        ("micro_organisms/Euglena", same, False),
    ],
)
def test_a_sample_is_judged_if_it_is_what_the_models_are_for(
    folder: str, change: Callable[[UInt8Array], UInt8Array], judged: bool
) -> None:
    finder, fits = tools()
    total = Appearances()
    for path in files_of(folder, 24):
        seen = look_at(np.asarray(change(read_rgb(path)), np.uint8), finder, "")
        total.add(seen.look, seen.sharpness)
    assert (fits(total.sample()) == ()) == judged
