"""Building a root: Debian packages fetched by this machine's apt and unpacked, not configured; wheels by this machine's pip.

Nothing is run in the root while it is built, so that it takes seconds rather than the minutes of ``debootstrap``'s second stage.
A build that was stopped is not used: its packages and wheels stay downloaded, the rest is done again.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from importlib.util import find_spec
from pathlib import Path

from benchmarks.arm import host
from benchmarks.arm.errors import ArmError
from benchmarks.arm.roots import Root, cache

PLACES = ("proc", "sys", "dev", "tmp", "repo", "work", "opt/qemu")
"""Folders of a root on which others are mounted."""

_RECIPE = 4  # to be raised when what is done here changes
_STAMP = ".recipe"
_CORES = "0-3"
_UNPACK = 'dpkg-deb --fsys-tarfile "$1" | tar --extract --keep-directory-symlink --directory "$2"'


def build(root: Root) -> Path:
    """Return the root; build it where it is missing or its recipe has changed.

    Raises:
        ArmError: it cannot be built; the line says why.
    """
    stamp = recipe(root)
    if _stamp_of(root.place) == stamp:
        return root.place
    host.require()
    with _locked():
        if _stamp_of(root.place) == stamp:  # another process was building it
            return root.place
        part = root.place.with_name(f"{root.name}.part")
        shutil.rmtree(part, ignore_errors=True)
        part.mkdir(parents=True)
        _debian(root, part)
        _wheels(root, part)
        _finish(part)
        (part / _STAMP).write_text(stamp)
        shutil.rmtree(root.place, ignore_errors=True)
        part.rename(root.place)
        host.say(f"{root.name}: built")
    return root.place


def recipe(root: Root) -> str:
    """What the root is built from, as a hash."""
    plan = {"recipe": _RECIPE, "root": asdict(root), "pinned": root.pinned()}
    return hashlib.sha256(json.dumps(plan, sort_keys=True).encode()).hexdigest()


def apt_options(name: str, architecture: str, line: str) -> list[str]:
    """Options that make apt work for another machine, in folders of its own, with one line of sources.

    Args:
        name: folder in the cache.
        architecture: Debian's name of the machine.
        line: e.g. ``deb {} bookworm main``; ``{}`` becomes the archive's address.
    """
    state = cache() / "apt" / name
    for folder in ("lists/partial", "archives/partial"):
        (state / folder).mkdir(parents=True, exist_ok=True)
    (state / "status").touch()
    address, key = host.archive()
    kind, rest = line.format(address).split(" ", 1)
    (state / "sources.list").write_text(f"{kind} [signed-by={key}] {rest}\n" if key else f"{kind} {rest}\n")
    settings = {
        "Dir::State": state,
        "Dir::State::status": state / "status",
        "Dir::State::lists": state / "lists",
        "Dir::Cache": state,
        "Dir::Cache::archives": state / "archives",
        "Dir::Etc::sourcelist": state / "sources.list",
        "Dir::Etc::sourceparts": "/dev/null",
        "APT::Architecture": architecture,
        "APT::Architectures": architecture,
        "APT::Install-Recommends": "false",
        "APT::Get::List-Cleanup": "false",
        "APT::Sandbox::User": "",
        "APT::Update::Post-Invoke": "true",
        "Acquire::Retries": "3",
        "Acquire::Languages": "none",
        "Debug::NoLocking": "true",
    }
    options = ["-q"]
    for key_name, value in settings.items():
        options += ["-o", f"{key_name}={value}"]
    return options


def _debian(root: Root, part: Path) -> None:
    options = apt_options(root.name, root.architecture, f"deb {{}} {root.suite} main")
    host.say(f"{root.name}: reading the list of Debian {root.suite} {root.architecture}")
    host.run(["apt-get", *options, "update"], f"{root.name}: apt-get update")
    wanted = ["install", "--yes", *root.debian]
    plan = host.run(["apt-get", *options, "--simulate", *wanted], f"{root.name}: apt-get")
    count = sum(line.startswith("Inst ") for line in plan.splitlines())
    host.say(f"{root.name}: fetching {count} Debian packages")
    archives = cache() / "apt" / root.name / "archives"
    host.run(["apt-get", *options, "--download-only", *wanted], f"{root.name}: apt-get")
    for folder in ("bin", "lib", "sbin"):  # Debian's merged /usr, which older packages do not bring along
        (part / "usr" / folder).mkdir(parents=True)
        (part / folder).symlink_to(f"usr/{folder}")
    host.say(f"{root.name}: unpacking them")
    for package in _planned(plan, archives):
        host.run(["sh", "-c", _UNPACK, "sh", package, part], f"{root.name}: unpacking {package.name}")


def _planned(plan: str, archives: Path) -> list[Path]:
    """The downloaded files of what apt planned to install: ``Inst NAME (VERSION RELEASE [ARCHITECTURE])`` each."""
    names = [line.split()[1] for line in plan.splitlines() if line.startswith("Inst ")]
    files: dict[str, list[Path]] = {}
    for path in archives.glob("*.deb"):
        files.setdefault(path.name.split("_")[0], []).append(path)
    missing = [name for name in names if name not in files]
    if missing:
        raise ArmError(f"apt-get did not fetch {', '.join(missing)}: is the disk full?")
    return [max(files[name], key=lambda path: path.stat().st_mtime) for name in names]


def _wheels(root: Root, part: Path) -> None:
    if find_spec("pip") is None:
        raise ArmError(f"{sys.executable} has no pip: python3 -m ensurepip, or apt-get install python3-pip")
    pinned = root.pinned()
    host.say(f"{root.name}: fetching {len(pinned)} wheels")
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-input"]
    command += ["--no-compile", "--no-deps", "--only-binary", ":all:", "--implementation", "cp"]
    command += ["--python-version", root.python, "--target", str(part / root.site)]
    for platform in root.platforms():
        command += ["--platform", platform]
    host.run([*command, *pinned], f"{root.name}: pip")


def _finish(part: Path) -> None:
    for place in PLACES:
        (part / place).mkdir(parents=True, exist_ok=True)
    # What is linked when packages are configured; these are all that the runner and its tests need.
    shell = part / "usr/bin/sh"
    if not shell.is_symlink():
        shell.parent.mkdir(parents=True, exist_ok=True)
        shell.symlink_to("dash")
    for library in part.glob("usr/lib/*/*/lib*.so.3"):
        if library.parent.name in ("blas", "lapack") and not (library.parents[1] / library.name).exists():
            (library.parents[1] / library.name).symlink_to(f"{library.parent.name}/{library.name}")
    cores = part / "opt/sys/devices/system/cpu"  # four cores as on a board, whatever this machine has
    cores.mkdir(parents=True)
    for name in ("possible", "present", "online"):
        (cores / name).write_text(f"{_CORES}\n")
    (cores / "kernel_max").write_text("3\n")


def _stamp_of(place: Path) -> str | None:
    try:
        return (place / _STAMP).read_text()
    except OSError:
        return None


@contextmanager
def _locked() -> Iterator[None]:
    """One build at a time."""
    try:
        cache().mkdir(parents=True, exist_ok=True)
        lock = (cache() / "lock").open("w")
    except OSError as error:
        raise ArmError(f"{cache()}: {error.strerror}: set EDGE_ARM_CACHE to a folder that can be written") from error
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            host.say("waiting for another build")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield
