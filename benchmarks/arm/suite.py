"""The runner's own tests in the roots: what passes, what fails, and what is left out and why."""

from __future__ import annotations

import os
import xml.etree.ElementTree as ET
from collections import Counter
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from benchmarks.arm import host
from benchmarks.arm.build import build
from benchmarks.arm.enter import WORK, Visit, end_all
from benchmarks.arm.errors import ArmError, DifferenceError
from benchmarks.arm.roots import Root, cache

LEFT_OUT: Mapping[str, str] = {
    "tests/convert": "needs TensorFlow, which is not for the device",
    "tests/models": "training and evaluation, which are not for the device",
    "tests/benchmarks": "the benchmarks, not the runner",
    "tests/arm": "drives the emulation from outside",
    "tests/real": "real images, which equality covers where they are at hand",
    "tests/test_walls.py": "reads the source text, which is the same everywhere",
    "tests/cli/test_process.py": "waits for processes by the clock, and one takes half a minute to start on a busy machine",
    "tests/cli/test_streams.py": "likewise",
    "tests/test_gate.py::test_measuring_costs_little": "seconds mean nothing under emulation",
}
"""What is not run in a root, and why."""

LEFT_OUT_32_BIT: Mapping[str, str] = {
    "tests/test_classifier.py::test_a_damaged_flatbuffer_is_one_known_error": (
        "tflite-runtime 2.14 for 32 bits crashes on a damaged flatbuffer; models with a card are refused by their hash before"
    ),
    "tests/sources/test_decode.py::test_opencv_says_nothing_of_its_own": (
        "OpenCV 4.6, Debian's for 32 bits, writes a damaged TIFF's fault to stderr all the same; the file is refused as elsewhere"
    ),
    "tests/sources/test_damage.py::test_a_damaged_file_is_refused_and_only_we_say_so[TIFF, LZW, zeroed within]": "likewise",
}
"""What is not run on armhf besides, and why."""

QUICK = (
    *("tests/test_crops.py", "tests/test_classifier.py", "tests/test_pixels.py", "tests/test_boxes.py"),
    "tests/scope/test_spread.py",
)
"""Where every byte is made: the tests that run in a minute or two."""

PYTEST_NO_TESTS = 5
"""Exit code of pytest where it collected no test."""


@dataclass(frozen=True, slots=True)
class SuiteResult:
    """The results of the tests in one root.

    Attributes:
        root: name of the root.
        passed: how many passed.
        failed: names of the tests that failed.
        skipped: how many were skipped, by reason.
    """

    root: str
    passed: int
    failed: tuple[str, ...]
    skipped: Mapping[str, int]

    def lines(self) -> list[str]:
        """The lines that people read."""
        found = [f"{self.root}: {self.passed} passed, {len(self.failed)} failed, {sum(self.skipped.values())} skipped"]
        found += [f"{self.root}: failed: {name}" for name in self.failed]
        return found + [f"{self.root}: skipped {count}: {reason}" for reason, count in sorted(self.skipped.items())]


def left_out(root: Root) -> dict[str, str]:
    """What is not run there, and why."""
    return {**LEFT_OUT, **(LEFT_OUT_32_BIT if root.architecture == "armhf" else {})}


def run(roots: Sequence[Root], only: Sequence[str] = ()) -> list[SuiteResult]:
    """Run the tests in each root, as many roots at a time as there are cores.

    Args:
        roots: where; built one after the other if need be.
        only: files or folders, from the repository's top; all where empty.

    Raises:
        ArmError: a root cannot be built or entered, or pytest does not run there.
    """
    for root in roots:
        build(root)
    with ThreadPoolExecutor(max_workers=os.cpu_count() or 1) as pool:
        jobs = [pool.submit(_run, root, only) for root in roots]
        try:
            return [job.result() for job in jobs]
        except BaseException:
            for job in jobs:
                job.cancel()
            end_all()
            raise


def fail_on_failure(outcomes: Sequence[SuiteResult]) -> None:
    """Raise DifferenceError where any test failed."""
    failed = [f"{one.root}: {name}" for one in outcomes for name in one.failed]
    if failed:
        raise DifferenceError(f"{len(failed)} tests failed on ARM; first: {failed[0]}")


def _run(root: Root, only: Sequence[str]) -> SuiteResult:
    work = cache() / "work" / f"tests-{root.name}"
    report = work / "tests.xml"
    report.unlink(missing_ok=True)
    command = ["/usr/bin/python3", "-u", "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "benchmarks.arm.patient"]
    command += [
        "--continue-on-collection-errors",
        "--rootdir",
        "/repo",
        "-c",
        "/repo/pyproject.toml",
        f"--junitxml={WORK}/tests.xml",
    ]
    # Debian's NumPy 1.24 for 32 bits warns where the processor has been set to flush tiny numbers to zero.
    command += ["-W", "ignore:The value of the smallest subnormal:UserWarning"]
    for place in left_out(root):
        command += ["--deselect" if "::" in place else "--ignore", place if "::" in place else f"/repo/{place}"]
    command += [f"/repo/{place}" for place in only or ("tests",)]
    host.say(f"{root.name}: running the tests (minutes: the processor is emulated)")
    said: list[str] = []

    def heard(line: str) -> None:
        said.append(line)
        if line.endswith("%]"):
            host.say(f"{root.name}: {line}")

    code = Visit(root, root.board, work).stream(command, heard)
    (work / "tests.log").write_text("\n".join(said))
    if not report.exists() or code == PYTEST_NO_TESTS:
        last = next((line for line in reversed(said) if line.strip()), f"exit code {code}")
        raise ArmError(f"{root.name}: the tests do not run: {last} (see {work / 'tests.log'})")
    return outcome(root.name, report)


def outcome(root: str, report: Path) -> SuiteResult:
    """Read pytest's XML report."""
    failed: list[str] = []
    skipped: Counter[str] = Counter()
    passed = 0
    for case in ET.parse(report).iter("testcase"):  # noqa: S314 - we had it written
        name = f"{case.get('classname')}::{case.get('name')}"
        skip = case.find("skipped")
        if case.find("failure") is not None or case.find("error") is not None:
            failed.append(name)
        elif skip is not None:
            skipped[skip.get("message") or "no reason given"] += 1
        else:
            passed += 1
    return SuiteResult(root, passed, tuple(failed), dict(skipped))
