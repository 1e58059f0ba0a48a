"""A profile in lines for a person."""

from __future__ import annotations

from edge.scope.light import byte_of
from edge.scope.profile import FILES, Profile


def profile_lines(profile: Profile) -> list[str]:
    """What a profile holds, a line each: label, two spaces, text."""
    camera, held, light, flat = profile.camera, profile.held, profile.light, profile.flat
    size = "{}x{}".format(*camera.size)
    told = [camera.model, f"{size} pixels", camera.format, camera.mode if camera.mode != size else ""]
    kind = "image files" if camera.kind == FILES else camera.kind
    lines = [f"microscope  {profile.name}" + "".join(f", {one}" for one in (profile.objective,) if one)]
    by = f" by {profile.operator}" if profile.operator else ""
    lines.append(f"set up      {profile.date[:16].replace('T', ' ')}{by}; fingerprint {profile.fingerprint}")
    lines.append(f"camera      {kind}: {', '.join(one for one in told if one)}")
    values = [
        "" if held.exposure_us is None else f"exposure {held.exposure_us:,.0f} µs",
        "" if held.gain is None else f"gain {held.gain:.2f}",
        "" if not held.colour_gains else "colour gains {:.2f} and {:.2f}".format(*held.colour_gains),
        f"not held: {', '.join(held.not_held)}" if held.not_held and camera.kind != FILES else "",
    ]
    if any(values):
        lines.append(f"held        {'; '.join(one for one in values if one)}")
    if light is not None:
        red, green, blue = map(byte_of, light.paper)
        lines.append(
            f"light       paper red {red:.0f}, green {green:.0f}, blue {blue:.0f}; may differ by {light.light_allowed * 100:.0f} %, "
            f"its colour by {light.colour_allowed * 100:.0f} %"
        )
    if flat is not None:
        kind = "fields with cells" if flat.moved else "empty fields"
        lines.append(
            f"flat field  of {flat.fields} {kind}; uneven by {flat.uneven * 100:.1f} %, corrected to {flat.residual * 100:.1f} %"
        )
    if profile.dust or flat is not None:
        deep = sum(speck.deep for speck in profile.dust)
        lines.append(f"dust        {len(profile.dust)} specks, {deep} of them masked")
    lines.append(f"scale       {'not measured' if profile.scale is None else profile.scale.words()}")
    if profile.sharpness is not None:
        lines.append(f"sharpness   {profile.sharpness:.3f} at best")
    if profile.settled is not None:
        lines.append(f"settled     on {profile.settled.get('fields', '?')} fields")
    if profile.unfinished:
        lines.append(f"unfinished  {', '.join(profile.unfinished)}: edge scope set-up {profile.name}")
    return lines
