"""What a run tells a broker: an output like any other, which never fails and never waits."""

from __future__ import annotations

from collections.abc import Callable

from edge.control.progress import with_tally, with_verdict
from edge.errors import EdgeError
from edge.events import FieldEvent, SampleEvent
from edge.network.entities import OFF, lamp_state, sample_states, status_states
from edge.network.publisher import Publisher
from edge.status import RunState, SampleProgress, Status


class BrokerStatus:
    """Tells of a camera between fields and between samples: a ``StatusOutput`` that has nothing to do with fields.

    Args:
        publisher: whom it tells.
    """

    def __init__(self, publisher: Publisher) -> None:
        self._publisher = publisher
        self._called: dict[str, str] = {}  # what samples are called to others
        self._version = -1

    def call(self, sample: str, shown: str) -> None:
        """Note what a sample is called to others."""
        self._called = {sample: shown}

    def status(self, status: Status) -> None:
        """Take the newest snapshot; one that came already is left out."""
        if status.version != self._version:
            self._version = status.version
            name = "" if status.sample is None else self._called.get(status.sample.name, "")
            self._publisher.say(status_states(status, name))

    def field(self, event: FieldEvent) -> None:
        """Nothing: a ``BrokerOutput`` tells of fields."""

    def sample(self, event: SampleEvent) -> None:
        """Nothing: as above."""

    def close(self) -> None:
        """Nothing to complete."""

    discard = close


class BrokerOutput:
    """Tells of the fields and samples of one run, which are in the book when they come here.

    Args:
        publisher: whom it tells.
        camera: takes snapshots of a camera's run.
        shown: what a sample is called to others, by its name.
        positive: names of the positive classes.
        snapshots: whether there are snapshots; of files there are none, and states are made of fields.
    """

    def __init__(
        self,
        publisher: Publisher,
        camera: BrokerStatus,
        shown: Callable[[str], str],
        positive: tuple[str, ...],
        *,
        snapshots: bool,
    ) -> None:
        self._publisher, self._camera, self._shown = publisher, camera, shown
        self._positive, self._snapshots = positive, snapshots
        self._sample: SampleProgress | None = None
        self._called = ""

    def field(self, event: FieldEvent) -> None:
        """There is a new entry in the book."""
        if self._sample is None or self._sample.name != event.sample:
            self._sample = SampleProgress(event.sample, positive=self._positive)
            self._called = self._name(event.sample)
            self._camera.call(event.sample, self._called)
        if not self._snapshots:
            self._sample = with_tally(self._sample, event.tally)
            quality = None if event.result is None else event.result.quality
            lamp = {} if quality is None else {"lamp": lamp_state(quality.brightness)}
            self._publisher.say({"state": str(RunState.COUNTING), "problem": OFF, **lamp, **self._states(self._sample)})
        self._publisher.wake()

    def sample(self, event: SampleEvent) -> None:
        """A sample has ended: there is one more entry, and a flag."""
        if not self._snapshots:
            begun = self._sample or SampleProgress(event.tally.sample, positive=self._positive)
            self._publisher.say(self._states(with_verdict(with_tally(begun, event.tally), event.verdict)))
        self._sample = None
        self._publisher.wake()

    def close(self) -> None:
        """The run ends."""
        if not self._snapshots:
            self._publisher.say({"state": str(RunState.IDLE)})
        self._publisher.wake()

    discard = close

    def _states(self, sample: SampleProgress) -> dict[str, str]:
        return dict(sample_states(sample, self._called))

    def _name(self, sample: str) -> str:
        try:
            return self._shown(sample)
        except EdgeError:  # the book says so itself
            return ""
