"""A way to the broker that cuts, delays, doubles and disorders: MQTT packets between clients and broker, in a process of its own."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from contextlib import suppress
from ctypes import c_int
from typing import Final

OPEN, CUT, SLOW = 0, 1, 2
"""What the way does: hands on; takes connections and bytes and hands nothing on; hands on late."""

LATE_S: Final = 0.3
"""Seconds that a packet is held up at most, where the way is slow."""

SHARES: Final = (0.05, 0.05)
"""Of the entries: sent twice; sent after the one that follows."""

_PUBLISH, _QOS1 = 3, 1  # kind of packet, quality
_MORE = 0x80  # of a length: another byte follows
_LOOK_S = 0.05  # seconds from one look at what the way does to the next
_CHUNK = 65_536  # bytes


def packets(buffer: bytearray) -> list[bytes]:
    """Take the whole MQTT packets off the front of a buffer."""
    found: list[bytes] = []
    while len(buffer) >= 2:
        length, place = 0, 1
        while True:
            if place >= len(buffer):
                return found
            byte = buffer[place]
            length |= (byte & (_MORE - 1)) << 7 * (place - 1)
            place += 1
            if not byte & _MORE:
                break
        if len(buffer) < place + length:
            return found
        found.append(bytes(buffer[: place + length]))
        del buffer[: place + length]
    return found


class Disorder:
    """Doubles some entries, and lets some be overtaken by the next one. What is no entry passes as it is.

    Args:
        rng: chance.
    """

    def __init__(self, rng: random.Random) -> None:
        self._rng = rng
        self._held: bytes | None = None
        self.doubled = self.overtaken = 0

    def passed(self, packet: bytes) -> list[bytes]:
        """What goes out instead of this packet."""
        held, self._held = self._held, None
        late = [] if held is None else [held]
        if packet[0] >> 4 != _PUBLISH or packet[0] >> 1 & 3 != _QOS1 or packet[0] & 1:
            return [*late, packet]
        chance = self._rng.random()
        if chance < SHARES[0]:
            self.doubled += 1
            return [packet, packet, *late]
        if chance < sum(SHARES) and held is None:
            self.overtaken += 1
            self._held = packet
            return []
        return [packet, *late]

    def left(self) -> list[bytes]:
        """What is still held, when nothing follows."""
        held, self._held = self._held, None
        return [] if held is None else [held]


class RoughWay:
    """Listens, and hands on to the broker.

    Args:
        to: port of the broker.
        mode: what the way does; changed from outside.
        told: where the counts of doubled and overtaken entries go.
        rng: chance.
    """

    def __init__(self, to: int, mode: c_int, told: tuple[c_int, c_int], rng: random.Random) -> None:
        self._to, self._mode, self._told, self._rng = to, mode, told, rng

    async def serve(self, ready: Callable[[int], None]) -> None:
        """Serve until cancelled; ``ready`` gets the port."""
        server = await asyncio.start_server(self._client, "127.0.0.1", 0)
        ready(int(server.sockets[0].getsockname()[1]))
        async with server:
            await server.serve_forever()

    async def _client(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError, asyncio.IncompleteReadError):
            await self._while_cut()
            to_reader, to_writer = await asyncio.open_connection("127.0.0.1", self._to)
            ways = (self._out(reader, to_writer), self._back(to_reader, writer))
            tasks = [asyncio.ensure_future(way) for way in ways]
            try:
                await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            finally:
                for task in tasks:
                    task.cancel()
                await asyncio.gather(*tasks, return_exceptions=True)
                to_writer.close()
        writer.close()

    async def _out(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        buffer, disorder = bytearray(), Disorder(self._rng)
        while not writer.is_closing():
            try:
                chunk = await asyncio.wait_for(reader.read(_CHUNK), 0.2)
            except TimeoutError:
                writer.writelines(disorder.left())
                continue
            if not chunk:
                return
            buffer += chunk
            await self._held_up()
            before = disorder.doubled, disorder.overtaken
            for packet in packets(buffer):
                if writer.is_closing():
                    return
                writer.writelines(disorder.passed(packet))
            self._told[0].value += disorder.doubled - before[0]
            self._told[1].value += disorder.overtaken - before[1]
            await writer.drain()

    async def _back(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while (chunk := await reader.read(_CHUNK)) and not writer.is_closing():
            await self._held_up()
            writer.write(chunk)
            await writer.drain()

    async def _held_up(self) -> None:
        await self._while_cut()
        if self._mode.value == SLOW:
            await asyncio.sleep(self._rng.uniform(0, LATE_S))

    async def _while_cut(self) -> None:
        while self._mode.value == CUT:  # noqa: ASYNC110 - another process changes it
            await asyncio.sleep(_LOOK_S)
