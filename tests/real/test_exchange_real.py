"""Real fields counted by edge-run go through every other program's own code unchanged: boxes, classes, ids, an empty field."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from typer.testing import CliRunner

from edge.book.opening import open_book
from edge.cli import edge_run_app
from edge.cli.exchanged import ExchangeWish, sample_of
from edge.exchange.records import ExchangeField, ExchangeSample
from models.data.fields import data_dir
from tests.exchange.test_programs import ALL

FIELDS = 3  # of the set

pytestmark = [
    pytest.mark.real,
    pytest.mark.skipif(
        not (data_dir() / "iml_fields").is_dir(), reason="the real images are not beside this repository"
    ),
]

Sent = tuple[ExchangeSample, tuple[ExchangeField, ...]]


@pytest.fixture(scope="module")
def sent(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sent]:
    """Fields with some hundred boxes; the last is emptied."""
    folder = tmp_path_factory.mktemp("fields")
    images = sorted((data_dir() / "iml_fields" / "images").iterdir())[:FIELDS]
    for image in images:
        (folder / image.name).symlink_to(image)
    book = tmp_path_factory.mktemp("book") / "book.db"
    got = CliRunner().invoke(edge_run_app(), [str(folder), "--sample-id", "S", "--book", str(book)])
    assert got.exit_code == 0, got.stderr
    with open_book(book, print, make=False) as opened:
        sample, fields = sample_of(opened, opened.sample("S"), ExchangeWish(um_per_px=0.12))
        *some, last = fields
        assert sum(len(field.cells) for field in some) > 200
        yield sample, (*some, replace(last, cells=()))


@pytest.mark.filterwarnings("ignore:__array__ implementation")  # pycocotools with NumPy 2
@pytest.mark.parametrize("way", ALL)
def test_real_fields_go_through_a_program_unchanged(way: object, sent: Sent, tmp_path: Path) -> None:
    assert callable(way)
    way(tmp_path, *sent)
