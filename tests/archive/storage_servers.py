"""Child process: servers of storage for tests, on ports that the system chooses; they end with their standard input.

    python -m tests.archive.storage_servers FOLDER      # prints one line of JSON: name of a server to its port

``s3``: moto's; ``forbidden`` and ``wrong_key``: S3 that refuses all; ``sftp``: asyncssh's, its root is FOLDER, for user me with
password secret; ``web``: FOLDER by Python's own server.
"""

from __future__ import annotations

import asyncio
import functools
import http.server
import json
import sys
import threading
from typing import Any

import asyncssh
from moto.server import ThreadedMotoServer

_REFUSAL = '<?xml version="1.0"?><Error><Code>{code}</Code><Message>{code}: said by a test</Message></Error>'


class _Web(http.server.SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its name there
        """Say nothing."""


class _Refusing(http.server.BaseHTTPRequestHandler):
    """S3 that answers everything with one refusal."""

    code = ""

    def do_GET(self) -> None:
        body = _REFUSAL.format(code=self.code).encode()
        self.send_response(403)
        self.send_header("Content-Type", "application/xml")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    do_HEAD = do_GET  # noqa: N815 - its name there

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its name there
        """Say nothing."""


def serve_web(handler: Any) -> int:
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return int(server.server_address[1])


class _Door(asyncssh.SSHServer):  # type: ignore[misc]
    def begin_auth(self, username: str) -> bool:
        return True

    def password_auth_supported(self) -> bool:
        return True

    def validate_password(self, username: str, password: str) -> bool:
        return (username, password) == ("me", "secret")


def serve_sftp(folder: str) -> int:
    loop = asyncio.new_event_loop()

    async def begin() -> int:
        server = await asyncssh.listen(
            "127.0.0.1",
            0,
            server_factory=_Door,
            server_host_keys=[asyncssh.generate_private_key("ssh-ed25519")],
            sftp_factory=functools.partial(asyncssh.SFTPServer, chroot=folder.encode()),
        )
        return int(server.get_port())

    threading.Thread(target=loop.run_forever, daemon=True).start()
    return asyncio.run_coroutine_threadsafe(begin(), loop).result(30)


def main() -> None:
    """Serve until standard input ends."""
    folder = sys.argv[1]
    s3 = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    s3.start()
    ports = {
        "s3": s3.get_host_and_port()[1],
        "forbidden": serve_web(type("_Forbidden", (_Refusing,), {"code": "AccessDenied"})),
        "wrong_key": serve_web(type("_WrongKey", (_Refusing,), {"code": "InvalidAccessKeyId"})),
        "sftp": serve_sftp(folder),
        "web": serve_web(functools.partial(_Web, directory=folder)),
    }
    sys.stdout.write(json.dumps(ports) + "\n")
    sys.stdout.flush()
    sys.stdin.read()


if __name__ == "__main__":
    main()
