"""The one contract between workshop and device: a ``.tflite`` with a ZIP appended: ``labels.txt``, ``card.json``, ``card.sha256``.

This is the TFLite metadata convention: ``unzip`` reads the tail, the interpreter ignores it. The card says all that
the device must know; nothing else may guess. The SHA-256 in it is that of the flatbuffer part alone and is checked
before an interpreter sees one byte. ``card.sha256`` is that of labels and card as they stand in the file: a card that was
changed afterwards is refused. Both tell damage and careless edits, not forgery: whoever means to can write new ones. Files of
earlier versions lack the second and still work; ``ModelFile.card_sha256`` is then empty.
"""

from __future__ import annotations

import hashlib
import io
import json
import stat
import zipfile
import zlib
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from edge.card import CARD_VERSION, Card, CropSpec, FinderSpec, check_card, parse_card
from edge.errors import ModelError
from edge.safe_file import write_bytes

__all__ = [
    "CARD_VERSION",
    "Card",
    "CropSpec",
    "FinderSpec",
    "ModelFile",
    "check_card",
    "parse_card",
    "read_model",
    "write_model",
]

MAX_MODEL_BYTES = 256 * 2**20  # more than a Pi would run; a bound on what is read into memory
MAX_CARD_BYTES = 2**20  # a bound on what is unpacked
_FLATBUFFER_ID = b"TFL3"
_ZIP_DATE = (1980, 1, 1, 0, 0, 0)  # the earliest a ZIP can hold: the same inputs give the same bytes


@dataclass(frozen=True, slots=True, eq=False)
class ModelFile:
    """A model read from disk.

    Attributes:
        flatbuffer: for the interpreter.
        card: for everything else; None: there is none.
        sha256: of the flatbuffer.
        path: where it was read.
        card_sha256: of labels and card as they stand in the file, where the file says it; else empty.
    """

    flatbuffer: bytes
    card: Card | None
    sha256: str
    path: Path
    card_sha256: str = ""


def write_model(path: Path, flatbuffer: bytes, card: Card) -> Card:
    """Write flatbuffer and card to ``path`` (see ``edge.safe_file``); the same inputs give the same bytes.

    Returns the card as written, with its hash. Raises OutputError, and ValueError for a card that ``read_model`` would refuse.
    """
    card = replace(card, sha256=hashlib.sha256(flatbuffer).hexdigest())
    check_card(card)
    buffer = io.BytesIO()
    buffer.write(flatbuffer)
    with zipfile.ZipFile(buffer, "a", zipfile.ZIP_STORED) as archive:
        labels = "".join(f"{label}\n" for label in card.labels)
        text = json.dumps(asdict(card), indent=1, sort_keys=True, ensure_ascii=False)
        digest = _card_digest(labels.encode(), text.encode())
        for name, content in (("labels.txt", labels), ("card.json", text), ("card.sha256", f"{digest}\n")):
            archive.writestr(zipfile.ZipInfo(name, _ZIP_DATE), content)
    write_bytes(path, buffer.getvalue())
    return card


def read_model(path: Path) -> ModelFile:
    """Read a model file, check its form and its hash; raises ModelError saying what is wrong with it."""
    data = _bytes_of(path)
    if len(data) < 8 or data[4:8] != _FLATBUFFER_ID:
        raise ModelError(f"{path}: not a TFLite model")
    flatbuffer, card, card_digest = _split(path, data)
    digest = hashlib.sha256(flatbuffer).hexdigest()
    if card is not None and card.sha256 != digest:
        raise ModelError(f"{path}: the model does not match the hash in its card (altered or damaged): copy it anew")
    return ModelFile(flatbuffer, card, digest, path, card_digest)


def _bytes_of(path: Path) -> bytes:
    try:
        info = path.stat()
        if not stat.S_ISREG(info.st_mode):  # a device or a pipe has no end, or never begins
            raise ModelError(f"{path}: cannot read the model: it is not a regular file")
        if info.st_size > MAX_MODEL_BYTES:
            raise ModelError(f"{path}: {info.st_size} bytes is too large for a model file")
        return path.read_bytes()
    except OSError as error:
        raise ModelError(f"{path}: cannot read the model: {error.strerror}") from error


def _split(path: Path, data: bytes) -> tuple[bytes, Card | None, str]:
    if not zipfile.is_zipfile(io.BytesIO(data)):
        if b"PK\x03\x04" in data and b"card.json" in data:
            raise ModelError(f"{path}: the card at the end of the file is truncated: copy the file anew")
        return data, None, ""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            if "card.json" not in archive.namelist():
                return data, None, ""
            start = min(info.header_offset for info in archive.infolist())
            text = _text_of(archive, "card.json")
            digest = _checked_digest(archive, text)
            card = parse_card(json.loads(text))
    # RuntimeError: encrypted, or nested too deep
    except (zipfile.BadZipFile, zlib.error, ValueError, EOFError, OSError, RuntimeError, OverflowError) as error:
        raise ModelError(f"{path}: its card cannot be read: {error}") from error
    return data[:start], card, digest


def _card_digest(labels: bytes, card: bytes) -> str:
    return hashlib.sha256(labels + b"\0" + card).hexdigest()


def _checked_digest(archive: zipfile.ZipFile, card: bytes) -> str:
    """The digest in the file, empty where there is none; raises ValueError where card or labels are not what it was made of."""
    if "card.sha256" not in archive.namelist():
        return ""
    digest = _text_of(archive, "card.sha256").decode("ascii", "replace").strip()
    if digest != _card_digest(_text_of(archive, "labels.txt"), card):
        raise ValueError(
            "it was changed after the model was made (it does not match its hash): copy or convert the model anew"
        )
    return digest


def _text_of(archive: zipfile.ZipFile, name: str) -> bytes:
    entries = [info for info in archive.infolist() if info.filename == name]
    if len(entries) != 1:
        raise ValueError(f"there is {'more than one' if entries else 'no'} {name}")
    entry = entries[0]
    if entry.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise ValueError("it is compressed in a way this version does not know")
    with archive.open(entry) as stream:
        # read(n) unpacks no more than n whatever size the entry claims; reading it all would unpack a bomb first
        text = stream.read(MAX_CARD_BYTES + 1)
    if len(text) > MAX_CARD_BYTES:
        raise ValueError("it is too large")
    return text
