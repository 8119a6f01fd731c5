"""The last lines of a task's log: mostly the reason why it failed, in its own words. Imports no textual."""

from __future__ import annotations

from tui.log_follow import Read
from tui.log_text import LogText

LINES = 8
"""At most so many are of use beside other facts."""

_END = 8 * 1024
"""Bytes at the end of the log that are looked at."""


async def last_words(read: Read) -> tuple[str, ...]:
    """The last lines of a log that say something, each plain; none where it is empty.

    Raises what *read* raises. Cancel it at will.
    """
    chunk = await read(-_END, _END)
    text = LogText(chunk.offset)
    text.feed(chunk.data)
    lines = [line.rstrip() for line in (text[index] for index in range(len(text)))]
    return tuple(line for line in lines if line)[-LINES:]
