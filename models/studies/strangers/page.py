"""``docs/strangers.md``, from the facts that are kept."""

from __future__ import annotations

from collections.abc import Sequence

from models.report.markdown import paragraph, table
from models.studies.strangers.conversion import CELLS, JUDGED
from models.studies.strangers.facts import LIMIT, StrangerFacts, states
from models.studies.strangers.nets import NETS, StrangerNet
from models.studies.strangers.train import SOUND

SHARE_TARGET = 0.92
"""Share of the sound nets that is to give a device file which is not worse."""

SMALL_SIDE, SMALL_S, LARGE_S = 64, 90.0, 300.0
"""Seconds on the wall, two idle cores: nets of up to so many pixels, and larger ones."""

_INTRODUCTION = (
    "Written by `python -m models strangers`. Each net is of a kind that tutorials and notebooks make. It is trained briefly on "
    "NIH cells, read and scaled as its author's code would, saved in its author's file format, and given to "
    f"`edge-convert quantize NET --cells DIR` with {CELLS} other cells and no other option, in a process of its own. The device "
    f"file is judged on {JUDGED} cells more, on the device's cuts and in the device's runtime, against the net as trained on its "
    "author's cuts; both from one half. Slides of training, converter and judging are different ones. How the converter works "
    "stands in [convert.md](convert.md)."
)

_FEW = (
    f"{JUDGED} cells are few: one cell is {100 / JUDGED:g} points, and a loss over the limit may be chance where its interval "
    "holds 0. The interval is the wider of the exact one and the bootstrap by slide. In the last column the net as trained is "
    "judged on square cuts too, which the device makes where the card does not say `stretch`. What it loses by them is no loss "
    "by the converter; what the file loses against it is."
)

_SECONDS = (
    "Seconds on the wall, from the start of the program to its end, with an empty cache, and of all cores together. Other work may "
    "have been running (the load average in the minute before tells): then the wall says little. At every moment some core works for "
    "the conversion, so idle cores need no more seconds than its processor seconds; the smaller of both is held against the target."
)

_RESULT_HEAD = (
    "net",
    "input",
    "file",
    "M MACs",
    "trained: cells, epochs, accuracy",
    "way; rescue",
    f"accuracy, net → device file, % (n = {JUDGED})",
    "loss, points (95 % interval)",
    f"not worse than {LIMIT} points",
    "net on square cuts, %; loss of the file against it, points",
)
_TIME_HEAD = (
    "net",
    "seconds",
    "processor seconds",
    "idle cores, at most, s",
    "target, s",
    "load before",
    "device file, kB",
    "M MACs on the device",
)


def render(found: Sequence[StrangerFacts], limits: Sequence[str] = ()) -> str:
    """The whole page; ``limits``: lines on what limits of the converter rest on."""
    known = {net.name: net for net in NETS}
    sound = [one for one in found if one.accuracy >= SOUND]
    reached = sum(one.reached for one in sound)
    files = sum(one.judged is not None for one in sound)
    lacking = [net.name for net in NETS if net.name not in {one.name for one in found}]
    parts = [
        "# Strangers' nets, converted with default options\n",
        *paragraph(_INTRODUCTION),
        "",
        *_summary(found, sound, files, reached, lacking),
        "\n## What comes out\n",
        *table(_RESULT_HEAD, [_result(one, known[one.name]) for one in found]),
        "",
        *paragraph(_FEW),
        "\n## What it takes\n",
        *table(_TIME_HEAD, [_times(one, known[one.name]) for one in found]),
        "",
        *paragraph(_SECONDS),
        *_refusals(found),
        *limits,
        "",
        *paragraph(
            f"The facts are of {len(states(found))} state(s) of the converter's code; `--convert-again` takes them anew."
        ),
    ]
    return "\n".join(parts) + "\n"


