"""A disk whose power can be cut: ext4 in a file, mounted through a loop device. It needs root.

The cut is the file system's own: ``FS_IOC_SHUTDOWN`` without flushing the log. From then on nothing reaches the medium, what was only
in memory is gone, and the next mount recovers from the journal, as after a power cut. (What the medium was given without a flush
survives here, while a drive's cache may lose it: ext4 orders flushes for what was synced, so that only unsynced data differ.)
"""

from __future__ import annotations

import fcntl
import os
import subprocess
from pathlib import Path
from shutil import which
from typing import Self

from benchmarks.errors import CaseError, NoInputError

SIZE = 128 * 2**20
"""Of the disk in bytes; a run stops when little is free."""

_SHUTDOWN = 0x8004587D  # FS_IOC_SHUTDOWN, linux/fs.h
_NO_FLUSH = 2  # of the log, EXT4_GOING_FLAGS_NOLOGFLUSH


class Medium:
    """The disk, mounted. Use as a context manager.

    Args:
        image: the file it lives in.
        mount: the folder it is mounted on; made where it is missing.

    Raises:
        NoInputError: this user may not mount, or the tools are missing.
    """

    def __init__(self, image: Path, mount: Path) -> None:
        if os.geteuid() != 0 or which("mkfs.ext4") is None:
            raise NoInputError("cutting the power needs root, loop devices and mkfs.ext4")
        self.mount = mount
        self._image = image
        mount.mkdir(exist_ok=True)
        image.write_bytes(b"")
        os.truncate(image, SIZE)
        _do("mkfs.ext4", "-q", "-F", str(image))
        self._mounted = False
        self.plug_in()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.unplug()

    def plug_in(self) -> None:
        """Mount it; the journal is recovered."""
        _do("mount", "-o", "loop", str(self._image), str(self.mount))
        self._mounted = True

    def cut(self) -> None:
        """Cut the power: from now on nothing reaches the medium."""
        handle = os.open(self.mount, os.O_RDONLY)
        try:
            fcntl.ioctl(handle, _SHUTDOWN, _NO_FLUSH.to_bytes(4, "little"))
        finally:
            os.close(handle)

    def unplug(self) -> None:
        """Unmount it."""
        if self._mounted:
            _do("umount", str(self.mount))
            self._mounted = False


def _do(*command: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603
    if done.returncode:
        raise CaseError(f"{command[0]}: {(done.stderr.strip().splitlines() or ['failed'])[-1]}")
