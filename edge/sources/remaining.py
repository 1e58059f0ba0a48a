"""Which fields of a listing are left when a run goes on: files are known by their content, whatever they are called by now."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from edge.sources.identity import part_of
from edge.sources.listing import FieldEntry
from edge.types import CountedField, after_last

_NAMED = 3  # files that a line names; of more it says how many


@dataclass(frozen=True, slots=True)
class Remaining:
    """What is left to do: fields, each with its place in the run, and what there is to say of the others, one line each."""

    fields: tuple[tuple[int, FieldEntry], ...]
    notes: tuple[str, ...]


class _Content(NamedTuple):
    sample: str
    sha256: str
    part: str


def remaining(entries: Sequence[FieldEntry], counted: Sequence[CountedField], complete: Collection[str]) -> Remaining:
    """Leave out what was counted.

    A file whose size is that of a counted one is read and hashed; no other file is.

    Args:
        entries: everything there is, in field order.
        counted: what an earlier part of the run had, in field order.
        complete: samples to which nothing is added any more.
    """
    by_name = {(one.sample, one.name): one for one in counted}
    sizes = {(one.sample, one.identity.size) for one in counted if one.identity is not None}
    contents = [_content(entry, sizes) for entry in entries]
    open_: dict[_Content, list[CountedField]] = defaultdict(list)
    for one in counted:
        if one.identity is not None:
            open_[_Content(one.sample, one.identity.sha256, part_of(one.identity))].append(one)
    done: dict[int, CountedField] = {}  # by the entry's place
    for place, (entry, content) in enumerate(zip(entries, contents, strict=True)):
        same_name = by_name.get((entry.sample, entry.name))
        if same_name is None:
            continue
        if same_name.identity is None:
            done[place] = same_name
        elif content is not None and same_name in open_.get(content, ()):
            open_[content].remove(same_name)
            done[place] = same_name
    renamed: list[str] = []
    for place, (entry, content) in enumerate(zip(entries, contents, strict=True)):
        if place not in done and content is not None and open_.get(content):
            done[place] = open_[content].pop(0)
            renamed.append(f"{entry.name} (was {done[place].name})")
    left = [(place, entry) for place, entry in enumerate(entries) if place not in done]
    late = [entry.name for _, entry in left if entry.sample in complete]
    left = [(place, entry) for place, entry in left if entry.sample not in complete]
    changed = [entry.name for _, entry in left if (entry.sample, entry.name) in by_name]
    here = {(one.sample, one.name) for one in done.values()} | {(entry.sample, entry.name) for entry in entries}
    gone = [one.name for one in counted if (one.sample, one.name) not in here]
    return Remaining(_numbered(left, counted), tuple(_notes(renamed, changed, gone, late)))


def _content(entry: FieldEntry, sizes: set[tuple[str, int]]) -> _Content | None:
    try:
        if (entry.sample, entry.path.stat().st_size) not in sizes:
            return None
        identity = entry.identity()
    except OSError:
        return None  # loading it says why
    return _Content(entry.sample, identity.sha256, part_of(identity))


def _numbered(
    left: list[tuple[int, FieldEntry]], counted: Sequence[CountedField]
) -> tuple[tuple[int, FieldEntry], ...]:
    """Each field with its place in the listing, or the next free place in the run where that is taken."""
    after = after_last(counted)
    numbered = []
    for place, entry in left:
        index = max(place, after)
        numbered.append((index, entry))
        after = index + 1
    return tuple(numbered)


def _notes(renamed: list[str], changed: list[str], gone: list[str], late: list[str]) -> list[str]:
    told = (
        (renamed, "known by content under another name, not counted again"),
        (changed, "changed since counted, so taken for further fields"),
        (gone, "counted, and not there any more: the counts stay"),
        (late, "new in a sample that is complete, left out"),
    )
    return [f"{_some(names)}: {words}" for names, words in told if names]


def _some(names: list[str]) -> str:
    more = f" and {len(names) - _NAMED:,} more" if len(names) > _NAMED else ""
    return ", ".join(names[:_NAMED]) + more
