"""What may be given as a model, and the one line each broken or hostile thing gets. No TensorFlow."""

from __future__ import annotations

import json
import stat
import zipfile
import zlib
from dataclasses import replace
from pathlib import Path

import pytest

from convert.errors import ModelError, SourceError, UntrustedError
from convert.reading import archive as archives
from convert.reading.parse import admit
from convert.reading.source import open_source, refuse_tflite
from edge.modelfile import Card, write_model
from tests.convert.make import H5_MAGIC, archive, dense, field, graph_node, node, saved_model, sequential

CONFIG = sequential(node("Flatten"), dense())


def refusal(path: Path) -> str:
    with pytest.raises(ModelError) as caught:
        open_source(path)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_a_keras_archive_is_read_without_running_anything(tmp_path: Path) -> None:
    path = archive(tmp_path / "m.keras", CONFIG)
    source = open_source(path)
    assert (source.format, source.keras_version, source.keras_major) == ("keras", "3.15.1", 3)
    assert source.config == CONFIG
    assert source.size == path.stat().st_size
    assert source.sha256 == open_source(str(path)).sha256


def test_the_kind_is_told_by_content_not_by_name(tmp_path: Path) -> None:
    assert open_source(archive(tmp_path / "model.h5", CONFIG)).format == "keras"


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "empty"),
        (b"hello, I am a model", "not a Keras model"),
        (b"\x1c\x00\x00\x00TFL3aaaaaaaa", "already a TFLite file"),
        (b"\x80\x04\x95....", "a pickle, which is never opened"),
        (b"version https://git-lfs.github.com/spec/v1\n", "git lfs pull"),
        (b"<!DOCTYPE html>", "a web page"),
        (b'{"class_name": "Sequential"}', "a JSON file"),
        (b"\x89PNG\r\n\x1a\n....", "an image"),
        (b"\x93NUMPY\x01\x00", "a NumPy array"),
        (b"PK\x03\x04garbage", "damaged or truncated"),
    ],
)
def test_what_is_no_model_is_told_what_it_is(tmp_path: Path, content: bytes, said: str) -> None:
    path = tmp_path / "m.keras"
    path.write_bytes(content)
    assert said in refusal(path)


@pytest.mark.parametrize(
    ("card", "said"),
    [
        (None, "already a TFLite file, without a card: convert the Keras model"),
        (Card("net", "classify", ("a", "b")), "already a device file, with a card: edge-run takes it"),
    ],
    ids=["without a card", "with one"],
)
def test_a_tflite_file_is_told_what_to_do_with_it(tmp_path: Path, card: Card | None, said: str) -> None:
    path, content = tmp_path / "net.tflite", b"\x1c\x00\x00\x00TFL3" + bytes(64)
    if card is None:
        path.write_bytes(content)
    else:
        write_model(path, content, card)
    assert said in refusal(path)
    with pytest.raises(SourceError, match=said):
        refuse_tflite(path)


def test_what_is_no_tflite_file_is_left_to_the_reader(tmp_path: Path) -> None:
    refuse_tflite(archive(tmp_path / "m.keras", CONFIG))
    refuse_tflite(tmp_path)
    refuse_tflite(tmp_path / "none.keras")


def test_a_file_of_a_later_keras_is_said_to_be(tmp_path: Path) -> None:
    path = archive(tmp_path / "m.keras", CONFIG)
    assert open_source(path).too_new is None
    source = replace(open_source(path), keras_version="4.1.0")
    assert any("written by Keras 4.1.0; 3 is the newest known" in note for note in admit(source).notes)
    strange = replace(source, config=sequential(node("Unheard")))
    with pytest.raises(ModelError, match=r"Unheard.*written by Keras 4\.1\.0"):
        admit(strange)


def test_a_missing_file_an_empty_folder_and_a_name_that_is_none(tmp_path: Path) -> None:
    assert "no such file" in refusal(tmp_path / "none.keras")
    (tmp_path / "x.h5").mkdir()
    assert "the folder is empty" in refusal(tmp_path / "x.h5")
    assert "not a usable path" in refusal(Path("a\0b"))
    assert "cannot be read" in refusal(Path("a" * 5000))
    assert "neither a file nor a folder" in refusal(Path("/dev/null"))


