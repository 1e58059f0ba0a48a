"""Every failure this runner knows, one class each: the docstring says cause and remedy, ``exit_code`` what the shell sees.

| code | meaning |
|---|---|
| 0 | done |
| 1 | a defect of this program (please report it; ``--debug`` shows the traceback) |
| 2 | the command line is wrong |
| 3 | done, but some inputs could not be read (they are named in the summary) |
| 4 | nothing to read: folder missing or empty, no readable image in it |
| 5 | the model was refused |
| 6 | no camera, or it was lost and stayed away (what was counted before is printed) |
| 7 | an output could not be written |
| 8 | calibration, settled microscope or profile was refused: not readable, or of another model, finder, microscope or camera |
| 9 | nothing was counted: of a sample no field counts (the line says of which, and what is likely wrong) |
| 10 | the book refused: another program's file, a newer version's book, no such sample, or a sample that cannot be gone on with |
| 11 | the service: no systemd here, or it refused; or the service is not installed, or has failed |
| 12 | ``edge doctor``: a check failed (the line says what to do) |
| 13 | ``edge serve``: no page can be served: its port is taken, or its packages are not installed |
| 14 | a review: an answer or a file of answers does not fit the sample (another model, no such cell, a scaled picture) |
| 15 | an MQTT broker cannot be spoken to: it is not there, or it refuses (name, password, certificate); what waits is kept |
| 16 | a recount of an archive: other results are there, its storage refuses, or the cluster is away or runs other versions |
| 130 | stopped by Ctrl-C (what was counted before is printed) |
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from edge.types import FieldIdentity

EXIT_DEFECT = 1  # see the table above
EXIT_UNREADABLE_INPUTS = 3  # see the table above
EXIT_UNFIT = 12  # see the table above
EXIT_INTERRUPTED = 130  # 128 + SIGINT, as shells have it


def exit_code_meaning(code: int) -> str | None:
    """What the table above says of an exit code; None: it has none of this program."""
    rows = [line.strip("| ").split(" | ", 1) for line in (__doc__ or "").splitlines() if line.startswith("| ")]
    return next((meaning.strip(" |") for number, meaning in rows if number == str(code)), None)


class EdgeError(Exception):
    """Base of all known failures: one plain line for the user and an exit code."""

    exit_code = EXIT_DEFECT


class NoInputError(EdgeError):
    """There is nothing to read. Give an existing folder, file, glob or video that holds images."""

    exit_code = 4


class UnreadableFieldError(EdgeError):
    """One input cannot be decoded (empty, truncated, not an image, too large). It is skipped and named in the summary.

    ``identity``: the file's, where its bytes could be read all the same.
    """

    exit_code = EXIT_UNREADABLE_INPUTS
    identity: FieldIdentity | None = None


class ModelError(EdgeError):
    """The model file is missing, truncated, altered or lacks what the device must know. Copy or convert it anew."""

    exit_code = 5


class CameraError(EdgeError):
    """No camera answers, or it stopped answering. Check the cable and that no other program holds the camera."""

    exit_code = 6


class OutputError(EdgeError):
    """An output cannot be written. Check the path, the permissions and the free space."""

    exit_code = 7


class CalibrationError(EdgeError):
    """The calibration is damaged, or was made for another model, finder or microscope. Calibrate this one: ``edge calibrate``."""

    exit_code = 8


class SettlingError(EdgeError):
    """A settled microscope is damaged, of another finder or microscope, or cannot be made. Settle it: ``edge scope settle``."""

    exit_code = 8


class ScopeError(EdgeError):
    """The profile of a microscope is damaged, of another camera, or cannot be made. Set it up: ``edge scope set-up NAME``."""

    exit_code = 8


class NothingCountedError(EdgeError):
    """No field of a sample counts: black, frozen, out of focus, empty. Look at lamp, cable, focus and stage, then take them anew."""

    exit_code = 9


class BookError(EdgeError):
    """The book refuses: another program's file, a newer version's, no such sample, one that cannot be gone on with. Do as it says."""

    exit_code = 10


class ServiceError(EdgeError):
    """systemd is absent or refused, or the service has failed. See ``edge service logs`` and ``edge doctor``."""

    exit_code = 11


class ServeError(EdgeError):
    """No page can be served: the port is taken, or the packages are not installed. Take another port, or install them as it says."""

    exit_code = 13


class ReviewError(EdgeError):
    """An answer or a file of answers does not fit the sample: another model, no such cell, a scaled picture. Do as it says."""

    exit_code = 14


class BrokerError(EdgeError):
    """An MQTT broker cannot be spoken to: it is not there, or refuses. Look at its address, the user's name and the certificates."""

    exit_code = 15


class ArchiveError(EdgeError):
    """A recount of an archive refused: other results lie there, storage that refuses, or no cluster that can do it. Do as it says."""

    exit_code = 16
