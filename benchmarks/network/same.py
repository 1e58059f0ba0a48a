"""Whether a collected book is what the microscopes' own books say, field by field, and in the order they were counted in."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from edge.book.file import connect_to_read

_SAMPLES = "SELECT uuid, name, state, fields, cells, counts, flag, event FROM sample ORDER BY uuid"
_FIELDS = "SELECT sample.uuid, number, field.checksum, field.id FROM field JOIN sample ON sample.id = sample_id ORDER BY field.id"

Row = tuple[object, ...]


@dataclass(frozen=True, slots=True)
class Compared:
    """The books held against each other.

    Attributes:
        samples, fields, cells: in the microscopes' books; ``complete``: samples of these that ended by themselves.
        missing, foreign, changed: samples that the collected book lacks, that no microscope has, that say something else there.
        fields_missing, fields_twice, fields_changed: the same of fields.
        disordered: fields that came before one that their microscope counted earlier.
    """

    samples: int
    complete: int
    fields: int
    cells: int
    missing: int
    foreign: int
    changed: int
    fields_missing: int
    fields_twice: int
    fields_changed: int
    disordered: int

    @property
    def wrong(self) -> int:
        """All that is not as it must be."""
        samples = self.missing + self.foreign + self.changed
        return samples + self.fields_missing + self.fields_twice + self.fields_changed + self.disordered


def compare(district: Path, books: Mapping[str, Path], *, deep: bool = True) -> Compared:
    """Hold a collected book against those it was collected from.

    Args:
        district: the collected one.
        books: of the microscopes, by name.
        deep: compare all that is said of a sample, not only whether it is there with as many fields and in the same state.
    """
    ours, our_fields = _read(district)
    theirs: dict[object, Row] = {}
    missing = twice = changed = disordered = 0
    their_fields = 0
    places = {key: place for place, (key, _) in enumerate(our_fields)}
    sums = dict(our_fields)
    twice = len(our_fields) - len(sums)
    for path in books.values():
        samples, fields = _read(path)
        theirs |= samples
        their_fields += len(fields)
        last = -1
        for key, checksum in fields:
            if key not in sums:
                missing += 1
                continue
            changed += sums[key] != checksum
            disordered += places[key] < last
            last = max(last, places[key])
    said = slice(None) if deep else slice(2)
    both = theirs.keys() & ours.keys()
    return Compared(
        samples=len(theirs),
        complete=sum(row[1] == "complete" for row in theirs.values()),
        fields=their_fields,
        cells=sum(int(str(row[3])) for row in theirs.values()),
        missing=len(theirs.keys() - ours.keys()),
        foreign=len(ours.keys() - theirs.keys()),
        changed=sum(theirs[uuid][said] != ours[uuid][said] for uuid in both),
        fields_missing=missing,
        fields_twice=twice,
        fields_changed=changed,
        disordered=disordered,
    )


def _read(path: Path) -> tuple[dict[object, Row], list[tuple[tuple[object, object], int]]]:
    """Samples by uuid, and fields with their checksums in the order they were written; nothing where there is no book yet."""
    if not path.exists():
        return {}, []
    try:
        with closing(connect_to_read(path)) as connection:
            connection.execute("BEGIN")
            samples = {row[0]: tuple(row)[1:] for row in connection.execute(_SAMPLES)}
            fields = [((uuid, number), checksum) for uuid, number, checksum, _ in connection.execute(_FIELDS)]
    except sqlite3.OperationalError:  # it is being made
        return {}, []
    return samples, fields
