"""A collector's connection: with a client that is scripted, and with a real Mosquitto."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, cast

import pytest

from benchmarks.network.certificates import CertificateFiles, make_certificates
from benchmarks.network.mosquitto import BrokerOptions, Mosquitto
from edge.errors import BrokerError
from edge.network.client import ANSWER_S, BackOff, make_client
from edge.network.collector import Collector
from edge.network.news import News
from edge.network.records import BrokerAddress, JournalMessage
from edge.network.subscriber import Subscriber
from edge.network.topics import ScopeTopics
from tests.network.collecting import UUID, DictBook, payload_of, whole
from tests.network.mosquitto import broker, certificates, needs_mosquitto, silent_server

__all__ = ["broker", "certificates"]
TOPICS = ScopeTopics("bench-3", "ab" * 16)
ADDRESS = BrokerAddress("broker.local", 1883)


def entry(number: int) -> bytes:
    told = {"uuid": UUID.format(1), "name": "s", "state": "counting", "flag": None}
    return payload_of(JournalMessage(TOPICS.origin, TOPICS.name, number, whole(told)))


@dataclass
class Reason:
    value: int = 0

    def getName(self) -> str:  # noqa: N802 - paho's name
        return "Success" if self.value == 0 else "Keep alive timeout"


@dataclass
class Arrived:
    topic: str
    payload: bytes
    mid: int
    qos: int = 1
    retain: bool = False


@dataclass
class ScriptedClient:
    """A paho client whose broker does what the script says, one step a turn of the loop."""

    script: list[Callable[[], None]]
    refuses: list[Exception] = field(default_factory=list)
    said: list[Any] = field(default_factory=list)
    connections: int = 0
    on_connect: Any = None
    on_disconnect: Any = None
    on_subscribe: Any = None
    on_message: Any = None

    def manual_ack_set(self, on: bool) -> None:
        assert on

    def connect(self, host: str, port: int, keepalive: int) -> None:
        self.connections += 1
        if self.refuses:
            raise self.refuses.pop(0)

    def loop(self, timeout: float) -> None:
        if timeout and self.script:
            self.script.pop(0)()

    def subscribe(self, topics: list[tuple[str, int]]) -> None:
        self.said.append(("subscribe", [quality for _, quality in topics]))

    def publish(self, topic: str, payload: bytes, qos: int) -> None:
        self.said.append(("publish", topic, payload))

    def ack(self, mid: int, qos: int) -> None:
        self.said.append(("ack", mid))

    def disconnect(self) -> None:
        self.said.append(("disconnect",))
        self.on_disconnect(self, None, None, Reason(), None)

    def socket(self) -> None:
        """It has none."""

    def accepts(self, code: int = 0) -> None:
        self.on_connect(self, None, None, Reason(code), None)
        if code == 0:
            self.on_subscribe(self, None, 1, [Reason(1)], None)

    def loses(self, code: int = 0) -> None:
        self.on_disconnect(self, None, None, Reason(code), None)

    def messages(self, *numbers: int) -> None:
        for number in numbers:
            self.on_message(self, None, Arrived(TOPICS.journal, entry(number), number))


@dataclass
class Trial:
    """A subscriber on a scripted client, by a clock that every turn moves by a second."""

    client: ScriptedClient
    now: float = 0.0
    told: list[News] = field(default_factory=list)
    book: DictBook = field(default_factory=DictBook)

    def __post_init__(self) -> None:
        self.subscriber = Subscriber(
            ADDRESS,
            "edge-collect-1",
            self.told.append,
            make=lambda *_, **__: cast("Any", self.client),
            now=lambda: self.now,
            sleep=self.sleep,
            back_off=BackOff(lambda: 1.0),
        )
        self.collector = Collector(self.book, self.subscriber.publish, self.told.append, lambda: "now", 0.0)

    def sleep(self, seconds: float) -> None:
        self.now += seconds

    def run(self, turns: int) -> None:
        left = [turns]

        def ended() -> bool:
            left[0] -= 1
            self.now += 1
            return left[0] < 0

        self.subscriber.run(self.collector, ended)

    def words(self) -> list[str]:
        return [one.words for one in self.told]


def test_a_message_is_acknowledged_when_it_is_in_the_book() -> None:
    client = ScriptedClient([])
    trial = Trial(client)
    client.script += [client.accepts, lambda: client.messages(1, 2)]
    trial.run(4)
    assert trial.book.entries == {TOPICS.origin: [1, 2]}
    assert client.said == [("subscribe", [1, 1, 1]), ("ack", 1), ("ack", 2), ("disconnect",)]


def test_what_the_book_could_not_take_is_not_acknowledged() -> None:
    client = ScriptedClient([])
    trial = Trial(client)

    def full(_messages: object) -> tuple[()]:
        raise OSError(28, "No space left on device")

    trial.book.take_all = full  # type: ignore[assignment]
    client.script += [client.accepts, lambda: client.messages(1)]
    with pytest.raises(OSError, match="space"):
        trial.run(4)
    assert not [said for said in client.said if said[0] == "ack"]


def test_a_broker_that_is_away_is_said_once_and_so_is_its_return() -> None:
    refused = [ConnectionRefusedError(111, "Connection refused") for _ in range(4)]
    client = ScriptedClient([], list(refused))
    trial = Trial(client)
    client.script += [client.accepts]
    trial.run(40)
    assert trial.words() == [
        "the broker mqtt://broker.local:1883 is away: connection refused: no broker listens there",
        "the broker mqtt://broker.local:1883 is back",
    ]
    assert client.connections == 5


def test_a_connection_that_is_lost_is_made_again_and_asked_for_what_was_kept() -> None:
    client = ScriptedClient([])
    trial = Trial(client)
    client.script += [client.accepts, *[lambda: None] * 5, client.loses, client.accepts]
    trial.run(20)
    assert trial.words()[0].endswith("is away: the connection was lost")
    assert trial.words()[1].endswith("is back")
    assert [said[0] for said in client.said] == ["subscribe", "subscribe", "disconnect"]


def test_a_broker_that_accepts_and_never_answers_is_noticed() -> None:
    client = ScriptedClient([])
    trial = Trial(client)
    trial.run(int(ANSWER_S) + 5)
    assert trial.words() == ["the broker mqtt://broker.local:1883 is away: it accepts connections and does not answer"]


def test_a_broker_that_answers_no_more_is_noticed() -> None:
    client = ScriptedClient([])
    trial = Trial(client)
    client.script += [client.accepts, *[lambda: None] * 5, lambda: client.loses(141)]
    trial.run(8)
    assert trial.words() == ["the broker mqtt://broker.local:1883 is away: it does not answer any more"]


@pytest.mark.parametrize(("code", "words"), [(134, "password"), (135, "this user")])
def test_a_refusal_that_lasts_ends_it_at_the_first_attempt(code: int, words: str) -> None:
    client = ScriptedClient([])
    trial = Trial(client)
    client.script += [lambda: client.accepts(code)]
    with pytest.raises(BrokerError, match=words):
        trial.run(4)
    assert trial.words() == []


def test_a_refusal_after_it_went_well_once_is_waited_out() -> None:
    client = ScriptedClient([])
    trial = Trial(client)
    client.script += [client.accepts, client.loses, lambda: client.accepts(134), *[lambda: None] * 3]
    trial.run(12)
    assert any("password" in words for words in trial.words())


def test_two_collectors_of_one_name_are_said() -> None:
    client = ScriptedClient([])
    trial = Trial(client)
    for _ in range(12):
        client.script += [client.accepts, client.loses]
    trial.run(200)
    assert any("another program collects under this name" in words for words in trial.words())


def test_a_topic_that_is_no_text_is_a_strangers() -> None:
    class NoText(Arrived):
        @property
        def topic(self) -> str:
            raise UnicodeDecodeError("utf-8", b"\xff", 0, 1, "invalid")

        @topic.setter
        def topic(self, value: str) -> None:
            pass

    client = ScriptedClient([])
    trial = Trial(client)
    client.script += [client.accepts, lambda: client.on_message(client, None, NoText("", b"x", 1))]
    trial.run(3)
    assert trial.collector.strangers == 1


# With a real broker


@pytest.fixture(autouse=True)
def brief(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a broker on this machine had kept comes at once."""
    monkeypatch.setattr("edge.network.subscriber.QUIET_S", 0.5)


