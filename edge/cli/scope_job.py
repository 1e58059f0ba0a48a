"""The work of ``edge scope show``, ``list`` and ``check``."""

from __future__ import annotations

import edge.sources.decode  # noqa: F401 - first of all, for it sets limits that OpenCV reads on import

# isort: split
from collections import Counter
from collections.abc import Sequence

from edge.camera.records import CameraFacts
from edge.cli.scope_frames import open_frames
from edge.cli.scope_settings import ScopeCameraSettings, ScopeQuestion
from edge.cli.scope_words import profile_lines
from edge.door import say
from edge.errors import EXIT_UNFIT, CameraError, ScopeError
from edge.lines import print_json, print_lines
from edge.scope.check import DIFFERS, ProfileCheck
from edge.scope.profile import FILES, Profile, scopes_folder
from edge.scope.profile_file import profile_facts, read_profile
from edge.scope.watch import LightNotes

_FRAMES = 12
"""Frames of a camera that are looked at."""

_MOST_FILES = 60
"""Images of a folder that are."""


def answer(question: ScopeQuestion, name: str | None, camera: ScopeCameraSettings, *, as_json: bool) -> int:
    """Answer one question about profiles on stdout and return the exit code; raises EdgeError.

    Args:
        question: which.
        name: of the microscope; None: the only one there is.
        camera: looked through by a check.
        as_json: JSON instead of lines.
    """
    match question:
        case ScopeQuestion.SHOW:
            show_profile(name, as_json=as_json)
            return 0
        case ScopeQuestion.LIST:
            return print_profiles(as_json=as_json)
        case ScopeQuestion.CHECK:
            return check_profile(name, camera, as_json=as_json)


def show_profile(name: str | None, *, as_json: bool) -> None:
    """Print a profile; raises ScopeError."""
    profile = read_profile(name or the_only_one())
    if as_json:
        print_json(profile_facts(profile))
    else:
        print_lines(profile_lines(profile))


def the_only_one() -> str:
    """The name of the only profile; raises ScopeError where there are none or several."""
    names = [path.stem for path in sorted(scopes_folder().glob("*.json"))]
    if len(names) == 1:
        return names[0]
    if names:
        raise ScopeError(f"there are several profiles: name one of {', '.join(names)}")
    raise ScopeError(f"there is no profile in {scopes_folder()}: edge scope set-up NAME makes one")


def print_profiles(*, as_json: bool) -> int:
    """Print a line per profile, or JSON, and return the exit code: 8 where one is damaged."""
    code, rows = 0, []
    for path in sorted(scopes_folder().glob("*.json")):
        try:
            rows.append(read_profile(str(path)))
        except ScopeError as error:
            say(str(error), "edge scope list")
            code = ScopeError.exit_code
    if as_json:
        print_json({"scopes": [_row(profile) for profile in rows]})
    elif not rows and not code:
        print_lines([f"no profile in {scopes_folder()}: edge scope set-up NAME makes one"])
    else:
        print_lines(_line(profile) for profile in rows)
    return code


def _row(profile: Profile) -> dict[str, object]:
    facts = profile_facts(profile)
    names = ("name", "date", "operator", "objective", "fingerprint", "unfinished", "camera", "scale")
    return {name: facts[name] for name in names}


def _line(profile: Profile) -> str:
    camera = "image files" if profile.camera.kind == FILES else profile.camera.model or profile.camera.kind
    told = [camera, "{}x{}".format(*profile.camera.size), profile.objective, profile.date[:10]]
    told += [f"unfinished: {', '.join(profile.unfinished)}"] if profile.unfinished else []
    return f"{profile.name}  {', '.join(one for one in told if one)}"


def check_profile(name: str | None, camera: ScopeCameraSettings, *, as_json: bool) -> int:
    """Look at some frames, print what differs from the profile, and return the exit code: 12 where something does.

    Raises:
        EdgeError: there is no such profile, no camera, or no image.
    """
    profile = read_profile(name or the_only_one())
    _check_kind(profile, camera)
    differs = _differs(profile, camera)
    if as_json:
        print_json({"scope": profile.name, "fingerprint": profile.fingerprint, "differs": list(differs)})
    elif differs:
        print_lines(f"{profile.name}  {words}" for words in differs)
    else:
        print_lines([f"{profile.name}  nothing differs from the profile of {profile.date[:10]}"])
    return EXIT_UNFIT if differs else 0


def _check_kind(profile: Profile, camera: ScopeCameraSettings) -> None:
    given = FILES if camera.fields is not None else "simulated" if camera.simulate else ""
    needs = {FILES: "--fields DIR", "simulated": "--simulate"}
    own = profile.camera.kind
    if (own in needs or given) and own != given:
        kind = {FILES: "image files", "simulated": "the virtual microscope"}.get(own, "a camera")
        raise ScopeError(
            f"the profile {profile.name} is of {kind}: "
            + (f"give {needs[own]}" if own in needs else "leave --fields and --simulate out")
        )


def _differs(profile: Profile, camera: ScopeCameraSettings) -> Sequence[str]:
    frames = open_frames(camera, profile)
    try:
        now = frames.camera
        facts = CameraFacts("", now.model, now.size, now.format, now.mode)
        if words := profile.camera.differs(facts):
            return (words,)
        if profile.unfinished:
            say(f"note: the set-up is not finished: {', '.join(profile.unfinished)} are missing", "edge scope check")
        check, seen = ProfileCheck(profile), LightNotes(lambda *_: None)
        others: Counter[str] = Counter()
        wanted, had = _FRAMES if frames.live else min(_MOST_FILES, frames.patience), 0
        for _ in range(3 * wanted):
            frame = frames.next()
            if frame is None:
                continue
            told = check.look(frame)
            seen.look(f"frame {had + 1}", told)
            if isinstance(told.get(DIFFERS), str):
                others[str(told[DIFFERS])] += 1
            had += 1
            if had >= wanted:
                break
        if not had:
            raise CameraError(frames.words() or "the camera gives no frames")
        return (*(one.rstrip(".") for one in seen.doubts()), *(words for words, _ in others.most_common(1)))
    finally:
        frames.close()
