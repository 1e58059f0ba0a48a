"""A program as it looks on a terminal."""

from __future__ import annotations

import os
import pty
import subprocess
from pathlib import Path

ROOT = Path(__file__).parents[2]


def on_a_terminal(command: list[str], env: dict[str, str]) -> tuple[int, str]:
    """Run it on a terminal of its own; the exit code and all that it wrote there."""
    parent, child = pty.openpty()
    process = subprocess.Popen(command, stdout=child, stderr=child, cwd=ROOT, env=env)
    os.close(child)
    seen = b""
    try:
        while chunk := os.read(parent, 65536):
            seen += chunk
    except OSError:  # how Linux says that the other end is closed
        pass
    os.close(parent)
    return process.wait(timeout=10), seen.decode()
