"""Stretches of a sample without the camera, made of the camera's events."""

from __future__ import annotations

from edge.camera.records import Camera, CameraEvent, CameraState, CameraTrouble, LostFrames


class Losses:
    """Follows the events of a camera during one sample.

    Args:
        camera: whose events.
        now: by the clock that events bear; a camera that is away as the sample begins is lost from then on.
    """

    def __init__(self, camera: Camera, now: float) -> None:
        self._camera = camera
        events = camera.events()
        self._last = self._before = max((event.number for event in events), default=-1)
        self._lost: CameraEvent | None = None
        if events and events[-1].trouble is not None and camera.state is not CameraState.RUNNING:
            self._lost = events[-1]
        self._since = now

    @property
    def words(self) -> str:
        """Why the camera is away; empty: it is there."""
        return "" if self._lost is None else self._lost.words

    def gone(self, now: float) -> float:
        """Seconds for which the camera has been away; 0: it is there."""
        return 0.0 if self._lost is None else max(now - self._since, 0.0)

    def look(self) -> list[LostFrames]:
        """Stretches that have ended since the last look, oldest first."""
        ended = []
        for event in self._camera.events(after=self._last):
            self._last = event.number
            if event.trouble is CameraTrouble.NOT_HELD:  # frames go on
                continue
            if event.trouble is not None:
                if self._lost is None:
                    self._lost, self._since = event, event.at
            elif self._lost is not None:
                # the camera counts from its last sound frame, which comes before the loss is told
                gone = max(event.at - self._since, event.seconds if self._lost.number > self._before else 0.0)
                ended.append(_stretch(gone, f"{self._lost.words}; {event.words}"))
                self._lost = None
        return ended

    def rest(self, now: float) -> LostFrames | None:
        """The stretch in which the sample ends, once; None: the camera is there."""
        if self._lost is None:
            return None
        stretch = _stretch(now - self._since, self._lost.words)
        self._lost = None
        return stretch


def _stretch(seconds: float, words: str) -> LostFrames:
    return LostFrames(f"camera lost for {max(seconds, 0.0):.0f} s: {words}")
