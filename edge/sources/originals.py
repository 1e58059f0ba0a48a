"""The pixels of a field that was counted before, from the file it was read from, while that has the same content."""

from __future__ import annotations

from edge.sources.decode import ReadOptions, decode_field, fields_in
from edge.sources.identity import FileDigest, file_of, part_of
from edge.types import FieldIdentity, UInt8Array


def original_pixels(identity: FieldIdentity, reading: ReadOptions) -> UInt8Array | None:
    """Pixels of a field, uint8 [H, W, 3] RGB; None where the file holds others by now.

    Args:
        identity: of the field.
        reading: what the user said of the pictures.

    Raises:
        OSError: the file cannot be read.
        UnreadableFieldError: it holds no picture.
    """
    path, part = file_of(identity), part_of(identity)
    if FileDigest(path).get() != (identity.size, identity.sha256):
        return None
    layout = fields_in(path)
    number = int(part[1:]) if part else 1
    plan = None if layout is None or len(layout.fields) < number else layout.fields[number - 1]
    return decode_field(path, reading, plan).rgb
