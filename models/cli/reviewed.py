"""``python -m models adapt`` with answers of a review, or with blank slides: its options and what it does."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Optional

import typer

from edge import shelf
from edge.errors import OutputError
from models.adapt.rehearsal import Rehearse
from models.adapt.reviewed_card import ReviewedRequest
from models.adapt.reviewed_job import run_reviewed
from models.adapt.reviewed_net import ReviewedTraining
from models.cli.options import entered, say, teller, write_lines
from models.data.fieldset import Fields
from models.data.gather import DataOptions, gather
from models.train.start import open_start

if TYPE_CHECKING:
    from models.data.classes import ClassScheme

# Optional[...] and not "| None": typer reads it at run time
Reviewed = Annotated[
    Optional[Path],  # noqa: UP045
    typer.Option("--reviewed", metavar="BOOK", help="Book whose answers are learned from (page Review, edge review)."),
]
Samples = Annotated[
    Optional[list[str]],  # noqa: UP045
    typer.Option("--sample", metavar="NAME", help="Sample of --reviewed, several times; default: all with answers."),
]
Blanks = Annotated[
    Optional[list[Path]],  # noqa: UP045
    typer.Option("--blank", metavar="DIR", help="Fields of a slide known to be negative; several times, a slide each."),
]
_MODEL = ".tflite"


@dataclass(frozen=True, slots=True)
class ReviewedOptions:
    """What was typed.

    Attributes:
        out: the file to write.
        model, finder: names of the nets to start from; None: the shelf's.
        book, samples, blanks, rehearse: as in ``ReviewedRequest``.
        fields: annotated fields; None: none.
        steps: of fine-tuning, None: the usual; ``seed``: of everything random.
        false_positives: share of blank cells that may count as positive; None: not given.
        force: write over what is there, and a net that would be refused.
    """

    out: Path
    model: str | None
    finder: str | None
    book: Path | None
    samples: tuple[str, ...]
    blanks: tuple[Path, ...]
    fields: DataOptions | None
    rehearse: Rehearse
    steps: int | None
    seed: int
    false_positives: float | None
    force: bool


def learn_reviewed(given: ReviewedOptions, *, debug: bool) -> None:
    """Teach a classifier and write it; leaves by the door with an exit code where that cannot be."""
    if given.samples and given.book is None:
        raise typer.BadParameter("--sample goes with --reviewed")
    if given.out.suffix != _MODEL:
        raise typer.BadParameter(f"--out {given.out}: with --reviewed or --blank it is a file, as mine{_MODEL}")
    if given.false_positives == 0:
        raise typer.BadParameter("--false-positives 0: blanks cannot promise that")
    with entered(debug=debug, training=True):
        if given.out.exists() and not given.force:
            raise OutputError(f"{given.out}: is there already: --force writes over it")
        starts = (
            open_start(given.finder or shelf.FINDER, "find"),
            open_start(given.model or shelf.CLASSIFIER, "classify"),
        )
        usual = ReviewedTraining()
        request = ReviewedRequest(
            *starts,
            out=given.out,
            book=given.book,
            samples=given.samples,
            blanks=given.blanks,
            fields=_fields(given.fields),
            rehearse=given.rehearse,
            training=replace(usual, cell=replace(usual.cell, steps=given.steps or usual.cell.steps, seed=given.seed)),
            false_positives=given.false_positives,
            force=given.force,
        )
        write_lines([*run_reviewed(request, teller(), say), f"use it: edge-run FIELDS --model {given.out}"])


def _fields(request: DataOptions | None) -> tuple[Fields, ClassScheme] | None:
    if request is None:
        return None
    plan, source = annotated_fields(request)
    return source, plan


def annotated_fields(request: DataOptions) -> tuple[ClassScheme, Fields]:
    """The classes of the annotated fields, and the fields; what was noticed is said. Raises CellsError, ModelError."""
    data = gather(request, least=1)
    (source,) = data.sources
    if not isinstance(source, Fields):
        raise TypeError("fields were opened as cells")
    for note in source.notes:
        say(f"! {note}")
    return data.plan, source
