"""A real Mosquitto of our own, on a free port of the loopback, which can be stopped, killed, held and started again."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from benchmarks.network.certificates import CertificateFiles
from edge.network.records import BrokerAddress

_HOST = "127.0.0.1"
_STARTS_S = 10.0  # seconds until it listens
_LOOK_S = 0.02  # seconds between two looks whether it does
_PORTS = 5  # free ports that are tried, in case that somebody else takes one meanwhile


@dataclass(frozen=True, slots=True)
class BrokerOptions:
    """How the broker is set up.

    Attributes:
        persistence: sessions and retained messages outlive an orderly stop.
        saved_after: with persistence, changes after which they are saved at once, so that they outlive a kill too; 0: only when it
            is stopped in good order.
        users: names and passwords that it lets in; empty: anybody.
        certificates: it speaks TLS with these; None: it does not.
        clients_certified: it wants a certificate of each client.
        lines: of its configuration file, as they are.
    """

    persistence: bool = False
    saved_after: int = 0
    users: tuple[tuple[str, str], ...] = ()
    certificates: CertificateFiles | None = None
    clients_certified: bool = False
    lines: tuple[str, ...] = ()


def mosquitto_missing() -> str:
    """Why there can be no broker here; empty: there can."""
    missing = [name for name in ("mosquitto", "mosquitto_passwd", "setpriv") if _program(name) is None]
    return f"no {missing[0]}" if missing else ""


class Mosquitto:
    """A broker in a process of its own. It dies with the thread that started it, whatever ends that one.

    Used as a context manager it is running inside, and its process has ended after it.

    Args:
        folder: for its files; made where it is not there. One with an earlier broker's files goes on with what that one saved.
        options: how it is set up.
    """

    def __init__(self, folder: Path, options: BrokerOptions | None = None) -> None:
        self._folder = folder
        self._options = options or BrokerOptions()
        self._process: subprocess.Popen[bytes] | None = None
        self.port = 0

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _where: TracebackType | None
    ) -> None:
        self.kill()

    @property
    def url(self) -> str:
        """As ``--mqtt`` takes it, without a user."""
        scheme, host = ("mqtt", _HOST) if self._options.certificates is None else ("mqtts", "localhost")
        return f"{scheme}://{host}:{self.port}"

    @property
    def address(self) -> BrokerAddress:
        """Where it is, with its first user and its authority, where it has them."""
        given = self._options
        user, password = given.users[0] if given.users else ("", "")
        files = given.certificates
        if files is None:
            return BrokerAddress(_HOST, self.port, user=user, password=password)
        own = (str(files.client), str(files.client_key)) if given.clients_certified else (None, None)
        return BrokerAddress("localhost", self.port, True, user, password, str(files.ca), *own)

    @property
    def log(self) -> str:
        """What it has written since its first start."""
        path = self._folder / "mosquitto.log"
        return path.read_text(errors="replace") if path.exists() else ""

    @property
    def running(self) -> bool:
        """Whether its process is there."""
        return self._process is not None and self._process.poll() is None

    def start(self) -> None:
        """Start it, again at the port that it had; returns once it listens. Raises RuntimeError where it does not."""
        if self.running:
            return
        self._folder.mkdir(parents=True, exist_ok=True)
        again = self.port
        for _ in range(_PORTS):
            self.port = again or _free_port()
            if self._started():
                return
        raise RuntimeError(f"mosquitto does not start: {self.log[-500:]}")

    def stop(self) -> None:
        """End it in good order: it saves what it is to save, and says good-bye to nobody."""
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """End it at once (SIGKILL)."""
        self._end(signal.SIGKILL)

    def hold(self) -> None:
        """Halt it: connections are accepted by the kernel, and nothing answers."""
        self._signal(signal.SIGSTOP)

    def go_on(self) -> None:
        """Let it run after ``hold``."""
        self._signal(signal.SIGCONT)

    def _signal(self, number: signal.Signals) -> None:
        if self._process is not None and self.running:
            self._process.send_signal(number)

    def _end(self, number: signal.Signals) -> None:
        process = self._process
        if process is None:
            return
        self._signal(number)
        self._signal(signal.SIGCONT)
        try:
            process.wait(_STARTS_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        self._process = None

    def _started(self) -> bool:
        config = self._folder / "mosquitto.conf"
        config.write_text("\n".join(self._config()) + "\n")
        # "dies with its parent": neither a killed test nor a killed measurement leaves a broker behind
        command = [str(_program("setpriv")), "--pdeathsig", "KILL", str(_program("mosquitto")), "-c", str(config)]
        with (self._folder / "mosquitto.log").open("ab") as log:
            self._process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)  # noqa: S603
        until = time.monotonic() + _STARTS_S
        while self._process.poll() is None and time.monotonic() < until:
            try:
                socket.create_connection((_HOST, self.port), 1).close()
            except OSError:
                time.sleep(_LOOK_S)
            else:
                return self._process.poll() is None
        self.kill()
        return False

    def _config(self) -> list[str]:
        given, folder = self._options, self._folder
        lines = [f"listener {self.port} {_HOST}", "log_dest stderr", "log_type all", "connection_messages true"]
        if os.geteuid() == 0:
            lines.append("user root")  # else it becomes the user mosquitto, who cannot write here
        if given.persistence:
            lines += ["persistence true", f"persistence_location {folder}/"]
            if given.saved_after:
                lines += ["autosave_on_changes true", f"autosave_interval {given.saved_after}"]
        if given.users:
            lines += [f"password_file {self._password_file()}"]
        lines.append(f"allow_anonymous {'false' if given.users else 'true'}")
        if (files := given.certificates) is not None:
            lines += [f"cafile {files.ca}", f"certfile {files.server}", f"keyfile {files.server_key}"]
            lines += [f"require_certificate {'true' if given.clients_certified else 'false'}"]
        return [*lines, *given.lines]

    def _password_file(self) -> Path:
        path = self._folder / "passwords"
        path.write_text("")
        path.chmod(0o600)
        for user in self._options.users:  # -U would end a password at its first colon
            subprocess.run([str(_program("mosquitto_passwd")), "-b", str(path), *user], check=True, capture_output=True)  # noqa: S603
        return path


def _program(name: str) -> str | None:
    """Where a program is; daemons lie in folders that PATH may not have."""
    return shutil.which(name, path=f"{os.environ.get('PATH', '')}:/usr/local/sbin:/usr/sbin:/sbin")


def _free_port() -> int:
    with socket.socket() as one:
        one.bind((_HOST, 0))
        return int(one.getsockname()[1])
