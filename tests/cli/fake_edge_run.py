"""``edge-run`` with stand-ins for model and finder, and sources that misbehave on demand: ``python -m tests.cli.fake_edge_run``.

``FAKE_SOURCE``: ``endless`` (a field every 20 ms), ``unplugged`` (three fields, then the camera is gone), else the real source.
``FAKE_KILL``: after so many fields are in the book, the process is killed.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, nullcontext
from unittest.mock import patch

from edge.book.writer import BookWriter
from edge.cli import counting, known_slides, pipeline, run_main
from edge.cli.settings import FieldSettings, InputSettings, NetSettings
from edge.events import FieldEvent
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
            stack.enter_context(patch.object(known_slides, "open_fields", open_fields))
            stack.enter_context(patch.object(counting, "opened_fields", lambda *_: nullcontext((source, None))))
        yield


SOURCES: dict[str, Callable[[], FakeSource]] = {
    "endless": lambda: FakeSource([5], endless=True, delay=0.02),
    "unplugged": lambda: FakeSource([3, 3, 3, None]),
}


def kill_after(fields: int) -> None:
    """Kill this process, as ``kill -9`` does, when so many fields are on the medium."""
    real, left = BookWriter.field, [fields]

    def field(self: BookWriter, event: FieldEvent) -> None:
        real(self, event)
        left[0] -= 1
        if left[0] == 0:
            self.settle()
            os.kill(os.getpid(), signal.SIGKILL)

    BookWriter.field = field  # type: ignore[method-assign]


if __name__ == "__main__":
    if "FAKE_KILL" in os.environ:
        kill_after(int(os.environ["FAKE_KILL"]))
    with fakes(SOURCES[kind]() if (kind := os.environ.get("FAKE_SOURCE")) else None):
        run_main()
