"""Waiting for what becomes of a run."""

from __future__ import annotations

import time
from collections.abc import Iterator

from runners.config.home import Home
from runners.engine.lock import file_at
from runners.store.reader import Reader
from runners.store.rows import RunRow
from tui.failure import ExitCode, Failure
from tui.verbs.asking import attend

_LOOK_S = 0.1
"""Between two looks whether the store has changed, which take microseconds."""

_ENGINE_S = 2.0
"""Between two looks whether there is an engine that could change anything."""


def changes(home: Home, store: Reader, run: str) -> Iterator[RunRow]:
    """The run as it is now, and again whenever it may have changed, for as long as the caller likes.

    Sees to it that an engine is there while the run goes on, or else nothing would ever change.

    Raises:
        Failure: an engine can't be started, or the store is not there any more.
    """
    look_for_engine_at = 0.0
    file = file_at(home.database)
    while True:
        seen = store.data_version()
        row = store.run(run)
        yield row
        while store.data_version() == seen:
            if not row.state.final and time.monotonic() >= look_for_engine_at:
                if file_at(home.database) != file:
                    text = f"The store {str(home.database)!r} has been removed or replaced meanwhile."
                    raise Failure(text, ExitCode.UNAVAILABLE)
                attend(home)
                look_for_engine_at = time.monotonic() + _ENGINE_S
            time.sleep(_LOOK_S)
