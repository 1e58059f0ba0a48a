"""Work on unknown models happens in a child process: with bounded memory and time, without a network, and it may crash.

The parent starts ``python -m convert.child`` and exchanges JSON lines with it over two pipes; arrays and files go through
paths. Nothing that comes back is executed or unpickled.
"""

from __future__ import annotations

import contextlib
import ctypes
import importlib
import json
import os
import resource
import selectors
import signal
import subprocess
import sys
import tempfile
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import IO, Any

from convert.errors import KNOWN, EdgeError, LimitError, ModelError
from convert.scratch import environment, scratch

Progress = Callable[[str, float], None]
"""Called with what is being done and how far it is, 0..1. Negative: nobody can tell; below -1, the seconds that it usually takes."""

MEMORY_MB = 8192  # MiB of address space that a child may take
SECONDS = 600  # of processor time
_WALL = 4  # how many times as long it may take by the clock on the wall
_INSIDE = "EDGE_CONVERT_CHILD"  # the environment variable that says so
_MAX_MESSAGE = 256 * 2**20  # bytes of an answer
_GRACE = 5.0  # seconds that a child has to end
_TAIL = 8000  # bytes of its log that a crash is explained by
_OUT_OF_MEMORY = ("bad_alloc", "MemoryError", "Cannot allocate memory", "out of memory", "OOM")


def run_in_child(
    function: str,
    payload: dict[str, Any],
    *,
    memory_mb: int = MEMORY_MB,
    seconds: float = SECONDS,
    progress: Progress | None = None,
    verbose: bool = False,
) -> Any:
    """Run ``function`` in a child process and return its result.

    Args:
        function: "module:name", as "convert.reading.load:describe". It takes the payload, or, where it has
            a second parameter, the payload and a ``Progress`` to call.
        payload: plain values (JSON).
        memory_mb: address space the child may take, in MiB. TensorFlow alone takes about 2,500.
        seconds: processor time of all its cores, and four times that on the wall.
        progress: called here for every report of the child.
        verbose: let TensorFlow's log through.

    Returns:
        plain values (JSON).

    Raises:
        EdgeError: what the child raised, as the same class; LimitError for time and memory; ModelError for a crash.
    """
    package, name = function.split(":")
    request = json.dumps([package, name, payload, memory_mb, seconds])
    own_end, child_end = os.pipe()
    with (
        tempfile.TemporaryFile() as log,
        scratch() as folder,
        open(own_end, "rb", buffering=0) as answers,  # noqa: PTH123 - a descriptor
    ):
        try:
            child = subprocess.Popen(  # noqa: S603 - this interpreter, this module
                [sys.executable, "-P", "-m", "convert.child", str(child_end)],
                stdin=subprocess.PIPE,
                stdout=None if verbose else log,
                stderr=None if verbose else log,
                pass_fds=(child_end,),
                env=_environment(verbose=verbose) | environment(folder),  # a killed child clears nothing up
                start_new_session=True,
            )
        finally:
            os.close(child_end)
        try:
            with contextlib.suppress(BrokenPipeError):
                _send(child, request)
            message = _listen(answers, time.monotonic() + _WALL * seconds, progress)
            child.wait(timeout=_GRACE)
        except subprocess.TimeoutExpired:
            message = message or {}
        finally:
            _end(child)
        if message is None or not message.keys() & {"result", "error"}:
            text = _tail(log)
            crash = _crash(child.returncode, text, memory_mb, seconds)
            crash.add_note(text)
            raise crash
    if "error" in message:
        raise _failure(str(message["error"]), str(message["text"]), str(message.get("trace", "")))
    return message["result"]


def inside() -> bool:
    """Whether this process is such a child already."""
    return _INSIDE in os.environ


def _send(child: subprocess.Popen[bytes], request: str) -> None:
    if child.stdin is not None:
        with child.stdin as stream:
            stream.write(request.encode())


def _listen(answers: IO[bytes], deadline: float, progress: Progress | None) -> dict[str, Any] | None:
    """Read reports until the result, an error or the end (None)."""
    pending = b""
    with selectors.DefaultSelector() as selector:
        selector.register(answers, selectors.EVENT_READ)
        while True:
            left = deadline - time.monotonic()
            if left <= 0 or not selector.select(left):
                raise LimitError("stopped: it took too long. Use a smaller model or fewer cells")
            block = answers.read(2**20)
            if not block:
                return None
            pending += block
            if len(pending) > _MAX_MESSAGE:
                raise ModelError("stopped: the work on this model gave an answer too large to be true")
            *lines, pending = pending.split(b"\n")
            for line in lines:
                message = _parsed(line)
                if "at" in message:
                    if progress is not None:
                        progress(str(message["doing"]), float(message["at"]))
                    continue
                return message


