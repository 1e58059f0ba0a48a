"""The output behind ``--report DIR``: a page per sample, written when the sample ends, and an index where there are several."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from pathlib import Path

from edge.description import RunDescription
from edge.events import FieldEvent, SampleEvent
from edge.outputs.files import safe_name, same_place, usable_folder
from edge.report.gather import PictureSource, SampleCollector
from edge.report.page import index, page
from edge.report.records import Report
from edge.report.words import plural
from edge.review.state import ReviewState
from edge.safe_file import whole_file

_INDEX = "index"


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


class HtmlReport:
    """Writes ``DIR/SAMPLE.html``. A page of that name is replaced, whole; nothing else in the folder is touched.

    Args:
        folder: made when it is missing; opening the output checks that it can be written to.
        about: the run.
        now: the time that pages carry, ``YYYY-MM-DDThh:mm:ssZ``.
        pictures: gives the fields' pictures; None: they are made from the pixels that come with them.
        reviewed: what people made of the sample, of which there is one then; None: nobody looked.
    """

    def __init__(
        self,
        folder: Path,
        about: RunDescription,
        now: Callable[[], str] = _now,
        pictures: PictureSource | None = None,
        reviewed: ReviewState | None = None,
    ) -> None:
        self._reviewed = reviewed
        self._pictures = pictures
        self._folder = folder
        self._about = about
        self._now = now
        self._gathering: SampleCollector | None = None
        self._taken = {_INDEX}
        self._written: list[tuple[str, str, str, str]] = []
        usable_folder(folder)

    def field(self, event: FieldEvent) -> None:
        """Keep what the page will show of a field."""
        if self._gathering is None:
            self._gathering = SampleCollector(self._about.card, self._pictures)
        self._gathering.field(event)

    def sample(self, event: SampleEvent) -> None:
        """Write the sample's page."""
        gathering = self._gathering or SampleCollector(self._about.card)
        self._gathering = None
        name = self._file_name(event.tally.sample)
        report = Report(self._about, event, gathering.done(), self._now(), self._reviewed)
        _write(self._folder / name, page(report))
        counted = plural(event.tally.cells, self._about.unit)
        self._written.append((event.tally.sample, name, event.verdict.flag, counted))

    def close(self) -> None:
        """Write the index, if there is more than one page."""
        if len(self._written) > 1:
            _write(self._folder / f"{_INDEX}.html", index(self._written))

    def discard(self) -> None:
        """Pages are whole, and true of their samples."""

    def _file_name(self, sample: str) -> str:
        """A different file name for each sample of the run, also on disks that ignore upper and lower case (a USB stick)."""
        name = stem = safe_name(sample) or "sample"
        number = 1
        while same_place(name) in self._taken:
            number += 1
            name = f"{stem}-{number}"
        self._taken.add(same_place(name))
        return f"{name}.html"


def _write(path: Path, parts: Iterable[str]) -> None:
    with whole_file(path) as stream:
        stream.writelines(parts)
