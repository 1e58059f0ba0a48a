from __future__ import annotations

import os
import tempfile
from pathlib import Path

import pytest

from edge.errors import OutputError
from edge.outputs.files import safe_name, same_place
from edge.safe_file import ReplacedFile, whole_file

NAMES = [
    ("slide 7", "slide_7"),
    ("Образец 1", "Образец_1"),
    ("ናሙና ፩", "ናሙና_፩"),
    ("नमूना ३", "नमूना_३"),  # vowel signs are no letters, and belong to them
    ("血液/一", "血液_一"),
    ("e\u0301", "é"),
    ("../../etc/passwd", "etc_passwd"),
    ('a\\b:c*d?e"f<g>h|i', "a_b_c_d_e_f_g_h_i"),
    ("two\nlines\x00\x1b[31m", "two_lines_31m"),
    ("a\u202eb\u200bc\u2028d", "a_b_c_d"),
    ("a\uff0fb\u2215c", "a_b_c"),  # they only look like a slash
    (".hidden", "hidden"),
    ("-rf", "rf"),
    ("...", ""),
    ("☃", ""),
    ("", ""),
    ("ends with a dot.", "ends_with_a_dot"),
    ("con", "_con"),
    ("COM1.tar", "_COM1.tar"),
    ("LPT¹", "_LPT¹"),
    ("console", "console"),
    ("\udcff血", "血"),
    ("a__b", "a__b"),
]


def names(folder: Path) -> list[str]:
    return [path.name for path in folder.iterdir()]


@pytest.mark.parametrize(("text", "name"), NAMES)
def test_names_keep_the_letters_of_any_script_and_nothing_else(text: str, name: str) -> None:
    assert safe_name(text) == name


@pytest.mark.parametrize("letter", ["a", "血", "𒀀", "न\u093e"])
def test_a_name_is_short_in_letters_and_in_bytes(letter: str) -> None:
    name = safe_name(letter * 300)
    assert 10 < len(name) <= 80
    assert 60 < len(name.encode()) <= 120


def test_where_file_names_have_fewer_letters_the_others_are_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.getfilesystemencoding", lambda: "iso8859-1")
    assert safe_name("Zürich 血 1") == "Zürich_1"


@pytest.mark.parametrize(("a", "b"), [("Slide", "sLIDE"), ("É", "e\u0301"), ("straße", "STRASSE"), ("\uff21", "a")])
def test_names_that_some_disk_takes_for_one_are_known(a: str, b: str) -> None:
    assert same_place(a) == same_place(b)


def test_a_file_is_on_the_medium_before_it_has_its_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    steps: list[str] = []
    real_sync, real_replace = os.fsync, Path.replace

    def sync(handle: int) -> None:
        steps.append("folder" if os.path.samestat(os.fstat(handle), tmp_path.stat()) else "file")
        real_sync(handle)

    def replace(self: Path, target: Path) -> Path:
        steps.append("name")
        return real_replace(self, target)

    monkeypatch.setattr(os, "fsync", sync)
    monkeypatch.setattr(Path, "replace", replace)
    with whole_file(tmp_path / "a.txt") as stream:
        stream.write("all of it")
        assert names(tmp_path) != ["a.txt"]
    assert steps == ["file", "name", "folder"]
    assert names(tmp_path) == ["a.txt"]
    assert (tmp_path / "a.txt").read_text() == "all of it"


def _half(path: Path, error: BaseException) -> None:
    with whole_file(path) as stream:
        stream.buffer.write(b"half")
        raise error


@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), KeyboardInterrupt(), ValueError("defect")])
def test_whatever_interrupts_a_file_the_earlier_one_stays(tmp_path: Path, error: BaseException) -> None:
    path = tmp_path / "a.jpg"
    path.write_text("earlier")
    with pytest.raises(OutputError if isinstance(error, OSError) else type(error)):
        _half(path, error)
    assert names(tmp_path) == ["a.jpg"]
    assert path.read_text() == "earlier"


def test_a_disk_that_cannot_sync_folders_does_not_matter(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = os.fsync

    def sync(handle: int) -> None:
        if os.path.samestat(os.fstat(handle), tmp_path.stat()):
            raise OSError(22, "Invalid argument")
        real(handle)

    monkeypatch.setattr(os, "fsync", sync)
    file = ReplacedFile(tmp_path / "a.txt")
    file.close()
    assert names(tmp_path) == ["a.txt"]


def test_a_disk_that_cannot_sync_a_file_is_one_plain_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_: int) -> None:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(os, "fsync", fail)
    with (
        pytest.raises(OutputError, match=r"a\.txt: cannot be written: Input/output error"),
        whole_file(tmp_path / "a.txt") as stream,
    ):
        stream.write("x")
    assert names(tmp_path) == []


def test_a_disk_from_which_nothing_can_be_removed_any_more_is_one_plain_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise OSError(30, "Read-only file system")

    file = ReplacedFile(tmp_path / "a.txt")
    monkeypatch.setattr(os, "fsync", fail)
    monkeypatch.setattr(Path, "unlink", fail)
    with pytest.raises(OutputError, match=r"a\.txt: cannot be written: Read-only file system"):
        file.close()
    file.discard()


def test_what_a_killed_process_left_is_removed_and_a_file_at_work_is_not(tmp_path: Path) -> None:
    left = {".t.csv.abc.part", ".t.csv.xyz.part"}
    others = {".t.csv.part.keep", ".other.csv.abc.part", "t.csv"}
    for name in left | others:
        (tmp_path / name).write_text("left")
    at_work = ReplacedFile(tmp_path / "t.csv")
    made = ReplacedFile(tmp_path / "t.csv", tidy=True)
    assert set(names(tmp_path)) == others | {at_work.temporary.name, made.temporary.name}
    made.close()
    at_work.close()
    assert set(names(tmp_path)) == others


def test_a_file_that_is_taken_for_one_that_was_left_is_made_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken: list[str] = []
    make = tempfile.mkstemp

    def mkstemp(**where: object) -> tuple[int, str]:
        handle, name = make(**where)  # type: ignore[call-overload]
        if not taken:
            taken.append(name)
            Path(name).unlink()  # as another process does between its making and its lock
        return handle, name

    monkeypatch.setattr(tempfile, "mkstemp", mkstemp)
    file = ReplacedFile(tmp_path / "t.csv")
    assert str(file.temporary) not in taken
    file.close()
    assert names(tmp_path) == ["t.csv"]
