"""A line that is slow, breaks and counts: a TCP proxy on this machine, for tests of what goes over it."""

from __future__ import annotations

import asyncio
from types import TracebackType
from typing import Literal, Self

Way = Literal["up", "down"]
"""`up`: from the client to the server."""

_CHUNK = 64 * 1024
_CHUNKS = 64
"""So many may be on their way before the sender has to wait."""


class Proxy:
    """Listens on a free port of this machine while it is entered, and passes all on to another port.

    Everything counts over all connections together.
    """

    def __init__(self, target_port: int, *, round_trip_s: float = 0.0) -> None:
        self.target_port = target_port
        self.round_trip_s = round_trip_s
        """What the line adds to a round trip, in seconds: half of it in each direction."""
        self.port = 0
        """Where it listens; stays the same from the first entering on."""
        self.connections = 0
        """How many were made."""
        self.bytes: dict[Way, int] = {"up": 0, "down": 0}
        """What came from either side."""
        self.round_trips = 0
        """How often the client spoke after the server had spoken, or first."""
        self._server: asyncio.Server | None = None
        self._lines: dict[asyncio.Task[None], list[asyncio.StreamWriter]] = {}
        self._passing = asyncio.Event()
        self._passing.set()
        self._left: dict[Way, int | None] = {"up": None, "down": None}
        self._spoke_last: Way = "down"

    async def __aenter__(self) -> Self:
        await self.accept()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close everything; ends when all has ended."""
        self.cut()
        await self.refuse()
        for task in list(self._lines):
            task.cancel()
        await asyncio.gather(*self._lines, return_exceptions=True)

    def reset(self) -> None:
        """Count from 0 again."""
        self.connections = self.round_trips = 0
        self.bytes = {"up": 0, "down": 0}
        self._spoke_last = "down"

    async def accept(self) -> None:
        """Take connections."""
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def refuse(self) -> None:
        """Take no connections until :meth:`accept`; those that are there stay."""
        if self._server:
            self._server.close()
            self._server = None

    def cut(self) -> None:
        """Break all connections, at once and without a word: what is on its way is lost."""
        for writers in self._lines.values():
            for writer in writers:
                writer.transport.abort()

    def cut_after(self, count: int, way: Way) -> None:
        """Let *count* more bytes through in that direction, then :meth:`cut`. Only once."""
        self._left[way] = count

    def stall(self) -> None:
        """Let nothing through until :meth:`flow`, and keep all connections: nobody is told."""
        self._passing.clear()

    def flow(self) -> None:
        """Let through what was stalled, and all else."""
        self._passing.set()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self.connections += 1
        self._lines[task] = [writer]
        try:
            await self._join(self._lines[task], reader, writer)
        except asyncio.CancelledError:
            # Only `__aexit__` does that; asyncio's server takes a cancelled task for a fault of its own.
            pass
        finally:
            for either in self._lines.pop(task):
                either.transport.abort()

    async def _join(
        self,
        line: list[asyncio.StreamWriter],
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
    ) -> None:
        try:
            far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self.target_port)
            line.append(far_writer)
            async with asyncio.TaskGroup() as both:
                both.create_task(self._carry("up", reader, far_writer))
                both.create_task(self._carry("down", far_reader, writer))
        except* ConnectionError:
            # One of the sides is gone; so is the line.
            pass

    async def _carry(self, way: Way, source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
        """Carry everything in one direction, to the end of the stream."""
        under_way: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue(_CHUNKS)
        async with asyncio.TaskGroup() as group:
            group.create_task(self._deliver(way, under_way, target))
            while data := await source.read(_CHUNK):
                self._count(way, len(data))
                await under_way.put((self._arrival(), data))
            await under_way.put((self._arrival(), b""))

    async def _deliver(
        self, way: Way, under_way: asyncio.Queue[tuple[float, bytes]], target: asyncio.StreamWriter
    ) -> None:
        while True:
            arrival, data = await under_way.get()
            await asyncio.sleep(arrival - asyncio.get_running_loop().time())
            await self._passing.wait()
            if not data:
                if not target.is_closing():
                    target.write_eof()
                return
            left = self._left[way]
            target.write(data if left is None else data[:left])
            await target.drain()
            if left is not None:
                self._left[way] = left - len(data)
                if len(data) >= left:
                    self._left[way] = None
                    self.cut()
                    return

    def _arrival(self) -> float:
        return asyncio.get_running_loop().time() + self.round_trip_s / 2

    def _count(self, way: Way, count: int) -> None:
        self.bytes[way] += count
        if way == "up" and self._spoke_last == "down":
            self.round_trips += 1
        self._spoke_last = way
