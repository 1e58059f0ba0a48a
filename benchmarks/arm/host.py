"""What this machine must have. It is checked before anything is built; what is missing is one line that says what to do."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from benchmarks.arm.errors import ArmError
from benchmarks.places import REPOSITORY

MIRROR_VARIABLE = "EDGE_ARM_MIRROR"
_BINFMT = Path("/proc/sys/fs/binfmt_misc")
"""Where the kernel shows which foreign programs it hands to which emulator."""

_FORMATS = Path("/usr/lib/binfmt.d")
"""Where Debian's packages say the same: one file per emulator, to be written to the kernel."""

_TOOLS = {
    "apt-get": "apt",
    "dpkg-deb": "dpkg",
    "setpriv": "util-linux",
    "tar": "tar",
    "unshare": "util-linux",
    "setarch": "util-linux",
    "qemu-aarch64": "qemu-user",
}
"""What every command here needs: program to Debian package."""

_COUNTING = {"gcc": "gcc", "xz": "xz-utils", "ldd": "libc-bin"}
"""What counting needs in addition."""


def say(message: str) -> None:
    """One line of progress on stderr."""
    sys.stderr.write(f"arm: {message}\n")
    sys.stderr.flush()


def run(command: Sequence[str | Path], what: str, *, environment: dict[str, str] | None = None) -> str:
    """Run a tool and return what it prints; raises ArmError with its last line where it fails."""
    try:
        done = subprocess.run(  # noqa: S603 - our own command line
            [str(part) for part in command],
            capture_output=True,
            text=True,
            check=False,
            env={**os.environ, **(environment or {})},
            stdin=subprocess.DEVNULL,
        )
    except OSError as error:
        raise ArmError(f"{what}: {error.strerror or error}") from error
    if done.returncode:
        lines = [line for line in (done.stderr or done.stdout).splitlines() if line.strip()]
        raise ArmError(f"{what} failed: {lines[-1] if lines else f'exit code {done.returncode}'}")
    return done.stdout


def require(*, counting: bool = False) -> None:
    """Check that everything needed is installed.

    Args:
        counting: instructions are to be counted, which needs a compiler as well.

    Raises:
        ArmError: something is not installed; the line names the packages.
    """
    if not sys.platform.startswith("linux"):
        raise ArmError("emulated ARM roots need Linux: run this on a Debian machine, or a real board")
    if not (REPOSITORY / "constraints").is_dir():
        raise ArmError("this needs a checkout of the repository, not an installed package")
    wanted = {**_TOOLS, **(_COUNTING if counting else {})}
    path = os.environ.get("PATH", os.defpath) + ":/usr/sbin:/sbin"
    missing = {package for tool, package in wanted.items() if shutil.which(tool, path=path) is None}
    if not (_FORMATS / "qemu-aarch64.conf").exists():
        missing.add("qemu-user-static")  # after Debian 13: qemu-user-binfmt
    if missing:
        raise ArmError(f"not installed: apt-get install {' '.join(sorted(missing))}")


def emulate(qemu: str) -> None:
    """Make the kernel run foreign programs in QEMU.

    Raises:
        ArmError: it does not, and this process may not change that.
    """
    entry = _BINFMT / qemu
    if not entry.exists() and os.geteuid() == 0:
        if not (_BINFMT / "register").exists():
            run(["mount", "-t", "binfmt_misc", "binfmt_misc", _BINFMT], "mounting binfmt_misc")
        _register(qemu)
    if not entry.exists() or "enabled" not in entry.read_text():
        raise ArmError(f"the kernel does not know {qemu}: as root, cat {_FORMATS}/{qemu}.conf > {_BINFMT}/register")
    flags = next((line for line in entry.read_text().splitlines() if line.startswith("flags:")), "")
    if "F" not in flags.removeprefix("flags:"):
        raise ArmError(f"{qemu} is registered without the fixed flag: apt-get install qemu-user-static")


def _register(qemu: str) -> None:
    """Tell the kernel of an emulator, as systemd does when a machine starts; a container has to do it itself."""
    try:
        (_BINFMT / "register").write_text((_FORMATS / f"{qemu}.conf").read_text().strip())
    except OSError as error:
        raise ArmError(f"the kernel does not take {qemu}: {error.strerror or error}") from error


def namespace() -> list[str]:
    """The command that gives what follows its own mounts and processes, gone when it ends however it ends.

    Raises:
        ArmError: this is not root, and the kernel allows no user namespaces.
    """
    command = ["unshare", "--mount", "--propagation", "private", "--pid", "--fork", "--kill-child"]
    if os.geteuid() != 0:
        command[1:1] = ["--user", "--map-root-user"]
        try:
            run([*command, "true"], "unshare")
        except ArmError as error:
            raise ArmError(
                "mounting needs root, or a kernel that allows user namespaces: run this with sudo"
            ) from error
    return command


def archive() -> tuple[str, str | None]:
    """Where Debian packages come from, by this machine's own apt configuration: address and keyring, None for apt's own.

    Raises:
        ArmError: apt knows no Debian archive.
    """
    own = os.environ.get(MIRROR_VARIABLE)
    keyring = Path("/usr/share/keyrings/debian-archive-keyring.gpg")
    key = str(keyring) if keyring.exists() else None
    if own:
        return own, key
    form = "$(REPO_URI) $(COMPONENT) $(LABEL)"
    for line in run(["apt-get", "indextargets", "--format", form, "Identifier: Packages"], "apt-get").splitlines():
        words = line.split()
        if words[1:] == ["main", "Debian"]:
            return words[0], key
    raise ArmError(f"apt knows no Debian archive here (apt-get update?): set {MIRROR_VARIABLE} to the address of one")


def release() -> str:
    """Debian's name of the release installed here; raises ArmError where it is not Debian."""
    fields = dict(line.split("=", 1) for line in Path("/etc/os-release").read_text().splitlines() if "=" in line)
    name = fields.get("VERSION_CODENAME", "").strip('"')
    if fields.get("ID", "").strip('"') not in ("debian", "raspbian") or not name:
        raise ArmError("counting needs the source of this machine's QEMU, which is fetched on Debian only")
    return name
