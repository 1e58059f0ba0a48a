"""The work of ``edge recount`` of an archive: what counts is loaded, a cluster opened, and what comes of it is said."""

from __future__ import annotations

import os
import threading
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from edge.archive.cluster import open_cluster
from edge.archive.records import RecountEnd, RecountJob
from edge.archive.results import Results, beginning
from edge.archive.run import Recount
from edge.archive.storage import open_storage
from edge.archive.storage_words import shown_address
from edge.archive.versions import versions_here
from edge.cli.archive_like import results_like, settings_like, tell_comparison
from edge.cli.archive_recipe import recipe_of
from edge.cli.archive_settings import ArchiveSettings
from edge.cli.archive_words import ProgressLine, end_lines
from edge.cli.counting import load_parts
from edge.cli.run_settings import RunSettings, check_together
from edge.door import say, stop_on_signals
from edge.errors import EXIT_INTERRUPTED, EXIT_UNREADABLE_INPUTS
from edge.lines import print_json, print_lines
from edge.record_json import plain_of
from edge.sources.files import lenient_jpegs

_PROGRAM = "edge recount"


def counted_archive(archive: str, where: ArchiveSettings, given: RunSettings, typed: Mapping[str, Any]) -> int:
    """Count an archive, or go on with it, and return the exit code; with ``like`` compare the results with these.

    Args:
        archive: path or URL.
        where: results go, and who counts; ``output`` or ``like`` is given.
        given: nets, fields, judging and process of the count.
        typed: those of its values that were typed.

    Raises:
        EdgeError: nothing to count, nets or calibration refused, results of another count, no cluster.
    """
    open_storage(archive).check()
    for note in lenient_jpegs():
        _say(f"note: {note}")
    if where.like is not None:
        given = settings_like(where.like, {name: typed[name] for name in given.values().keys() & typed.keys()}, _say)
        check_together(given)
    one = replace(given, process=replace(given.process, workers=1))
    parts = load_parts(one)
    recipe = recipe_of(one, parts)
    del parts  # the nets of this process are of no further use
    output = where.output or results_like(where.like or "", recipe.described)
    results = Results(_placed(output))
    results.hold()
    now = datetime.now(UTC).isoformat(timespec="seconds")
    results.begin(beginning(recipe.described, archive, now))
    job = RecountJob(_placed(archive), _placed(output), recipe.fingerprint, versions_here())
    stop = threading.Event()
    with stop_on_signals(stop.set), open_cluster(recipe, on=where.on, workers=_workers(given)) as cluster:
        if cluster.dashboard:
            say(f"what the workers do is shown at {cluster.dashboard}", _PROGRAM)
        line = ProgressLine(_PROGRAM)
        try:
            end = Recount(job, results, cluster, line.show, said=_say).run(stop)
        finally:
            line.close()
            results.let_go()
    if where.like is not None and not end.stopped:
        if not given.outputs.json:
            print_lines(end_lines(end, shown_address(output)))
        tell_comparison(where.like, output, changed=where.changed, as_json=given.outputs.json)
    elif given.outputs.json:
        print_json({**plain_of(end), "results": shown_address(output)})
    else:
        print_lines(end_lines(end, shown_address(output)))
    return _code(end)


def _say(line: str) -> None:
    say(line, _PROGRAM)


def _code(end: RecountEnd) -> int:
    if end.stopped:
        say("stopped: what is finished stays; the same call goes on", _PROGRAM)
        return EXIT_INTERRUPTED
    return EXIT_UNREADABLE_INPUTS if end.unreadable or end.left_out else 0


def _workers(given: RunSettings) -> int:
    return given.process.workers or len(os.sched_getaffinity(0))


def _placed(place: str) -> str:
    """A path as every process of this machine takes it; a URL stays."""
    return place if "://" in place else os.path.abspath(os.path.expanduser(place))  # noqa: PTH100, PTH111 - a text
