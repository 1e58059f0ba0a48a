"""What crosses a wall between rooms: frozen, typed records.

The device flow is ``Shot -> Field -> FieldResult -> Tally -> Verdict``. Everything from ``Field`` to ``FieldResult`` is
pure (no state, no files, no clock but the stage timings), so fields may be analysed in any order by any worker and
are added up in field order.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

UInt8Array = NDArray[np.uint8]
Int32Array = NDArray[np.int32]
FloatArray = NDArray[np.float32]

CELL = "cell"
"""The kind every finder gives to what shall be classified and counted; every other kind is named ``not-...``."""

WHITE_CELL = "not-white-cell"
"""The kind of a white cell; one hardly wider than red cells is shown to the classifier all the same."""

NOT_WHOLE = "not-whole"
"""The kind of a cell that the field's border cuts: shown, neither classified nor counted."""

NOT_NEW = "not-new"
"""The kind of what an earlier field of the sample, which this one overlaps, has shown already: shown, not counted again."""


HIDDEN = "scope_hidden"
"""Key of a field's metadata: x, y, w, h in field pixels of places that dust hides, one after the other: cells there are set aside."""


@dataclass(frozen=True, slots=True)
class FieldIdentity:
    """The image file that a field was read from: the same content is the same field, whatever the file is called.

    Attributes:
        path: absolute, as the system names it (``os.fsdecode``); of one of several fields in a file it ends in ``#n``, from 1.
        size: of the whole file in bytes.
        sha256: of the whole file, 64 hexadecimal digits.
    """

    path: str
    size: int
    sha256: str


@dataclass(frozen=True, slots=True)
class CountedField:
    """A field that an earlier part of a run had, as far as a source must know it to go on.

    Attributes:
        index: its place in the run.
        sample: the sample it belongs to; ``name`` is its name in it.
        identity: the file's; None: it was not from a file, or that could not be read.
        metadata: as of the field; empty where nobody needs them.
    """

    index: int
    sample: str
    name: str
    identity: FieldIdentity | None
    metadata: Mapping[str, object] = field(default_factory=dict)


def after_last(counted: Sequence[CountedField]) -> int:
    """The place in the run after the last of these fields: where a source of numbered frames goes on."""
    return max((one.index for one in counted), default=-1) + 1


@dataclass(frozen=True, slots=True, eq=False)
class Field:
    """One field of view.

    Attributes:
        rgb: uint8 [H, W, 3], red first.
        index: position in the run, from 0; results are added up in this order.
        sample: the sample it belongs to.
        name: file name, or a name the source makes up.
        metadata: what the source says of this frame: of a camera ``captured`` (seconds since the epoch) and what the driver tells
            (exposure_us, analogue_gain, ...), of a video ``video_s``, of a virtual slide its truth.
        decode_ms: milliseconds it took to decode, render or fetch the frame.
        identity: the file it was read from; None: camera, video, virtual slide.
    """

    rgb: UInt8Array
    index: int
    sample: str
    name: str
    metadata: Mapping[str, object] = field(default_factory=dict)
    decode_ms: float = 0.0
    identity: FieldIdentity | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Shot:
    """A field not decoded yet: a source yields these in order, a worker calls ``load``.

    Attributes:
        load: returns the Field; raises ``edge.errors.UnreadableField`` (the run goes on) or another ``EdgeError``
            (the run ends, what was counted is kept). Called once, in any thread.
    """

    index: int
    sample: str
    name: str
    load: Callable[[], Field]


@dataclass(frozen=True, slots=True, eq=False)
class Cells:
    """What a finder found in one field, in an order that the finder chooses.

    Attributes:
        boxes: int32 [n, 4], x, y, w, h in field pixels; may overrun the field's border by a few pixels.
        confidence: float32 [n], 0 to 1.
        kind: int32 [n], index into ``kinds``.
        kinds: names; ``kinds[0]`` is ``CELL``, the others start with ``not-`` and are set aside.
        masks: None, or uint8 [n, 32, 32] (0 or 255) for crops that are masked.
    """

    boxes: Int32Array
    confidence: FloatArray
    kind: Int32Array
    kinds: tuple[str, ...]
    masks: UInt8Array | None = None

    def __len__(self) -> int:
        return len(self.boxes)


