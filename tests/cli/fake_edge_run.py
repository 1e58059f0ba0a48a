"""``edge-run`` with stand-ins for model and finder, and sources that misbehave on demand: ``python -m tests.cli.fake_edge_run``.

``FAKE_SOURCE``: ``endless`` (a field every 20 ms), ``unplugged`` (three fields, then the camera is gone), else the real source.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from unittest.mock import patch

from edge.cli import collect, counting, pipeline, run_main
from edge.cli.settings import FieldSettings, InputSettings, NetSettings
from edge.finders import Finder
from edge.modelfile import Card
from edge.sources import Source
from tests.fakes import CARD, FakeClassifier, FakeFinder, FakeSource, model_file


@contextmanager
def fakes(source: FakeSource | None = None, card: Card = CARD) -> Iterator[None]:
    """Inside, ``edge-run`` needs no model, takes its classifier to have this card, and reads from ``source`` where given."""

    def make_finder(nets: NetSettings) -> Callable[[], Finder]:
        return FakeFinder

    def open_fields(given: InputSettings, fields: FieldSettings) -> Source:
        assert source is not None
        return source

    with ExitStack() as stack:
        stack.enter_context(patch("edge.shelf.load", lambda _name: model_file(card=card)))
        stack.enter_context(patch.object(pipeline, "Classifier", FakeClassifier))
        stack.enter_context(patch.object(pipeline, "finder_maker", make_finder))
        if source is not None:
            for module in (counting, collect):
                stack.enter_context(patch.object(module, "open_fields", open_fields))
        yield


SOURCES: dict[str, Callable[[], FakeSource]] = {
    "endless": lambda: FakeSource([5], endless=True, delay=0.02),
    "unplugged": lambda: FakeSource([3, 3, 3, None]),
}

if __name__ == "__main__":
    with fakes(SOURCES[kind]() if (kind := os.environ.get("FAKE_SOURCE")) else None):
        run_main()