def _parsed(line: bytes) -> dict[str, Any]:
    try:
        message = json.loads(line)
    except ValueError:
        message = None
    if not isinstance(message, dict):
        raise ModelError("stopped: the work on this model gave an answer that makes no sense")
    return message


def _end(child: subprocess.Popen[bytes]) -> None:
    """Kill the child and all it started."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(child.pid, signal.SIGKILL)
    with contextlib.suppress(subprocess.TimeoutExpired):
        child.wait(timeout=_GRACE)


def _failure(name: str, text: str, trace: str) -> Exception:
    """What the child raised, as the same class; a defect of this program where that is none of ``KNOWN``."""
    error = KNOWN[name](text) if name in KNOWN else RuntimeError(f"{name}: {text}")
    error.add_note(trace)
    return error


def _crash(code: int | None, text: str, memory_mb: int, seconds: float) -> EdgeError:
    if code == -signal.SIGXCPU:
        return LimitError(f"stopped: it took more than {seconds:.0f} s of processor time. Use a smaller model")
    if code == -signal.SIGKILL or any(words in text for words in _OUT_OF_MEMORY):
        return LimitError(_no_memory(memory_mb))
    if code is not None and code < 0:
        name = signal.Signals(-code).name
        return ModelError(f"reading this model crashed ({name}): it is damaged, or made to; nothing was written")
    return ModelError(f"the work on this model ended without a result (exit code {code}); nothing was written")


def _no_memory(limit_mb: int) -> str:
    return f"stopped: out of memory (limit {limit_mb} MiB). Use a smaller model"


def _tail(log: IO[bytes]) -> str:
    log.seek(0, os.SEEK_END)
    log.seek(max(0, log.tell() - _TAIL))
    return log.read().decode("utf-8", "replace")


def _environment(*, verbose: bool) -> dict[str, str]:
    env = {
        **os.environ,
        "CUDA_VISIBLE_DEVICES": "-1",
        "KERAS_BACKEND": "tensorflow",
        "PYTHONUNBUFFERED": "1",
        _INSIDE: "1",
    }
    env["PYTHONPATH"] = os.pathsep.join(path or str(Path.cwd()) for path in sys.path)
    env.setdefault("TF_CPP_MIN_LOG_LEVEL", "0" if verbose else "3")
    env.setdefault("TF_ENABLE_ONEDNN_OPTS", "0")  # the same bytes on every processor
    return env


def main(descriptor: int) -> None:
    """The child's side: read the request from stdin, work, answer on ``descriptor``."""
    package, name, payload, memory_mb, seconds = json.loads(sys.stdin.buffer.read())
    with os.fdopen(descriptor, "wb", buffering=0) as answers:

        def say(**message: Any) -> None:
            line = memoryview(json.dumps(message).encode() + b"\n")
            while line:
                line = line[answers.write(line) or 0 :]

        try:
            _confine(int(memory_mb), float(seconds))
            function = getattr(importlib.import_module(package), name)
            takes = function.__code__.co_argcount
            report = (lambda doing, at=-1.0: say(doing=doing, at=at),) if takes > 1 else ()
            say(result=function(payload, *report))
        except EdgeError as error:
            kind = next((k for k in type(error).__mro__ if k.__name__ in KNOWN), ModelError)
            say(error=kind.__name__, text=str(error), trace=traceback.format_exc())
        except Exception as error:  # noqa: BLE001 - everything must reach the parent
            name = type(error).__name__
            if name in ("MemoryError", "ResourceExhaustedError"):
                say(error="LimitError", text=_no_memory(memory_mb))
            else:
                say(error=name, text=str(error).split("\n", 1)[0][:500], trace=traceback.format_exc())
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)  # TensorFlow may hang or crash while it ends, and the answer is sent


def _confine(memory_mb: int, seconds: float) -> None:
    """Bound memory and time, cut the network, and die with the parent."""
    size = memory_mb * 2**20
    resource.setrlimit(resource.RLIMIT_AS, (size, size))
    whole = max(1, int(seconds))
    resource.setrlimit(resource.RLIMIT_CPU, (whole, whole + 5))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    libc = ctypes.CDLL(None, use_errno=True)
    with contextlib.suppress(AttributeError):
        libc.prctl(1, signal.SIGKILL, 0, 0, 0)  # PR_SET_PDEATHSIG
        libc.unshare(0x40000000)  # CLONE_NEWNET: where it is not permitted, the hook below must do
    sys.addaudithook(_no_network)


def _no_network(event: str, _arguments: tuple[Any, ...]) -> None:
    if event in ("socket.connect", "socket.bind", "socket.getaddrinfo", "socket.sendto", "socket.gethostbyname"):
        raise PermissionError("no network here: a model has no business with it")


if __name__ == "__main__":
    main(int(sys.argv[1]))
