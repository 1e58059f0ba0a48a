"""What a driver offers inside the camera process. Every call may block for ever, raise anything, or end the process."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from numpy.typing import NDArray

from edge.camera.records import CameraFacts


class CameraDriver(Protocol):
    """One open camera, used by one thread."""

    @property
    def facts(self) -> CameraFacts:
        """What was read back after it was configured; its ``format`` says how ``read``'s frames are laid out."""
        ...

    def read(self) -> tuple[NDArray[Any], Mapping[str, object]]:
        """The next frame as the driver gives it, in the format of ``facts``, and what it says of this frame.

        The array may lie in the driver's own memory: it holds until the next call.

        Raises CameraError where the driver says that there is none.
        """
        ...

    def command(self, name: str, values: Mapping[str, float | str]) -> None:
        """See ``edge.camera.records.Camera.command``; unknown ones are ignored."""
        ...

    # **Optional.** ``small() -> tuple[array, format, (width, height)] | None``: the frame read last as the ISP made it small.

    def release(self) -> None:
        """Give the camera back."""
        ...
