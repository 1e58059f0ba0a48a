"""A list of addresses as an archive: a text file, one http(s) address a line. The folder part of an address is its sample.

The list may be a file here (``fields.txt``) or on a web server; there, a line may be relative to it. A sample is called by its
folder: the path below the list's own folder where it lies there, else ``host/path``, so that a line added to the list renames no
sample. Web servers list nothing, so sizes and times of change are not known: a changed file behind the same address is not noticed.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote, urljoin, urlsplit

from edge.archive.records import ArchivedFile
from edge.archive.remote import storage_at
from edge.archive.storage_words import shown_address
from edge.errors import NoInputError
from edge.sources.decode import shown

WEB = ("http://", "https://")
"""What the addresses of a list begin with."""

_LONGEST = 4096  # bytes of a line


class WebList:
    """The addresses of a list by their folders. The text is kept as it came, and eight bytes a line: 10^6 lines are below 100 MB.

    Args:
        address: of the list.
        text: of it, UTF-8.

    Raises:
        NoInputError: a line is no address, with its number; or there is none.
    """

    def __init__(self, address: str, text: bytes) -> None:
        self._text = text
        self._base = address if address.startswith(WEB) else ""
        self._here = shown_address(address)
        self._lines: dict[str, array[int]] = {}
        start = 0
        for number, line in enumerate(_lines(text), 1):
            name = self._folder_of(line, number)
            if name is not None:
                self._lines.setdefault(name, array("Q")).append(start)
            start += len(line)
        if not self._lines:
            raise NoInputError(f"{self._here}: no address in it; one http(s) address a line is taken")

    @property
    def folders(self) -> tuple[str, ...]:
        """Names of the samples, as they come in the list."""
        return tuple(self._lines)

    def files(self, folder: str) -> tuple[ArchivedFile, ...]:
        """The files of a sample, each address once; paths are whole addresses."""
        lines = (self._text[at : at + _LONGEST + 1].partition(b"\n")[0] for at in self._lines[folder])
        found = dict.fromkeys(self._address(line) for line in lines)
        return tuple(ArchivedFile(address, -1, "") for address in found)

    def _address(self, line: bytes) -> str:
        said = line.decode().strip()
        return urljoin(self._base, said) if self._base else said

    def _folder_of(self, line: bytes, number: int) -> str | None:
        """The sample of a line; None: it is empty or a comment."""
        where = f"{self._here}: line {number}"
        if len(line) > _LONGEST:
            raise NoInputError(f"{where}: longer than {_LONGEST} bytes; one http(s) address a line is taken")
        try:
            said = self._address(line)
            if not line.strip() or line.lstrip().startswith(b"#"):
                return None
            parts = urlsplit(said)
        except ValueError:  # no UTF-8, or brackets that are no host
            raise NoInputError(f"{where}: no address; one http(s) address a line is taken") from None
        if not said.startswith(WEB) or not parts.hostname or not said.isprintable():
            raise NoInputError(f"{where}: {shown(shown_address(said))[:80]}: not an http(s) address")
        if parts.query or parts.fragment:
            raise NoInputError(
                f"{where}: an address with {'?' if parts.query else '#'} in it: signed addresses are others each time, "
                "so nothing could be gone on with; name the storage itself (s3://...) and give its credentials"
            )
        base = self._base.rpartition("/")[0] + "/"
        below = said.removeprefix(base) if self._base and said.startswith(base) else ""
        folder = unquote(below or f"{parts.netloc.rpartition('@')[2]}{parts.path}").rpartition("/")[0].strip("/")
        return folder or parts.hostname


def _lines(text: bytes) -> Iterator[bytes]:
    """Lines with their ends, one at a time."""
    start = 0
    while start < len(text):
        end = text.find(b"\n", start) + 1 or len(text)
        yield text[start:end]
        start = end


def is_web_list(address: str) -> bool:
    """Whether an archive's address is that of a list: anything on a web server, or a text file here."""
    return address.startswith(WEB) or (address.lower().endswith(".txt") and Path(address).is_file())


def read_web_list(address: str) -> WebList:
    """Read a list. Raises NoInputError where it is not there or is none, ArchiveError where it cannot be had."""
    place = storage_at(address)
    return WebList(address, place.read(place.root))
