"""A profile at work in one run: fields are corrected, and frames are held against it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from threading import Lock

from edge.scope.check import ProfileCheck, SeenFrame
from edge.scope.profile import Profile
from edge.types import Field, UInt8Array


class AppliedProfile:
    """Corrects the fields of one run and says what differs. Any thread may call it.

    Args:
        profile: of this microscope.
        size: width and height of its fields in pixels; raises ScopeError for another than the profile's.
        tell: takes what differs on the newest frame, one line, whenever that changes; empty: nothing.
    """

    def __init__(self, profile: Profile, size: tuple[int, int], tell: Callable[[str], None] = lambda _: None) -> None:
        self.profile = profile
        self.correct: Callable[[UInt8Array], UInt8Array] = profile.correction(size)
        """uint8 [H, W, 3] to a new one."""
        self._check = ProfileCheck(profile)
        self._tell = tell
        self._said = ""
        self._lock = Lock()

    def checked(self, frame: SeenFrame) -> Mapping[str, object]:
        """What a frame's metadata gets."""
        with self._lock:
            told = self._check.look(frame)
            words = self._check.words
            changed, self._said = words != self._said, words
        if changed:
            self._tell(words)
        return told


class FieldCorrection:
    """Corrects fields of image files; the first one says their size.

    Args:
        profile: made from image files.
    """

    def __init__(self, profile: Profile) -> None:
        self._profile = profile
        self._applied: AppliedProfile | None = None
        self._lock = Lock()

    def __call__(self, field: Field) -> Field:
        """The field corrected; raises ScopeError where it has another size."""
        with self._lock:
            size = (field.rgb.shape[1], field.rgb.shape[0])
            if self._applied is None or size != self._profile.camera.size:
                self._applied = AppliedProfile(self._profile, size)
            applied = self._applied
        told = applied.checked(field)
        return replace(field, rgb=applied.correct(field.rgb), metadata={**field.metadata, **told})
