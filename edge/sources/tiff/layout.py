"""Which pages of a TIFF make which field: channels, planes of a stack, further fields, and what is none of them."""

from __future__ import annotations

import itertools
import json
import logging
import math
import struct
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, BinaryIO

from edge.headers import TIFF
from edge.refusal import EXPORT, DamagedError, RefusedError
from edge.sources.tiff.channels import Image, lut_colours, ome_images, pick
from edge.sources.tiff.page import Page, page_of

_NOT_FIELDS = 1 | 4  # NewSubfileType: a smaller copy, a mask
_SMALLER = 0.5  # an overview is at most half as wide as its picture
_SAME_SHAPE = 0.05  # by how much the two ratios may differ
_GREY = (0, 1)  # TIFF's numbers for pages that are one channel each
_COPIES = "pages of half the size or less are taken for smaller copies and not read"
_MOST = 100_000  # fields of one file
_DNG_VERSION, _SUB_IFDS, _SAMPLES, _DESCRIPTION, _EXTRA = 50706, 330, 277, 270, 338  # tag numbers


@dataclass(frozen=True, slots=True)
class FieldPlan:
    """One field: its planes, of which one is read; each plane is one page, or three that are red, green and blue.

    ``declared`` is how many bits of its values count, where the file says it.
    """

    planes: tuple[tuple[Page, ...], ...]
    declared: int | None


@dataclass(frozen=True, slots=True)
class TiffLayout:
    """The fields of a file in order, and what of it is not read, in words."""

    fields: tuple[FieldPlan, ...]
    notes: tuple[str, ...]


def may_hold_more(file: BinaryIO) -> bool:
    """Whether a file may be more than one plain picture; a glance at its first directory, a fraction of a millisecond."""
    try:
        return _glance(file)
    except (struct.error, OSError, OverflowError, MemoryError):
        return False  # damaged: whoever reads it says so


def _glance(file: BinaryIO) -> bool:
    file.seek(0)
    head = file.read(16)
    order = TIFF.get(head[:4])
    if order is None:
        return False
    big = head[2:4] in (b"+\0", b"\0+")
    at = struct.unpack_from(order + ("Q" if big else "I"), head, 8 if big else 4)[0]
    file.seek(at)
    count = struct.unpack(order + ("Q" if big else "H"), file.read(8 if big else 2))[0]
    step = 20 if big else 12
    body = file.read(min(count, 4096) * step)
    after = file.read(8 if big else 4)
    text, samples = b"", 1
    for entry in range(0, len(body), step):
        tag, _, n, value = struct.unpack_from(order + ("HHQQ" if big else "HHII"), body, entry)
        if tag in (_SUB_IFDS, _EXTRA):
            return True
        if tag == _SAMPLES:
            samples = struct.unpack_from(order + "H", body, entry + (12 if big else 8))[0]
        if tag == _DESCRIPTION and n > 8:
            file.seek(value)
            text = file.read(min(n, 1 << 16)).lstrip(b"\xef\xbb\xbf \n")
    return any(after) or text.startswith((b"ImageJ=", b"<")) or _is_array(text, 2 if samples == 1 else 3)


def _is_array(text: bytes, plain: int) -> bool:
    """Whether tifffile wrote an array of more dimensions than a plain picture has, or named its axes."""
    try:
        facts = json.loads(text.rstrip(b"\0"))
        return "axes" in facts or len(facts["shape"]) > plain
    except (ValueError, TypeError, KeyError):
        return False


def lay_out(file: BinaryIO) -> TiffLayout:
    """Read the structure of a TIFF.

    Raises:
        RefusedError: it is damaged, camera raw, or holds no field.
    """
    # Late, for a folder of JPEGs needs none of it.
    import tifffile  # noqa: PLC0415

    quiet = logging.getLogger("tifffile")
    quiet.propagate = False
    if not quiet.handlers:
        quiet.addHandler(logging.NullHandler())
    try:
        file.seek(0)
        with tifffile.TiffFile(file, _multifile=False) as tif:
            return _laid_out(tif)
    except (RefusedError, MemoryError):
        raise
    except Exception as error:  # whatever a damaged file makes of somebody else's parser
        raise DamagedError("the structure of the TIFF does not make sense") from error


@dataclass(slots=True)
class _Found:
    """A field that is found, where it stands in the file, whether it is marked as no field."""

    plan: FieldPlan
    at: int
    minor: bool

    @property
    def size(self) -> tuple[int, int]:
        page = self.plan.planes[0][0]
        return page.width, page.height


