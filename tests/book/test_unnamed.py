"""Without names: nothing that a person or a file system named leaves the microscope, and all that was counted does."""

from __future__ import annotations

from dataclasses import replace

import pytest

from edge.book.rows import row_of
from edge.book.unnamed import event_called, event_without_names, field_without_names, run_without_names, sample_name
from edge.description import RunDescription
from edge.events import SampleEvent
from edge.record_json import from_text, to_text
from edge.types import Tally, Verdict
from edge.verdict.calibration import Blank, Calibration, CountError, KnownSlide
from tests.book.made import ABOUT, Counting, mixed

SECRETS = ("Meyer", "/home/", "pw@broker")
CALIBRATION = Calibration(
    ABOUT.bound,
    ("parasitized",),
    0.5,
    "default",
    (Blank("Meyer, blank", 500, 5, {"parasitized": 1}),),
    (KnownSlide("Meyer 17", {"parasitized": 4}, {"parasitized": 5}),),
    "slides of Meyer",
    CountError(0.01, 0.02, "/home/ada/Meyer"),
    made={"from": "/home/ada/Meyer"},
)
RUN = replace(
    ABOUT,
    calibration=CALIBRATION,
    settings=(("source", "/home/ada/Meyer"), ("gate", "on"), ("calibration", "/home/ada/c.json"), ("workers", "2")),
    config='mqtt = "mqtt://ada:pw@broker"',
)


def test_a_run_keeps_what_it_counts_with() -> None:
    part = {"uuid": "u", "began": "b", "about": to_text(RUN), "binding": '{"gate":"on","_inputs":"/home/ada/Meyer"}'}
    told = run_without_names(part)
    about = from_text(RunDescription, str(told["about"]), "the run")
    assert not any(word in repr(told) for word in SECRETS)
    assert about.settings == (("gate", "on"), ("workers", "2"))
    assert (about.model, about.card, about.bound) == (RUN.model, RUN.card, RUN.bound)
    assert about.calibration is not None
    assert (about.calibration.blanks[0].positives, about.calibration.cells) == ({"parasitized": 1}, 500)
    assert about.calibration.known[0].found == {"parasitized": 4}
    assert told["binding"] == '{"gate":"on"}'


def ended(sample: str, unreadable: tuple[tuple[str, str], ...], *notes: str) -> str:
    tally = Tally(sample, {"parasitized": 3}, {}, 4, {}, unreadable)
    return to_text(SampleEvent(tally, Verdict("negative", (f"{sample}: nothing found.",), {}), 1.0, notes=notes))


SENTENCES = {
    "a field": ("Worst in Meyer-1.png.", "Worst in field 0."),
    "a name within another one": ("Meyer-1.png.tif, Meyer-1.png", "field 1, field 0"),
    "the sample": ("Look at Meyer again.", "Look at bench-3-1f0c9a2b again."),
    "a part of a word is no name": ("Meyerite, Meyer", "Meyerite, bench-3-1f0c9a2b"),
    "no name": ("The lamp is darker.", "The lamp is darker."),
    "a name of a letter is in any sentence": ("Look at e.", "Look at e."),
}


@pytest.mark.parametrize("case", SENTENCES)
def test_names_in_sentences_are_replaced(case: str) -> None:
    before, after = SENTENCES[case]
    fields = [(0, "Meyer-1.png"), (1, "Meyer-1.png.tif"), (2, "e")]
    name = sample_name("bench-3", "1f0c9a2b-0000-4000-8000-000000000000")
    event = from_text(SampleEvent, event_without_names(ended("Meyer", (), before), name, "Meyer", fields), "it")
    assert event.notes == (after,)
    assert event.verdict.reasons == (f"{name}: nothing found.",)
    assert (event.tally.sample, event.tally.counts, event.verdict.flag) == (name, {"parasitized": 3}, "negative")


def test_of_what_could_not_be_read_the_place_is_told() -> None:
    twice = (("a.png", "a.png: no image"), ("a.png", "/home/Meyer/a.png: damaged"), ("gone.png", "gone"))
    told = event_without_names(ended("s", twice), "b", "s", [(3, "a.png"), (5, "a.png")])
    assert from_text(SampleEvent, told, "it").tally.unreadable == (
        ("field 3", "reason not sent"),
        ("field 5", "reason not sent"),
        ("not sent", "reason not sent"),
    )


def test_a_field_is_the_same_field_without_its_names() -> None:
    counting = Counting()
    for outcome in mixed(6):
        row = row_of(counting.event(outcome))
        bare = field_without_names(row)
        assert bare.checksum != row.checksum
        assert (bare.counted, bare.analysed) == (row.counted, row.analysed)


def test_a_sample_that_has_another_name_here_is_called_by_it() -> None:
    told = ended("Meyer", ())
    assert event_called(told, "Meyer") == told
    assert from_text(SampleEvent, event_called(told, "b"), "it").tally.sample == "b"
