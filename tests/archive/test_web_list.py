"""Lists of addresses: which line is of which sample, and lines that are refused by their number."""

from __future__ import annotations

from pathlib import Path

import pytest

from edge.archive.storage import open_storage
from edge.archive.web_list import WebList, is_web_list, read_web_list
from edge.errors import ArchiveError, NoInputError


def told(found: WebList) -> dict[str, list[str]]:
    return {folder: [file.path for file in found.files(folder)] for folder in found.folders}


def test_the_folder_part_of_an_address_is_its_sample() -> None:
    text = b"# kids of 2026\nhttps://host/2026/kid-1/a.png\n\nhttps://host/2026/kid-2/a.png\r\nhttps://host/2026/kid-1/b.png"
    assert told(WebList("fields.txt", text)) == {
        "host/2026/kid-1": ["https://host/2026/kid-1/a.png", "https://host/2026/kid-1/b.png"],
        "host/2026/kid-2": ["https://host/2026/kid-2/a.png"],
    }


def test_lines_of_a_list_on_a_web_server_may_be_relative_to_it() -> None:
    text = b"kid-1/a.png\n/other/kid-2/a.png\nhttps://host/2026/kid-1/b.png\na.png\n"
    assert told(WebList("https://host/2026/list.txt", text)) == {
        "kid-1": ["https://host/2026/kid-1/a.png", "https://host/2026/kid-1/b.png"],
        "host/other/kid-2": ["https://host/other/kid-2/a.png"],
        "host": ["https://host/2026/a.png"],
    }


def test_an_address_that_comes_twice_is_one_field() -> None:
    assert told(WebList("f.txt", b"https://h/k/a.png\nhttps://h/k/a.png\n")) == {"h/k": ["https://h/k/a.png"]}


def test_a_name_and_password_in_an_address_are_not_in_the_samples_name() -> None:
    assert WebList("f.txt", b"https://me:secret@h/k/a%20b.png\n").folders == ("h/k",)


REFUSED = {
    "no address": (b"https://h/k/a.png\nkid-1/a.png\n", "line 2: kid-1/a.png: not an http"),
    "another protocol": (b"ftp://h/k/a.png", "line 1: ftp://h/k/a.png: not an http"),
    "no host": (b"https:///k/a.png", "line 1: .*: not an http"),
    "a bracket": (b"https://[h/k/a.png", "line 1: no address"),
    "no text": (b"\xff\xfe\x00", "line 1: no address"),
    "a signed address": (b"https://h/k/a.png?X-Amz-Signature=secret", "line 1: an address with [?] in it"),
    "a line without an end": (b"https://h/" + b"a" * 5000, "line 1: longer than 4096 bytes"),
    "an escape sequence": (b"https://h/\x1b[2Jk/a.png", "line 1: .*: not an http"),
    "nothing": (b"\n# nothing\n", "no address in it"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_a_line_that_is_no_address_is_refused_by_its_number(case: str) -> None:
    text, words = REFUSED[case]
    with pytest.raises(NoInputError, match=words) as caught:
        WebList("fields.txt", text)
    assert str(caught.value).isprintable()
    assert "secret" not in str(caught.value)


def test_a_text_file_here_and_anything_on_a_web_server_is_a_list(tmp_path: Path) -> None:
    list_here, folder = tmp_path / "fields.txt", tmp_path / "folder.txt"
    list_here.write_text("https://h/k/a.png\n")
    folder.mkdir()
    assert is_web_list(str(list_here))
    assert is_web_list("https://host/list")
    assert not is_web_list(str(folder))
    assert not is_web_list(str(tmp_path / "absent.txt"))
    assert read_web_list(str(list_here)).folders == ("h/k",)


def test_a_list_is_refused_at_once_where_nothing_here_fetches_its_addresses(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fsspec = pytest.importorskip("fsspec", reason="the extra archive is not installed")
    (tmp_path / "fields.txt").write_text("https://h/k/a.png\n")

    def missing(_: str) -> None:
        raise ImportError("HTTPFileSystem requires aiohttp")

    monkeypatch.setattr(fsspec, "get_filesystem_class", missing)
    with pytest.raises(ArchiveError, match=r"https://h/k/a.png: https:// needs a package .* pip install aiohttp$"):
        open_storage(str(tmp_path / "fields.txt")).check()
