"""Files that a person may have changed, and who can read which."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from edge.errors import OutputError, ServiceError
from edge.service.access import ServiceUser, in_homes, with_links
from edge.service.places import ServicePlaces
from edge.service.written import aside, changed_by_hand, marked, write_marked


def test_a_file_as_written_is_known_as_unchanged_and_replaced(tmp_path: Path) -> None:
    path = tmp_path / "edge" / "service.toml"
    assert write_marked(path, "camera = true\n") is None
    assert not changed_by_hand(path)
    assert write_marked(path, "camera = false\n") is None
    assert path.read_text() == marked("camera = false\n")


@pytest.mark.parametrize(
    "change",
    [lambda text: text + "# mine\n", lambda _: "camera = true\n", lambda _: "", lambda text: text[:-1]],
    ids=["a line more", "written by a person", "emptied", "a letter less"],
)
def test_a_change_by_hand_is_seen_and_kept(tmp_path: Path, change: Callable[[str], str]) -> None:
    path = tmp_path / "service.toml"
    write_marked(path, "camera = true\n")
    changed = change(path.read_text())
    path.write_text(changed)
    assert changed_by_hand(path)
    kept = write_marked(path, "new\n")
    assert kept is not None
    assert kept.read_text() == changed
    assert path.read_text() == marked("new\n")


def test_no_file_is_no_change(tmp_path: Path) -> None:
    assert not changed_by_hand(tmp_path / "none")


def test_a_folder_in_the_place_of_the_file_is_one_plain_line(tmp_path: Path) -> None:
    (tmp_path / "unit").mkdir()
    with pytest.raises(OutputError, match="cannot be read"):
        changed_by_hand(tmp_path / "unit")


def test_a_file_put_aside_is_beside(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("x")
    assert aside(tmp_path / "a") == tmp_path / "a.before"


def test_what_only_its_owner_can_read_is_barred_to_others(tmp_path: Path) -> None:
    own, shut = tmp_path / "own", tmp_path / "shut"
    for folder, mode in ((own, 0o755), (shut, 0o700)):
        folder.mkdir()
        (folder / "model.tflite").write_text("x")
        folder.chmod(mode)
    tmp_path.chmod(0o755)
    me = ServiceUser(tmp_path.stat().st_uid)
    anybody = ServiceUser()
    assert me.barred_at(shut / "model.tflite") is None
    barred = anybody.barred_at(shut / "model.tflite")
    assert barred is not None
    assert shut.is_relative_to(barred)
    (own / "model.tflite").chmod(0o600)
    assert anybody.barred_at(Path("/etc/passwd")) is None
    assert ServiceUser(12345, frozenset({tmp_path.stat().st_gid})).barred_at(Path("/nowhere/at/all")) == Path(
        "/nowhere"
    )


def test_there_must_be_such_a_user() -> None:
    assert ServiceUser.named("root").uid == 0
    with pytest.raises(ServiceError, match="no such user"):
        ServiceUser.named("nobody-of-this-name")


def test_both_ends_of_a_link_are_needed(tmp_path: Path) -> None:
    (tmp_path / "python").write_text("x")
    (tmp_path / "link").symlink_to(tmp_path / "python")
    assert with_links([tmp_path / "link"]) == sorted([tmp_path / "link", (tmp_path / "python").resolve()])


@pytest.mark.parametrize(
    ("path", "hidden"), [("/home/pi/m", True), ("/root/x", True), ("/homes/x", False), ("/opt/edge", False)]
)
def test_what_protect_home_hides(path: str, hidden: bool) -> None:
    assert in_homes([Path(path)]) is hidden


def test_a_user_s_service_uses_the_user_s_own_book(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.setenv("XDG_CONFIG_HOME", "relative")
    monkeypatch.setenv("HOME", str(tmp_path))
    places = ServicePlaces.of(user=True)
    assert places.book == tmp_path / "data/edge/book.sqlite"
    assert places.unit == tmp_path / ".config/systemd/user/edge.service"
    assert list(places.drop_ins) == []
    folder = places.unit.with_name("edge.service.d")
    folder.mkdir(parents=True)
    (folder / "b.conf").touch()
    (folder / "a.conf").touch()
    assert [path.name for path in places.drop_ins] == ["a.conf", "b.conf"]
