"""Asking the engine for something: a request that is kept, and the wait for its answer."""

import asyncio
import sqlite3
import time

from pydantic import BaseModel

from runners.config.home import Home
from runners.engine.client import EngineClient, EngineError
from runners.engine.versions import retold
from runners.requests import RequestKind
from runners.states import RequestState
from runners.store.database import StoreError, connect
from runners.store.rows import RequestRow
from runners.store.writer import Writer

_AGAIN_S = 1.0
"""An engine that was just leaving when it was called has gone by then, and the next one is started."""


class RefusedError(Exception):
    """The engine refuses; the text is its sentence."""


_PATIENCE_S = 5.0
"""How long the engine may have trouble with the store, as with a disk that is full for a moment."""


async def ask(home: Home, kind: RequestKind, payload: BaseModel, *, timeout_s: float = 30.0) -> RequestRow:
    """Have the engine of *home* carry out a request, and return it once that is done.

    Cancelling takes the request back where no engine has carried it out yet.

    Raises:
        RefusedError: the engine refuses it; nothing is left behind.
        EngineError: no engine carried it out, within *timeout_s* seconds or because the store can't be
            written; the request was taken back, unless the text says that it stays.
        StoreError: the store can't be used; nothing was asked for.
    """
    writer = Writer(await asyncio.to_thread(connect, home.database))
    try:
        try:
            # An engine that is older than this client may not know what is left as it is by default.
            body = await asyncio.to_thread(payload.model_dump_json, exclude_defaults=True)
            number = await asyncio.to_thread(writer.add_request, kind.value, body)
        except sqlite3.Error as error:
            raise StoreError(f"The store {str(home.database)!r} can't be written: {error}.") from error
        try:
            answer = await _answer(home, writer, number, timeout_s)
        except BaseException as error:
            # Blocking on purpose: a second cancel must not leave behind what the first one takes back.
            if _withdrawn(writer, number, error) or not isinstance(error, EngineError):
                raise
            kept = writer.request(number)
            if kept is None:
                raise
            answer = kept
    finally:
        await asyncio.to_thread(writer.close)
    if answer.state is RequestState.REFUSED:
        raise RefusedError(retold(answer.answer))
    return answer


def _withdrawn(writer: Writer, number: int, why: BaseException) -> bool:
    try:
        return writer.withdraw_request(number)
    except sqlite3.Error as error:
        raise EngineError(
            f"The store can't be written ({error}), not even to take the request back: "
            "it stays, and is carried out as soon as that works."
        ) from why


async def _answer(home: Home, writer: Writer, number: int, timeout_s: float) -> RequestRow:
    client = EngineClient(home)
    until = time.monotonic() + timeout_s
    call_at = 0.0
    pause = 0.005
    patient_until = time.monotonic() + min(_PATIENCE_S, timeout_s)
    while True:
        if time.monotonic() >= call_at:
            await client.ensure_running(min(10.0, timeout_s))
            trouble = await client.wake()
            if trouble and time.monotonic() > patient_until:
                raise EngineError(
                    f"The engine can't write to the store {str(home.database)!r} ({trouble}); "
                    "the request was taken back: see to that and ask again."
                )
            call_at = time.monotonic() + _AGAIN_S
        row = await asyncio.to_thread(writer.request, number)
        if row is None:
            raise EngineError("The request is gone from the store; ask again.")
        if row.state is not RequestState.WAITING:
            return row
        if time.monotonic() > until:
            raise EngineError(
                f"The engine has not carried it out within {timeout_s:g} s; it was taken back, ask again."
            )
        await asyncio.sleep(pause)
        pause = min(0.1, pause * 1.5)
