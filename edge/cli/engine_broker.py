"""The broker that the engine tells of all samples: one connection from its start to its end."""

from __future__ import annotations

from contextlib import ExitStack
from types import TracebackType
from typing import Self

from edge.book.journal import Journal
from edge.cli.book_file import open_run_book
from edge.cli.broker_job import ToldBroker, told_broker
from edge.cli.camera_control import telling
from edge.cli.run_settings import RunSettings
from edge.control.run import RunControl


class EngineBroker:
    """Used as a context manager: the broker is told while inside.

    Args:
        settings: of all samples.
        model: name of the classifier.
        control: of the camera, whose snapshots are told.
        program: says what there is to say.

    Raises:
        BrokerError: see ``told_broker``.
        BookError, OutputError: the book cannot be opened.
    """

    def __init__(self, settings: RunSettings, model: str, control: RunControl, program: str) -> None:
        self._settings, self._model, self._control, self._program = settings, model, control, program
        self._during = ExitStack()
        self._broker: ToldBroker | None = None

    def __enter__(self) -> Self:
        if self._settings.network.mqtt is not None:
            open_run_book(self._settings.book).close()  # so that it is there
            self._open()
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _where: TracebackType | None
    ) -> None:
        self._during.close()

    def current(self) -> ToldBroker | None:
        """The broker that is told, with the book open: spoken to anew where another book has taken the first one's place.

        That is so after a damaged book was put aside: its journal begins anew, and is another microscope's to who collects.
        """
        path = self._settings.book.path
        if self._broker is not None and path is not None and Journal(path).origin != self._broker.voice.origin:
            self._during.close()
            self._open()
        return self._broker

    def _open(self) -> None:
        self._broker = self._during.enter_context(told_broker(self._settings, self._model, self._program))
        if self._broker is not None:
            self._during.enter_context(telling(self._control, [self._broker.status]))
