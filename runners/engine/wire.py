"""What goes over the engine's Unix socket: one JSON object a line, with raw bytes behind it if it says so."""

import asyncio
import json
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

LARGEST = 1 << 20
"""Bytes that one answer carries at most."""


class WireError(Exception):
    """The other side does not keep to the protocol, or is gone."""


@contextmanager
def short_path(path: Path) -> Iterator[str]:
    """A name for the socket *path* that fits into an address, which holds 107 bytes."""
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        yield f"/proc/self/fd/{folder}/{path.name}"
    finally:
        os.close(folder)


def listen(path: Path) -> socket.socket:
    """A socket bound to *path*, for its owner only. An old one is removed: the caller holds the lock.

    Raises:
        OSError: it can't be bound.
    """
    path.unlink(missing_ok=True)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        # Linux gives the file the mode of the socket: there is no moment at which others could connect.
        os.fchmod(listener.fileno(), 0o600)
        with short_path(path) as name:
            listener.bind(name)
    except BaseException:
        listener.close()
        raise
    return listener


async def send(writer: asyncio.StreamWriter, message: dict[str, Any], data: bytes = b"") -> None:
    """Send one message, with *data* behind it.

    Raises:
        OSError: the other side is gone.
    """
    head = {**message, "bytes": len(data)} if data else message
    writer.write(json.dumps(head).encode() + b"\n" + data)
    await writer.drain()


async def receive(reader: asyncio.StreamReader) -> tuple[dict[str, Any], bytes] | None:
    """The next message and the data behind it; None where the other side has closed.

    Raises:
        WireError: it is no message.
        OSError: the other side is gone.
    """
    try:
        line = await reader.readline()
        if not line:
            return None
        message = json.loads(line)
        size = message.get("bytes", 0) if isinstance(message, dict) else None
        if not isinstance(size, int) or not 0 <= size <= LARGEST:
            raise WireError("The message is not one JSON object.")
        return message, await reader.readexactly(size)
    except (ValueError, RecursionError, asyncio.IncompleteReadError) as error:
        raise WireError(f"The message can't be read: {error}.") from error