def collect(address: BrokerAddress, book: DictBook | None = None, *, patience_s: float = 10.0) -> list[str]:
    told: list[News] = []
    subscriber = Subscriber(address, "edge-collect-test", told.append)
    collector = Collector(book or DictBook(), subscriber.publish, told.append, lambda: "now", time.monotonic())
    subscriber.once(collector, lambda: False, patience_s)
    return [one.words for one in told]


def say(address: BrokerAddress, messages: list[tuple[str, bytes, bool]]) -> None:
    """Publish messages, each acknowledged by the broker."""
    client = make_client(address, "edge-scope-test", session=False)
    client.connect(address.host, address.port)
    client.loop_start()
    for topic, payload, retain in messages:
        client.publish(topic, payload, qos=1, retain=retain).wait_for_publish(5)
    client.disconnect()
    client.loop_stop()


def test_what_was_said_while_the_collector_was_away_is_there_when_it_comes_back(broker: Mosquitto) -> None:
    book = DictBook()
    collect(broker.address, book)
    about = json.dumps({"scope": TOPICS.name, "origin": TOPICS.origin, "newest": 3}).encode()
    said = [(TOPICS.about, about, True), (TOPICS.availability, b"online", True)]
    say(broker.address, [*said, *((TOPICS.journal, entry(n), False) for n in (1, 2, 3))])
    words = collect(broker.address, book)
    assert book.entries == {TOPICS.origin: [1, 2, 3]}
    assert words[0].startswith("new microscope bench-3")


