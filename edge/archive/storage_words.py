"""What storage says when something is wrong, in plain words, and what kind of trouble it is.

File systems of fsspec raise their own libraries' errors (botocore, aiohttp, paramiko, google). They are told apart by the names of
their classes and by the codes of their messages, so that none of these packages has to be imported here.
"""

from __future__ import annotations

import re
import socket
from enum import StrEnum
from typing import Final
from urllib.parse import urlsplit

from edge.errors import ArchiveError, EdgeError, NoInputError

PACKAGE = {
    "s3": "s3fs",
    "s3a": "s3fs",
    "gs": "gcsfs",
    "gcs": "gcsfs",
    "sftp": "paramiko",
    "ssh": "paramiko",
    "http": "aiohttp",
    "https": "aiohttp",
    "abfs": "adlfs",
    "az": "adlfs",
    "smb": "smbprotocol",
    "webdav": "webdav4",
}
"""Protocol to the package that speaks it; none of them comes with this project."""

CREDENTIALS = {
    "s3": "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or ~/.aws; FSSPEC_S3_ANON=true for a public bucket",
    "s3a": "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or ~/.aws; FSSPEC_S3_ANON=true for a public bucket",
    "gs": "GOOGLE_APPLICATION_CREDENTIALS, or gcloud auth application-default login",
    "gcs": "GOOGLE_APPLICATION_CREDENTIALS, or gcloud auth application-default login",
    "sftp": "a key in ~/.ssh or the agent, the user's name in the address (sftp://NAME@HOST/...)",
    "ssh": "a key in ~/.ssh or the agent, the user's name in the address (ssh://NAME@HOST/...)",
}
"""Protocol to where its credentials are looked for."""


TRIES: Final = 4  # of one request, where the other side is away


class NoPermissionError(ArchiveError):
    """A folder, bucket or file may not be read or written. Ask its owner, or give the credentials that may."""


class StorageTrouble(StrEnum):
    """Of which kind an error is: who mends it, and whether trying again helps."""

    GONE = "gone"  # no such file, folder or bucket
    FORBIDDEN = "forbidden"  # this one may not be read or written
    CREDENTIALS = "credentials"  # none, wrong or expired: nothing can be read
    AWAY = "away"  # no connection, no answer in time, or the other side has a defect: try again
    OTHER = "other"


_CREDENTIALS = re.compile(
    r"ExpiredToken|InvalidAccessKeyId|SignatureDoesNotMatch|InvalidToken|TokenRefreshRequired|RequestTimeTooSkewed|"
    r"NoCredentials|PartialCredentials|CredentialRetrieval|DefaultCredentials|RefreshError|AuthenticationException|"
    r"BadHostKey|PasswordRequired|Unable to locate credentials|provided token has expired|Access Key Id you provided|"
    r"request signature we calculated|No authentication methods|PartiallyInitialized",
)
_AWAY_CLASSES = re.compile(
    r"^(?:EndpointConnectionError|ConnectionClosedError|ConnectTimeoutError|ReadTimeoutError|HTTPClientError|"
    r"ClientConnectorError|ClientConnectionError|ClientPayloadError|ServerDisconnectedError|ServerTimeoutError|"
    r"ClientOSError|SSHException|NoValidConnectionsError|FSTimeoutError|ConnectionError|TimeoutError|EOFError|"
    r"IncompleteRead|IncompleteReadError|ContentLengthError|gaierror|herror)$"
)
_AWAY = re.compile(r"SlowDown|ServiceUnavailable|InternalError|RequestTimeout|ThrottlingException|Socket is closed")
_STATUS = {
    401: StorageTrouble.FORBIDDEN,
    403: StorageTrouble.FORBIDDEN,
    404: StorageTrouble.GONE,
    410: StorageTrouble.GONE,
    429: StorageTrouble.AWAY,
}
"""Answers of HTTP; those from 500 on are the other side's."""
_SERVER = 500  # the first status of HTTP that is the server's own fault
_FILE_SYSTEM = (PermissionError, FileNotFoundError, NotADirectoryError, IsADirectoryError)


def trouble(error: BaseException) -> StorageTrouble:
    """Of which kind an error of a file system is; what raised it counts too."""
    chain: list[BaseException] = []
    one: BaseException | None = error
    while one is not None and one not in chain:
        chain.append(one)
        one = one.__cause__ or (None if one.__suppress_context__ else one.__context__)
    names = [kind.__name__ for link in chain for kind in type(link).__mro__]
    said = " ".join([*names, *(str(link) for link in chain)])
    if _CREDENTIALS.search(said):
        return StorageTrouble.CREDENTIALS
    status = getattr(error, "status", None)
    if isinstance(status, int):
        return StorageTrouble.AWAY if status >= _SERVER else _STATUS.get(status, StorageTrouble.OTHER)
    if isinstance(error, PermissionError | FileNotFoundError):
        return StorageTrouble.FORBIDDEN if isinstance(error, PermissionError) else StorageTrouble.GONE
    if any(_AWAY_CLASSES.match(name) for name in names) or _AWAY.search(said):
        return StorageTrouble.AWAY
    if isinstance(error, OSError | socket.timeout) and error.errno is None and not isinstance(error, _FILE_SYSTEM):
        return StorageTrouble.AWAY  # what a closed connection looks like to most of them
    return StorageTrouble.OTHER


def reason(error: BaseException) -> str:
    """One line, without what follows of it; never empty."""
    kind = trouble(error)
    said = {
        StorageTrouble.GONE: "there is no such file or folder",
        StorageTrouble.FORBIDDEN: "no permission",
        StorageTrouble.CREDENTIALS: "no valid credentials",
    }.get(kind)
    if said is not None:
        return said
    text = getattr(error, "strerror", None) or str(error)
    first = next((line.strip() for line in str(text).splitlines() if line.strip()), type(error).__name__)
    return shown_address(first)[:200]


def shown_address(text: str) -> str:
    """An address, or a text that holds one, without passwords and without signatures after a question mark."""
    without = re.sub(r"(\w+://[^\s:/@]*):[^\s/]*@", r"\1@", text)
    return re.sub(r"(\w+://[^\s?]+)\?\S+", r"\1?...", without)


def protocol_of(address: str) -> str:
    """``s3`` of ``s3://...``; empty for a path of this machine."""
    scheme = urlsplit(address).scheme if "://" in address else ""
    return "" if scheme in ("", "file", "local") else scheme.lower()


def storage_error(error: BaseException, where: str, protocol: str) -> EdgeError:
    """What to raise for an error that is of the whole archive or of the results."""
    kind = trouble(error)
    if kind is StorageTrouble.GONE:
        return NoInputError(f"{where}: there is no such file, folder or bucket; check the address")
    if kind is StorageTrouble.FORBIDDEN:
        whose = f"; credentials are looked for in {CREDENTIALS[protocol]}" if protocol in CREDENTIALS else ""
        return NoPermissionError(f"{where}: no permission; ask its owner for it{whose}")
    if kind is StorageTrouble.CREDENTIALS:
        looked = CREDENTIALS.get(protocol, "the settings of its package")
        return ArchiveError(f"{where}: no valid credentials; they are looked for in {looked}")
    if kind is StorageTrouble.AWAY:
        return ArchiveError(
            f"{where}: cannot be reached ({reason(error)}), {TRIES} times; what is finished stays: try again later"
        )
    return ArchiveError(f"{where}: {reason(error)}")
