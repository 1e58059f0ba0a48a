"""``edge serve`` with an engine that is drawn: for tests of how the program starts and ends."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

from edge.cli.run_settings import RunSettings
from edge.cli.serve_job import serve_page
from edge.cli.settings import InputSettings
from edge.door import door
from tests.serve.fake_engine import PlayedEngine

if __name__ == "__main__":
    port, book, *more = sys.argv[1:]
    settings = replace(RunSettings(), input=InputSettings(simulate=True))
    settings = replace(settings, book=replace(settings.book, book=Path(book)))
    with door(debug=False, program="edge serve"):
        sys.exit(serve_page(settings, int(port), lan="lan" in more, started=lambda _: PlayedEngine(limit=10**6)))