@dataclass(frozen=True, slots=True, eq=False)
class Region:
    """The part of a field's frame that is lit; what lies outside (an eyepiece's surround, bars) is not part of the field.

    Attributes:
        outline: float32 [n, 2], x, y of the corners of a convex polygon in field pixels, in one sense of turning; pixel (0, 0)
            covers 0 to 1. Where the region reaches the frame the outline lies on it.
        rim: width in pixels of the region's half-lit edge, which is part of it: 0 where the light ends at once.
    """

    outline: FloatArray
    rim: float = 0.0


class Quality(NamedTuple):
    """The gate's measures of one field, taken where it is analysed and judged later, in field order.

    Attributes:
        sharpness: focus measure, unitless, higher is sharper; comparable only within one sample.
        brightness: mean of the luma, 0 to 255.
        over: fraction of pixels at the top of the range in at least one channel, 0 to 1.
        under: fraction of pixels close to black, 0 to 1.
        fill: fraction of the field that is not background, 0 to 1.
        signature: small grey thumbnail as bytes (uint8, 24 x 32), to confirm that two views are the same one.
        incomplete: whether a part of the picture is missing: an empty or repeated band or block, a frame torn in two.

    Of a field with a lit ``Region`` all of them are measured inside it.
    """

    sharpness: float
    brightness: float
    over: float
    under: float
    fill: float
    signature: bytes
    incomplete: bool = False


class Appearance(NamedTuple):
    """One field's measures.

    Attributes:
        cells: how many cells they rest on.
        paper: red, green and blue of the paper, 0 to 255.
        density: optical density of the typical cell's middle in red, green and blue; zeros without cells.
        size: width of the typical cell in field pixels; 0 without cells.
        colour: how much of the contrast is hue, see ``edge.appearance``.
        confidence: int32 [bins], how many cells have a confidence from ``i / bins`` on; empty without cells.
    """

    cells: int
    paper: tuple[float, float, float]
    density: tuple[float, float, float]
    size: float
    colour: float
    confidence: Int32Array


class FieldTypical(NamedTuple):
    """A field's own typical cell (``edge.typical``), which nets that compare see beside each of its cells.

    Attributes:
        finds: how many finds it is the median of.
        paper: uint8 [3], colour of the paper.
        cell: uint8 [s, s, 3], the typical cell's crop.
    """

    finds: int
    paper: UInt8Array
    cell: UInt8Array


class Timings(NamedTuple):
    """Milliseconds per stage of one field."""

    decode: float
    gate: float
    find: float
    crop: float
    classify: float


@dataclass(frozen=True, slots=True, eq=False)
class FieldResult:
    """What one field holds, before anybody has decided whether the field counts.

    Attributes:
        shape: (H, W) of the field in pixels.
        cells: everything found, counted or set aside.
        scores: float32 [n, k], one row per entry of ``cells`` in the model's class order; rows of what the classifier has
            not seen are 0.
        classes: int32 [n], the class each cell is counted as; -1 for what is set aside.
        quality: the gate's measures.
        ms: stage timings.
        metadata: carried over from the field.
        region: the lit part of the frame; None where all of it is lit.
        appearance: what the field looks like.
        typical: its own typical cell, which its cells were compared with unless a settled one stood in; None: it holds no cell, or
            the net compares nothing.
        identity: carried over from the field.
    """

    index: int
    sample: str
    name: str
    shape: tuple[int, int]
    cells: Cells
    scores: FloatArray
    classes: Int32Array
    quality: Quality
    ms: Timings
    metadata: Mapping[str, object] = field(default_factory=dict)
    region: Region | None = None
    appearance: Appearance | None = None
    typical: FieldTypical | None = None
    identity: FieldIdentity | None = None