def _summary(
    found: Sequence[StrangerFacts], sound: Sequence[StrangerFacts], files: int, reached: int, lacking: Sequence[str]
) -> list[str]:
    if not found:
        return ["Nothing is measured yet."]
    share = reached / max(1, len(sound))
    late = [one.name for one in found if one.conversion.idle_s > _target(one.name)]
    rows = [
        (
            f"sound nets that give a device file, not worse than {LIMIT} points",
            f"{reached} of {len(sound)} ({share:.0%}); {files} give a device file",
            f"≥ {SHARE_TARGET:.0%}",
            "met" if share >= SHARE_TARGET else "**missed**",
        ),
        (
            "sound nets whose device file is not worse than the net as trained on square cuts",
            f"{sum(one.reached_on_cuts for one in sound)} of {len(sound)}",
            "-",
            "what the way and int8 cost",
        ),
        (
            "nets converted in time",
            f"{len(found) - len(late)} of {len(found)}" + (f" (not: {', '.join(late)})" if late else ""),
            f"≤ {SMALL_S:.0f} s up to {SMALL_SIDE} px, else ≤ {LARGE_S:.0f} s",
            "met" if not late else "**missed**",
        ),
    ]
    lines = [*table(("figure", "now", "target", ""), rows)]
    if len(sound) < len(found):
        poor = ", ".join(one.name for one in found if one.accuracy < SOUND)
        lines += ["", *paragraph(f"Not sound (under {SOUND:.0%}), and so not counted: {poor}.")]
    return lines + (["", *paragraph(f"Not measured yet: {', '.join(lacking)}.")] if lacking else [])


def _target(name: str) -> float:
    side = next(net.side for net in NETS if net.name == name)
    return SMALL_S if side <= SMALL_SIDE else LARGE_S


def _result(one: StrangerFacts, net: StrangerNet) -> tuple[str, ...]:
    judged, done = one.judged, one.conversion
    trained = f"{one.cells:,}, {one.epochs}, {one.accuracy:.1%}"
    scaling = "bytes" if net.values == "0..255" else net.values
    where = f"{net.side}x{net.side} {net.colour}, {scaling}, {net.cut}; {'sigmoid' if net.outputs == 1 else 'softmax'}"
    macs = f"{one.macs / 1e6:,.1f}" if one.macs else "-"
    if judged is None:
        taken = "**refused**" if done.way is None else f"**refused** ({done.way})"
        return f"`{one.name}`: {net.what}", where, net.form.value, macs, trained, taken, "-", "-", "**no**", "-"
    return (
        f"`{one.name}`: {net.what}",
        where,
        net.form.value,
        macs,
        trained,
        f"{done.way}; {'none needed' if done.recipe == 'int8' else done.recipe}",
        f"{judged.before:.1%} → {judged.after:.1%}".replace("%", ""),
        f"{judged.points:.1f} ({judged.low:.1f} to {judged.high:.1f})",
        "yes" if judged.not_worse else "**no**",
        f"{judged.on_cuts * 100:.1f}; {judged.points_of_net:.1f}",
    )


def _times(one: StrangerFacts, net: StrangerNet) -> tuple[str, ...]:
    done, target = one.conversion, _target(net.name)
    return (
        f"`{one.name}`",
        f"{done.wall_s:.0f}",
        f"{done.processor_s:.0f}",
        f"**{done.idle_s:.0f}**" if done.idle_s > target else f"{done.idle_s:.0f}",
        f"{target:.0f}",
        f"{done.load:.1f} on {done.cores} cores",
        "-" if done.device_bytes is None else f"{done.device_bytes / 1000:.0f}",
        "-" if done.device_macs is None else f"{done.device_macs / 1e6:,.1f}",
    )


def _refusals(found: Sequence[StrangerFacts]) -> list[str]:
    refused = [one for one in found if one.conversion.exit_code != 0]
    if not refused:
        return []
    lines = ["\n## Refused\n"]
    for one in refused:
        said = f"`{one.name}` (exit code {one.conversion.exit_code}): {one.conversion.message}"
        lines += paragraph(said, bullet=True)
    return lines
