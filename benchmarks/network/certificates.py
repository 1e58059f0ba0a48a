"""Certificates for a broker of our own: an authority, a server and a client, made by openssl. Valid for two days."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from pathlib import Path

_DAYS = "2"  # that a certificate is valid


@dataclass(frozen=True, slots=True)
class CertificateFiles:
    """Files in PEM: of the authority, of the server, and of a client, each with its key."""

    ca: Path
    server: Path
    server_key: Path
    client: Path
    client_key: Path


def make_certificates(folder: Path, host: str = "localhost", client: str = "bench-3") -> CertificateFiles:
    """Make an authority, and a server and a client that it vouches for.

    Args:
        folder: where the files come; it is made.
        host: the name that the server's certificate is for; ``localhost`` is for 127.0.0.1 and ::1 too.
        client: name in the client's certificate.

    Raises:
        FileNotFoundError: there is no openssl.
        CalledProcessError: it refused.
    """
    folder.mkdir(parents=True, exist_ok=True)
    names = f"DNS:{host}" + ",IP:127.0.0.1,IP:::1" * (host == "localhost")
    files = CertificateFiles(
        *(folder / name for name in ("ca.pem", "server.pem", "server.key", "client.pem", "client.key"))
    )
    ca_key = folder / "ca.key"
    _openssl(
        "req",
        "-x509",
        *_new("the authority of a test", ca_key),
        "-out",
        files.ca,
        "-addext",
        "basicConstraints=critical,CA:TRUE",
    )
    for certificate, key, subject, extension in (
        (files.server, files.server_key, host, f"subjectAltName={names}"),
        (files.client, files.client_key, client, "extendedKeyUsage=clientAuth"),
    ):
        signed = (
            "-CA",
            files.ca,
            "-CAkey",
            ca_key,
            "-addext",
            extension,
            "-addext",
            "basicConstraints=critical,CA:FALSE",
        )
        _openssl("req", "-x509", *_new(subject, key), *signed, "-out", certificate)
    return files


def _new(subject: str, key: Path) -> tuple[str | Path, ...]:
    kind = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")
    return (*kind, "-days", _DAYS, "-subj", f"/CN={subject}", "-keyout", key)


def _openssl(*words: str | Path) -> None:
    subprocess.run(["openssl", *words], check=True, capture_output=True)  # noqa: S603, S607 - our own words; found by PATH
