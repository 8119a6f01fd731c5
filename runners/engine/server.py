"""The engine's side of its Unix socket."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Any

from runners.batches import LogChunk, RunnerError
from runners.engine.versions import of_another_version, older_than_asker
from runners.engine.wire import WireError, receive, send
from runners.store.database import StoreError

log = logging.getLogger(__name__)

_SILENCE_S = 60.0
"""How long a connection may say nothing."""

Answer = tuple[dict[str, Any], bytes]
Operation = Callable[[dict[str, Any]], Awaitable[Answer]]
"""Answers a message, whose `data` is what came behind it."""


def log_answer(chunk: LogChunk) -> Answer:
    """A piece of a log as an answer."""
    return {"offset": chunk.offset, "size": chunk.size}, chunk.data


async def serve(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, operations: dict[str, Operation]
) -> None:
    """Answer one connection until it closes, says nothing for a minute, or talks nonsense."""
    try:
        while True:
            async with asyncio.timeout(_SILENCE_S):
                asked = await receive(reader)
            if asked is None:
                return
            message, sent = asked
            head, data = await _answer({**message, "data": sent}, operations)
            async with asyncio.timeout(_SILENCE_S):
                await send(writer, head, data)
    except (OSError, WireError, TimeoutError) as error:
        log.info("A connection was closed: %s", error)
    except Exception:
        # Whatever one connection brings about: the others, and all that runs, go on.
        log.exception("A connection failed.")
    finally:
        writer.close()


async def _answer(message: dict[str, Any], operations: dict[str, Operation]) -> Answer:
    operation = operations.get(str(message.get("op")))
    if operation is None:
        return {"error": older_than_asker(f"the operation {message.get('op')!r}")}, b""
    try:
        return await operation(message)
    except (RunnerError, StoreError) as error:
        return {"error": str(error)}, b""
    except (KeyError, TypeError, ValueError, OverflowError, RecursionError) as error:
        return {"error": of_another_version("The engine can't read the question", error)}, b""
    except Exception:
        log.exception("The operation %r failed.", message.get("op"))
        return {"error": "The engine can't answer because of a fault of its own; engine.log tells more."}, b""
