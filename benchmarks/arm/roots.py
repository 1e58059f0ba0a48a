"""What stands in each root: a Debian release, its Python, and the packages the runner needs there."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from packaging.requirements import Requirement

from benchmarks.arm.boards import PI_2, PI_4, Board
from benchmarks.places import REPOSITORY

CACHE_VARIABLE = "EDGE_ARM_CACHE"
_SYSTEM = ("base-files", "coreutils", "dash", "libc-bin", "libstdc++6", "python3")
_RUNNER = (
    *("annotated-doc", "markdown-it-py", "mdurl", "Pygments", "rich", "shellingham", "typer", "typing_extensions"),
    *("annotated-types", "pydantic", "pydantic_core", "tifffile", "typing-inspection"),
)
_TESTS = ("iniconfig", "packaging", "pluggy", "pytest")
_LITERT = (
    *("ai-edge-litert", "backports.strenum", "flatbuffers", "ml_dtypes", "protobuf", "tqdm"),
    *("numpy", "opencv-python-headless", "pillow", "simplejpeg"),
)
_GLIBC = (17, 24, 26, 27, 28, 31, 34)
"""Minor versions of glibc (2.x) whose manylinux wheels run on Debian 12 and later."""


@dataclass(frozen=True, slots=True)
class Root:
    """One root.

    Attributes:
        name: its folder in the cache; the Debian release, or ``armhf``.
        suite: Debian's release.
        architecture: Debian's name for it.
        machine: the kernel's name for it, as in wheel tags and QEMU's.
        python: major and minor version of its Python.
        board: what it is run as unless said otherwise.
        debian: packages from Debian's archive, with what they depend on.
        wheels: packages from pip, in the versions of ``constraints``, without what they depend on.
    """

    name: str
    suite: str
    architecture: str
    machine: str
    python: str
    board: Board
    debian: tuple[str, ...]
    wheels: tuple[str, ...]

    @property
    def place(self) -> Path:
        """Where it stands."""
        return cache() / "roots" / self.name

    @property
    def qemu(self) -> str:
        """The emulator's name, e.g. ``qemu-aarch64``."""
        return "qemu-arm" if self.architecture == "armhf" else f"qemu-{self.machine}"

    @property
    def site(self) -> str:
        """Where its Python looks for packages that are not Debian's."""
        return f"usr/local/lib/python{self.python}/dist-packages"

    def platforms(self) -> list[str]:
        """Wheel tags that run there."""
        return [f"manylinux_2_{n}_{self.machine}" for n in _GLIBC] + [f"manylinux2014_{self.machine}"]

    def pinned(self) -> list[str]:
        """The wheels as ``name==version``, read from ``constraints`` as they hold on that machine."""
        found: dict[str, str] = {}
        for path in sorted((REPOSITORY / "constraints").glob("*.txt")):
            for line in path.read_text().splitlines():
                if not line or line.startswith(("#", "-")):
                    continue
                wanted = Requirement(line)
                if wanted.marker is None or wanted.marker.evaluate({"platform_machine": self.machine}):
                    found[wanted.name] = f"{wanted.name}{wanted.specifier}"
        return [found[name] for name in self.wheels]


BOOKWORM = Root("bookworm", "bookworm", "arm64", "aarch64", "3.11", PI_4, _SYSTEM, _RUNNER + _TESTS + _LITERT)
TRIXIE = Root("trixie", "trixie", "arm64", "aarch64", "3.13", PI_4, _SYSTEM, _RUNNER + _TESTS + _LITERT)
ARMHF = Root(
    "armhf",
    "bookworm",
    "armhf",
    "armv7l",
    "3.11",
    PI_2,
    (*_SYSTEM, "python3-numpy", "python3-opencv", "python3-pil"),  # no wheels for 32-bit
    (*_RUNNER, *_TESTS, "tflite-runtime"),
)
ROOTS = (BOOKWORM, TRIXIE, ARMHF)


def cache() -> Path:
    """Where roots, downloads and pictures are kept: ``$EDGE_ARM_CACHE``, else ``~/.cache/edge-microscopy/arm``."""
    own = os.environ.get(CACHE_VARIABLE)
    return Path(own).expanduser().absolute() if own else Path.home() / ".cache" / "edge-microscopy" / "arm"
