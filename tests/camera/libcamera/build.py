"""Builds libcamera with its ``virtual`` pipeline and a picamera2 beside it, so that real picamera2 runs without a Pi.

    python -m tests.camera.libcamera.build          # exit code 8 and one line where it cannot be built

Everything is kept in ``$EDGE_LIBCAMERA_CACHE``, else ``~/.cache/edge-microscopy/libcamera``: Debian's source of libcamera, fetched by
this machine's own apt from the archive it is configured for, and wheels fetched by its own pip. Nothing is installed into the
system or into the virtual environment. A build that was stopped goes on from what it has fetched.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import sys
import sysconfig
from pathlib import Path
from typing import Final

from benchmarks.arm import build as apt
from benchmarks.arm import host
from benchmarks.arm.errors import ArmError

HERE: Final = Path(__file__).parent
PREFIX: Final = "prefix"
"""Folder of the cache that libcamera is installed into; picamera2 is in ``python``, the stand-in for udmabuf is ``udmabuf.so``."""

HEADERS: Final = (
    *("g++", "libcap-dev", "libdw-dev", "libevent-dev", "libgnutls28-dev", "libjpeg-dev", "libssl-dev", "libtiff-dev"),
    *("libudev-dev", "libyaml-dev", "libyuv-dev", "openssl", "pkg-config"),
)
"""Debian packages that building needs."""

_RECIPE: Final = 1  # to be raised when what is done here changes
_TOOLS: Final = ("meson>=1.2", "ninja", "jinja2", "pyyaml", "ply", "pybind11")
# What picamera2 asks for, without what the environment has: NumPy, Pillow, simplejpeg.
_PICAMERA2: Final = (
    *("picamera2>=0.3.20", "pidng", "piexif", "python-prctl", "av", "libarchive-c", "videodev2", "jsonschema", "attrs"),
    *("referencing", "rpds-py", "jsonschema-specifications", "typing_extensions", "tqdm"),
)
_OPTIONS: Final = (
    *(
        "-Dpipelines=virtual",
        "-Dipas=",
        "-Dpycamera=enabled",
        "-Dcam=disabled",
        "-Dqcam=disabled",
        "-Dgstreamer=disabled",
    ),
    *("-Dlc-compliance=disabled", "-Ddocumentation=disabled", "-Dtest=false", "-Dv4l2=disabled", "-Dandroid=disabled"),
    *("-Dtracing=disabled", "-Dwerror=false", "--buildtype=release"),
)
_STAMP: Final = "built"


def cache() -> Path:
    """Where it is built and kept."""
    own = os.environ.get("EDGE_LIBCAMERA_CACHE")
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(own) if own else Path(base) / "edge-microscopy" / "libcamera"


def recipe() -> str:
    """What is built, as a hash: another recipe or another Python means another build."""
    said = repr((_RECIPE, _TOOLS, _PICAMERA2, _OPTIONS, sys.version)).encode() + (HERE / "udmabuf.c").read_bytes()
    return hashlib.sha256(said).hexdigest()


def missing() -> str:
    """Why the build cannot be used; empty: it can."""
    stamp = cache() / _STAMP
    if not stamp.exists():
        return "libcamera is not built: python -m tests.camera.libcamera.build"
    if stamp.read_text() != recipe():
        return "libcamera was built by another recipe or for another Python: python -m tests.camera.libcamera.build"
    return ""


def build() -> None:
    """Build what is missing; raises ArmError with one line where it cannot be."""
    if not missing():
        return
    cache().mkdir(parents=True, exist_ok=True)
    lacking = [name for name in HEADERS if not _installed(name)]
    if not (Path(sysconfig.get_path("include")) / "Python.h").exists():
        lacking.append("python3-dev")
    if lacking:
        raise ArmError(f"not installed: apt-get install {' '.join(lacking)}")
    tools, python = cache() / "tools", cache() / "python"
    _pip(tools, *_TOOLS)
    _pip(python, "--no-deps", *_PICAMERA2)
    _compile(_source(), tools)
    host.run(
        ["gcc", "-shared", "-fPIC", "-O1", "-o", cache() / "udmabuf.so", HERE / "udmabuf.c", "-ldl"],
        "compiling udmabuf.c",
    )
    (cache() / _STAMP).write_text(recipe())


def _installed(package: str) -> bool:
    try:
        return host.run(["dpkg-query", "-W", "-f", "${Status}", package], package).endswith(" installed")
    except ArmError:
        return False


def _pip(target: Path, *wanted: str) -> None:
    mark = target / "fetched"
    if mark.exists() and mark.read_text() == repr(wanted):
        return  # fetched anew, meson would have everything compiled again
    host.say(f"libcamera: fetching {wanted[-1]} and what goes with it")
    command = [
        sys.executable,
        "-m",
        "pip",
        "install",
        "--quiet",
        "--disable-pip-version-check",
        "--no-input",
        "--upgrade",
    ]
    host.run([*command, "--target", target, *wanted], "pip install")
    mark.write_text(repr(wanted))


def _source() -> Path:
    """The unpacked source of libcamera in Debian's unstable release; Debian 12's own has no virtual pipeline."""
    where = cache() / "source"
    if not (where / "meson.build").exists():
        options = apt.apt_options("libcamera", "amd64", "deb-src {} sid main")
        host.say("libcamera: fetching its source")
        host.run(["apt-get", *options, "update"], "apt-get update")
        _inside(cache(), ["apt-get", *options, "source", "--download-only", "libcamera"], "apt-get source")
        found = sorted(cache().glob("libcamera_*.dsc"))
        if not found:
            raise ArmError("apt-get source brought no libcamera")
        shutil.rmtree(where, ignore_errors=True)
        host.run(["dpkg-source", "--no-check", "-x", found[-1], where], "unpacking libcamera")
    return where


def _compile(source: Path, tools: Path) -> None:
    host.say("libcamera: compiling (some minutes)")
    made = cache() / "objects"
    environment = {
        "PYTHONPATH": str(tools),
        "PATH": f"{tools / 'bin'}:{os.environ.get('PATH', os.defpath)}",
        "PKG_CONFIG_PATH": str(tools / "pybind11" / "share" / "pkgconfig"),
    }
    meson = [sys.executable, "-m", "mesonbuild.mesonmain"]
    if not (made / "build.ninja").exists():
        shutil.rmtree(made, ignore_errors=True)
        setup: list[str | Path] = [*meson, "setup", made, source, *_OPTIONS, f"--prefix={cache() / PREFIX}"]
        host.run(setup, "meson setup", environment=environment)
    host.run(["nice", "-n", "19", tools / "bin" / "ninja", "-C", made], "ninja", environment=environment)
    host.run([*meson, "install", "-C", made], "meson install", environment=environment)


def _inside(folder: Path, command: list[str], what: str) -> None:
    host.run(["sh", "-c", 'cd "$1" && shift && exec "$@"', "sh", folder, *command], what)


def main(arguments: list[str]) -> int:
    """Build; returns the exit code. ``--check``: only say what is missing. ``--packages``: only say what Debian packages it needs."""
    if arguments == ["--check"]:
        why = missing()
        sys.stdout.write(f"{why}\n" if why else "")
        return 8 if why else 0
    if arguments == ["--packages"]:
        sys.stdout.write(" ".join(HEADERS) + "\n")
        return 0
    try:
        build()
    except ArmError as error:
        sys.stderr.write(f"libcamera: {error}\n")
        return 8
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
