"""Following a task's log while it grows, in pieces that memory does not mind. Imports no textual."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Protocol

from runners.batches import LogChunk

TAIL = 256 * 1024
"""Bytes of the end of a log that are shown at first."""

PIECE = 256 * 1024
"""Bytes asked for at a time."""

BEHIND = 4 * 1024 * 1024
"""A log that has run ahead by more than this is picked up at its end again."""

PAUSE_S = 0.5
"""Between two looks at a log that has not grown."""

Read = Callable[[int, int], Awaitable[LogChunk]]
"""Reads from an offset (below 0: from the end) at most so many bytes."""


class LogTarget(Protocol):
    """Where the log is shown."""

    def reset(self, skipped: int = 0, *, empty: str | None = None) -> None:
        """Begin anew, at so many bytes from the log's beginning."""

    def append(self, data: bytes) -> None:
        """Take in what comes next."""


async def follow(
    read: Read, target: LogTarget, over: Callable[[], bool], *, pause_s: float = PAUSE_S
) -> None:
    """Show the end of a log on *target* and what is added to it, until the task is *over* and all is shown.

    Cancel it to stop earlier. What *read* raises ends it.
    """
    offset = await _from_the_end(read, target)
    while True:
        # Asked before the log is read: what the task wrote last is there by then.
        last = over()
        chunk = await read(offset, PIECE)
        if chunk.size < offset or chunk.size - offset > BEHIND:
            offset = await _from_the_end(read, target)
            continue
        if chunk.data:
            target.append(chunk.data)
            offset = chunk.offset + len(chunk.data)
        if offset < chunk.size and chunk.data:
            continue
        if last:
            return
        await asyncio.sleep(pause_s)


async def _from_the_end(read: Read, target: LogTarget) -> int:
    chunk = await read(-TAIL, TAIL)
    target.reset(chunk.offset)
    target.append(chunk.data)
    return chunk.offset + len(chunk.data)
