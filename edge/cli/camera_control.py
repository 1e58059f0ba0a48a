"""The camera of a run, under run control, and who is told how it stands."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from edge.camera.link import CameraLink, open_camera
from edge.camera.records import Camera, CameraSpec
from edge.cli.field_source import open_fields, register_of
from edge.cli.run_settings import RunSettings
from edge.cli.scoped import profile_named, refuse_other_camera, scoped_files, spec_for
from edge.control.run import RunControl
from edge.control.taking import WITHOUT_REGISTER, TakingLimits
from edge.door import say
from edge.events import AliveOutput, Output, StatusOutput
from edge.scope.applied import AppliedProfile
from edge.scope.profile import Profile
from edge.sources import Source
from edge.sources.camera import CameraSource

SIMULATED = "simulated"
"""The ``--device`` that is a virtual microscope."""

PATIENCE_S = 600.0
"""Seconds that ``edge-run`` waits for a lost camera."""

_TELL_APART_S = 0.1  # seconds between two snapshots that are shown
_LOOK_S = 0.5  # seconds after which it is looked whether the run has ended
_OPEN_S = 30.0  # seconds that a camera may take to give its first frame


def camera_spec(settings: RunSettings, profile: Profile | None = None) -> CameraSpec:
    """The camera that the settings ask for, as the profile had it; raises ScopeError where the profile is of something else."""
    return spec_for(profile, _camera_asked(settings))


def _camera_asked(settings: RunSettings) -> CameraSpec:
    source = settings.input
    if source.device == SIMULATED:
        return CameraSpec(SIMULATED, 0, source.size_px, seed=source.seed)
    device = int(source.device) if source.device.isdecimal() else source.device
    return CameraSpec("auto", device, source.size_px, settings.fields.depth)


def engine_camera(settings: RunSettings) -> CameraLink:
    """The camera that the settings ask for, opening; raises ScopeError where its profile cannot be used."""
    return open_camera(camera_spec(settings, profile_named(settings.judging.scope)))


def patience_of(settings: RunSettings) -> float | None:
    """Seconds that a lost camera is waited for; None: for ever, as a service does."""
    asked = settings.input.camera_patience
    return asked if asked is not None or os.environ.get("NOTIFY_SOCKET") else PATIENCE_S


def control_of(settings: RunSettings, camera: Camera, patience: float | None) -> RunControl:
    """Run control of this camera, not started; ``patience``: seconds that a lost camera is waited for, None: for ever."""
    limits = WITHOUT_REGISTER if register_of(settings.fields, settings.nets) is None else TakingLimits()
    return RunControl(camera, interval=settings.input.interval, patience=patience, limits=limits)


@contextmanager
def controlled_camera(settings: RunSettings, profile: Profile | None) -> Iterator[RunControl]:
    """Open the camera for one sample and look at it; raises CameraError where it does not answer, ScopeError where it is another."""
    camera = open_camera(camera_spec(settings, profile))
    try:
        camera.wait_ready(_OPEN_S)
        if profile is not None:
            refuse_other_camera(profile, camera.facts, say)
        control = control_of(settings, camera, patience_of(settings))
        control.start()
        try:
            yield control
        finally:
            control.close()
    finally:
        camera.close()


@contextmanager
def opened_fields(settings: RunSettings, profile: Profile | None) -> Iterator[tuple[Source, RunControl | None]]:
    """The source that the settings ask for, and run control where it is a camera.

    Args:
        settings: of the run.
        profile: of its microscope; None: it has none.

    Raises:
        NoInputError, CameraError, ScopeError: there is nothing to count, or not with this profile.
    """
    if not settings.input.camera:
        yield scoped_files(open_fields(settings.input, settings.fields), settings.input, profile), None
        return
    with controlled_camera(settings, profile) as control:
        yield camera_fields(control, settings.input.sample_id or "camera", profile), control


def camera_fields(control: RunControl, sample: str, profile: Profile | None) -> CameraSource:
    """The fields of one sample of a camera, corrected and checked by the profile, where there is one."""
    if profile is None:
        return CameraSource(control, sample)
    control.board.change(scope=profile.name, scope_words="")

    def tell(words: str) -> None:
        control.board.change(scope_words=words)

    applied = AppliedProfile(profile, profile.camera.size, tell)
    return CameraSource(control, sample, correct=applied.correct, checked=applied.checked)


@contextmanager
def telling(control: RunControl, outputs: Sequence[Output]) -> Iterator[None]:
    """While inside, outputs that show more than fields get each new snapshot, in a thread of its own."""
    shown = [output for output in outputs if isinstance(output, StatusOutput)]
    alive = [output for output in outputs if isinstance(output, AliveOutput)]
    if not (shown or alive):
        yield
        return
    ended = threading.Event()

    def tell() -> None:
        version = -1
        while not ended.wait(_TELL_APART_S):
            status = control.board.wait(version, _LOOK_S)
            if status.version > version:
                version = status.version
                for output in shown:
                    output.status(status)

    def progressed() -> None:
        for output in alive:
            output.alive()

    thread = threading.Thread(target=tell, name="edge-teller", daemon=True)
    if alive:  # else whoever is told of progress already is told of it further on
        control.progressed = progressed
    thread.start()
    try:
        yield
    finally:
        ended.set()
        if alive:
            control.progressed = lambda: None
        thread.join(2 * _LOOK_S)
