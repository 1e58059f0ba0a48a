"""What the child process is told to do in its tests."""

from __future__ import annotations

import ctypes
import os
import socket
import sys
import time
from typing import Any

from convert.errors import GateError, UntrustedError


def echo(payload: dict[str, Any], progress: Any) -> dict[str, Any]:
    for step in range(3):
        progress(f"step {step}", step / 2)
    sys.stdout.write("noise\n")
    sys.stderr.write("more noise\n")
    return {"got": payload, "long": "x" * 3_000_000}


def refuse(payload: dict[str, Any]) -> None:
    raise UntrustedError(f"layer {payload['layer']!r}: refused")


def gate(_payload: dict[str, Any]) -> None:
    raise GateError("lost 3 points")


def defect(_payload: dict[str, Any]) -> None:
    raise KeyError("gone")


def segfault(_payload: dict[str, Any]) -> None:
    ctypes.string_at(0)


def kill_itself(_payload: dict[str, Any]) -> None:
    os.kill(os.getpid(), 9)


def leave(_payload: dict[str, Any]) -> None:
    os._exit(3)


def eat(_payload: dict[str, Any]) -> int:
    return len(bytearray(2**32))


def spin(_payload: dict[str, Any]) -> None:
    while True:
        pass


def sleep(payload: dict[str, Any]) -> None:
    with open(payload["pid"], "w") as file:  # noqa: PTH123
        file.write(str(os.getpid()))
    time.sleep(60)


def call_home(_payload: dict[str, Any]) -> str:
    try:
        socket.create_connection(("127.0.0.1", 9), timeout=1)
    except PermissionError:
        return "refused"
    return "connected"


def lie(_payload: dict[str, Any]) -> object:
    return object()


def babble(_payload: dict[str, Any]) -> None:
    descriptor = int(sys.argv[1])
    os.write(descriptor, b"this is no JSON\n")
    time.sleep(1)


def fill(payload: dict[str, Any]) -> None:
    """Work with files without end."""
    from convert.scratch import scratch

    with scratch() as folder:
        (folder / "first").write_text("data")
        with open(payload["pid"], "w") as file:  # noqa: PTH123
            file.write(str(os.getpid()))
        for i in range(100_000):
            (folder / str(i)).write_text("data")
            time.sleep(0.01)
