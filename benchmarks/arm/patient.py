"""A pytest plugin for emulated cores: the time a thread is given before it counts as hung is for cameras, not for emulation."""

import edge.workers

edge.workers._PATIENCE = 300.0  # noqa: SLF001