def _laid_out(tif: Any) -> TiffLayout:
    if _DNG_VERSION in tif.pages.first.tags:
        raise RefusedError(f"camera raw is not read: {EXPORT}")
    images = ome_images(tif.ome_metadata) if tif.is_ome else []
    notes: list[str] = []
    found: list[_Found] = []
    for number, series in enumerate(tif.series):
        image = images[number] if number < len(images) else None
        found += _fields(tif, series, image, notes)
    kept = _without_copies(sorted(found, key=lambda one: one.at), notes)
    if not kept:
        raise DamagedError("it holds no page")
    return TiffLayout(tuple(one.plan for one in kept), tuple(dict.fromkeys(notes)))


def _without_copies(found: list[_Found], notes: list[str]) -> list[_Found]:
    """Leave out what is marked as a smaller copy or a mask, and what is plainly one: same shape, half the size or less."""
    major = [one for one in found if not one.minor]
    found = major or found
    if not found:
        return found
    width, height = max((one.size for one in found), key=math.prod)

    def copy(one: _Found) -> bool:
        across, down = one.size[0] / width, one.size[1] / height
        return max(across, down) <= _SMALLER and abs(across - down) <= _SAME_SHAPE * max(across, down)

    kept = [one for one in found if not copy(one)]
    if len(kept) < len(found):
        notes.append(_COPIES)
    return kept


def _fields(tif: Any, series: Any, image: Image | None, notes: list[str]) -> Iterator[_Found]:
    """The fields of one series: every position along axes that are neither channel, plane nor time."""
    axes, shape = series.get_axes(squeeze=False), series.get_shape(squeeze=False)
    outer = [(axis, int(size)) for axis, size in zip(axes, shape, strict=True) if axis not in "YXS"]
    pages = _pages(series, math.prod(size for _, size in outer))
    sizes = dict(outer)
    channels, planes, times = (sizes.get(axis, 1) for axis in "CZT")
    names, colours = (image.names, image.colours) if image else ([], _imagej_colours(tif))
    first = page_of(series.keyframe)
    chosen = pick(channels, names, colours) if first.photometric in _GREY else (0,)
    # 16 is what writers put unasked.
    declared = image.bits if image is not None and image.bits and 8 < image.bits < 16 else first.declared
    _note(notes, first, channels - len(chosen), planes, times)
    if any(int(level.keyframe.subfiletype) == 0 for level in series.levels[1:]):
        notes.append(_COPIES)
    steps = {axis: math.prod(size for _, size in outer[i + 1 :]) for i, (axis, _) in enumerate(outer)}
    others = [(axis, size) for axis, size in outer if axis not in "CZT"]
    if math.prod(size for _, size in others) > _MOST:
        raise DamagedError("it claims more fields than a file can hold")
    for position in itertools.product(*(range(size) for _, size in others)):
        base = sum(steps[axis] * at for (axis, _), at in zip(others, position, strict=True))
        stack = []
        for z in range(planes):
            wanted = [base + z * steps.get("Z", 0) + c * steps.get("C", 0) for c in chosen]
            stack.append(tuple(pages(i) for i in wanted))
        minor = bool(int(series.keyframe.subfiletype) & _NOT_FIELDS)
        # Pages of one size are listed before those of another; the file's own order is what counts.
        at = series.pages[base] if base < len(series.pages) else None
        yield _Found(FieldPlan(tuple(stack), declared), int((at or series.keyframe).index), minor)


def _pages(series: Any, count: int) -> Any:
    """A function from the number of a page in the series to its record."""
    listed = list(series.pages)
    if len(listed) == count:

        def listed_page(i: int) -> Page:
            if listed[i] is None:
                raise RefusedError("some of its planes stand in other files: export each field as one file")
            return page_of(listed[i].aspage())

        return listed_page
    first = page_of(series.keyframe)
    if len(listed) != 1 or series.dataoffset is None or first.compression != 1:
        raise DamagedError("it holds fewer pages than it says")
    length = first.row_bytes * first.height * first.planes

    def written_after_another(i: int) -> Page:  # ImageJ's large stacks: one directory, all pixels in a row
        offsets = tuple(series.dataoffset + i * length + p * length // first.planes for p in range(first.planes))
        return replace(
            first, offsets=offsets, counts=(length // first.planes,) * first.planes, segment=(first.width, first.height)
        )

    return written_after_another


def _imagej_colours(tif: Any) -> list[Any]:
    metadata = tif.imagej_metadata or {}
    return lut_colours(metadata.get("LUTs") or ()) if str(metadata.get("mode", "")) in ("composite", "color") else []


def _note(notes: list[str], page: Page, channels: int, planes: int, times: int) -> None:
    unread = len(page.extra) - (page.alpha is not None) + channels
    if unread > 0:
        notes.append(f"{unread} further channel{'s are' if unread > 1 else ' is'} not read")
    if planes > 1:
        notes.append(f"of the {planes} planes of a stack the sharpest is read, or the one that --z names")
    if times > 1:
        notes.append(f"of the {times} time points of a view the first is read")
