"""The program under test, imported once: each line on stdin is a run, done by a forked process.

``benchmarks.faults.nursery`` is its parent. Lines are JSON. In: a ``Job``, then, while it is stopped, ``go`` or ``kill``. Out: a
``State`` each time the run is stopped or has ended.
"""

from __future__ import annotations

import contextlib
import ctypes
import io
import json
import os
import pkgutil
import resource
import signal
import sys
import threading
import time
import traceback
from typing import Any

WARM = ("edge.cli.counting", "edge.report.output", "edge.finders.learned", "edge.finders.classical", "edge.review.desk")
"""Imported before the first run: what ``edge-run`` imports late, and what a reader answers through."""

_POLL_S = 0.0005
"""How often a run that is to be disturbed at a moment of the clock is looked at."""


def main() -> None:
    """Serve until stdin ends."""
    _warm()
    shim: Any = ctypes.CDLL(None)
    shim.faults_count.restype = ctypes.c_long
    shim.faults_call.restype = ctypes.c_char_p
    _tell({})
    for line in sys.stdin:
        job = json.loads(line)
        shim.faults_reset()
        sys.stdout.flush()
        pid = os.fork()
        if pid == 0:
            _run(job, shim)
        _watch(pid, job, shim)


def _warm() -> None:
    """Import what a run imports, and what reading its command line brings."""
    for name in WARM:
        pkgutil.resolve_name(name)
    sys.argv = ["edge-run", "--simulate", "--show-config"]
    with contextlib.redirect_stdout(io.StringIO()), contextlib.suppress(SystemExit):
        pkgutil.resolve_name("edge.cli:run_main")()


def _run(job: dict[str, Any], shim: Any) -> None:
    """The forked process: become the program. Does not return."""
    code = 1
    try:
        os.setsid()
        for number, name in ((1, job["stdout"]), (2, job["stderr"])):
            handle = os.open(name, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
            os.dup2(handle, number)
            os.close(handle)
        nothing = os.open(os.devnull, os.O_RDONLY)
        os.dup2(nothing, 0)
        if job["largest"] is not None:
            resource.setrlimit(resource.RLIMIT_FSIZE, (job["largest"], job["largest"]))
        os.chdir(job["folder"])
        sys.argv = [job["program"], *job["arguments"]]
        main_function = pkgutil.resolve_name(job["entry"])
        shim.faults_arm(job["under"].encode(), job["at"], job["action"], job["error"], job["kinds"])
        main_function()
        code = 0
    except SystemExit as error:
        code = error.code if isinstance(error.code, int) else int(error.code is not None)
    except BaseException:  # noqa: BLE001 - a fork must never come back into the parent's code
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def _watch(pid: int, job: dict[str, Any], shim: Any) -> None:
    """Tell what becomes of the run until it has ended."""
    timer = None
    if job["after_s"] is not None:
        timer = threading.Thread(target=_disturb, args=(pid, job["after_s"], job["action"]), daemon=True)
        timer.start()
    while True:
        _, status = os.waitpid(pid, os.WUNTRACED)
        state: dict[str, Any] = {"calls": shim.faults_count(), "call": shim.faults_call().decode(errors="replace")}
        if os.WIFSTOPPED(status):
            _tell({"stopped": True, "code": None, "pid": pid, **state})
            os.kill(pid, signal.SIGCONT if sys.stdin.readline().strip() == "go" else signal.SIGKILL)
            continue
        code = os.waitstatus_to_exitcode(status)
        if timer is not None:
            timer.join()
        _tell({"stopped": False, "code": code, "pid": pid, **state})
        return


def _tell(state: dict[str, Any]) -> None:
    sys.stdout.write(f"{json.dumps(state)}\n")
    sys.stdout.flush()


def _disturb(pid: int, after_s: float, action: int) -> None:
    """Kill or stop the run after some time; it may have ended."""
    until = time.monotonic() + after_s
    while time.monotonic() < until:
        time.sleep(min(_POLL_S, max(0.0, until - time.monotonic())))
        try:
            if os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT):
                return
        except ChildProcessError:
            return
    try:
        os.kill(pid, signal.SIGKILL if action == 1 else signal.SIGSTOP)
    except ProcessLookupError:
        return


if __name__ == "__main__":
    main()
