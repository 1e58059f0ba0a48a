"""Messages of the journal on the wire: exact both ways; strangers' are refused in one line; the schema tells what is sent."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest

from edge.book.inbox import Inbox
from edge.book.journal import Journal
from edge.journal import JournalMessage
from edge.network.messages import MOST_BYTES, decode, encode
from tests.book.made import a_book, begun, mixed, write

ONE_LINE = r"^[^\n]+$"
SCHEMA = Path(__file__).parents[2] / "docs" / "journal-message.schema.json"


@pytest.fixture(scope="module")
def book(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("journal") / "book.sqlite"
    with a_book(path) as made:
        write(begun(made), mixed(6))
        write(begun(made), mixed(sample="gone")[:1])
        made.store.connection.execute("DELETE FROM sample WHERE name = 'gone'")
    return path


def messages(book: Path, *, names: bool) -> list[JournalMessage]:
    journal = Journal(book)
    return [journal.message(entry, "bench-3", names=names) for entry in journal.entries(1, 100)]


@pytest.mark.parametrize("names", [True, False], ids=["named", "unnamed"])
def test_what_was_sent_is_what_arrives(book: Path, *, names: bool) -> None:
    for message in messages(book, names=names):
        payload = encode(message)
        assert decode(payload) == message
        assert payload.isascii()
        assert b"\n" not in payload


def test_the_schema_describes_what_is_sent(book: Path) -> None:
    validate = pytest.importorskip("fastjsonschema", reason="fastjsonschema is not installed").compile(
        json.loads(SCHEMA.read_text())
    )
    for names in (True, False):
        for message in messages(book, names=names):
            told = json.loads(encode(message))
            validate(told)
            with pytest.raises(ValueError, match="origin"):
                validate({**told, "origin": "a stranger's"})


def changed(told: dict[str, object], *path: str, value: object) -> bytes:
    raw = json.loads(json.dumps(told))
    at = raw
    for name in path[:-1]:
        at = at[name]
    at[path[-1]] = value
    return json.dumps(raw).encode()


REFUSED = {
    "an origin": (("origin",), "XYZ", "origin: no origin of 32 hexadecimal digits"),
    "another format": (("format",), 2, "format: no whole number from 1 to 1"),
    "a number below 1": (("number",), 0, "number: no whole number from 1"),
    "a truth for a number": (("number",), True, "number: no whole number"),
    "a number for a text": (("scope",), 3, "scope: no text of at most 200 letters"),
    "a long name": (("sample", "name"), "x" * 5000, "sample: name: no text of at most 4,096 letters"),
    "a zero in a name": (("sample", "name"), "a\0b", "sample: name: no text"),
    "a uuid": (("sample", "uuid"), "1" * 36, "sample: uuid: no uuid"),
    "a state": (("sample", "state"), "eaten", "sample: state: none of: counting, complete, interrupted"),
    "a whole number for a real one": (("field", "seconds"), 3, "field: seconds: no number with a fraction"),
    "base64": (("field", "cells", "boxes"), "?", "field: cells: boxes: no base64"),
    "a key": (("field", "colour\n"), 1, "field: 'colour\\n' is no part of it"),
    "no field": (("field",), [], "field: it is no JSON object"),
    "cells": (("field", "cells"), None, "field: cells: it is no JSON object"),
    "no sample": (("sample",), {}, "a field without its sample"),
    "a large height": (("field", "height"), 10**30, "field: height: no whole number"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_no_message_is_refused(case: str, book: Path) -> None:
    path, value, words = REFUSED[case]
    told = json.loads(encode(messages(book, names=True)[1]))
    with pytest.raises(ValueError, match=ONE_LINE) as caught:
        decode(changed(told, *path, value=value))
    assert words in str(caught.value)


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"\xff",
        b"null",
        b"[1]",
        b"{}",
        b'{"format": NaN}',
        b"[" * 100_000,
        b" " * (MOST_BYTES + 1),
        b'{"number": 1e999}',
    ],
    ids=["empty", "no text", "null", "a list", "nothing in it", "NaN", "deep", "long", "infinite"],
)
def test_what_is_no_json_object_is_refused(payload: bytes) -> None:
    with pytest.raises(ValueError, match=ONE_LINE):
        decode(payload)


def mutated(payload: bytes, dice: random.Random) -> bytes:
    data = bytearray(payload)
    for _ in range(dice.choice((1, 1, 1, 2, 5))):
        at = dice.randrange(len(data) or 1)
        match dice.randrange(5):
            case 0:
                data[at : at + 1] = bytes([dice.randrange(256)])
            case 1:
                del data[at : at + dice.randrange(1, 9)]
            case 2:
                data[at:at] = dice.choice((b"0", b"-", b"null", b"{}", b'"', b"9" * 30, b"1e9", b"\\ud800", b"[" * 50))
            case 3:
                del data[at:]
            case _:
                data[at : at + 8], data[:8] = data[:8], data[at : at + 8]
    return bytes(data)


def decoded(payload: bytes) -> JournalMessage | str:
    """The message, or why it was refused."""
    try:
        return decode(payload)
    except ValueError as error:
        return str(error)


def test_ten_thousand_mutated_payloads_are_refused_or_harmless(book: Path, tmp_path: Path) -> None:
    """What still decodes goes on to a collected book, which refuses it or holds what it says, and stays sound."""
    dice = random.Random(18)
    payloads = [encode(one) for one in messages(book, names=True)]
    payloads.sort(key=len)
    taken = refused = 0
    with Inbox(tmp_path / "district.sqlite") as inbox:
        inbox.take_all([decode(one) for one in payloads[:2]])
        waiting = []
        for n in range(10_000):
            got = decoded(mutated(payloads[0 if n % 4 else dice.randrange(len(payloads))], dice))
            if isinstance(got, str):
                assert "\n" not in got
                refused += 1
            else:
                waiting.append(got)
        for one in inbox.take_all(waiting):
            taken += not isinstance(one, ValueError)
        for row in inbox.book.samples():
            inbox.book.event(row.id)
            inbox.book.tally(row.id)
    assert refused > 5000
    assert taken + refused <= 10_000