@dataclass(frozen=True, slots=True)
class Overlap:
    """An earlier kept field of the sample that a field overlaps.

    Attributes:
        field: the earlier field's place in the run.
        cells: cells of this field that were seen there, and so are not counted again.
        shift: (x, y) in pixels: what stands at p in this field stands at p + shift in the earlier one.
    """

    field: int
    cells: int
    shift: tuple[int, int]


@dataclass(frozen=True, slots=True)
class SampleAppearance:
    """A sample's measures.

    Attributes:
        fields: kept fields they rest on.
        cells: counted cells they rest on.
        values: the measures of ``edge.appearance`` by name; those that need cells are missing without.
        confidence: bounds within which the median confidence lies, 95 times in 100 (a sign test's); None without cells.
    """

    fields: int
    cells: int
    values: Mapping[str, float] = field(default_factory=dict)
    confidence: tuple[float, float] | None = None


@dataclass(frozen=True, slots=True)
class Interval:
    """A share with its interval, all 0 to 1; ``value`` is None where nothing was counted."""

    value: float | None
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Tally:
    """What a sample adds up to.

    Attributes:
        counts: cells per class, in the model's class order.
        set_aside: things per ``not-...`` kind.
        rejected: fields per reason of the gate.
        unreadable: names of inputs that could not be read, with the reason.
    """

    sample: str
    counts: Mapping[str, int]
    set_aside: Mapping[str, int]
    kept: int
    rejected: Mapping[str, int]
    unreadable: tuple[tuple[str, str], ...] = ()

    @property
    def cells(self) -> int:
        """Cells counted, all classes."""
        return sum(self.counts.values())


@dataclass(frozen=True, slots=True)
class Finding:
    """What a calibration makes of one positive class of a sample.

    Attributes:
        label: the class; ``count`` of it among ``cells``.
        flag: of this class alone.
        limit_of_blank: a count above it is positive: what a blank sample of this many cells stays at or below, ``level`` of the time.
        limit_of_detection: share of infected cells found 95 times in 100 at this many cells, looked at once; None: not even 1.
        raw: estimated share of infected cells as it falls out, perhaps negative; None: nothing to estimate from.
        infected: the same within 0 to 1 with its 95 % interval, less what the flag rules out (0, or the target and more).
        most: upper bound of it, one-sided 95 %: what "negative" rests on.
        cells_short: cells still to be counted until the sample can be decided, two digits; None: decided, or more do not help.
        why: the row of ``edge.verdict.table`` that gave the flag.
        look: ``one``, ``every`` or ``last``: the look that limits and bounds are of (``edge.verdict.looks``).
        level: of the limit of blank; 0.95 for one look at one class.
    """

    label: str
    count: int
    cells: int
    flag: str
    limit_of_blank: int
    limit_of_detection: float | None
    raw: float | None
    infected: Interval
    most: float
    cells_short: int | None = None
    why: str = ""
    look: str = "one"
    level: float = 0.95


@dataclass(frozen=True, slots=True)
class Verdict:
    """The flag of a sample and what it rests on.

    Attributes:
        flag: ``uncalibrated``, ``insufficient``, ``positive``, ``negative`` or ``indeterminate`` (docs/verdict.md).
        reasons: plain sentences, with numbers.
        share: per class, its share of the counted cells with a 95 % interval.
        findings: per positive class, where there is a calibration.
        target: share of infected cells that a negative is below, where one was given.
        rbc_per_ul: red cells per µL assumed where parasites per µL are shown; None where the cells are not red cells.
        unit: what was counted: ``cell``, or ``tile`` of a grid.
    """

    flag: str
    reasons: tuple[str, ...]
    share: Mapping[str, Interval]
    findings: tuple[Finding, ...] = ()
    target: float | None = None
    rbc_per_ul: float | None = None
    unit: str = "cell"
