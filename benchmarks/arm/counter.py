"""The emulator that counts: this machine's own ``qemu-aarch64`` with its libraries, and our plugin (``count.c``) built for it.

The static emulator takes no plugins; the dynamic one is put beside its libraries in one folder, to be mounted in a root.
"""

from __future__ import annotations

import hashlib
import re
import shutil
from collections.abc import Sequence
from pathlib import Path

from benchmarks.arm import host
from benchmarks.arm.build import apt_options
from benchmarks.arm.enter import WORK
from benchmarks.arm.errors import ArmError
from benchmarks.arm.roots import cache

INSIDE = "/opt/qemu"
QEMU = "qemu-aarch64"
_SOURCE = Path(__file__).with_name("count.c")
_HEADER = "qemu-plugin.h"


def qemu_version() -> str:
    """E.g. ``7.2.22``."""
    found = re.search(r"version (\S+)", host.run([QEMU, "--version"], QEMU))
    return found.group(1) if found else "unknown"


def folder() -> Path:
    """The folder to be mounted at ``/opt/qemu``, made if need be.

    Raises:
        ArmError: no compiler, or Debian's source of QEMU cannot be had.
    """
    host.require(counting=True)
    place = cache() / "qemu"
    key = hashlib.sha256(_SOURCE.read_bytes() + qemu_version().encode()).hexdigest()
    stamp = place / ".made-from"
    if stamp.exists() and stamp.read_text() == key:
        return place
    part = place.with_name("qemu.part")
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir(parents=True)
    (part / _HEADER).write_bytes(_header())
    host.say("building the instruction counter")
    command: list[str | Path] = [
        "gcc",
        "-O2",
        "-Wall",
        "-Wextra",
        "-shared",
        "-fPIC",
        "-I",
        part,
        _SOURCE,
        "-o",
        part / "count.so",
    ]
    host.run(command, "building the instruction counter")
    _bundle(part)
    (part / ".made-from").write_text(key)
    shutil.rmtree(place, ignore_errors=True)
    part.rename(place)
    return place


def counting(program: Sequence[str], cpu: str, marks: str, *, stores: bool = False) -> list[str]:
    """The command that runs ``program`` in a root and writes its marks to ``/work/MARKS``, with ``stores`` bytes written too."""
    loader = f"{INSIDE}/loader"
    plugin = f"{INSIDE}/count.so,out={WORK}/{marks}{',stores=on' * stores}"
    return [loader, "--library-path", INSIDE, f"{INSIDE}/{QEMU}", "-cpu", cpu, "-plugin", plugin, *program]


def _bundle(part: Path) -> None:
    """Copy the emulator, its libraries and the loader that starts them."""
    binary = Path(str(shutil.which(QEMU))).resolve()
    shutil.copy(binary, part / QEMU)
    listing = host.run(["ldd", binary], "ldd")
    for name in re.findall(r"(/\S+) \(0x", listing):
        library = Path(name)
        shutil.copy(library.resolve(), part / ("loader" if library.name.startswith("ld-") else library.name))
    if not (part / "loader").exists():
        raise ArmError(f"{binary} is not dynamically linked, so it takes no plugins: apt-get install qemu-user")


def _header() -> bytes:
    """The plugin header, from a package that ships it or out of the source of the emulator that is installed."""
    shipped = Path("/usr/include") / _HEADER
    if shipped.exists():
        return shipped.read_bytes()
    told = host.run(["dpkg-query", "-W", "-f", "${source:Package} ${source:Version}", "qemu-user"], "dpkg-query")
    source, version = told.split()
    place = cache() / "apt" / "source" / "archives"
    tarball = _tarball(source, version, place)
    if not tarball.exists():
        host.say(f"fetching the source of {source} {version} for its plugin header")
        _fetch(source, version, place)
    names = host.run(["tar", "-tJf", tarball], "tar").splitlines()
    member = next((name for name in names if name.endswith(f"include/qemu/{_HEADER}")), None)
    if member is None:
        raise ArmError(f"{tarball.name} holds no {_HEADER}")
    return host.run(["tar", "-xJOf", tarball, member], "tar").encode()


def _fetch(source: str, version: str, place: Path) -> None:
    """Have apt fetch a source package into ``place``, of the release that is installed here."""
    release = host.release()
    options = apt_options("source", "amd64", f"deb-src {{}} {release} main")
    host.run(["apt-get", *options, "update"], "apt-get update")
    there: list[str | Path] = ["env", "--chdir", place, "apt-get", *options, "source", "--download-only"]
    try:
        host.run([*there, f"{source}={version}"], "apt-get")
    except ArmError:  # another build is installed; the header is the same within an upstream version
        host.run([*there, source], "apt-get")
    if not _tarball(source, version, place).exists():
        raise ArmError(f"Debian {release} has another {source} than {version}: apt-get upgrade qemu-user")


def _tarball(source: str, version: str, place: Path) -> Path:
    """Where the upstream source lies once it is fetched; ``version`` is Debian's, e.g. ``1:7.2+dfsg-7``."""
    upstream = version.rpartition(":")[2].rpartition("-")[0]
    return place / f"{source}_{upstream}.orig.tar.xz"