@pytest.mark.parametrize(
    ("name", "said"),
    [("net.onnx", "an ONNX file: give the Keras model"), ("net.pth", "PyTorch"), ("graph.pb", "frozen graph")],
)
def test_files_of_other_tools_are_told_by_their_ending(tmp_path: Path, name: str, said: str) -> None:
    (tmp_path / name).write_bytes(b"\x08\x07\x12\x07")
    with pytest.raises(SourceError, match=said):
        open_source(tmp_path / name)


@pytest.mark.parametrize(
    ("inside", "said"), [("archive/data.pkl", "a PyTorch file"), ("download/net.h5", r"download/net\.h5 in it: unpack")]
)
def test_other_archives_are_told_by_what_is_in_them(tmp_path: Path, inside: str, said: str) -> None:
    path = archive(tmp_path / "net.zip", weights=None, extra={inside: b"x"})
    with pytest.raises(SourceError, match=said):
        open_source(path)


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9, 0.99])
def test_a_truncated_archive_is_refused(tmp_path: Path, share: float) -> None:
    data = archive(tmp_path / "m.keras", CONFIG).read_bytes()
    (tmp_path / "t.keras").write_bytes(data[: int(len(data) * share)])
    assert "damaged or truncated" in refusal(tmp_path / "t.keras")


def test_a_flipped_byte_is_noticed_or_harmless(tmp_path: Path) -> None:
    data = archive(tmp_path / "m.keras", CONFIG).read_bytes()
    path, lines = tmp_path / "f.keras", []
    for at in range(0, len(data), 7):
        path.write_bytes(data[:at] + bytes([data[at] ^ 0x55]) + data[at + 1 :])
        try:
            open_source(path)
        except ModelError as error:
            lines.append(str(error))
    assert not any("\n" in line for line in lines)


@pytest.mark.parametrize("name", ["../../etc/cron.d/x", "/etc/passwd", "a/../../b", "C:\\x", "..\\x"])
def test_names_that_lead_outside_are_refused(tmp_path: Path, name: str) -> None:
    assert "outside itself" in refusal(archive(tmp_path / "m.keras", CONFIG, extra={name: b"x"}))


def test_links_doubles_and_passwords_in_an_archive_are_refused(tmp_path: Path) -> None:
    link = tmp_path / "link.keras"
    archive(link, CONFIG)
    with zipfile.ZipFile(link, "a") as file:
        entry = zipfile.ZipInfo("assets/link")
        entry.external_attr = (stat.S_IFLNK | 0o777) << 16
        file.writestr(entry, "/etc/passwd")
    assert "symbolic link" in refusal(link)
    twice = tmp_path / "twice.keras"
    archive(twice, CONFIG)
    with zipfile.ZipFile(twice, "a") as file, pytest.warns(UserWarning, match="Duplicate"):
        file.writestr("config.json", "{}")
    assert "twice" in refusal(twice)


def test_a_zip_bomb_costs_no_more_than_the_limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archives, "MAX_JSON_BYTES", 10_000)
    path = archive(tmp_path / "m.keras", b'{"a": "' + b"x" * 50_000_000 + b'"}')
    assert path.stat().st_size < 100_000
    assert "unpacks to more than" in refusal(path)


def test_a_size_claimed_smaller_than_it_is_does_not_help(tmp_path: Path) -> None:
    path = archive(tmp_path / "m.keras", json.dumps({**CONFIG, "x": "y" * 100_000}).encode())
    data = bytearray(path.read_bytes())
    for start in (data.find(b"PK\x03\x04") + 22, data.find(b"PK\x01\x02") + 24):
        data[start : start + 4] = (100).to_bytes(4, "little")
    path.write_bytes(bytes(data))
    refusal(path)


def test_weights_longer_than_allowed_are_not_unpacked_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(archives, "MAX_WEIGHTS_BYTES", 10_000)
    path = archive(tmp_path / "m.keras", CONFIG, weights=H5_MAGIC + bytes(20_000_000))
    with pytest.raises(SourceError, match="unpack to more than"):
        archives.copy_weights(path, tmp_path / "w.h5")
    assert (tmp_path / "w.h5").stat().st_size <= 10_000


