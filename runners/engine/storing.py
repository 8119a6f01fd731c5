"""The engine's hold on the store: one thread does all work; a store that fails for a while is waited for."""

import asyncio
import logging
import sqlite3
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

from runners.store.database import connect
from runners.store.writer import Change, Writer

log = logging.getLogger(__name__)

T = TypeVar("T")

_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 0.1, 10.0


class Store:
    """The store, for a loop that must not block."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="store")
        self._writer: Writer | None = None

    async def open(self) -> None:
        """Open the file.

        Raises:
            StoreError: it can't be opened.
        """
        connection = await asyncio.get_running_loop().run_in_executor(self._thread, connect, self._path)
        self._writer = Writer(connection)

    async def read(self, work: Callable[[Writer], T]) -> T:
        """Do *work* in the store's thread; again, with growing pauses, while the store is locked or full.

        Cancelling leaves work that has begun to its end.
        """
        assert self._writer is not None
        pause = _FIRST_PAUSE_S
        while True:
            try:
                return await asyncio.get_running_loop().run_in_executor(self._thread, work, self._writer)
            except sqlite3.OperationalError as error:
                log.warning("The store can't be used (%s); trying again in %.1f s.", error, pause)
            await asyncio.sleep(pause)
            pause = min(_LONGEST_PAUSE_S, pause * 2)

    async def change(self, work: Callable[[Change, float], T]) -> T:
        """Do *work*, which gets the time as well, in one transaction; see :meth:`read`."""

        def transaction(writer: Writer) -> T:
            with writer.change() as change:
                return work(change, time.time())

        return await self.read(transaction)

    async def close(self) -> None:
        """Close the file, after the work that has begun."""
        loop = asyncio.get_running_loop()
        if self._writer is not None:
            await loop.run_in_executor(self._thread, self._writer.close)
        self._thread.shutdown()
