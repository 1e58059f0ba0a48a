"""Memory between fields."""

from __future__ import annotations

import subprocess
import sys

import pytest

from edge import heap

FAULTS = """
import resource, sys
import numpy as np
from edge.heap import keep_freed_memory
if sys.argv[1] == "keep" and not keep_freed_memory():
    raise SystemExit("no glibc")
def field():
    a, b = np.ones(3_700_000, np.uint8), np.ones(3_700_000, np.uint8)
    return int(a[0] + b[0])
def faults():
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(3): field()
before = faults()
for _ in range(20): field()
print(faults() - before)
"""


def page_faults(how: str) -> int:
    done = subprocess.run([sys.executable, "-c", FAULTS, how], capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(done.stderr.strip())
    return int(done.stdout)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="glibc")
def test_fields_after_the_first_ask_for_no_new_pages() -> None:
    assert page_faults("keep") < 200


def test_another_c_library_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ctypes.CDLL", lambda _: object())
    assert not heap.keep_freed_memory()
