"""What a page shows of a status: all words and shares are made here, the script only puts them in place."""

from __future__ import annotations

from collections.abc import Mapping

from edge.camera.records import CameraState
from edge.serve.phrases import about_cells, many, percent, span
from edge.serve.setting_up import set_up_shown
from edge.status import Hint, LastField, RunEnd, RunState, SampleProgress, Status, View

_MOVED = 0.01
"""Share of the field's width that the view may have moved for the boxes of the last field still to fit it."""

_AHEAD = 3  # frames that a picture may be ahead of the view that was measured last
_TOO_BRIGHT = 0.02  # share of white pixels from which the lamp is said to be too bright
_TOO_DARK = 40.0  # mean luma below which it is said to be too dark, of 255
_ROOM = 1.15  # the focus meter ends this far above the highest value in it
_RUNNING = frozenset({RunState.PREPARING, RunState.FOCUSING, RunState.WAITING, RunState.COUNTING, RunState.FINISHING})

_ENDS: Mapping[RunEnd, str] = {
    RunEnd.COMPLETE: "Complete: its limit is reached.",
    RunEnd.DECIDED: "Decided: its flag can no longer change.",
    RunEnd.FINISHED: "Finished by hand.",
    RunEnd.INTERRUPTED: "Interrupted: it can be gone on with.",
    RunEnd.FAILED: "Failed.",
}
_ALARM = frozenset({Hint.CAMERA_LOST, Hint.TOO_DARK, Hint.TOO_BRIGHT})


def shown(status: Status) -> dict[str, object]:
    """The status as JSON values for the live page."""
    sample, counting = status.sample, is_counting(status)
    headline, tone = _headline(status)
    gone = bool(status.failure) and status.camera.state is CameraState.CLOSED  # the process that counts has ended
    return {
        "version": status.version,
        "state": _sentence(status.state),
        "hint": headline,
        "tone": tone,
        "words": status.failure or status.words or _advice(status),
        "camera": _camera(status),
        "taken": status.taken,
        "sample": None if sample is None else _sample(sample, status),
        "view": None if status.view is None else _view(status.view),
        "last": None if status.last is None else {"field": status.last.index, "why_not": status.last.why_not},
        "can": {
            "start": not counting and not gone and not status.setting_up,
            "pause": counting and status.state not in (RunState.PAUSED, RunState.FINISHING),
            "resume": counting and status.state is RunState.PAUSED,
            "finish": counting and status.state is not RunState.FINISHING,
            "next": counting and status.state is not RunState.FINISHING,
            "take": counting and status.state in (RunState.FOCUSING, RunState.WAITING),
        },
        "set_up": set_up_shown(status.set_up),
        "scope": status.scope,
        "light": status.scope_words,
        "model": status.model,
        "failure": status.failure,
    }


def boxes_of(last: LastField | None) -> dict[str, object]:
    """The boxes of the field that was taken last; in the order they are drawn, what matters on top."""
    if last is None:
        return {"field": -1, "width": 0, "height": 0, "cells": []}
    cells = sorted(last.cells, key=lambda cell: (cell.positive, cell.counted))
    return {
        "field": last.index,
        "width": last.size[0],
        "height": last.size[1],
        "cells": [
            {
                "box": list(cell.box),
                "kind": "positive" if cell.positive else "counted" if cell.counted else "aside",
                "label": f"{cell.label} {cell.score:.2f}" if cell.positive else "",
            }
            for cell in cells
        ],
    }


def is_counting(status: Status) -> bool:
    """Whether a sample is begun and has not ended."""
    return status.sample is not None and status.ended is None


def _sentence(words: str) -> str:
    return words[:1].upper() + words[1:]


def _headline(status: Status) -> tuple[str, str]:
    """What stands in the large letters, and its tone: ``act``, ``bad``, ``good``, ``calm``."""
    if status.failure or status.camera.state is CameraState.LOST or status.hint is Hint.CAMERA_LOST:
        return "Failed" if status.failure else "Camera lost", "bad"
    if status.setting_up:
        return "Being set up", "calm"
    if status.hint is not Hint.NONE:
        return _sentence(status.hint), "bad" if status.hint in _ALARM else "act"
    if status.state in _RUNNING and (is_counting(status) or status.state is RunState.PREPARING):
        return _sentence(status.state), "good" if status.state is RunState.COUNTING else "calm"
    if status.ended is not None:
        return _sentence(status.ended), "good" if status.ended is not RunEnd.FAILED else "bad"
    return "Ready" if status.state is RunState.IDLE else _sentence(status.state), "calm"


