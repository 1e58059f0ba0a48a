"""docs/mqtt.md says what the program does."""

from __future__ import annotations

import json
import re
from pathlib import Path

from edge.cli.network_settings import NetworkSettings
from edge.cli.options import options_of
from edge.network.entities import ENTITIES, Entity
from edge.network.outbox import WINDOW, WINDOW_BYTES
from edge.network.topics import ScopeTopics
from tests.network.fake_broker import VOICE

PAGE = Path(__file__).parents[2] / "docs" / "mqtt.md"


def entity_rows() -> list[str]:
    """The table of entities."""
    return [f"| `{one.key}` | {_what(one)} | {_shown(one)} |" for one in ENTITIES]


def _what(one: Entity) -> str:
    options = ", ".join(f"`{option}`" for option in one.options)
    return (
        f"{one.name.lower()}: {options or ('`ON`, `OFF`' if one.binary else f'in {one.unit}' if one.unit else 'text')}"
    )


def _shown(one: Entity) -> str:
    kind = "binary sensor" if one.binary else "sensor"
    device_class = f", class `{one.device_class}`" if one.device_class else ""
    return f"{kind} of the {one.part}{device_class}{', diagnostic' * one.diagnostic}"


def test_the_table_of_entities_is_the_programs() -> None:
    text = PAGE.read_text()
    for row in entity_rows():
        assert row in text
    assert len(re.findall(r"^\| `[a-z-]+` \| .* sensor of the ", text, re.MULTILINE)) == len(ENTITIES)


def test_options_topics_and_parts_of_payloads_are_all_there() -> None:
    text = PAGE.read_text()
    topics = ScopeTopics("a", "b" * 32)
    told = [topics.availability, topics.about, topics.journal, topics.wanted, topics.state("ENTITY")]
    for name in (
        *(f"--{option.key}" for option in options_of(NetworkSettings).values()),
        *(f"`{topic.removeprefix(topics.base + '/')}`" for topic in told),
        *(f"`{key}`" for key in json.loads(VOICE.about(1))),
    ):
        assert name in text, name
    assert f"at most {WINDOW} or half a megabyte" in text
    assert WINDOW_BYTES == 500_000


def test_what_the_page_links_to_is_there() -> None:
    for name in re.findall(r"\]\(([^)#:]+)", PAGE.read_text()):
        assert (PAGE.parent / name).exists(), name
