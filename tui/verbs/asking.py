"""Asking the engine from a command: what it refuses is a failure of the command."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING

from runners.config.home import Home
from runners.engine.lock import held
from runners.store.database import StoreError
from tui import output
from tui.failure import ExitCode, Failure
from tui.verbs.opening import found_run

if TYPE_CHECKING:
    from pydantic import BaseModel

    from runners.batches import LogChunk
    from runners.requests import RequestKind


def ask_engine(
    home: Home, kind: RequestKind, payload: BaseModel, *, makes: str | None = None, timeout_s: float = 30.0
) -> None:
    """Have the engine carry out a request; returns when it has, within *timeout_s* seconds.

    Ctrl-C takes the request back where it has not been carried out yet. Where it has, and *makes* is the id
    of the run that it makes, a note says so: nobody would look for a run that seems to be interrupted.

    Raises:
        Failure: it refuses, or there is none and none can be started; nothing was done.
    """
    from runners.engine.asking import RefusedError, ask
    from runners.engine.client import EngineError

    try:
        asyncio.run(ask(home, kind, payload, timeout_s=timeout_s))
    except KeyboardInterrupt:
        if makes is not None:
            with contextlib.suppress(StoreError), found_run(home, makes) as (_, run):
                output.note(f"run {run.id} was launched all the same; `runyard cancel {run.id}` ends it.")
        raise
    except RefusedError as error:
        raise Failure(str(error)) from error
    except EngineError as error:
        raise Failure(str(error), ExitCode.UNAVAILABLE) from error


def keep_engine(home: Home) -> None:
    """Start an engine unless one is running.

    Raises:
        Failure: it can't be started.
    """
    if held(home.lock):
        return
    from runners.engine.client import EngineClient, EngineError

    try:
        asyncio.run(EngineClient(home).ensure_running())
    except EngineError as error:
        raise Failure(str(error), ExitCode.UNAVAILABLE) from error


def attend(home: Home) -> None:
    """Keep an engine, and let it know that someone watches: it looks at clusters more often then.

    Raises:
        Failure: none is running, and it can't be started.
    """
    from runners.engine.client import EngineClient, EngineError

    keep_engine(home)
    # One that is too busy to answer is there all the same.
    with contextlib.suppress(EngineError):
        asyncio.run(EngineClient(home).wake())


def read_log(home: Home, run: str, task: int, offset: int, limit: int) -> LogChunk:
    """At most *limit* bytes of a task's log from *offset* on; a negative offset counts from its end.

    Raises:
        Failure: the engine can't be started, or can't read it.
    """
    from runners.engine.client import EngineClient, EngineError

    keep_engine(home)
    try:
        return asyncio.run(EngineClient(home).read_log(run, task, offset, limit))
    except EngineError as error:
        raise Failure(str(error), ExitCode.UNAVAILABLE) from error
