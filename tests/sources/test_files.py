"""Folders, files and patterns become shots in the order people number files; what is missing is said."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import pytest

from edge.errors import NoInputError, UnreadableFieldError
from edge.sources.files import FileSource, natural_key, open_source
from edge.sources.video import VideoSource


def image(path: Path, value: int = 100) -> str:
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), np.full((64, 64, 3), value, np.uint8))
    return str(path)


def listed(source: FileSource) -> list[tuple[str, str]]:
    shots = list(source)
    assert [s.index for s in shots] == list(range(len(shots)))
    assert source.total == len(shots)
    return [(s.sample, s.name) for s in shots]


def test_a_folder_is_one_sample_in_natural_order(tmp_path: Path) -> None:
    for name in ("img10.png", "img2.png", "IMG1.JPG", "img03.bmp", "img2b.tif"):
        image(tmp_path / "slide 7" / name)
    names = [name for _, name in listed(FileSource([str(tmp_path / "slide 7")]))]
    assert names == ["IMG1.JPG", "img2.png", "img2b.tif", "img03.bmp", "img10.png"]
    assert {sample for sample, _ in listed(FileSource([str(tmp_path / "slide 7")]))} == {"slide 7"}


@pytest.mark.parametrize("texts", [["a", "B", "c"], ["1", "a1", "a1b"], ["x01", "x1"], ["f9", "f" + "9" * 50]])
def test_natural_order_is_a_total_order(texts: list[str]) -> None:
    shuffled = [*texts[1:], texts[0]]
    assert sorted(shuffled, key=natural_key) == texts


def test_a_field_carries_what_its_shot_said(tmp_path: Path) -> None:
    image(tmp_path / "s" / "a.png", 42)
    (shot,) = FileSource([str(tmp_path / "s")])
    field = shot.load()
    assert (field.index, field.sample, field.name) == (0, "s", "a.png")
    assert (field.rgb == 42).all()
    assert field.decode_ms > 0


def test_nothing_is_opened_before_it_is_loaded(tmp_path: Path) -> None:
    path = Path(image(tmp_path / "a.png"))
    (shot,) = FileSource([str(path)])
    path.unlink()
    with pytest.raises(UnreadableFieldError, match=r"a\.png"):
        shot.load()


def test_what_is_no_field_is_passed_over(tmp_path: Path) -> None:
    image(tmp_path / "a.png")
    for name in ("annotations.json", "t.csv", "n.txt", "x.xml", "README.md", ".hidden.png", "report.html", "Thumbs.db"):
        (tmp_path / name).write_text("x")
    (tmp_path / "folder.png").mkdir()
    assert [name for _, name in listed(FileSource([str(tmp_path)]))] == ["a.png"]


def test_a_picture_too_small_for_a_field_is_refused(tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "a.png"), np.full((12, 16, 3), 100, np.uint8))
    (shot,) = FileSource([str(tmp_path)])
    with pytest.raises(UnreadableFieldError, match=r"a\.png: 16x12 pixels are too few for a field: 64 a side at least"):
        shot.load()


def test_what_is_passed_over_is_counted_in_one_line(tmp_path: Path) -> None:
    image(tmp_path / "a.png")
    for name in ("1.pdf", "2.PDF", "scan.svs", "notes", "film.mp4", ".hidden", "Thumbs.db"):
        (tmp_path / name).touch()
    (note,) = FileSource([str(tmp_path)]).notes
    assert note.startswith("passed over 5 files that are no images: 2 .pdf, ")
    for words in ("1 .svs", "1 without a suffix", "1 .mp4", "a video is given by its own name"):
        assert words in note
    assert "\n" not in note


def test_sub_folders_beside_images_are_said(tmp_path: Path) -> None:
    image(tmp_path / "a.png")
    image(tmp_path / "s1" / "deeper" / "1.png")
    assert FileSource([str(tmp_path)]).notes == ("passed over 1 sub-folder (--sample-per-folder makes each a sample)",)
    image(tmp_path / "s1" / "1.png")
    assert FileSource([str(tmp_path)], sample_per_folder=True).notes == ("passed over 1 sub-folder",)


def test_a_folder_of_fields_alone_has_nothing_to_say(tmp_path: Path) -> None:
    assert FileSource([str(Path(image(tmp_path / "s" / "1.png")).parent)]).notes == ()


@pytest.mark.parametrize("name", ["images", "Images", "img", "fields", "data", "JPG"])
def test_a_folder_whose_name_says_nothing_is_named_with_its_parent(tmp_path: Path, name: str) -> None:
    folder = Path(image(tmp_path / "S-0042" / name / "1.png")).parent
    assert listed(FileSource([str(folder)])) == [(f"S-0042-{name}", "1.png")]
    assert listed(FileSource([str(folder / "1.png")])) == [(f"S-0042-{name}", "1.png")]


def test_as_many_parents_as_it_takes(tmp_path: Path) -> None:
    folder = Path(image(tmp_path / "S-0042" / "data" / "images" / "1.png")).parent
    assert listed(FileSource([str(folder)])) == [("S-0042-data-images", "1.png")]


@pytest.mark.parametrize("name", ["Präparat ñ", "नमूना १", "样本七", "কৃষ্‌ণ", "lame\u00a01", "9.41\u202fAM"])
def test_names_in_any_script_stay_what_they_are(tmp_path: Path, name: str) -> None:
    path = image(tmp_path / "S" / "1.png")
    folder = Path(path).parent.rename(tmp_path / name)
    (folder / "1.png").rename(folder / f"{name}.png")
    assert listed(FileSource([str(folder)])) == [(name, f"{name}.png")]


@pytest.mark.parametrize("name", ["broken.jpg", "phone.heic", "old.gif"])
def test_a_picture_that_cannot_be_decoded_is_not_passed_over(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b"no picture")
    (shot,) = FileSource([str(tmp_path)])
    with pytest.raises(UnreadableFieldError, match=name):
        shot.load()


def test_a_file_given_by_name_is_always_tried(tmp_path: Path) -> None:
    Path(image(tmp_path / "a.png")).rename(tmp_path / "field.dat")
    (shot,) = FileSource([str(tmp_path / "field.dat")])
    assert shot.load().rgb.shape == (64, 64, 3)


def test_loose_files_are_one_sample_named_after_the_folder_they_share(tmp_path: Path) -> None:
    files = [image(tmp_path / "run" / part) for part in ("b/1.png", "a/10.png", "a/9.png")]
    assert listed(FileSource(files)) == [("run", "a/9.png"), ("run", "a/10.png"), ("run", "b/1.png")]


def test_two_folders_are_two_samples(tmp_path: Path) -> None:
    folders = [str(Path(image(tmp_path / name / "1.png")).parent) for name in ("beta", "alpha")]
    assert listed(FileSource(folders)) == [("beta", "1.png"), ("alpha", "1.png")]


def test_folders_of_the_same_name_stay_two_samples(tmp_path: Path) -> None:
    folders = [str(Path(image(tmp_path / slide / "images" / "1.png")).parent) for slide in ("s1", "s2")]
    assert listed(FileSource(folders)) == [("s1-images", "1.png"), ("s2-images", "1.png")]


def test_a_sample_id_makes_one_sample_whose_names_tell_the_files_apart(tmp_path: Path) -> None:
    folders = [str(Path(image(tmp_path / name / "1.png")).parent) for name in ("b", "a")]
    assert listed(FileSource(folders, sample_id="P-17")) == [("P-17", "a/1.png"), ("P-17", "b/1.png")]


def test_sample_per_folder_makes_each_sub_folder_a_sample(tmp_path: Path) -> None:
    for name in ("s10/1.png", "s2/1.png", "s2/deeper/1.png", "loose.png", ".cache/1.png"):
        image(tmp_path / "all" / name)
    (tmp_path / "all" / "empty").mkdir()
    source = FileSource([str(tmp_path / "all")], sample_per_folder=True)
    assert listed(source) == [("all", "loose.png"), ("s2", "1.png"), ("s10", "1.png")]


def test_one_sample_and_many_cannot_both_be_asked_for(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="give one of them"):
        FileSource([image(tmp_path / "a.png")], sample_id="x", sample_per_folder=True)


def test_the_same_file_given_twice_counts_once(tmp_path: Path) -> None:
    file = image(tmp_path / "s" / "1.png")
    (tmp_path / "s" / "latest.png").symlink_to(file)
    assert listed(FileSource([str(tmp_path / "s"), file, file])) == [("s", "1.png")]


def test_a_pattern_the_shell_left_alone_is_expanded_in_natural_order(tmp_path: Path) -> None:
    for name in ("img10.png", "img9.png", "img9.txt", "other.png"):
        image(tmp_path / name) if name.endswith("png") else (tmp_path / name).touch()
    assert [name for _, name in listed(FileSource([str(tmp_path / "img*")]))] == ["img9.png", "img10.png"]


def test_a_name_with_brackets_is_a_name_first(tmp_path: Path) -> None:
    assert listed(FileSource([image(tmp_path / "s" / "cell [1].png")])) == [("s", "cell [1].png")]


def test_the_current_folder_has_a_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    image(tmp_path / "here" / "1.png")
    monkeypatch.chdir(tmp_path / "here")
    assert listed(FileSource(["."])) == [("here", "1.png")]
    assert listed(FileSource(["1.png"])) == [("here", "1.png")]


def test_what_is_missing_is_said_with_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(NoInputError, match="give a folder"):
        FileSource([])
    with pytest.raises(NoInputError, match=r"nowhere: no such file or folder; check"):
        FileSource([str(tmp_path / "nowhere")])
    with pytest.raises(NoInputError, match=r"\*\.png: no image matches"):
        FileSource([str(tmp_path / "*.png")])
    (tmp_path / "notes.txt").touch()
    with pytest.raises(NoInputError, match=r"no images in it \(looked for \.bmp"):
        FileSource([str(tmp_path)])
    image(tmp_path / "deeper" / "1.png")
    with pytest.raises(NoInputError, match="samples with --sample-per-folder"):
        FileSource([str(tmp_path)])


def test_open_source_tells_videos_from_images(tmp_path: Path) -> None:
    still = image(tmp_path / "a.png")
    (tmp_path / "b.MP4").write_bytes(b"no video")
    assert isinstance(open_source([still]), FileSource)
    assert isinstance(open_source([str(tmp_path / "*.MP4")]), VideoSource)
    with pytest.raises(NoInputError, match="one after the other"):
        open_source([still, str(tmp_path / "b.MP4")])


def test_closing_twice_is_fine(tmp_path: Path) -> None:
    source = FileSource([image(tmp_path / "a.png")])
    source.close()
    source.close()


def test_a_link_to_where_one_may_not_look_is_an_unreadable_field_and_no_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    image(tmp_path / "a.png")
    image(tmp_path / "locked.png")
    is_dir = Path.is_dir

    def denied(path: Path) -> bool:  # as for a link into a folder that may not be entered; root may enter all
        if path.name == "locked.png":
            raise PermissionError(13, "Permission denied")
        return is_dir(path)

    monkeypatch.setattr(Path, "is_dir", denied)
    assert len(list(FileSource([str(tmp_path)]))) == 2


def test_a_path_that_may_not_be_looked_at_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    def denied(_: Path) -> bool:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "exists", denied)
    with pytest.raises(NoInputError, match="locked: Permission denied"):
        FileSource(["locked"])