def test_what_does_not_come_ends_it_with_its_name(broker: Mosquitto) -> None:
    about = json.dumps({"scope": TOPICS.name, "origin": TOPICS.origin, "newest": 3}).encode()
    say(broker.address, [(TOPICS.about, about, True), (TOPICS.availability, b"online", True)])
    with pytest.raises(BrokerError, match=r"bench-3 \(3\)"):
        collect(broker.address, patience_s=1.0)


@needs_mosquitto
@pytest.mark.parametrize("password", ["wrong", ""])
def test_wrong_credentials_end_it_with_a_line(tmp_path: Any, password: str) -> None:
    with Mosquitto(tmp_path, BrokerOptions(users=(("clara", "right"),))) as running:
        wrong = BrokerAddress(running.address.host, running.port, user="clara", password=password)
        with pytest.raises(BrokerError, match=r"this user|password"):
            collect(wrong)


@needs_mosquitto
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # paho leaves a refused socket to Python
def test_a_certificate_of_another_authority_or_host_is_refused(tmp_path: Any, certificates: CertificateFiles) -> None:
    with Mosquitto(tmp_path, BrokerOptions(certificates=certificates)) as running:
        assert collect(running.address) == []
        unknown = BrokerAddress("localhost", running.port, tls=True)
        with pytest.raises(BrokerError, match="certificate is not to be trusted"):
            collect(unknown)


@needs_mosquitto
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # as above
def test_a_certificate_for_another_name_is_refused(tmp_path: Any) -> None:
    if shutil.which("openssl") is None:
        pytest.skip("no openssl: apt install openssl")
    files = make_certificates(tmp_path / "certificates", host="elsewhere.example")
    with (
        Mosquitto(tmp_path, BrokerOptions(certificates=files)) as running,
        pytest.raises(BrokerError, match=r"not valid for 'localhost'"),
    ):
        collect(running.address)


def test_a_server_that_never_says_a_word_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("edge.network.subscriber.ANSWER_S", 0.3)
    with silent_server() as port, pytest.raises(BrokerError, match="does not answer"):
        collect(BrokerAddress("127.0.0.1", port))