def _advice(status: Status) -> str:
    """What to do where no hint says it."""
    if status.setting_up:
        return "No sample can be counted until that is over: see Scope."
    if is_counting(status):
        return "Nothing is taken until you go on." if status.state is RunState.PAUSED else ""
    if status.sample is not None and status.ended is not None:
        return f"{status.sample.name}: {_ENDS[status.ended]} Put in the next slide and start it."
    return "Give the sample a name and start." if status.state is RunState.IDLE else ""


def _camera(status: Status) -> dict[str, object]:
    camera = status.camera
    rate = f"{camera.fps:.0f} frames/s" if camera.fps else ""
    said = camera.words or ", ".join(filter(None, (str(camera.state), rate)))
    return {"name": camera.name, "words": said, "well": camera.state is CameraState.RUNNING and not camera.words}


def _sample(sample: SampleProgress, status: Status) -> dict[str, object]:
    share = ""
    if sample.share is not None and sample.positive:
        value, low, high = sample.share
        share = (
            f"{percent(value)} {' or '.join(sample.positive)} (95\u00a0% interval {percent(low)} to {percent(high)})"
        )
    return {
        "name": sample.name,
        "notes": sample.notes,
        "cells": many(sample.cells, status.unit),
        "counts": [
            {"label": label, "count": f"{n:,}", "positive": label in sample.positive}
            for label, n in sample.counts.items()
        ],
        "share": share,
        "flag": sample.flag,
        "reasons": list(sample.reasons),
        "short": "" if not sample.cells_short or status.ended else about_cells(sample.cells_short, status.unit),
        "kept": many(sample.kept, "field"),
        "left_out": [{"why": why, "times": f"{n:,}"} for why, n in sample.left_out.items()],
        "lost": "" if not sample.lost else "once" if sample.lost == 1 else f"{sample.lost:,} times",
        "time": span(sample.seconds),
        "left": "" if sample.seconds_left is None or status.ended else f"about {span(sample.seconds_left)} left",
        "ended": "" if status.ended is None else _ENDS[status.ended],
        "spoken": _spoken(sample, status),
    }


def _spoken(sample: SampleProgress, status: Status) -> str:
    """What a screen reader says of it now and then."""
    positive = ", ".join(f"{sample.counts.get(label, 0):,} {label}" for label in sample.positive)
    parts = (many(sample.cells, status.unit), positive, sample.flag and f"flag {sample.flag}")
    return ", ".join(filter(None, parts)) + "."


def _view(view: View) -> dict[str, object]:
    top = max(view.sharpness, view.best, view.needed or 0.0) * _ROOM or 1.0
    said = f"{view.sharpness:.3g}, best here {view.best:.3g}"
    return {
        "focus": round(view.sharpness / top, 4),
        "best": round(view.best / top, 4),
        "needed": None if view.needed is None else round(view.needed / top, 4),
        "focus_words": said if view.needed is None else f"{said}, needed {view.needed:.3g}",
        "sharp": bool(view.needed is None or view.sharpness >= view.needed),
        "histogram": [round(share, 4) for share in view.histogram],
        "light": f"mean {view.brightness:.0f} of 255, {percent(view.over)} white, {percent(view.under)} black",
        "warning": _exposure(view),
    }


def _exposure(view: View) -> str:
    if view.over >= _TOO_BRIGHT:
        return f"Overexposed: {percent(view.over)} of the picture is white. Turn the lamp down."
    if view.brightness < _TOO_DARK:
        return f"Underexposed: mean {view.brightness:.0f} of 255. Turn the lamp up."
    return ""


def field_in_view(status: Status, frame: int) -> int:
    """Index of the field whose boxes fit this frame; -1: none do, or it is not known yet.

    The view is measured a moment after its frame came, so a frame that is far ahead of the view may show another place.
    """
    view, last = status.view, status.last
    if view is None or last is None or view.moved is None or frame - view.frame > _AHEAD:
        return -1
    return last.index if view.moved <= _MOVED else -1
