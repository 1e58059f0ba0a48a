"""The profile that a run names, put to work: whose it is, whether the camera is that one, and what is done with its fields."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from edge.camera.records import CameraFacts, CameraSpec
from edge.cli.settings import InputSettings
from edge.door import say
from edge.errors import ScopeError, SettlingError
from edge.scope.applied import FieldCorrection
from edge.scope.file import parse
from edge.scope.profile import FILES, Profile, check_profile_name
from edge.scope.profile_file import find_profile
from edge.scope.settling import SettledScope
from edge.sources import Source
from edge.sources.corrected import CorrectedSource

DEFAULT_SIZE = InputSettings().size_px
"""Pixels where ``--size`` is not given: a profile's own size is taken then."""

_KINDS = {FILES: "image files", "simulated": "the virtual microscope"}
"""What a profile is of, in words, where it is no camera of its own."""


def profile_named(scope: str | None) -> Profile | None:
    """The profile of this name; None: it has none, and is but a name. Raises ScopeError for one that is damaged or unfinished."""
    if scope is None:
        return None
    try:
        check_profile_name(scope)
    except ValueError:
        return None
    found = find_profile(scope)
    if found is not None and found.unfinished:
        raise ScopeError(
            f"the set-up of {scope} is not finished ({', '.join(found.unfinished)}): go on with edge scope set-up {scope}"
        )
    return found


def spec_for(profile: Profile | None, spec: CameraSpec) -> CameraSpec:
    """The camera as the profile had it: size, exposure, gain and white balance. Raises ScopeError for a profile of something else."""
    if profile is None:
        return spec
    own, asked = profile.camera.kind, spec.kind
    if own in _KINDS or asked in _KINDS:
        if own != asked:
            raise ScopeError(
                f"the profile {profile.name} is of {_KINDS.get(own, 'a camera')}, and this is {_KINDS.get(asked, 'a camera')}: "
                f"set this one up under another name (edge scope set-up), or leave --scope out"
            )
    else:
        spec = replace(spec, kind=own)
    size = profile.camera.size if spec.size == DEFAULT_SIZE else spec.size
    return replace(spec, size=size, controls={**spec.controls, **profile.held.controls})


def refuse_other_camera(profile: Profile, facts: CameraFacts | None, say_it: Callable[[str], None]) -> None:
    """Raise ScopeError where the camera that was opened is not the profile's; says what it does not hold."""
    if facts is None:
        return
    if words := profile.camera.differs(facts):
        raise ScopeError(
            f"the profile {profile.name} is of another camera or mode ({words}): plug that one in, "
            f"or set this one up: edge scope set-up {profile.name} --again"
        )
    missing = [name for name in profile.held.controls if name in facts.not_held]
    if missing:
        say_it(
            f"note: the camera does not hold {', '.join(missing)} as in the profile: light is checked by the picture"
        )


def scoped_files(source: Source, given: InputSettings, profile: Profile | None) -> Source:
    """The source with its fields corrected where the profile is of image files; pictures of a camera are left alone."""
    if profile is None or given.simulate or given.camera:
        return source
    if profile.camera.kind == FILES:
        return CorrectedSource(source, FieldCorrection(profile))
    say(f"note: {profile.name} has the profile of a camera: these files are taken as they are")
    return source


def settled_in(profile: Profile | None, fits: Callable[[SettledScope], None]) -> SettledScope | None:
    """The settled microscope that the profile keeps; None: there is none, or it is of another finder (said).

    Args:
        profile: of the microscope, or None.
        fits: raises SettlingError where it is not this run's.
    """
    if profile is None or profile.settled is None:
        return None
    try:
        settled = parse(profile.settled)
        fits(settled)
    except (ValueError, SettlingError) as error:
        say(f"note: what was settled in the profile of {profile.name} is not used: {error}")
        return None
    return settled
