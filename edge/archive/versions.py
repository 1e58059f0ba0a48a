"""Client and workers must run the same: this program, the TFLite runtime, and what decodes and computes.

Another version may count a cell differently, and nobody would see it in the results. So all workers are asked before anything is
counted; one that joins later is sent away with a line that gives both versions; and each task looks again where it runs, for a worker
may get one in the moment before it is sent away.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import edge
from edge import installed_version
from edge.errors import ArchiveError, EdgeError
from edge.runtime import runtime_version

_PACKAGES = {
    "numpy": ("numpy",),
    "opencv": ("opencv-python-headless", "opencv-python", "opencv-contrib-python-headless", "opencv-contrib-python"),
    "simplejpeg": ("simplejpeg",),
    "tifffile": ("tifffile",),
}
"""Attribute to the packages that may bring it."""

_WORDS = {"program": "this program", "runtime": "the TFLite runtime", "numpy": "NumPy", "opencv": "OpenCV"}
_LISTED = 3  # workers named in a line


class OtherVersionsError(ArchiveError):
    """A task came to a worker that runs other versions; nothing was counted. It is sent away, and another worker does the task."""


@dataclass(frozen=True, slots=True)
class Versions:
    """What decides how a cell is counted, each with its version; ``none``: it is not installed.

    Attributes:
        program: this program's version and the first digits of a hash over its code.
        runtime: the TFLite runtime's package and version.
        numpy, opencv, simplejpeg, tifffile: these packages.
    """

    program: str
    runtime: str
    numpy: str
    opencv: str
    simplejpeg: str
    tifffile: str

    def differences(self, other: Versions) -> tuple[str, ...]:
        """What differs, in words: ``NumPy 2.4.6 there, 2.3.0 here`` for ``there.differences(here)``."""
        mine, theirs = asdict(self), asdict(other)
        return tuple(
            f"{_WORDS.get(name, name)} {mine[name]} there, {theirs[name]} here"
            for name in mine
            if mine[name] != theirs[name]
        )


@cache
def versions_here() -> Versions:
    """The versions of this process. Raises ModelError where no runtime is installed."""
    found = {name: _first(packages) for name, packages in _PACKAGES.items()}
    return Versions(f"{installed_version()} ({_code()})", runtime_version(), **found)


def _first(packages: Iterable[str]) -> str:
    for package in packages:
        try:
            return version(package)
        except PackageNotFoundError:
            continue
    return "none"


def _code() -> str:
    """A hash over the code of ``edge``: a version number stays the same while a clone is worked on."""
    root = Path(edge.__file__).parent
    digest = hashlib.sha256()
    for path in sorted(root.rglob("*.py")):
        digest.update(path.relative_to(root).as_posix().encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()[:12]


def require(expected: Versions) -> None:
    """Called by a task before it counts; raises OtherVersionsError where this worker is not what the client is."""
    found = versions_here().differences(expected)
    if found:
        raise OtherVersionsError(f"a worker runs other versions: {'; '.join(found)}")


def refusal(here: Versions, found: Mapping[str, Versions | BaseException]) -> str | None:
    """One line that says which workers are refused and why; None: none is.

    Args:
        here: the client's.
        found: address of a worker to its versions, or to the error that asking it gave.
    """
    wrong = {worker: why for worker, one in found.items() if (why := _why(here, one))}
    if not wrong:
        return None
    first = next(iter(wrong.values()))
    same = [worker for worker, why in wrong.items() if why == first]
    named = ", ".join(same[:_LISTED]) + (f" and {len(same) - _LISTED} more" if len(same) > _LISTED else "")
    others = f" ({len(wrong) - len(same)} more differ in another way)" if len(wrong) > len(same) else ""
    return f"{'workers' if len(same) > 1 else 'worker'} {named}: {first}{others}; install the same there as here"


def _why(here: Versions, there: Versions | BaseException) -> str:
    if isinstance(there, Versions):
        return "; ".join(there.differences(here))
    if isinstance(there, ModuleNotFoundError | AttributeError):  # it has no such module: none or an old one
        return f"this program is not installed there, or is an older one than {here.program} here ({there})"
    if isinstance(there, EdgeError):
        return str(there)
    return f"it could not be asked for its versions ({type(there).__name__}: {there})"


def ask_workers(client: Any, workers: Iterable[str] | None = None) -> dict[str, Versions | BaseException]:
    """Ask workers of a Dask client for their versions; None: all that are there."""
    chosen = None if workers is None else list(workers)
    if chosen == []:
        return {}
    found: dict[str, Versions | BaseException] = client.run(versions_here, workers=chosen, on_error="return")
    return found


@contextmanager
def scheduler_errors() -> Iterator[None]:
    """Turn what Dask says of a scheduler that is gone into one line: an ArchiveError."""
    try:
        yield
    except (OSError, TimeoutError) as error:
        raise ArchiveError(
            f"the cluster's scheduler does not answer ({error or type(error).__name__}): what is finished stays; "
            "the same call goes on when it is back"
        ) from error


class WorkerCheck:
    """Which workers of a cluster may count. Call ``first`` before anything is counted, ``look`` every now and then."""

    def __init__(self, client: Any) -> None:
        self._client = client
        self._known: set[str] = set()
        self.expected = versions_here()

    def first(self) -> None:
        """Ask all workers; raises ArchiveError with both versions where one differs."""
        with scheduler_errors():
            answers = ask_workers(self._client)
        found = {
            worker: one for worker, one in answers.items() if not isinstance(one, OSError)
        }  # others are just dying
        line = refusal(self.expected, found)
        if line is not None:
            raise ArchiveError(line)
        self._known = set(found)

    def look(self) -> tuple[str, ...]:
        """Ask those that have joined since; who differs is sent away (closed). Returns a line for each reason to do so."""
        with scheduler_errors():
            now = set(self._client.scheduler_info(n_workers=-1)["workers"])
            found = ask_workers(self._client, sorted(now - self._known))
        gone = {worker for worker, one in found.items() if isinstance(one, OSError)}  # left before it answered
        wrong = {worker: one for worker, one in found.items() if worker not in gone and _why(self.expected, one)}
        self._known = (self._known & now) | (set(found) - gone - set(wrong))
        if not wrong:
            return ()
        with scheduler_errors():
            self._client.retire_workers(list(wrong), close_workers=True)
        line = refusal(self.expected, wrong)
        return (f"{line}. It was sent away; the others go on",) if line else ()