def test_deep_and_wide_json_is_refused(tmp_path: Path) -> None:
    deep = b'{"class_name": "Sequential", "config": ' + b"[" * 100_000 + b"]" * 100_000 + b"}"
    assert "too deep" in refusal(archive(tmp_path / "deep.keras", deep))
    less = b'{"class_name": "Sequential", "config": ' + b"[" * 500 + b"]" * 500 + b"}"
    assert "too deep" in refusal(archive(tmp_path / "less.keras", less))
    assert "no valid JSON" in refusal(archive(tmp_path / "bad.keras", b"{'class_name': 1}"))
    assert "no valid JSON" in refusal(archive(tmp_path / "number.keras", b'{"a": ' + b"9" * 10_000 + b"}"))


@pytest.mark.parametrize("config", [{}, {"class_name": "Sequential"}, "text", 3, None])
def test_a_config_that_describes_nothing_is_refused(tmp_path: Path, config: object) -> None:
    text = json.dumps(config).encode()
    assert "describes no model" in refusal(archive(tmp_path / "m.keras", text))


def test_an_archive_with_a_part_missing_says_which(tmp_path: Path) -> None:
    assert "no weights" in refusal(archive(tmp_path / "a.keras", CONFIG, weights=None))
    assert "no weights" in refusal(archive(tmp_path / "b.keras", CONFIG, weights=b""))
    assert "config.json is missing" in refusal(archive(tmp_path / "c.keras", None))
    assert "holds no config.json" in refusal(archive(tmp_path / "d.keras", None, weights=None))


def test_a_saved_model_without_its_parts_says_which(tmp_path: Path) -> None:
    assert "variables are missing" in refusal(saved_model(tmp_path / "a", variables=False))
    half = saved_model(tmp_path / "b")
    (half / "variables" / "variables.data-00000-of-00001").unlink()
    assert "variables are missing" in refusal(half)
    empty = saved_model(tmp_path / "c")
    (empty / "saved_model.pb").write_bytes(b"")
    assert "empty" in refusal(empty)
    damaged = saved_model(tmp_path / "d")
    (damaged / "saved_model.pb").write_bytes(b"\xff" * 40)
    assert "damaged" in refusal(damaged)


def test_folders_that_are_something_else_are_told_what(tmp_path: Path) -> None:
    (tmp_path / "text.txt").write_text("x")
    assert "without saved_model.pb" in refusal(tmp_path)
    (tmp_path / "m.keras").write_text("x")
    assert "m.keras in it: give that file" in refusal(tmp_path)
    (tmp_path / "config.json").write_text("{}")
    assert "unpacked .keras" in refusal(tmp_path)


def test_a_saved_model_of_plain_operations_is_let_in(tmp_path: Path) -> None:
    source = open_source(saved_model(tmp_path / "a"))
    assert source.format == "savedmodel"
    assert source.config is None


@pytest.mark.parametrize("op", ["PyFunc", "ReadFile", "WriteFile", "SaveV2", "EagerPyFunc", "LoadLibrary", "Unheard"])
def test_a_graph_that_reaches_outside_is_refused_by_name(tmp_path: Path, op: str) -> None:
    path = saved_model(tmp_path / "a", ("Placeholder", op))
    with pytest.raises(UntrustedError, match=op):
        open_source(path)


def test_saving_hidden_in_a_function_that_the_net_calls_is_refused(tmp_path: Path) -> None:
    folder = saved_model(tmp_path / "a")
    saver = field(1, field(1, b"innocent")) + field(3, graph_node("SaveV2"))
    caller = field(1, field(1, b"serve")) + field(3, graph_node("StatefulPartitionedCall") + field(5, b"innocent"))
    (folder / "saved_model.pb").write_bytes(field(2, field(2, field(2, field(1, saver) + field(1, caller)))))
    with pytest.raises(UntrustedError, match="writes or reads files"):
        open_source(folder)


def test_a_link_in_a_saved_model_is_refused(tmp_path: Path) -> None:
    folder = saved_model(tmp_path / "a")
    (folder / "assets").symlink_to("/etc")
    assert "symbolic link" in refusal(folder)


def test_compressed_weights_with_a_wrong_sum_are_noticed(tmp_path: Path) -> None:
    path = archive(tmp_path / "m.keras", CONFIG, weights=H5_MAGIC + bytes(range(256)) * 50)
    data = bytearray(path.read_bytes())
    right = zlib.crc32(H5_MAGIC + bytes(range(256)) * 50).to_bytes(4, "little")
    path.write_bytes(bytes(data).replace(right, b"\0\0\0\0"))
    with pytest.raises(SourceError, match="damaged"):
        archives.copy_weights(path, tmp_path / "w.h5")
