"""The virtual slide as a source of fields."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from functools import partial
from itertools import count
from time import perf_counter

from edge.types import CountedField, Field, Shot, after_last
from edge.virtual_slide.layout import stage_position
from edge.virtual_slide.render import render_field
from edge.virtual_slide.spec import SlideSpec


class VirtualSlide:
    """A source that renders its fields when a worker asks for them; see ``edge.sources.Source``.

    Each field's metadata holds ``truth`` (a ``FieldTruth``) and ``stage_um`` (x, y of the stage in µm).

    Attributes:
        spec: the slide.
        sample: the sample its fields belong to.
        total: number of fields, None where the slide is endless.
    """

    def __init__(self, spec: SlideSpec | None = None, sample: str = "simulated") -> None:
        self.spec = spec if spec is not None else SlideSpec()
        self.sample = sample
        self.samples: tuple[str, ...] = (sample,)
        self.total = self.spec.fields
        self._first = 0

    def __iter__(self) -> Iterator[Shot]:
        for index in count(self._first) if self.total is None else range(self._first, self.total):
            name = f"virtual-{index:05d}"
            yield Shot(index, self.sample, name, partial(self._load, index, name))

    def go_on(self, counted: Sequence[CountedField], complete: Collection[str]) -> tuple[str, ...]:
        """Begin with the field after the last one that was counted."""
        del complete  # there is one sample
        self._first = after_last(counted)
        return ()

    def close(self) -> None:
        """Nothing is held open."""

    def _load(self, index: int, name: str) -> Field:
        start = perf_counter()
        rgb, truth = render_field(self.spec, index)
        metadata = {"truth": truth, "stage_um": stage_position(self.spec, index)}
        spent = (perf_counter() - start) * 1000
        return Field(rgb, index, self.sample, name, metadata, spent)
