"""The engine as ``edge engine``, with a camera that shows a drawn field: a program for tests of the link."""

from __future__ import annotations

import sys

from edge.cli.engine import for_engine
from edge.cli.engine_job import run_engine
from edge.cli.run_settings import RunSettings
from tests.control.cameras import ShownCamera, blobs

if __name__ == "__main__":
    field = blobs(1)
    sys.exit(run_engine(for_engine(RunSettings()), int(sys.argv[2]), lambda spec: ShownCamera(lambda _: field, 0.01)))
