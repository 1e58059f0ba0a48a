"""Advice to install something can be followed."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from edge.extras import PACKAGES, how_to_install

ROOT = Path(__file__).parent.parent


@pytest.mark.parametrize("extra", PACKAGES)
def test_the_packages_are_those_of_the_extra(extra: str) -> None:
    declared = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    assert PACKAGES[extra] == tuple(declared[extra])


def test_the_advice_is_a_command_of_this_very_python() -> None:
    command = shlex.split(how_to_install("convert"))
    assert command == [sys.executable, "-m", "pip", "install", *PACKAGES["convert"]]
    assert subprocess.run([*command[:3], "--version"], check=False, capture_output=True).returncode == 0


def test_nobody_is_sent_to_an_index_that_does_not_hold_this_project() -> None:
    places = [ROOT / "README.md", ROOT / "Makefile"]
    for room in ("edge", "convert", "models", "benchmarks", "tests", "docs"):
        places += [path for path in (ROOT / room).rglob("*") if path.suffix in {".py", ".md"}]
    sent = re.compile(r"pip install[^`\n]*edge-microscopy")
    assert [str(path) for path in places if sent.search(path.read_text())] == []
    # a path of a clone is no help in an installed wheel
    code = [path for path in places if path.suffix == ".py" and "tests" not in path.relative_to(ROOT).parts]
    assert [str(path) for path in code if re.search(r"pip install (-e )?'?\.", path.read_text())] == []
