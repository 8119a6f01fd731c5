"""The event files of a batch: what they are called, and how far a look has come in them. Pure."""

import posixpath
from collections.abc import Sequence
from typing import NamedTuple

from runners.batches import Cursor, Watched
from runners.events import Event, parse_events
from runners.transport.base import Part, Piece

_NEXT = "next"
"""The kind of the last event of a part: the worker goes on in the next one."""


class Read(NamedTuple):
    """What a look at an event file brought."""

    events: Sequence[Event]
    cursor: Cursor
    """Where the next look goes on."""
    more: bool
    """There is more to read at once."""


def events_path(folder: str, cursor: Cursor) -> str:
    """The file that *cursor* is in, of the batch with this *folder*."""
    part = f".{cursor.part}" if cursor.part else ""
    return posixpath.join(folder, f"events.{cursor.restart}{part}.jsonl")


def new_events(watched: Watched, limit: int) -> Piece:
    """What is to be read of a batch: at most *limit* bytes from its cursor on."""
    return Piece(events_path(watched.batch.folder, watched.cursor), watched.cursor.offset, limit)


def read_events(part: Part | None, cursor: Cursor, limit: int) -> Read:
    """What the piece asked for by `new_events`, with the same *limit*, holds."""
    data = b"" if part is None else part.data
    full = len(data) == limit
    events, taken = parse_events(data, full=full)
    # What may stand behind it is not the worker's.
    if any(event.kind == _NEXT for event in events):
        return Read(events, Cursor(cursor.restart, 0, cursor.part + 1), True)
    return Read(events, Cursor(cursor.restart, cursor.offset + taken, cursor.part), full)
