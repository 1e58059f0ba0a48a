"""What a page shows of the microscope's set-up: words are made here, the script only puts them in place."""

from __future__ import annotations

from edge.status import SetUpProgress


def set_up_shown(now: SetUpProgress | None) -> dict[str, object] | None:
    """The set-up as JSON values for the page; None: there was none."""
    if now is None:
        return None
    at_work = bool(now.step) and not now.done
    pairs = [line.partition("  ") for line in now.profile]
    return {
        "name": now.name,
        "step": now.step,
        "title": f"Step {now.number} of {now.steps}: {now.step}" if at_work else f"Set-up of {now.name}",
        "words": now.words,
        "measured": [{"what": what, "value": value} for what, value in now.measured],
        "progress": f"{now.have:,} of {now.want:,}" if now.want and at_work else "",
        "have": now.have,
        "want": now.want,
        "good": _good(now) if at_work else "",
        "notes": list(now.notes),
        "done": now.done,
        "profile": [{"what": what, "value": value.strip()} for what, _, value in pairs],
        "can": {
            "next": at_work and now.good,
            "again": at_work,
            "skip": at_work and now.can_skip,
            "stop": not now.done,
        },
    }


def _good(now: SetUpProgress) -> str:
    return "Good: go on with Next." if now.good else "Not good yet."
